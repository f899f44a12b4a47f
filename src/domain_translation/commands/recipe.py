"""``domain-translation recipe``: train the shipped networks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from domain_translation.commands.status import FAILED, USAGE_ERROR, complain


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    recipe = commands.add_parser(
        "recipe",
        help="train a network that comes with the package",
        description="Train a network that comes with the package, as it was trained.",
    )
    recipe.add_argument("name", nargs="?", metavar="NAME", help="without it, all are listed")
    recipe.add_argument(
        "--out",
        type=Path,
        default=Path("data/pretrained"),
        metavar="FOLDER",
        help="to write to (default: %(default)s)",
    )
    recipe.add_argument("--steps", type=int, metavar="N", help="fewer steps, for a trial")
    recipe.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="SEED",
        help="of another training, whose files' names end in it (default: %(default)s)",
    )
    recipe.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="to resume from; for energies a folder"
    )
    recipe.add_argument(
        "--checks", action="store_true", help="write what each network in --out does on its batch"
    )
    recipe.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    from domain_translation.data.verify import DamagedData
    from domain_translation.pretrained import recipes
    from domain_translation.training import TrainingError
    from domain_translation.training.checkpoints import CheckpointError

    if options.checks:
        for file in recipes.write_checks(options.out):
            print(f"{file} was not checked: its data set is not at hand", file=sys.stderr)
        return 0
    if options.name is None:
        for name, recipe in recipes.RECIPES.items():
            print(f"{name:24} {recipe.config}")
        return 0
    if options.name not in recipes.RECIPES:
        known = ", ".join(recipes.RECIPES)
        return complain(f"there is no recipe {options.name!r}; choose from {known}", USAGE_ERROR)
    if options.seed < 0:
        return complain(f"--seed is {options.seed}; give 0 or more", USAGE_ERROR)
    if options.steps is not None and options.steps < 1:
        return complain(f"--steps is {options.steps}; give 1 or more", USAGE_ERROR)
    try:
        paths = recipes.run(
            options.name, options.out, options.steps, options.checkpoint, options.seed
        )
    except (CheckpointError, DamagedData, TrainingError, OSError) as error:
        return complain(str(error), FAILED)
    print(*paths, sep="\n")
    return 0
