"""The command line: ``domain-translation book`` and ``domain-translation notebooks``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 done, 1 failed, 2 wrong request, 128 + n stopped."""
    options = _parser().parse_args(arguments)
    try:
        # The press needs packages of the extra `book`.
        from domain_translation.press import build
        from domain_translation.press.files import PressError
        from domain_translation.press.processes import Stopped
    except ModuleNotFoundError as error:
        print(
            f"domain-translation: {error.name} is missing; the book is made in a checkout, "
            "after pip install -e '.[book]'",
            file=sys.stderr,
        )
        return USAGE_ERROR
    try:
        return _dispatch(options)
    except PressError as error:
        print(f"domain-translation: {error}", file=sys.stderr)
        return error.status
    except build.Interrupted as stop:
        print(f"\n{stop}", file=sys.stderr)
        return stop.status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"domain-translation: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, Stopped) as stop:
        print("\nStopped. Executed chapters are kept.", file=sys.stderr)
        return 128 + getattr(stop, "signal", 2)


def _dispatch(options: argparse.Namespace) -> int:
    from domain_translation.press import build
    from domain_translation.press.book import find_book
    from domain_translation.press.plan import Wish, read_override

    book = find_book()
    if options.command == "notebooks" and options.check:
        return build.check_notebooks(book)
    only = tuple(options.only)
    jobs = build.default_jobs() if options.jobs is None else options.jobs
    cost = {"jobs": jobs, "limit": options.limit}
    if options.command == "notebooks":
        return build.make_notebooks(book, Wish(only=only, force=options.force), **cost)
    overrides = tuple(read_override(p) for p in options.parameter)
    return build.make_book(book, Wish(options.profile, only, options.force, overrides), **cost)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="domain-translation", description="Make the book from its text notebooks."
    )
    commands = parser.add_subparsers(dest="command", required=True)
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
        command.add_argument("--jobs", type=int, help="chapters at once (default: one per core)")
        command.add_argument("--limit", type=float, metavar="SECONDS", help="wall limit a chapter")
    return parser


if __name__ == "__main__":
    sys.exit(main())
