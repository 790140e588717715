"""Execute a notebook with papermill where nothing may be trained: cells that wait for runs are passed over, and say so.

Importing this file makes it known to papermill, as the engine "waiting".
"""

import ast
import os
import re

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines


class Waiting(Engine):
    """What papermill calls an engine. A run is on record, in book/records, or it is passed over."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, folder=None, env=None, extra_arguments=(), **_):
        """Execute the notebook that papermill's `nb_man` holds in `folder`, with `env` beside the environment."""
        client = Client(nb_man, kernel_name=kernel_name, extra_arguments=list(extra_arguments))
        return client.execute(cwd=folder, env=os.environ | {"REPLAY_ONLY": "1", "RUNS_DIR": os.devnull} | (env or {}))


class Client(PapermillNotebookClient):
    """Passes over a cell that asks for a run that is not on record, and cells that need what such a cell defines."""

    undefined = frozenset()
    noted = None  # the last cell with a note: one without code to be seen that follows has none

    def execute_cell(self, cell, index, **more):
        """Execute `cell`; one that waits shows a note in place of its output."""
        try:
            return super().execute_cell(cell, index, **more)
        except CellExecutionError as error:
            name = re.match(r"name '(\w+)' is not defined", error.evalue)
            if error.ename == "NotOnRecord":
                cell.outputs = [note(f"Waits: {error.evalue}")]
                self.nb.metadata["waits"] = [*self.nb.metadata.get("waits", []), error.evalue]
            elif name and name[1] in self.undefined:
                shows = isinstance(ast.parse(cell.source).body[-1], ast.Expr)
                again = index - 1 == self.noted and "remove-input" in cell.metadata.get("tags", [])
                cell.outputs = [note("Waits for runs.")] * (shows and not again)
            else:
                raise
        if cell.outputs or index - 1 == self.noted:
            self.noted = index
        # What the cell was about to define may be half of it: better not there at all.
        names = assigned(cell.source)
        self.undefined |= names
        run_sync(self.kc.execute_interactive)(f"[globals().pop(n, None) for n in {sorted(names)}]", silent=True)
        return cell


def note(text):
    """Return the output of a cell that shows `text`, in italics."""
    return new_output("display_data", {"text/markdown": f"*{text}*"})


def assigned(code):
    """Return the set of names to which a cell's code assigns, or to a part of which, as in `name[key] = value`.

    What a function or a comprehension assigns to is its own.
    """
    found, nodes = set(), [ast.parse(code)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            nodes += ast.iter_child_nodes(node)
        if isinstance(getattr(node, "ctx", None), ast.Store):
            while isinstance(node, (ast.Subscript, ast.Attribute)):
                node = node.value
            if isinstance(node, ast.Name):
                found.add(node.id)
    return frozenset(found)


papermill_engines.register("waiting", Waiting)
