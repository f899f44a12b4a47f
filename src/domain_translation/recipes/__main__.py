"""``python -m domain_translation.recipes``: train the shipped weights."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from domain_translation.recipes import RECIPES, run, write_checks


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module; exit status 2 for an unknown recipe."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.recipes", description="Train the shipped weights."
    )
    parser.add_argument("name", nargs="?", help="recipe; without it, all are listed")
    parser.add_argument("--out", type=Path, default=Path("data/weights"), help="folder to write to")
    parser.add_argument("--steps", type=int, help="fewer steps, for a trial")
    parser.add_argument("--checkpoint", type=Path, help="file (energies: folder) to resume from")
    parser.add_argument(
        "--checks", action="store_true", help="write what each network in --out does on its batch"
    )
    options = parser.parse_args(arguments)
    if options.checks:
        for file in write_checks(options.out):
            print(f"{file} was not checked: its data set is not at hand", file=sys.stderr)
        return 0
    if options.name is None:
        for name, recipe in RECIPES.items():
            print(f"{name:24} {recipe.config}")
        return 0
    if options.name not in RECIPES:
        print(f"unknown recipe {options.name!r}; known are {', '.join(RECIPES)}", file=sys.stderr)
        return 2
    for path in run(options.name, options.out, options.steps, options.checkpoint):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
