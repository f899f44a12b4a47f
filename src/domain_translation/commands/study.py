"""``domain-translation study``: run studies, see how far they are, write their cards."""

from __future__ import annotations

import argparse
from pathlib import Path

from domain_translation.commands.status import (
    FAILED,
    USAGE_ERROR,
    complain,
    stoppable,
    stopped,
)

HEADERS = ("study", "arms x seeds", "at hand", "CPU seconds", "card")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    study = commands.add_parser(
        "study",
        help="run a study: results too long for a page",
        description="Run what a study has not at hand, or write the card of what it has.",
    )
    study.add_argument("name", nargs="?", metavar="NAME", help="e.g. energies/ablations")
    study.add_argument("--list", action="store_true", help="all studies, and how far they are")
    study.add_argument(
        "--only", nargs="+", action="extend", metavar="ARM", help="these arms only (default: all)"
    )
    study.add_argument(
        "--seed", nargs="+", action="extend", type=int, metavar="N", help="these seeds only"
    )
    study.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="of the cached runs"
    )
    study.add_argument(
        "--card", action="store_true", help="run nothing; write the card of the runs at hand"
    )
    study.add_argument(
        "--missing", action="store_true", help="run nothing; print the files of the runs to make"
    )
    study.add_argument(
        "--again", action="store_true", help="replace runs of other code, settings or data"
    )
    study.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    if options.list == bool(options.name):
        return complain("study needs a NAME, or --list, which shows all", USAGE_ERROR)
    from domain_translation.data.verify import DamagedData
    from domain_translation.notebook.cards import CardError
    from domain_translation.studies.study import StudyError
    from domain_translation.training.checkpoints import CheckpointError

    try:
        with stoppable():
            return _list(options.runs) if options.list else _perform(options)
    except KeyboardInterrupt as stop:
        return stopped(stop, "Finished runs are cached; the same command goes on.")
    except StudyError as error:
        return complain(str(error), USAGE_ERROR)
    except (CardError, CheckpointError, DamagedData) as error:
        return complain(str(error), FAILED)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return complain(f"{where}{error.strerror or error}", FAILED)


def _perform(options: argparse.Namespace) -> int:
    from domain_translation.studies import cards, engine, registry
    from domain_translation.studies.study import cells, place

    study = registry.find(options.name)
    card = cards.stored_card(study)
    if options.card:
        new = cards.write_card(study, options.runs, _data(), card, again=options.again)
        runs, all_runs = len(new.origin["runs"]), len(study.arms) * len(study.seeds)
        print(f"data/cards/{study.card}.json: {len(new.rows)} numbers of {runs} of {all_runs} runs")
        return 0
    if options.missing:
        for cell in cells(study, options.only, options.seed):
            if not engine.at_hand(study, options.runs, card, cell, again=options.again):
                print(place(study, options.runs, *cell))
        return 0
    busy = engine.perform(
        study,
        options.runs,
        card=card,
        arms=options.only,
        seeds=options.seed,
        again=options.again,
        say=lambda told: print(told, flush=True),
    )
    if busy:
        return complain(
            f"{len(busy)} runs of {study.name} are another process's, which works in "
            f"{options.runs} too; the same command finds them when it is done",
            FAILED,
        )
    state = cards.survey(study, options.runs)
    print(f"{state.name}: {state.at_hand} runs at hand, {state.seconds:.0f} CPU s; --card measures")
    return 0


def _list(runs: Path) -> int:
    from tabulate import tabulate

    from domain_translation.studies import cards, registry

    rows = [cards.survey(registry.find(name), runs) for name in registry.names()]
    print(tabulate(rows, headers=HEADERS, tablefmt="plain"))
    return 0


def _data() -> Path:
    """The data folder of the checkout that cards are written to."""
    from domain_translation.studies.study import StudyError

    for folder in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (folder / "data" / "registry.toml").is_file():
            return folder / "data"
    raise StudyError("a card is written into a checkout of the book; run --card inside one")
