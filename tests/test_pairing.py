"""labs/*.py is the source; labs/*.ipynb must be what `make pair` writes from it, without outputs."""

import jupytext
import nbformat
import pytest
from conftest import NAMES

from common.labs import LABS



def test_every_notebook_has_its_source():
    notebooks = {path.stem for path in LABS.glob("*.ipynb") if path.stem.islower()}  # and Untitled.ipynb is nobody's
    assert notebooks == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_both_files_hold_the_same_cells(name):
    source = jupytext.read(LABS / f"{name}.py")
    notebook = nbformat.read(LABS / f"{name}.ipynb", as_version=4)

    def cells(nb):
        return [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in nb.cells]

    assert cells(source) == cells(notebook), "run `make pair`"
    # What stands on the line of a cell's marker is no part of its text, and would not be shown.
    assert not any("title" in c.metadata for c in [*source.cells, *notebook.cells])
    assert not any(c.get("outputs") or c.get("execution_count") for c in notebook.cells)
    assert notebook.metadata.kernelspec.language == "python"


@pytest.mark.parametrize("name", NAMES)
def test_the_first_code_cell_only_imports_and_the_second_holds_the_parameters(name):
    code = [c for c in jupytext.read(LABS / f"{name}.py").cells if c.cell_type == "code"]
    assert code[0].metadata.tags == ["imports"] and code[1].metadata.tags == ["parameters"]
    assert all(line.startswith(("import ", "from ")) for line in code[0].source.splitlines() if line)
    assert "settings.read(globals()" in code[2].source
