"""The validated settings of a run: everything that decides the result, but for the network, the data and the seed."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Recipe(BaseModel):
    """How a network is trained. Two runs are the same experiment when their recipes are equal.

    A field added later needs a default that means what was done before, so that older records keep their meaning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(ge=1)
    batch_size: int = Field(64, ge=1)

    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = Field(0.01, gt=0)  # the peak, for onecycle
    momentum: float = Field(0.9, ge=0, lt=1)  # of SGD
    nesterov: bool = False  # of SGD
    weight_decay: float = Field(0.0, ge=0)
    label_smoothing: float = Field(0.0, ge=0, lt=1)

    schedule: Literal["constant", "step", "plateau", "onecycle", "cosine"] = "constant"
    step_size: int = Field(20, ge=1)  # epochs between drops, of step
    factor: float = Field(0.1, gt=0, lt=1)  # the rate after a drop over the rate before, of step and plateau
    patience: int = Field(10, ge=0)  # epochs without a better validation loss before a drop, of plateau
    min_lr: float = Field(0.0, ge=0)  # of plateau
    pct_start: float = Field(0.3, gt=0, lt=1)  # share of the steps spent rising, of onecycle

    crop: int = Field(0, ge=0, le=16)  # pixels of black padding before a random crop
    flip: bool = False  # left to right, half of the time

    validation: float = Field(0.1, ge=0, lt=1)  # share of the training images held out; 0: train on all
    follow_test: bool = False  # look at the test set after every epoch, as the sources did; never to choose by it
    statistics: Literal["train", "test"] = "train"  # whose mean and deviation the images are normalised with
    precision: Literal["auto", "fp32"] = "auto"  # auto: bfloat16 where the device has units for it


class Variant(NamedTuple):
    """What a lab trains under one name: `build()` returns a new, untrained network."""

    build: Callable
    recipe: Recipe
