"""Tables of a chapter: a data frame as the page shows it, and frames of what runs have measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from domain_translation.notebook.cards import Card

if TYPE_CHECKING:
    import pandas as pd

Column = str | tuple[str, int]  # what was measured, and decimals


def show(frame: pd.DataFrame, head: str = "", below: str = "") -> Any:
    """A data frame as a table of the page: a line a row, its index first.

    Text stays as it is, numbers get three digits, what is missing stays blank.

    Args:
        frame: one level of columns.
        head: of the first column.
        below: text under the table, in Markdown.
    """
    from IPython.display import Markdown
    from tabulate import tabulate

    cells = [[_cell(value) for value in row] for row in frame.itertuples()]
    table = tabulate(
        cells,
        [head, *map(str, frame.columns)],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["left", *["right"] * frame.shape[1]],
    )
    return Markdown(f"{table}\n\n{below}" if below else table)  # type: ignore[no-untyped-call]


def of_runs(runs: pd.DataFrame, columns: Mapping[str, Column], by: str = "method") -> pd.DataFrame:
    """`mean_sd` of the runs with the same `by`, a line for each, in their order.

    Args:
        runs: one row a run.
        columns: title -> what was measured, with its decimals (2 where none are said); what no run
            has measured is left out.
        by: the column that tells the lines.
    """
    wanted = {t: (c, 2) if isinstance(c, str) else c for t, c in columns.items()}
    return runs.groupby(by, sort=False).agg(
        **{
            title: (name, lambda values, digits=digits: mean_sd(values, digits))
            for title, (name, digits) in wanted.items()
            if name in runs and runs[name].notna().any()
        }
    )


def mean_sd(values: ArrayLike, digits: int = 2) -> str:
    """Mean and standard deviation over seeds; one value as it is, none as nothing."""
    v = np.asarray(values, float)
    v = v[~np.isnan(v)]
    if len(v) < 2:
        return "".join(f"{value:.{digits}f}" for value in v)
    return f"{v.mean():.{digits}f}\u00a0±\u00a0{v.std(ddof=1):.{digits}f}"  # in one line


def of_card(
    card: Card,
    arms: Sequence[str] | Mapping[str, str],
    names: Sequence[str] | Mapping[str, str],
    head: str = "",
    below: str = "",
) -> Any:
    """A table of means over the seeds with their 95 % intervals: a line an arm.

    What was measured of some of the arms only stays blank for the others.

    Args:
        card: where the numbers are.
        arms: the lines; with titles of their own, title -> arm.
        names: the columns, as they were measured, or title -> name.
        head, below: as in `show`.

    Raises:
        CardError: the card has an arm not, or a name of none of the arms.
    """
    import pandas as pd

    titles = names if isinstance(names, Mapping) else {name: name for name in names}
    lines = arms if isinstance(arms, Mapping) else {arm: arm for arm in arms}
    measured = {(row.arm, row.name) for row in card.rows}
    blank = [n for n in titles.values() if any((arm, n) in measured for arm in lines.values())]
    cells = [
        [
            "" if n in blank and (arm, n) not in measured else str(card[arm, n])
            for n in titles.values()
        ]
        for arm in lines.values()
    ]
    return show(pd.DataFrame(cells, list(lines), list(titles)), head, below)


def _cell(value: Any) -> str:
    if value is None or value != value:  # not a number
        return ""
    if isinstance(value, (float, np.floating)):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, (int, np.integer)) else str(value)
