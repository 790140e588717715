"""`make record` in several processes: they share the work, and may be killed at any moment."""

import fcntl
import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import timeless

from common import recording
from common.errors import CourseError
from common.files import claimed, is_claimed

# Forks before torch has started a thread, so that no start needs seconds of importing.
SCRIPT = """
import os, pathlib, random, signal, sys, time
import torch
from common import data, labs, recording, records, runs, settings

LAB = '''# %% tags=["imports"]
from common.recipe import Recipe, Variant
from conftest import build

# %% tags=["variants"]
variants = {name: Variant(build, Recipe(epochs=epochs, batch_size=32, lr=0.05, crop=2)) for name, epochs in
            (("one", 6), ("two", 8))}
'''
folder, kills = pathlib.Path(sys.argv[1]), int(sys.argv[2])
(folder / "labs").mkdir()
(folder / "labs" / "a_lab.py").write_text(LAB)
sys.path.insert(0, "tests")
labs.LABS, data.ROOT = folder / "labs", folder
data.load = lambda *a: data.Data("cifar10", data.DIGEST["cifar10"], *data.draw(300, seed=3), *data.draw(50, seed=4))

def start(name):
    places = dict(RUNS=folder / name / "runs", RECORDS=folder / name / "records")
    pid = os.fork()
    if pid == 0:
        os.setsid()
        torch.set_num_threads(1)
        for module in (recording, records, runs):
            vars(module).update(places)
        beside = os.fork()  # from here on there are two that do the same
        recording.record(labs.all_variants(), labs.wanted(2), settings.read(dict(device="cpu")))
        os._exit(os.waitpid(beside, 0)[1] if beside else 0)
    return pid

def finished(name):
    found = {}
    for path in (folder / name / "records").rglob("seed-*.json"):
        record = records.read(path)  # whole, or this raises
        for ending in record.files:
            record.beside(ending)
        found[path.name, record.variant] = path.stat().st_mtime_ns
    return found

started = time.monotonic()
assert os.waitpid(start("whole"), 0)[1] == 0
whole = time.monotonic() - started
print("whole", flush=True)
random.seed(0)
before = {}
for kill in range(kills):
    pid = start("killed")
    time.sleep(random.uniform(0, whole / 3))
    os.killpg(pid, signal.SIGKILL) if os.getpgid(pid) == pid else os.kill(pid, signal.SIGKILL)
    in_time = os.waitpid(pid, 0)[1] == signal.SIGKILL
    time.sleep(0.2)  # the other's end
    now = finished("killed")
    assert before.items() <= now.items(), "a finished run was lost, or trained again"
    before = now
    print(f"killed {kill}: {'in time' if in_time else 'too late'}, {len(now)} finished", flush=True)
assert os.waitpid(start("killed"), 0)[1] == 0
assert before.items() <= finished("killed").items()
"""
KILLS = 10


def contents(folder):
    """The records in a folder, without what clocks and neighbours have put into them; and the names of all files."""
    found = {}
    for path in Path(folder).rglob("*.json"):
        found[path.relative_to(folder)] = timeless(path)
        del found[path.relative_to(folder)]["at_once"]
    return found, {path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file()}


def test_two_processes_killed_ten_times_lose_no_finished_run_and_end_in_the_same_records(tmp_path):
    done = subprocess.run([sys.executable, "-c", SCRIPT, tmp_path, str(KILLS)], capture_output=True, text=True,
                          cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("in time") >= KILLS / 2, f"most kills came too late, so nothing was shown:\n{done.stdout}"
    records, files = contents(tmp_path / "whole" / "records")
    assert len(records) == 4 and contents(tmp_path / "killed" / "records") == (records, files)
    whole = done.stdout.partition("\nwhole\n")[0]
    assert "== 0 of 4 runs done" in whole and "2 running" in whole and "nothing is missing" in whole
    for run in ("one seed 0", "one seed 1", "two seed 0", "two seed 1"):
        assert whole.count(f"a_lab {run} epoch 6/") == 1, "trained twice"


def test_a_claim_is_one_processs_and_ends_with_it(tmp_path):
    path = tmp_path / "a" / "seed-0.claim"
    with claimed(path) as first, claimed(path) as second:
        assert first and not second and is_claimed(path)
    holder = subprocess.Popen([sys.executable, "-c", "import sys; from pathlib import Path; from common.files import "
                               "claimed; held = claimed(Path(sys.argv[1])); held.__enter__(); print(1, flush=True); "
                               "sys.stdin.read()", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    assert is_claimed(path)
    holder.kill()
    holder.wait()
    assert not is_claimed(path)


def test_a_claim_that_cannot_be_made_is_said_and_of_another_users_is_read(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="cannot be written .*: make its folder writable, make room, or set RUNS_DIR"):
        with claimed(tmp_path / "file" / "seed-0.claim"):
            pass
    modes = []
    monkeypatch.setattr("builtins.open", lambda path, mode="r": (modes.append(mode), io.open(path, mode))[1])
    assert not is_claimed(tmp_path / "file") and modes == ["r"]


def test_asking_for_a_claim_is_none(tmp_path):
    path = tmp_path / "seed-0.claim"
    asking = open(path, "a")
    fcntl.flock(asking, fcntl.LOCK_SH)  # what is_claimed does, for a moment
    assert not is_claimed(path)
    threading.Timer(0.03, asking.close).start()
    with claimed(path, patience=5) as mine:
        assert mine


def test_processes_at_once_share_the_threads_and_a_failure_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(recording.torch, "get_num_threads", lambda: 6)
    monkeypatch.setattr(recording.signal, "signal", lambda *a: None)
    write = "import os, sys; open(f'{sys.argv[1]}/{os.getpid()}', 'w').write(os.environ['OMP_NUM_THREADS'])"
    recording.in_processes(3, [sys.executable, "-c", write, tmp_path])
    assert [path.read_text() for path in tmp_path.iterdir()] == ["2", "2", "2"]
    with pytest.raises(CourseError, match="2 of 2 processes stopped early: .*`make record` goes on"):
        recording.in_processes(2, [sys.executable, "-c", "raise SystemExit(1)"])
