"""Runs killed at random moments, as by a power cut: each goes on from its last epoch and ends in the same record."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import build, timeless

from common import train as training
from common.checkpoint import save
from common.files import write_whole

# Forks before torch has started a thread, so that a run needs no second or two of importing.
SCRIPT = """
import os, pathlib, random, shutil, signal, sys, time
sys.path.insert(0, "tests")
import torch
from conftest import build
from common import data, records, runs, settings
from common.recipe import Recipe, Variant

folder, kills, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
variant = Variant(build, Recipe(epochs=12, batch_size=32, lr=0.05, flip=True, crop=2, schedule="onecycle"))

def start(name):
    pid = os.fork()
    if pid == 0:
        torch.set_num_threads(1)
        records.RUNS = runs.RUNS = folder / name
        small = data.Data("synthetic", "tiny", *data.draw(600, seed=3), *data.draw(100, seed=4))
        data.load = lambda *a: small
        runs.run("lab", "one", variant, 0, settings.read(dict(dataset="synthetic", device="cpu")))
        os._exit(0)
    return pid

started = time.monotonic()
assert os.waitpid(start("whole"), 0)[1] == 0
whole = time.monotonic() - started
random.seed(seed)
kill = 0
for _ in range(5 * kills):  # until so many died in time
    if kill == kills:
        break
    pid = start(f"killed-{kill}")
    time.sleep(random.uniform(0, whole))
    os.kill(pid, signal.SIGKILL)
    by = os.waitpid(pid, 0)[1]
    left = sorted(p.suffix for p in (folder / f"killed-{kill}").rglob("*") if p.is_file())
    print(f"killed {kill}: {'in time' if by == signal.SIGKILL else 'too late'}, left {left}", flush=True)
    if by != signal.SIGKILL:
        shutil.rmtree(folder / f"killed-{kill}")
        continue
    assert os.waitpid(start(f"killed-{kill}"), 0)[1] == 0
    kill += 1
"""
KILLS = 10


def contents(folder):
    """The files of a run, without what the clock has put into them."""
    files = {path.suffix: path for path in Path(folder).rglob("*") if path.is_file()}
    return timeless(files.pop(".json")), {suffix: path.read_bytes() for suffix, path in files.items()}


def test_a_run_killed_at_any_moment_ends_in_the_same_record(tmp_path):
    done = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path, str(KILLS), "0"], capture_output=True, text=True,
                          cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    killed = [line for line in done.stdout.splitlines() if "in time" in line]
    assert len(killed) == KILLS, f"too many kills came too late:\n{done.stdout}"
    assert any(".checkpoint" in line for line in killed), done.stdout
    for kill in range(KILLS):
        assert contents(tmp_path / f"killed-{kill}") == contents(tmp_path / "whole")


def test_where_storing_takes_long_it_is_done_now_and_then_and_before_a_run_is_laid_aside(tiny, variant, tmp_path, monkeypatch):
    stored, checkpoint, recipe = [], tmp_path / "a.checkpoint", variant.recipe.plus(epochs=4)
    monkeypatch.setattr(training, "save", lambda *state: (stored.append(len(state[-1])), save(*state)))
    monkeypatch.setitem(training.KEEP, "cpu", 1000)
    with pytest.raises(training.OutOfTime):
        training.train(build, tiny, recipe, 0, checkpoint=checkpoint, deadline=time.monotonic())
    assert stored == [2]
    done = training.train(build, tiny, recipe, 0, checkpoint=checkpoint)
    assert stored == [2] and len(done.history) == 4
    monkeypatch.setitem(training.KEEP, "cpu", 0)
    training.train(build, tiny, recipe.plus(epochs=3), 0, checkpoint=tmp_path / "b.checkpoint")
    assert stored == [2, 1, 2, 3]


def test_what_a_killed_writer_left_is_swept_up_and_what_a_live_one_writes_is_not(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, written = (tmp_path / f".a.json.{pid}.x1" for pid in (ended.pid, os.getpid()))
    for partial in (left, written):
        partial.write_text("half")
    write_whole(tmp_path / "a.json", b"whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == [written.name, "a.json"]
