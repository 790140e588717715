"""No result is typed into the prose: its percentages are quoted from the sources, or written by code."""

import ast
import re

import jupytext
import pytest
from conftest import prose, told, typed

from common import data as datasets
from common.labs import LABS, paths

PAGES = sorted([*paths(), *(datasets.ROOT / "book").glob("*.md")])


def sources(page, kind):
    """Return the cells of a lab or of a page of the book that are of one kind, "markdown" or "code"."""
    notebook = jupytext.read(page, fmt="py:percent" if page.suffix == ".py" else "md:myst")
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def sentences(code):
    """Return the pieces of text in code, with … for what is computed.

    Outside show.Text numbers alone are left out: they are a source's, for a table.
    """
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and ast.unparse(node.func) == "show.Text"]
    shown = [text for call in calls for text in pieces(call)]
    others = [text for text in pieces(ast.parse(code)) if not re.fullmatch(r"[\d.]+%( \(the [\w ]+\))?", text)]
    return list(dict.fromkeys(shown + others))


def pieces(node):
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        inside = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]  # not its format, as .1%
    else:
        inside = ast.iter_child_nodes(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in inside:
        yield from pieces(child)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_percentage_is_typed(page):
    assert [found for text in sources(page, "markdown") for found in typed(told(text))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_none_is_typed_into_a_sentence_that_code_writes(page):
    assert [found for code in sources(page, "code") for text in sentences(code) for found in typed(told(text))] == []


def test_they_would_be_found_without_their_marks():
    text = "\n".join(sources(LABS / "level_2.py", "markdown"))
    assert typed(told(text)) == [] and len(typed(told(text.replace("<q>", "")))) == text.count(" %</q>") + 1 > 3


@pytest.mark.parametrize("text", [
    "it reaches 78.53 %", "it reaches 78%", "78\u2009%", "78\u202f%", "78&nbsp;%", "78\n%", "(94%)", "78 per cent",
    "78.5 percent", r"$0.95^4 \approx 81\,\%$", "better by 1.5 points", "0.4 percentage points", "a 95 % chance"])
def test_a_typed_number_is_found(text):
    assert len(typed(told(text))) == 1
    for quoted in (f"<q>{text}</q>", f"`{text}`", f"```\n{text}\n```", "> " + text.replace("\n", "\n> ")):
        assert typed(told(f"Before it,\n\n{quoted}\n\nand after it.")) == []


@pytest.mark.parametrize("text", ["a 95 % interval", "95 % intervals", "a 95 %\nconfidence interval", "two points",
                                  "at epoch 3.5", "in percent", "a quarter of 50,000", "of 255, 10.5 pointed"])
def test_other_numbers_are_not(text):
    assert typed(told(text)) == []


def test_what_code_computes_is_not_typed_and_what_it_says_is():
    code = 'show.Text(f"It reaches {accuracy:.1%}, {100 * gap:.1f} points more. " + ("That is 90 %." if a > b else ""))'
    assert [found for text in sentences(code) for found in typed(text)] == ["That is 90 %"]
    assert sentences('show.Text("90%")') == ["90%"]
    assert sentences('said = "It is 90 %"\nshow.Text(said)') == ["It is 90 %"]
    assert sentences('show.beside(["90.12%"], records)') == []


PAGE = """<html><body><nav>10 %</nav><article class="bd-article"><section><h1>A title of 11 %</h1>
<p>It reaches <em>12</em> %, <br>as <q>13 %</q> said, <code>14 %</code>.</p><blockquote><p>15 %</p></blockquote>
<div class="cell docutils container"><div class="cell_input"><pre>16 %</pre></div><img src="a.png"><p>17 %</p></div>
<p>Then <span class="math notranslate">\\(18\\,\\%\\)</span> and 19&thinsp;% <script>20 %</script></p><ul><li>21 %
<li>22 %</ul>
</section></article><footer>23 %</footer></body></html>"""


def test_the_prose_of_a_built_page_is_what_its_author_wrote():
    assert [found.split()[-2] for found in typed(prose(PAGE))] == ["11", "12", "19", "21", "22"]
