"""In the book nothing is trained: a cell that waits for runs says so, all that hangs on it too, and no other fault is hidden."""

import os

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

from common import runs, settings, waiting

ASKS = '''class NotOnRecord(Exception):  # by name, as common.runs has it
    pass
found = {"first": 1}
for name in "first", "second":
    if name == "second":
        raise NotOnRecord("`a_lab/second`, seed 0, is not on record.")
    found[name] = 2'''


def execute(folder, *cells):
    """Return what each of `cells` shows once they are executed: code, or (code, tag)."""
    path = folder / "lab.ipynb"
    tagged = [new_code_cell(cell) if isinstance(cell, str) else new_code_cell(cell[0], metadata=dict(tags=[cell[1]])) for cell in cells]
    nbformat.write(new_notebook(cells=tagged), path)
    done = papermill.execute_notebook(path, path, engine_name="waiting", kernel_name="python3", progress_bar=False, folder=folder)
    return ["".join(o.get("text", "") or o["data"].get("text/markdown", "") or o["data"]["text/plain"] for o in cell.outputs)
            for cell in done.cells], done


def test_what_waits_and_what_hangs_on_it_is_passed_over(tmp_path):
    said, done = execute(
        tmp_path, "before, found = 3, {}", ASKS, ("found", "remove-input"), "def count():\n    return len(found)", "other = count() + before",
        "other", ("other", "remove-input"), ("other", "hide-input"), "for name in range(before):\n    pass\nname", "def found():\n    return 5\n\n\nfound()", "found() + before")
    assert said == ["", "*Waits: `a_lab/second`, seed 0, is not on record.*", "", "", "", "*Waits for runs.*", "", "*Waits for runs.*", "2", "5", "8"]
    assert done.metadata["waits"] == ["`a_lab/second`, seed 0, is not on record."]


@pytest.mark.parametrize("code", ["elsewhere", "{}['found']"])
def test_another_fault_is_one_still(code, tmp_path):
    with pytest.raises(PapermillExecutionError):
        execute(tmp_path, ASKS, code)


def test_a_page_sees_no_run_of_this_machine_and_trains_none(tmp_path):
    said, _ = execute(tmp_path, "import os\nprint(os.environ['RUNS_DIR'], os.environ['REPLAY_ONLY'], os.getcwd())")
    assert said == [f"{os.devnull} 1 {tmp_path}\n"]


def test_with_replay_only_nothing_is_trained(folders, variant, monkeypatch):
    monkeypatch.setenv("REPLAY_ONLY", "1")
    monkeypatch.setattr(runs, "train", lambda *a, **k: pytest.fail("trained"))
    with pytest.raises(runs.NotOnRecord, match="`a_lab/a_variant`, seed 0, is not on record."):
        runs.runs("a_lab", "a_variant", variant, settings.read(dict(device="cpu")))


@pytest.mark.parametrize("code, names", [
    ("a = b.c = d[0] = 1", "abd"), ("for a, (b, *c) in d:\n    e |= {f: g}", "abce"), ("a[0].b['c'] += d", "a"),
    ("f()[0] = 1", ""), ("def a(b):\n    c = b\n\n\nclass D:\n    e = 1", "aD"), ("a(b=c)\nd.append(e)", ""),
    ("a = [b for b in c]\nd = {e: f for e in g}, {h for h in i}, sum(j for j in k), lambda m: m", "ad")])
def test_what_a_cell_assigns_to(code, names):
    assert waiting.assigned(code) == set(names)
