"""Every lab: trained for real on the synthetic set, the same again, replayed, a page with runs missing, its exercises."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import NAMES, papermill, printed
from papermill import execute_notebook

from common import book
from common.labs import LABS, variants
from common.records import read_all

QUICK = "dataset=synthetic", "images=60", "epochs=1", "device=cpu"  # large networks too: seconds on two cores


@pytest.mark.parametrize("lab", NAMES)
def test_a_lab(lab, tmp_path):
    """One epoch on 60 synthetic images; one test, since processes that share the tests would each train for theirs."""
    out, runs = tmp_path / f"{lab}.ipynb", tmp_path / "runs"
    done = papermill(lab, out, runs, *QUICK)
    assert done.returncode == 0, done.stderr
    for name in variants(LABS / f"{lab}.py"):
        assert len(list((runs / lab / name).glob("seed-0-*.json"))) == 1, f"{name} was not trained"
    assert "epoch 1/1" in "".join(printed(out))
    exercises_start_open_and_their_solutions_pass(out)
    it_is_replayed(lab, runs, tmp_path / "again.ipynb")
    it_is_a_page_although_runs_are_missing(lab, runs, tmp_path / "page.ipynb")
    the_same_seed_gives_the_same_outputs_to_the_last_digit(out, tmp_path / "no runs")


def exercises_start_open_and_their_solutions_pass(out):
    checks, solutions = printed(out, "check"), printed(out, "solution")
    assert len(checks) == len(solutions) >= 2
    assert all(said.startswith("Not yet: ") for said in checks), checks
    assert all(said.startswith("Right: ") for said in solutions), solutions


def it_is_replayed(lab, runs, again):
    done = papermill(lab, again, runs, *QUICK)
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1" not in "".join(printed(again))


def it_is_a_page_although_runs_are_missing(lab, runs, page):
    for name in list(variants(LABS / f"{lab}.py"))[1::2]:
        shutil.rmtree(runs / lab / name)
    quick = {name: int(value) if value.isdigit() else value for name, value in (p.split("=") for p in QUICK)}
    done = execute_notebook(LABS / f"{lab}.ipynb", page, quick, engine_name="waiting", kernel_name="python3", folder=LABS,
                            env={"RUNS_DIR": str(runs)}, progress_bar=False)
    assert done.metadata["waits"] and "epoch 1/1" not in "".join(printed(page))


def the_same_seed_gives_the_same_outputs_to_the_last_digit(out, runs):
    done = subprocess.run(  # with no runs to replay, everything is trained again
        [sys.executable, "-m", "pytest", "--nbval", out, "--nbval-sanitize-with", "tests/sanitize.cfg", "-q",
         "--rootdir", out.parent, "-p", "no:cacheprovider"],
        cwd=LABS.parent, env=os.environ | {"RUNS_DIR": str(runs)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("parameter, sentence", [
    ("epoch=2", "The parameter epoch is not known to this lab: did you mean epochs?"),
    ("epochs=three", "The parameter epochs is 'three', but it must be a whole number of epochs"),
    ("seeds=0", "The parameter seeds is 0, but it must be a whole number of seeds, 1 or more."),
])
def test_a_bad_parameter_stops_a_lab_with_one_sentence(tmp_path, parameter, sentence):
    done = papermill(NAMES[0], tmp_path / "out.ipynb", tmp_path / "runs", parameter)
    assert done.returncode != 0 and sentence in done.stderr
    assert not (tmp_path / "runs").exists()


TOC = book.ROOT / "_toc.yml"
ON_RECORD = [Path(page).name for page in book.listed(TOC)
             if page.startswith("labs/") and page not in book.listed(TOC, book.WAITING)]


def test_every_lab_is_in_the_book():
    assert sorted(Path(page).name for page in book.listed(TOC) if page.startswith("labs/")) == NAMES


@pytest.mark.parametrize("lab", ON_RECORD)
def test_a_lab_is_plain_python_too(lab, tmp_path):
    """It is replayed from the records where there is no Jupyter and no data set."""
    code = f"import sys, runpy; sys.modules['IPython'] = None; runpy.run_path({str(LABS / lab) + '.py'!r})"
    environment = os.environ | {"RUNS_DIR": str(tmp_path / "runs"), "DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_level_1_is_built_in_the_order_in_which_it_was_trained():
    """A network's structure does not tell in which order its layers drew their first weights from the seed.

    The taps that no gradient reaches do: they still are what the recorded seed gave them.
    """
    build = variants(LABS / "level_1.py")["as_run"].build
    record = next(r for r in read_all() if (r.lab, r.variant, r.seed) == ("level_1", "as_run", 0))
    stored = record.load_weights(build())[16].weight
    torch.manual_seed(0)
    first = build()[16].weight.half().float()
    still = (stored == first).flatten(2).all(0).all(0)
    assert still.tolist() == [True] * 4 + [False] + [True] * 4
