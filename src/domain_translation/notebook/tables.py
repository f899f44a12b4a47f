"""Tables of a chapter, from the numbers of its card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

from domain_translation.notebook.cards import Card


def of_card(card: Card, arms: Sequence[str], names: Sequence[str], head: str = "") -> Any:
    """A Markdown table of means over the seeds with their 95 % intervals: a line an arm.

    Args:
        card: where the numbers are.
        arms: the lines.
        names: the columns, as they were measured.
        head: of the first column.

    Raises:
        CardError: the card has one of them not.
    """
    from IPython.display import Markdown

    lines = [[arm, *(str(card[arm, name]) for name in names)] for arm in arms]
    return Markdown(tabulate(lines, [head, *names], tablefmt="pipe", disable_numparse=True))  # type: ignore[no-untyped-call]
