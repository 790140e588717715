"""What a lab's cell ends in: a picture with alternative text, a sentence, a table.

Each shows itself in a notebook and in the book, and is an ordinary value in plain Python, which needs no Jupyter.
"""

import base64
import html
import io
from dataclasses import dataclass

import pandas as pd
from matplotlib import pyplot as plt


@dataclass(frozen=True, repr=False)
class Picture:
    """A drawn figure. `alt` says in words what is to be seen."""

    png: bytes
    alt: str
    width: int  # CSS pixels, at most; a narrow page shrinks it

    def _repr_html_(self):
        data = base64.b64encode(self.png).decode()
        return (f'<img src="data:image/png;base64,{data}" alt="{html.escape(self.alt)}" width="{self.width}" '
                'style="max-width: 100%; height: auto; background: white">')

    def __repr__(self):
        return f"Picture: {self.alt}"


class Row(tuple):
    """Pictures side by side, or one below the other where the page is narrow."""

    def _repr_html_(self):
        return f'<div class="row-of-pictures">{"".join(picture._repr_html_() for picture in self)}</div>'


def picture(figure, alt):
    """Draw a matplotlib `figure` into a Picture and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=192, facecolor="white", metadata={"Software": None})
    plt.close(figure)
    return Picture(buffer.getvalue(), alt, round(figure.get_figwidth() * 96))


class Text(str):
    """Markdown with numbers in it that come from records."""

    def _repr_markdown_(self):
        return str(self)


@dataclass(frozen=True, repr=False)
class Table:
    """A DataFrame as it is shown: no index, every number already a string or an integer."""

    frame: pd.DataFrame

    def _repr_html_(self):
        frame = self.frame.map(lambda v: f"{v:,}" if isinstance(v, int) else v)
        return frame.to_html(index=False, border=0, classes="table", justify="left")

    def __repr__(self):
        return self.frame.to_string(index=False)


def percent(fractions):
    """Return "mean ± standard deviation" of fractions over seeds as percent; a single one has no deviation."""
    values = pd.Series(list(fractions))
    return f"{values.mean():.2%}" + (f" ± {100 * values.std():.2f}" if len(values) > 1 else "")
