"""Tables of the results pages, as HTML: one to sort and filter, one of numbers side by side, one with links.

`book/_static/tables.js` does the sorting; without it the first is a plain table, whole, and its controls stay hidden.
"""

from html import escape

from common.show import minus


class Html(str):
    """HTML that a cell ends in. (As plain text it is shown as it is.)"""

    def _repr_html_(self):
        return str(self)


def sortable(shown, values, row_name, filter_by, label):
    """Return a table of `shown`, a DataFrame of text, with a button to sort by in each heading and two filters above.

    Columns that are in `values`, {column: numbers}, are sorted by these, NaN before all. The text of `row_name` heads its
    row; a choice list filters by the column `filter_by`; `label` says what the table holds, for those who do not see it.
    """
    def kind(column):
        return ' class="name"' if column == row_name else ' class="number"' if column in values else ""

    heads = "".join(f'<th scope="col"{kind(column)}><button type="button" disabled>{escape(column)}</button></th>'
                    for column in shown)
    rows = []
    for place, row in enumerate(shown.to_dict("records")):
        group = f' data-group="{escape(row[filter_by])}"'
        cells = []
        for column, text in row.items():
            if column == row_name:
                text = escape(text).replace("_", "_<wbr>")  # where it may break
                cells.append(f'<th scope="row"{kind(column)}{group}>{text}</th>')
            else:
                by = list(values[column])[place] if column in values else None
                value = "" if by is None else ' data-value="-Infinity"' if by != by else f' data-value="{by:.10g}"'
                cells.append(f"<td{kind(column)}{value}>{minus(escape(text))}</td>")
        rows.append(f"<tr{group}>{''.join(cells)}</tr>")
    choices = "".join(f"<option>{escape(c)}</option>" for c in sorted(set(shown[filter_by])))
    return Html('<div class="sortable"><div class="controls" hidden><label>Search <input type="search"></label>'
                f'<label>{escape(filter_by.capitalize())} <select><option value="">all</option>{choices}</select>'
                f'</label><output aria-live="polite"></output></div>{_table(heads, [rows], label)}</div>')


def side_by_side(groups, columns, label):
    """Return a table of `groups`, [(heading, rows, note)]: heading and note are as wide as the table. All is text."""
    across = f'colspan="{len(columns)}"'
    bodies = []
    for heading, rows, note in groups:
        lines = [f'<th scope="rowgroup" {across}>{escape(heading)}</th>',
                 *("".join(f"<td>{minus(escape(cell))}</td>" for cell in row) for row in rows),
                 f'<td {across} class="note">{escape(note)}</td>']
        bodies.append([f"<tr>{line}</tr>" for line in lines])
    return Html(f'<div class="side-by-side">{_table(_heads(columns), bodies, label)}</div>')


def linked(shown, column, addresses, label):
    """Return a table of `shown`, a DataFrame of text, whose cells in `column` link to `addresses`."""
    rows = []
    for row, address in zip(shown.to_dict("records"), addresses, strict=True):
        cells = [f'<a href="{escape(address)}">{escape(text)}</a>' if name == column else escape(text)
                 for name, text in row.items()]
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return Html(_table(_heads(shown), [rows], label))


def _heads(columns):
    return "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)


def _table(heads, bodies, label):
    """Return a table in a box that scrolls by itself, also by the keyboard; `bodies` are lists of rows."""
    rows = "".join(f"<tbody>{''.join(body)}</tbody>" for body in bodies)
    return (f'<div class="scrolled" role="region" aria-label="{escape(label)}" tabindex="0">'
            f'<table class="dataframe table"><thead><tr>{heads}</tr></thead>{rows}</table></div>')
