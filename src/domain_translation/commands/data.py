"""``domain-translation data``: what data sets the book uses, and getting them."""

from __future__ import annotations

import argparse
import signal
import sys
import textwrap
from typing import TYPE_CHECKING

from domain_translation.commands.status import FAILED, INTERRUPTED, USAGE_ERROR, complain

if TYPE_CHECKING:
    from domain_translation.data.registry import DataSet

HEADERS = ("set", "size", "checksum", "state", "licence")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    data = commands.add_parser(
        "data",
        help="get the data sets of the profile full",
        description=(
            "Fetch data sets from their publishers, check them and make of them what the book "
            "reads. DOMAIN_TRANSLATION_DATA names a folder of files that you have already, "
            "DOMAIN_TRANSLATION_CACHE the folder that downloads go to."
        ),
    )
    data.add_argument(
        "names", nargs="*", metavar="NAME", help="sets to get; without any, all are listed"
    )
    data.add_argument("--offline", action="store_true", help="use what is here; fetch nothing")
    data.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    from domain_translation.data import registry

    try:
        found = [registry.lookup(name) for name in options.names]
    except ValueError as error:
        return complain(str(error), USAGE_ERROR)
    try:
        if not found:
            _list()
        for dataset in found:
            _get(dataset, options.offline)
    except KeyboardInterrupt:
        print("\nStopped. What came so far is kept; the same command goes on.", file=sys.stderr)
        return INTERRUPTED + signal.SIGINT
    except (ValueError, OSError) as error:  # DamagedData and MissingData among them
        return complain(str(error), FAILED)
    return 0


def _list() -> None:
    from tabulate import tabulate

    from domain_translation.data import prepare, registry

    rows = []
    for found in registry.datasets().values():
        sums = {" ".join(f.checksums) or "none" for f in found.files}
        sizes = [f.size for f in found.files]
        if all(f.bytes for f in found.files):
            sizes = [f"{sum(f.bytes or 0 for f in found.files) / 1e6:.1f} MB"]
        licence = textwrap.shorten(found.licence, 48, placeholder=" ...")
        state = prepare.state(found)
        rows.append(
            (found.name, sizes[0] if found.files else "", ", ".join(sorted(sums)), state, licence)
        )
    print(tabulate(rows, headers=HEADERS, tablefmt="plain", disable_numparse=True))


def _get(found: DataSet, offline: bool) -> None:
    from domain_translation.data import prepare

    print(f"{found.name}: {found.title}")
    for label in ("source", "licence", "rebuild"):
        if text := getattr(found, label):
            print(textwrap.fill(f"{label}: {text}", 88, subsequent_indent="    "))
    read = prepare.prepare if not found.decoded or found.layout == "arrays" else prepare.unpack
    paths = read(found, offline=offline)
    print(*paths, sep="\n")
    if found.decoded:
        pixels = prepare.decoded(found, paths)
        same = "as" if pixels == found.decoded else "other than"
        print(f"pixels {same} those that the results of the book were computed on: {pixels}")
