"""``domain-translation shift``: are the classes of two folders of pictures out of balance?"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain_translation.commands.status import INCOMPLETE, given, guarded, list_skipped, number, say

if TYPE_CHECKING:
    from domain_translation.cooling.pictures.shift import Shift

EXAMPLES = """\
examples:
  domain-translation shift shoes/ bags/
  domain-translation shift healthy/ ill/ --labels folders --figure shift.png
  domain-translation shift scans/ photos/ --labels labels.csv --table shift.csv
  domain-translation shift scans/ photos/ --clusters 8 --json > shift.json

exit status: 0 done, 1 failed, 2 wrong request, 3 done except for pictures that were skipped
"""
SHOWN = 20  # skipped pictures that are named


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    # An option that is not given is not in the namespace: the function knows its defaults.
    shift = commands.add_parser(
        "shift",
        argument_default=argparse.SUPPRESS,
        help="are the classes of two folders out of balance?",
        description="Estimate the shares of classes in two folders of pictures, with 95 %% "
        "intervals; how many pictures a translator that matches the folders must give another "
        "class (the total variation of the shares); and the weights under which both folders meet "
        "half-way. Classes are sub-folders, labels in a CSV file, or clusters.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    shift.set_defaults(run=_shift)
    shift.add_argument("a", metavar="A", help="pictures of the first domain")
    shift.add_argument("b", metavar="B", help="pictures of the second domain")
    shift.add_argument(
        "--labels", metavar="WHERE",
        help="folders (each sub-folder is a class), or a CSV file of name,label (default: folders "
        "where all pictures lie in some, else clusters)",
    )  # fmt: skip
    number(shift, "--clusters", int, "find so many clusters (default: 2 to 12, by the silhouette)")
    number(shift, "--draws", int, "of the bootstrap of clusters (default: 100)")
    shift.add_argument("--table", metavar="FILE", default=None, help="write the table as CSV")
    shift.add_argument("--figure", metavar="FILE", default=None, help="write a picture, as PNG")
    number(shift, "--seed", int, "of all randomness (default: 0)")
    shift.add_argument(
        "--json", action="store_true", default=False, help="print one JSON object, for scripts"
    )


def _shift(options: argparse.Namespace) -> int:
    from domain_translation.cooling.errors import UserError
    from domain_translation.cooling.pictures.folders import told_passed, write
    from domain_translation.cooling.pictures.shift import rows, shift_between_folders

    def action() -> int:
        settings = given(options)
        as_json, table, figure = (settings.pop(name) for name in ("json", "table", "figure"))
        found = shift_between_folders(**settings)
        list_skipped(found.skipped, SHOWN)
        for folder, passed in zip((options.a, options.b), found.passed, strict=True):
            if passed:
                say(f"{folder}: {told_passed(passed)}")
        for sentence in found.notes:
            say(sentence)
        lines = rows(found)
        if table is not None:
            write(Path(table), _csv(lines))
        if figure is not None:
            write(Path(figure), draw(found))
        status = INCOMPLETE if found.skipped else 0
        worth = dict(zip("ab", found.balance.worth, strict=True))
        if as_json:
            told = {"how": found.how, "classes": lines, "shift": found.balance.shift._asdict(),
                    "weights_worth": worth, "notes": found.notes, "skipped": found.skipped,
                    "passed": list(found.passed)}  # fmt: skip
            print(json.dumps(told, allow_nan=False))
            return status
        print(f"{found.how}\n\n{_text(lines)}\n\n{_verdict(found)}")
        return status

    return guarded(action, "Nothing was written.", UserError)


def _csv(lines: Sequence[dict[str, Any]]) -> bytes:
    import pandas as pd

    return pd.DataFrame(lines).to_csv(index=False, lineterminator="\n").encode()


def _text(lines: Sequence[dict[str, Any]]) -> str:
    from tabulate import tabulate

    table = []
    for row in lines:
        cells = [row["class"]]
        for side in "ab":
            share, low, high = (row[f"{name}_{side}"] for name in ("share", "low", "high"))
            weight = row[f"weight_{side}"]
            cells += [f"{share:.3f} ({low:.3f} to {high:.3f})", "-" if weight is None else weight]
        table.append(cells)
    heads = ("class", "share in A", "weight", "share in B", "weight")
    return tabulate(table, heads, floatfmt=".2f", disable_numparse=[0, 1, 3])


def _verdict(found: Shift) -> str:
    """What the numbers mean, in sentences."""
    value, low, high = found.balance.shift
    a, b = found.balance.worth
    if low == 0:
        return (
            f"No imbalance can be told from chance: total variation {value:.3f}, at most "
            f"{high:.3f}. A translator without weights will do."
        )
    return (
        f"Total variation {value:.3f} ({low:.3f} to {high:.3f}): a translator whose results look "
        f"like B must give at least {value:.1%} of the pictures of A another class.\n"
        f"Weighted as above both folders meet half-way; the weighted pictures of A are worth "
        f"{a:.0%} of as many equal ones, those of B {b:.0%}. train-translator --batch-weights "
        "learns such weights without labels."
    )


def draw(found: Shift) -> bytes:
    """Shares with intervals, and a few pictures of each class, as PNG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from domain_translation.cooling.pictures.codec import to_image
    from domain_translation.notebook.plots.style import STYLE, looks

    count = len(found.classes)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.0, 1.6 + 0.55 * count), layout="constrained")
        places = figure.add_gridspec(count, 2, width_ratios=(3, 2))
        axes = figure.add_subplot(places[:, 0])
        named = {"A": found.balance.p, "B": found.balance.q}
        for offset, (name, look) in zip((-0.14, 0.14), looks(named).items(), strict=True):
            shares = named[name]
            bars = [[s.value - s.low for s in shares], [s.high - s.value for s in shares]]
            at = [k + offset for k in range(count)]
            style: dict[str, Any] = {**look, "ls": "", "capsize": 3, "label": name}
            axes.errorbar([s.value for s in shares], at, xerr=bars, **style)
        axes.set(yticks=range(count), ylim=(count - 0.5, -0.5), xlabel="share", xlim=(0, None))
        axes.set_yticklabels([name[:24].replace("$", r"\$") for name in found.classes])
        axes.legend(loc="lower right")
        value, low, high = found.balance.shift
        axes.set_title(f"total variation {value:.3f} ({low:.3f} to {high:.3f})", loc="left")
        for k, pictures in enumerate(found.examples):
            strip = figure.add_subplot(places[k, 1])
            strip.axis("off")
            for side, some in enumerate(pictures):
                if k == 0:
                    strip.text(6.5 * side, 1.2, "AB"[side])
                for i, picture in enumerate(some):
                    left = 6.5 * side + i  # the pictures of B stand half a picture apart
                    strip.imshow(to_image(picture), extent=(left, left + 0.95, 0, 0.95))
            strip.set(xlim=(0, 12.5), ylim=(0, 1))
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=150, facecolor="white")
    return out.getvalue()
