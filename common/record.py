"""One record: what a finished run leaves behind."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.torch import load_file

from common.errors import CourseError
from common.recipe import Recipe


class Record(BaseModel):
    """One finished run. Accuracies are fractions, losses mean nats, times seconds of the training process."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: Path | None = Field(None, exclude=True)  # of the .json that it was read from, which does not hold it

    lab: str
    variant: str
    seed: int
    engine: int  # common.train.ENGINE at the time
    data: str  # digest of the data set
    network: str  # digest of the network's structure
    recipe: Recipe
    dataset: str
    split: dict[str, int]  # images to learn from, to validate on, to test on
    params: int
    macs: int
    history: list[dict]
    test_loss: float
    test_acc: float
    learnt_acc: float | None = None  # of 10,000 images learnt from, clean, in evaluation mode, at the end; None: not measured
    confusion: list[list[int]]  # rows: true class; columns: predicted
    device: str  # on which the run ended; where it went on from a checkpoint, others may have had a share
    precision: str
    threads: int
    torch: str
    commit: str
    date: str
    seconds: float  # as the clock on the wall counted them, with whatever stopped the run for a while
    at_once: int = 0  # this run and those of `make record` beside it on the machine when it ended; 0: not known
    files: dict[str, str]  # ending -> SHA-256 of the file beside this one

    @property
    def train_acc(self):
        """Training accuracy over the last epoch, as a fraction."""
        return self.history[-1]["train_acc"]

    @property
    def val_acc(self):
        """Validation accuracy after the last epoch, as a fraction; None where no images were held out."""
        return self.history[-1].get("val_acc")

    @property
    def gap(self):
        """Clean training accuracy less test accuracy, as a fraction; NaN where the former was not measured."""
        return float("nan") if self.learnt_acc is None else self.learnt_acc - self.test_acc

    @property
    def took(self):
        """Seconds of training: the median epoch's times the number of epochs. A pause makes one epoch long, and no more."""
        return len(self.history) * float(np.median([row["seconds"] for row in self.history]))

    def curves(self):
        """The history as a DataFrame, one row an epoch."""
        import pandas as pd  # here and not above: a machine that only trains need not have it

        return pd.DataFrame(self.history).set_index("epoch")

    def beside(self, ending):
        """Return the path of this record's file with `ending`, after checking it. Raises CourseError."""
        if ending not in self.files:
            raise CourseError(f"No {ending} was kept with the record {self.path}: weights are those of seed 0, of networks "
                              "of up to 300,000 parameters.")
        path = self.path.with_suffix(ending)
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != self.files[ending]:
            raise CourseError(f"The file {path} is missing or is not what its record {self.path.name} says: restore "
                              f"it with git, or remove the record and train it again with `make record`.")
        return path

    def predictions(self):
        """The predicted class of each test image, uint8 (N,)."""
        return self._array("predictions")

    def correct(self):
        """Whether each test image was classified correctly, bool (N,): what pairs two networks image by image."""
        return self._array("correct")

    def _array(self, name):
        try:
            with np.load(self.beside(".npz"), allow_pickle=False) as arrays:
                found = arrays[name]
        except (ValueError, KeyError, OSError, zipfile.BadZipFile, AttributeError, TypeError):
            found = np.empty(0)
        whole = found.shape == (np.sum(self.confusion),) and found.dtype == dict(predictions=np.uint8, correct=bool)[name]
        if not whole or found.max() > 9:
            raise CourseError(f"The file beside {self.path} does not hold the {name} of {np.sum(self.confusion):,} test images: "
                              "restore it with git, or remove the record and train it again with `make record`.")
        return found

    def load_weights(self, network):
        """Put the stored half-precision weights into `network`, and return it in evaluation mode."""
        path = self.beside(".safetensors")
        try:
            network.load_state_dict({k: cast(t, torch.float32) for k, t in load_file(path).items()})
        except (SafetensorError, RuntimeError) as error:
            raise CourseError(f"The weights {path} are not of this network ({str(error).splitlines()[0]}): restore the file with "
                              "git, or remove the record and train it again with `make record`.") from None
        return network.eval()


def cast(tensor, dtype):
    """Return a tensor in another floating-point type; integers, as batch counts, stay as they are."""
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
