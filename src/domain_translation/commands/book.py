"""``domain-translation book``, ``notebooks``, ``seeds``, ``portability``: make the book."""

from __future__ import annotations

import argparse
import sys

from domain_translation.commands.status import FAILED, INTERRUPTED, USAGE_ERROR, complain


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    book = commands.add_parser(
        "book",
        help="execute what changed and build the HTML",
        description="Execute the chapters that changed and build the HTML book.",
    )
    book.add_argument("--profile", default="quick", help="quick (default), full or paper")
    book.add_argument(
        "-p",
        dest="parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the chosen chapters; may be repeated",
    )
    notebooks = commands.add_parser(
        "notebooks",
        help="refresh the paired .ipynb files",
        description="Refresh the committed notebooks from their texts and a quick run.",
    )
    notebooks.add_argument(
        "--check", action="store_true", help="only say which differ from their text; run nothing"
    )
    seeds = commands.add_parser(
        "seeds",
        help="measure the chapters with seeds 0 to 9",
        description="Run chapters for seeds 0 to 9 up to their last measurement, for their cards.",
    )
    seeds.add_argument("only", nargs="*", metavar="CHAPTER", help="these chapters only")
    seeds.add_argument(
        "--check", action="store_true", help="rerun seeds 0 and 1 of cards whose code changed"
    )
    portability = commands.add_parser(
        "portability",
        help="run the chapters under three instruction sets",
        description="Run all chapters under three instruction sets and compare what they say.",
    )
    for command in (book, notebooks, seeds, portability):
        command.set_defaults(run=run)
        command.add_argument("--jobs", type=int, help="chapters at once (default: one per core)")
        command.add_argument(
            "--limit", type=float, metavar="SECONDS", help="CPU seconds a chapter may use"
        )
    for command in (book, notebooks):
        command.add_argument(
            "--only",
            nargs="+",
            action="extend",
            default=[],
            metavar="CHAPTER",
            help="these chapters only, e.g. cooling/langevin",
        )
        command.add_argument("--force", action="store_true", help="run even what did not change")
        command.add_argument(
            "--wheel",
            action="store_true",
            help="run chapters from the built wheel, as a reader would",
        )


def run(options: argparse.Namespace) -> int:
    """Run one of the commands; the exit status."""
    try:
        # The press needs packages of the extra `book`.
        from domain_translation.press import build  # noqa: F401
        from domain_translation.press.files import PressError
        from domain_translation.press.processes import Interrupted, Stopped
    except ModuleNotFoundError as error:
        return complain(
            f"{error.name} is missing; the book is made in a checkout, "
            "after pip install -e '.[book]'",
            USAGE_ERROR,
        )
    try:
        return _dispatch(options)
    except PressError as error:
        return complain(str(error), error.status)
    except Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return stop.status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return complain(f"{where}{error.strerror or error}", FAILED)
    except (KeyboardInterrupt, Stopped) as stop:
        print("\nStopped. Executed chapters are kept.", file=sys.stderr)
        return INTERRUPTED + getattr(stop, "signal", 2)


def _dispatch(options: argparse.Namespace) -> int:
    from domain_translation.press import build
    from domain_translation.press.book import find_book
    from domain_translation.press.plan import Wish, read_override

    book = find_book()
    if options.command == "notebooks" and options.check:
        return build.check_notebooks(book)
    jobs = build.default_jobs() if options.jobs is None else options.jobs
    cost = {"jobs": jobs, "limit": options.limit}
    if options.command == "portability":
        from domain_translation.press import portability

        return portability.make(book, **cost)
    only = tuple(options.only)
    if options.command == "seeds":
        from domain_translation.press import seeds

        return seeds.make(book, only, check=options.check, **cost)
    if options.command == "notebooks":
        return build.make_notebooks(
            book, Wish(only=only, force=options.force, wheel=options.wheel), **cost
        )
    overrides = tuple(read_override(p) for p in options.parameter)
    wish = Wish(options.profile, only, options.force, overrides, options.wheel)
    return build.make_book(book, wish, **cost)
