"""The validated settings of a run: everything that decides the result, but for the network, the data and the seed."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from common.errors import CourseError, meant


class Recipe(BaseModel):
    """How a network is trained. Two runs are the same experiment when their recipes are equal.

    A field added later needs a default that means what was done before, so that older records keep their meaning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(ge=1)
    batch_size: int = Field(64, ge=1)

    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = Field(0.01, gt=0)  # the peak, for onecycle
    momentum: float = Field(0.9, ge=0, lt=1)  # of SGD; onecycle moves it unless cycle_momentum is False
    nesterov: bool = False  # of SGD
    weight_decay: float = Field(0.0, ge=0)  # of all parameters; part of the gradient (L2), but for adamw decoupled from it
    l1: float = Field(0.0, ge=0)  # times the sum of all parameters' absolute values, added to the loss that is minimised
    label_smoothing: float = Field(0.0, ge=0, lt=1)

    schedule: Literal["constant", "step", "plateau", "onecycle", "cosine"] = "constant"
    step_size: int = Field(20, ge=1)  # epochs between drops, of step
    factor: float = Field(0.1, gt=0, lt=1)  # the rate after a drop over the rate before, of step and plateau
    patience: int = Field(10, ge=0)  # epochs without a loss lower by 1 in 10,000 (validation, or else training), of plateau
    min_lr: float = Field(0.0, ge=0)  # no rate is lower, of step and plateau
    pct_start: float = Field(0.3, gt=0, lt=1)  # share of the steps spent rising, of onecycle
    cycle_momentum: bool = True  # of onecycle: let momentum, or Adam's beta1, move between 0.85 and 0.95, against the rate

    # augmentation, in the order in which it is applied (common/augment.py says what each does)
    crop: int = Field(0, ge=0, le=16)  # pixels of padding before a random crop
    crop_mode: Literal["black", "reflect"] = "black"  # what the padding shows
    flip: bool = False  # left to right
    flip_p: float = Field(0.5, ge=0, le=1)  # how often
    alternate: bool = False  # flip half of the images in odd epochs, the other half in even ones (Jordan, arXiv:2404.00498)
    shift: float = Field(0.0, ge=0, lt=1)  # most, as a fraction of the side
    scale: float = Field(0.0, ge=0, lt=1)  # grow by a factor within 1 ± scale
    rotate: float = Field(0.0, ge=0, le=180)  # most, in degrees
    affine_p: float = Field(0.5, ge=0, le=1)  # how often an image is shifted, scaled and rotated
    zoom: float = Field(0.0, ge=0, lt=1)  # look at a window whose sides are within 1 ± zoom of the image's
    grey_p: float = Field(0.0, ge=0, le=1)  # how often an image loses colour
    grey_least: float = Field(1.0, ge=0, le=1)  # share of grey then, at least
    cutout: int = Field(0, ge=0, le=32)  # largest side of the hole, in pixels
    cutout_least: int = Field(0, ge=0, le=32)  # smallest side; 0: as large as the largest
    cutout_p: float = Field(1.0, ge=0, le=1)  # how often there is a hole
    cutout_fill: Literal["mean", "mean, not normalised"] = "mean"  # the second is a mistake that a source made
    mixup: float = Field(0.0, ge=0)  # alpha of the Beta distribution

    validation: float = Field(0.1, ge=0, lt=1)  # share of the training images held out; 0: train on all
    follow_test: bool = False  # look at the test set after every epoch, as the sources did; never to choose by it
    follow_train: bool = False  # and at the images learnt from, clean and in evaluation mode, as a source's leak did
    statistics: Literal["train", "test"] = "train"  # whose mean and deviation the images are normalised with
    precision: Literal["auto", "fp32"] = "auto"  # auto: bfloat16 where the device has units for it

    def __init__(self, **settings):
        """Check `settings`. Raises CourseError, which says of the first that is wrong what it may be."""
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise CourseError(_sentence(error.errors()[0])) from None

    @model_validator(mode="after")
    def _fits(self):
        for contradiction, sentence in [
                (self.nesterov and not self.momentum, "nesterov needs a momentum above 0"),
                (self.schedule == "onecycle" and self.cycle_momentum and self.momentum != 0.9,
                 "onecycle moves the momentum by itself unless cycle_momentum is False, and momentum is set"),
                (self.alternate and not self.flip, "alternate says how to flip, and flip is False"),
                (self.alternate and self.flip_p != 0.5, "alternate flips half of the images, and flip_p is not 0.5"),
                (self.cutout_least > self.cutout, "cutout_least is larger than cutout"),
                (self.min_lr > self.lr, "min_lr is higher than lr")]:
            if contradiction:
                raise ValueError(f"{sentence}: change one of the two")
        return self

    def plus(self, **changes):
        """Return this recipe with other settings, checked like every recipe; pydantic's model_copy checks nothing."""
        return Recipe(**(self.model_dump() | changes))


def _sentence(error):
    name = ".".join(map(str, error["loc"]))
    if not name:  # two settings contradict each other
        return f"In the recipe, {error['ctx']['error']}."
    if error["type"] == "missing":
        return f"The recipe does not say its {name}: add {name}=…."
    if error["type"] == "extra_forbidden":
        return f"The recipe's setting {name} is not known: {meant(name, Recipe.model_fields)}"
    return f"The recipe's {name} is {error['input']!r}; what it takes: {error['msg'].removeprefix('Input should be ')}."


class Variant(NamedTuple):
    """What a lab trains under one name: `build()` returns a new, untrained network."""

    build: Callable
    recipe: Recipe
