"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from domain_translation import __version__
from domain_translation.commands import (
    book,
    completion,
    data,
    pictures,
    recipe,
    shift,
    study,
    text,
    translators,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 done, 1 failed, 2 wrong request, 128 + n stopped.

    `cool`, `cool-text`, `shift` and those that train also return 3: done, except for what was
    skipped.
    """
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="domain-translation",
        description="Make the book from its text notebooks; train on, cool and translate your own "
        "pictures and sentences.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    book.add(commands)
    data.add(commands)
    pictures.add(commands)
    recipe.add(commands)
    shift.add(commands)
    study.add(commands)
    text.add(commands)
    translators.add(commands)
    completion.add(commands, parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
