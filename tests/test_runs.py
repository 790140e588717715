"""What a run is given, where it is kept, and what its record says of how it came about."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from common import data as datasets
from common import records, runs
from common.errors import CourseError
from common.files import claimed, write_whole
from common.records import identity


def train_one(variant, options, **changes):
    return runs.runs("lab", "variant", variant, options.model_copy(update=changes))


@pytest.mark.parametrize("change", [dict(recipe={}), dict(network="0" * 16), dict(seed=1), dict(engine=0), dict(data="x")])
def test_another_run_has_another_place(variant, change):
    wanted = identity("synthetic", variant, 0)
    assert runs.place("lab", "variant", wanted) != runs.place("lab", "variant", wanted | change)


def test_another_engine_is_another_run(variant, monkeypatch):
    monkeypatch.setattr(records, "ENGINE", 2)
    assert identity("synthetic", variant, 0)["engine"] == 2


def test_a_run_is_given_the_images_that_were_asked_for(folders, variant, options, tiny, monkeypatch):
    asked = []
    monkeypatch.setattr(datasets, "load", lambda *given: (asked.append(given), tiny)[1])
    train_one(variant, options, images=60, data_dir="d")
    assert asked == [("synthetic", "d", 60)]


def test_a_confusion_has_the_true_classes_in_its_rows(folders, variant, options, tiny):
    record = train_one(variant, options)[0]
    taken = np.bincount(record.predictions(), minlength=10).tolist()
    assert [sum(row) for row in record.confusion] == torch.bincount(tiny.test_labels, minlength=10).tolist() != taken
    assert np.sum(record.confusion, axis=0).tolist() == taken


def test_weights_are_kept_of_the_first_seed_in_half_precision(folders, variant, options):
    first, second = train_one(variant, options, seeds=2)
    assert ".safetensors" in first.files and ".safetensors" not in second.files
    assert load_file(first.beside(".safetensors"))["0.0.weight"].dtype == torch.float16


def test_a_record_says_how_many_ran_at_once(folders, variant, options):
    other, own = (folders / "runs" / "lab" / name / "seed-0.claim" for name in ("other", "variant"))
    with claimed(other):
        assert train_one(variant, options)[0].at_once == 2  # as in a notebook, beside `make record`
        with claimed(own):
            assert train_one(variant, options, retrain=True)[0].at_once == 2
    assert train_one(variant, options, retrain=True)[0].at_once == 1


def test_a_commit_is_marked_where_the_code_differs_from_it(tmp_path, monkeypatch):
    def git(*words):
        subprocess.run(["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True)

    monkeypatch.setattr(datasets, "ROOT", tmp_path)
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "a.py").write_text("1")
    git("init")
    git("add", ".")
    git("commit", "-m", "a")
    clean = runs._commit()
    (tmp_path / "b").touch()
    assert len(clean) == 12 and runs._commit() == clean
    (tmp_path / "common" / "a.py").write_text("2")
    assert runs._commit() == f"{clean}-dirty"


def test_without_git_a_run_takes_the_commit_that_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "ROOT", tmp_path)
    monkeypatch.delenv("COMMIT", raising=False)
    assert runs._commit() == "unknown"
    monkeypatch.setenv("COMMIT", "0123456789ab")
    assert runs._commit() == "0123456789ab"


def test_a_repository_around_this_folder_is_not_its_own(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "course").mkdir()
    monkeypatch.setattr(datasets, "ROOT", tmp_path / "course")
    monkeypatch.setenv("COMMIT", "0123456789ab")
    assert runs._commit() == "0123456789ab"


class Pair(nn.Sequential):
    """A network that gives two things."""

    def forward(self, images):
        return images, images


@pytest.mark.parametrize("build, said", [
    (lambda: None, "What was built is no network but None: return an nn.Module"),
    (lambda: nn.Flatten(), "network of lab/variant has no parameters to train"),
    (lambda: nn.Conv2d(3, 10, 32), r"gives \(2, 10, 1, 1\) for two images, not \(2, 10\): end it in ten scores"),
    (lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 12)), r"gives \(2, 12\) for two images"),
    (lambda: Pair(nn.Linear(1, 1)), r"gives \('tuple',\) for two images")])
def test_a_network_that_makes_no_ten_scores_is_refused_before_it_is_trained(folders, variant, options, build, said, monkeypatch):
    monkeypatch.setattr(runs, "train", lambda *given, **more: pytest.fail("trained"))
    with pytest.raises(CourseError, match=said):
        train_one(variant._replace(build=build), options)


def test_a_relative_folder_of_runs_counts_from_the_repository():
    code = "from common import data, records; print(records.RUNS == data.ROOT / 'here')"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | dict(RUNS_DIR="here"), capture_output=True, text=True,
                          cwd=datasets.ROOT)
    assert done.stdout == "True\n", done.stderr


def test_a_folder_of_runs_of_nobody_is_said():
    done = subprocess.run([sys.executable, "-c", "import common.records"], env=os.environ | dict(RUNS_DIR="~nobody_at_all/x"),
                          capture_output=True, text=True, cwd=datasets.ROOT)
    assert done.returncode == 1 and done.stderr.startswith("The folder ~nobody_at_all/x is not known"), done.stderr


def test_files_can_be_read_by_others(tmp_path):
    write_whole(tmp_path / "a", b"a")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_a_cpu_is_named_with_what_tells_its_kind(tmp_path):
    told = tmp_path / "cpuinfo"
    for family in (25, 26):  # as rented machines say it, a block for each processor
        told.write_text(f"processor\t: 0\ncpu family\t: {family}\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel\t\t: 2\n")
        assert runs.device_name(torch.device("cpu"), told).startswith(f"AMD EPYC (family {family}, model 17), ")


def test_a_cpu_of_which_the_system_says_less_has_a_name(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nBogoMIPS\t: 50.00\n")
    for told in (tmp_path / "cpuinfo", tmp_path / "none"):
        name, units = runs.device_name(torch.device("cpu"), told).split(", ")
        assert name and units == torch.backends.cpu.get_cpu_capability()
