"""The theory pages: their cells are executed, and what they claim is checked."""

import ast
import contextlib
import io

import jupytext
import pytest
import torch
import torch.nn.functional as F
import yaml
from conftest import CIFAR_10, needs_cifar_10

from common import data as datasets
from common import inspect
from common.blocks import resnet_18
from common.show import Picture, Row

BOOK = datasets.ROOT / "book"
PAGES = sorted(path.stem for path in BOOK.glob("theory_*.md"))
TRUE = {  # how many lines a page prints that say a claim holds, ending in True
    "theory_convolution": 1, "theory_receptive_field": 1, "theory_normalisation": 3, "theory_separable": 2,
    "theory_nonlinearity": 1, "theory_backprop": 7}


@pytest.fixture(scope="module", params=PAGES)
def page(request):
    """(name, the names it defines, the lines it prints, what its cells end in), executed as plain Python."""
    names, said, shown = {}, io.StringIO(), []
    with contextlib.redirect_stdout(said):
        for cell in jupytext.read(BOOK / f"{request.param}.md", fmt="md:myst").cells:
            if cell.cell_type == "code":
                body = ast.parse(cell.source).body
                last = body.pop() if isinstance(body[-1], ast.Expr) else None
                exec(compile(ast.Module(body, []), request.param, "exec"), names)
                if last:
                    shown.append(eval(compile(ast.Expression(last.value), request.param, "eval"), names))
    return request.param, names, said.getvalue().splitlines(), shown


def test_what_it_claims_holds(page):
    name, _, said, _ = page
    assert sum(line.endswith(" True") for line in said) == TRUE[name], said


def test_it_shows_a_figure_that_says_what_is_seen(page):
    pictures = [p for shown in page[3] for p in (shown if isinstance(shown, Row) else [shown]) if isinstance(p, Picture)]
    assert pictures and all(len(p.alt) > 60 for p in pictures)


def test_what_else_its_words_rest_on(page):
    name, names, said, _ = page
    if name == "theory_convolution":
        assert f"{names['tried']} of {names['tried']} agree" in said and names["tried"] > 100
        stages = inspect.layers(resnet_18()).query("height > 1").groupby("height")[["params", "macs"]].sum()[::-1]
        assert stages.index.tolist() == [32, 16, 8, 4]
        assert (stages.params / stages.params.shift()).dropna().between(3.5, 4.01).all()
        assert (stages.macs / stages.macs.shift()).dropna().between(0.87, 1.01).all()
    if name == "theory_receptive_field":
        assert names["rule"] == [3, 5, 7, 8, 12, 16, 18, 26, 34, 58]
        assert names["middle"][-1] < 0.6 * names["whole"][-1]
    if name == "theory_normalisation":
        assert "with padding: nothing changes by more than 0.0001: False" in said
        one, ten = (line.split("× ")[1].split(": ", 1)[1] for line in said if line.startswith("weights"))
        assert one == ten
    if name == "theory_separable":
        assert [row["groups, shuffled"] for row in names["rows"]] == [4, 16, 16]
        assert {row["groups alone"] for row in names["rows"]} == {4}
    if name == "theory_nonlinearity":
        assert names["without"][-1] < 0.3 < 0.7 < names["with_relu"][-1]
        assert "with ReLU, two images have the same gradient: False" in said
    if name == "theory_backprop":
        assert "gradcheck: True" in said
        assert names["dx"][0, 0].tolist() == [[1, 2, 0, 0], [3, 4 - 1, -2, 0], [0, -3, -4, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("n, m", [(2, 6), (3, 10), (2, 5), (3, 8), (4, 4), (4, 7)])
def test_a_column_and_a_row_make_every_convolution_from_three_times_the_channels_on(n, m):
    weight, image = torch.randn(m, n, 3, 3).double(), torch.randn(1, n, 8, 8).double()
    columns, values, rows = torch.linalg.svd(weight.permute(0, 3, 1, 2).reshape(3 * m, 3 * n), full_matrices=False)
    first = rows[:m].view(-1, n, 3, 1)  # of all pairs, that which comes nearest: no more than m products
    second = (columns * values)[:, :m].view(m, 3, 1, -1).permute(0, 3, 2, 1)
    exact = torch.allclose(F.conv2d(F.conv2d(image, first), second), F.conv2d(image, weight))
    cheaper = 3 * n * m + 3 * m * m < 9 * n * m
    assert exact == (m >= 3 * n) and cheaper == (m < 2 * n) and not (exact and cheaper)


@needs_cifar_10
def test_the_mean_of_the_test_images_is_a_grey_level_away_or_less():
    real = datasets.load("cifar10", CIFAR_10)
    means = [datasets.statistics(images)[0] for images in (real.train_images, real.test_images)]
    assert (255 * (means[1] - means[0])).abs().max() <= 1


def test_they_are_in_the_book_and_short():
    listed = next(p for p in yaml.safe_load((BOOK.parent / "_toc.yml").read_text())["parts"] if p["caption"] == "Theory")
    assert sorted(c["file"] for c in listed["chapters"]) == [f"book/{name}" for name in PAGES] and len(PAGES) == len(TRUE)
    assert all(len((BOOK / f"{name}.md").read_text().splitlines()) <= 130 for name in PAGES)
