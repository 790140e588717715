"""What several tests need: a small data set, a small network, a lab's cells, and the prose of the book."""

import html
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from one_lab import lab  # noqa: F401, a fixture for all
from torch import nn

from common import checkpoint
from common import data as datasets
from common import train as training
from common.blocks import conv_block
from common.labs import LABS, paths
from common.recipe import Recipe, Variant
from common.schedule import make_optimizer, make_scheduler
from common.settings import Settings

NAMES = [path.stem for path in paths()]  # of the labs
os.environ.pop("RUNS_DIR", None)  # tests choose their own
CIFAR_10 = Path(os.environ.get("DATA_DIR") or datasets.ROOT / "data")
needs_cifar_10 = pytest.mark.skipif(not (CIFAR_10 / "cifar-10-batches-py").is_dir(), reason="DATA_DIR has no CIFAR-10")


@pytest.fixture(autouse=True)
def same_start():
    """Each test draws from the same random state, whatever ran before it on the same worker."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def tiny():
    """150 synthetic images to learn from and 50 to test on: a whole run takes a fraction of a second."""
    return datasets.Data("synthetic", "tiny", *datasets.draw(150, seed=3), *datasets.draw(50, seed=4))


def build():
    """A network of a few hundred parameters that has all that matters to a run: normalisation and dropout too."""
    return nn.Sequential(conv_block(3, 8, stride=2, dropout=0.1), conv_block(8, 10, stride=2), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten())


@pytest.fixture
def variant():
    return Variant(build, Recipe(epochs=2, batch_size=32, lr=0.05, flip=True, crop=2))


@pytest.fixture
def folders(tmp_path, monkeypatch, tiny):
    """Empty folders for records and runs, and the tiny set in place of the real ones."""
    from common import records, runs

    for module, name, folder in [(records, "RECORDS", "records"), (records, "RUNS", "runs"), (runs, "RUNS", "runs")]:
        monkeypatch.setattr(module, name, tmp_path / folder)
    monkeypatch.setattr(datasets, "load", lambda name, data_dir=None, images=0: tiny)
    return tmp_path


@pytest.fixture
def options():
    return Settings(dataset="synthetic", seeds=1, device="cpu")


def rates(recipe, steps, batches=1):
    """Return the learning rates of the first `steps` steps of a recipe's schedule."""
    optimizer, seen = make_optimizer(nn.Linear(1, 1), recipe), []
    scheduler = make_scheduler(optimizer, recipe, batches)
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def timeless(path):
    """Return what the record at `path` holds, without what the clock has put into it."""
    record = json.loads(Path(path).read_text())
    for row in [record, *record["history"]]:
        del row["seconds"]
    del record["checksum"], record["date"]
    return record


def stopped_after_each_epoch(monkeypatch, times, *arguments, **more):
    """Return the Result of `train(*arguments, **more)`, of a run that is stopped so many times and goes on each time."""
    def save_and_stop(*state):
        checkpoint.save(*state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(training, "save", save_and_stop)
        patched.setitem(training.KEEP, "cuda", 0)  # after every epoch, as on a CPU
        for _ in range(times):
            with pytest.raises(KeyboardInterrupt):
                training.train(*arguments, **more)
    return training.train(*arguments, **more)


def cells(lab, **names):
    """Return the names that a lab's cells of imports, variants and checks define, beside `names`; no check is made."""
    for cell in (LABS / f"{lab}.py").read_text().split("# %%")[1:]:
        header, _, body = cell.partition("\n")
        if '"imports"' in header or '"variants"' in header:
            exec(body, names)
        if '"check"' in header:
            exec(body.rsplit("\nprint(", 1)[0], names)
    return names


def papermill(lab, out, runs, *parameters):
    """Execute a lab into the notebook `out`, with `parameters` as "epochs=2" and the run folder `runs`."""
    command = [sys.executable, "-m", "papermill", LABS / f"{lab}.ipynb", out, "--cwd", LABS, "--no-progress-bar",
               *(word for p in parameters for word in ("-p", *p.split("=")))]
    return subprocess.run(command, env=os.environ | {"RUNS_DIR": str(runs)}, capture_output=True, text=True)


def printed(notebook, tag=None):
    """Return what each code cell of an executed notebook printed, of all cells or of those with a tag."""
    import nbformat  # here, since the GPU's tests should run where there is no Jupyter

    return ["".join(o.get("text", "") for o in cell.outputs) for cell in nbformat.read(notebook, 4).cells
            if cell.cell_type == "code" and (tag is None or tag in cell.metadata.get("tags", []))]


TYPED = re.compile(r"\d[\d.,]*(?: |\\,)*(?:\\?%|per ?cent\b)|\d+\.\d+ (?:percentage )?points?\b")
ALLOWED = ("95 % interval", "95 % confidence")  # what an interval is, and no result


def typed(text):
    """Return the percentages, and differences in points, that stand in a text, each with some words before it."""
    text = " ".join(html.unescape(text).split())  # thin spaces and line ends too
    for phrase in ALLOWED:
        text = text.replace(phrase, "")
    return [text[max(0, found.start() - 30):found.end()] for found in TYPED.finditer(text)]


def told(markdown):
    """Return Markdown without what it quotes, in <q> or in a block quote, and without code and comments."""
    fences, spans = r"^ *(```+|~~~+).*?^ *\1", r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)"
    for pattern in (fences, r"<!--.*?-->", spans, r"<q>.*?</q>", r"^ *>[^\n]*"):
        markdown = re.sub(pattern, "", markdown, flags=re.MULTILINE | re.DOTALL)
    return markdown


def prose(page):
    """Return the text of a built HTML page's article without cells, code, formulas and quotations."""
    return "".join(_Article(page).text)


class _Article(HTMLParser):
    """Collects the text of an article. `open` holds (element, whether its text counts; None before the article)."""

    EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
    LEFT_OUT = {"code", "pre", "q", "blockquote", "script", "style", "svg"}, {"cell", "math"}  # elements, classes

    def __init__(self, page):
        super().__init__()
        self.text, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag in self.EMPTY:
            return
        classes = set((dict(attributes).get("class") or "").split())
        counts = self.open[-1][1] if self.open else None
        if counts is None and tag == "article" and "bd-article" in classes:
            counts = True
        elif counts and (tag in self.LEFT_OUT[0] or classes & self.LEFT_OUT[1]):
            counts = False
        self.open.append((tag, counts))

    def handle_endtag(self, tag):
        if tag in (name for name, _ in self.open):
            while self.open.pop()[0] != tag:  # elements that HTML lets end without a tag
                pass

    def handle_data(self, data):
        if self.open and self.open[-1][1]:
            self.text.append(data)
