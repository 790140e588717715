"""The parameters of a lab, checked by name and type before anything runs."""

import difflib
from types import ModuleType
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, create_model

from common.errors import CourseError, meant


class Settings(BaseModel):
    """What every lab can be told; papermill's `-p name value` sets one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: Literal["cifar10", "synthetic"] = Field("cifar10", description="cifar10 or synthetic")
    data_dir: str = Field("", description="a folder's name, or empty for $DATA_DIR or else data/")
    epochs: StrictInt = Field(0, ge=0, description="a whole number of epochs, or 0 for as many as each recipe says")
    seeds: StrictInt = Field(1, ge=1, description="a whole number of seeds, 1 or more")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto, cpu or cuda")
    images: Literal[0] | Annotated[StrictInt, Field(ge=60, multiple_of=10)] = Field(  # of fewer, a tenth holds out none
        0, description="a multiple of 10, as many images of each class, 60 or more, or 0 for all")
    retrain: bool = Field(False, description="True or False")


def whole(least, most, description):
    """Return what `read` takes for a lab's own parameter: a whole number from `least`, the default, to `most`."""
    return StrictInt, Field(least, ge=least, le=most, description=description)


def read(names, **own):
    """Return the Settings that stand in `names`, a notebook's `globals()` after its parameter cell.

    Every plain value found there counts as a parameter, so a misspelt one is noticed. What a lab takes beyond the
    others it names here, as in `read(globals(), rung=whole(-1, 7, "…"))`; to other labs it stays unknown. Raises
    CourseError.
    """
    known = create_model("Settings", __base__=Settings, **own)
    given = {name: value for name, value in names.items()
             if not name.startswith("_") and name not in ("In", "Out")
             and not isinstance(value, ModuleType) and not callable(value)}
    # A lab that is run again in the same kernel finds there what its later cells defined, too. Of that, what is plain
    # and spelt nearly as a parameter is taken for one.
    first = names.get("_parameters", set(given)) | set(known.model_fields)
    near = {name for name, value in given.items() if isinstance(value, (bool, int, float, str))
            and difflib.get_close_matches(name, known.model_fields, n=1, cutoff=0.8)}
    try:
        settings = known(**{name: value for name, value in given.items() if name in first | near})
    except ValidationError as error:
        wrong = error.errors()[0]
        if wrong["type"] == "extra_forbidden":
            del names[wrong["loc"][0]]  # so that the cell works once its spelling is mended
        raise CourseError(_sentence(wrong, known.model_fields)) from None
    names["_parameters"] = first
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise CourseError("The parameter device is 'cuda', but PyTorch finds no CUDA device here: use auto or cpu.")
    return settings


def trial(settings):
    """Return a sentence where `settings` train otherwise than the recipes say, and "" where they do not."""
    changed = [f"{name} {getattr(settings, name)}" for name in ("dataset", "epochs", "images")
               if getattr(settings, name) != Settings.model_fields[name].default]
    if not changed:
        return ""
    return (f"**A trial: {', '.join(changed)}.** The figures and tables below are of such runs; what the text says of "
            "goals, of choices and of a source's numbers is about full ones.")


def device(settings):
    """Return the torch.device that `settings.device` means on this machine."""
    name = settings.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _sentence(error, fields):
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return f"The parameter {name} is not known to this lab: {meant(name, fields, cutoff=0.5)}"
    return f"The parameter {name} is {error['input']!r}, but it must be {fields[name].description}."
