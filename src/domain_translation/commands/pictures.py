"""``domain-translation train-denoiser`` and ``cool``: for one's own pictures."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from domain_translation.commands.status import FAILED, INCOMPLETE, INTERRUPTED, complain


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to the parser."""
    # An option that is not given is not in the namespace: the functions know their defaults.
    train = commands.add_parser(
        "train-denoiser",
        argument_default=argparse.SUPPRESS,
        help="learn what your pictures look like",
        description="Train a denoiser on the PNG and JPEG files of a folder. Stopped, it goes on "
        "where it was when the command is given again.",
    )
    train.set_defaults(run=_train)
    train.add_argument("folder", metavar="DIR", help="pictures of the source domain")
    train.add_argument(
        "--out", dest="out_file", metavar="FILE", required=True, help="file to write (.safetensors)"
    )
    _number(train, "--sigma", float, "noise to remove, pictures being in [-1, 1] (default: 0.3)")
    _number(train, "--crop", int, "side of the training crops in pixels (default: 64)")
    _number(train, "--size", int, "scale pictures to this square first (default: do not)")
    _number(train, "--crops", int, "how many crops, in memory (default: 4096)")
    _number(train, "--width", int, "of the network (default: 32)")
    _number(train, "--steps", int, "minibatches (default: 2000)")
    _number(train, "--batch", int, "crops in a minibatch (default: 16)")
    _number(train, "--learning-rate", float, "Adam's (default: 0.001); a short training takes more")
    cool = commands.add_parser(
        "cool",
        argument_default=argparse.SUPPRESS,
        help="cool your pictures, then translate them",
        description="Cool and translate the PNG and JPEG files of a folder. Stopped, it goes on "
        "where it was when the command is given again.",
        epilog="Exit status: 0 done, 1 failed, 2 wrong request, 3 done except for pictures that "
        "were skipped (scores.csv says why), 130 stopped.",
    )
    cool.set_defaults(run=_cool)
    cool.add_argument("in_dir", metavar="IN_DIR", help="pictures to translate")
    cool.add_argument("out_dir", metavar="OUT_DIR", help="new folder for the results")
    cool.add_argument(
        "--translator",
        metavar="FILE",
        required=True,
        help="model file, TorchScript, torch.export program, or state dict (.pth, .safetensors)",
    )
    cool.add_argument(
        "--factory",
        metavar="MODULE:NAME",
        default=None,
        help="builds the network of a state dict (default: CycleGAN's published generator)",
    )
    cool.add_argument("--denoiser", metavar="FILE", required=True, help="from train-denoiser")
    _number(cool, "--sigma", float, "of the denoiser (default: what its file says)")
    _number(cool, "--step-size", float, "alpha (default: 0.005)")
    _number(cool, "--temperature", float, "in [0, 1) (default: 0.001)")
    _number(cool, "--steps", int, "N (default: 40)")
    which = cool.add_mutually_exclusive_group()
    _number(which, "--share", float, "cool this share, the longest scores (default: all)")
    _number(which, "--threshold", float, "cool only pictures with a larger score_rms")
    _number(cool, "--size", int, "show pictures scaled to this square (default: their own size)")
    _number(cool, "--multiple", int, "continue sides to multiples of this (default: 4)")
    for command in (train, cool):
        _number(command, "--seed", int, "of all randomness (default: 0)")
        command.add_argument("--device", help="cpu (default), cuda, mps")


def _number(parser: Any, name: str, kind: type, text: str) -> None:
    parser.add_argument(name, type=kind, metavar="N" if kind is int else "X", help=text)


def _train(options: argparse.Namespace) -> int:
    def action() -> int:
        from domain_translation.cooling.pictures import train_denoiser_on_folder

        card, skipped = train_denoiser_on_folder(**_settings(options))
        _list_skipped(skipped)
        lengths = ", ".join(f"{v:.3g} ({k})" for k, v in card["score_rms"].items())
        print(
            f"{options.out_file}: trained on {card['crops']} crops of {card['pictures']} pictures; "
            f"{card['noise_left']:.1%} of the noise is left.\n"
            f"score_rms of these crops, up to: {lengths}; a --threshold above spares such pictures."
        )
        return INCOMPLETE if skipped else 0

    return _guarded(action, "The next run with the same settings goes on from here.")


def _cool(options: argparse.Namespace) -> int:
    def action() -> int:
        from domain_translation.cooling.pictures import cool_folder, load_denoiser, load_translator

        settings = _settings(options)
        translator = load_translator(settings.pop("translator"), settings.pop("factory"))
        denoiser = load_denoiser(settings.pop("denoiser"), settings.pop("sigma", None))
        report = cool_folder(translator, denoiser, **settings)
        _list_skipped({row.file: f"{row.status}: {row.reason}" for row in report.skipped})
        done = len(report.rows) - len(report.skipped)
        earlier = f", {report.kept} of them by an earlier run" if report.kept else ""
        print(
            f"{done} of {len(report.rows)} pictures done{earlier}; "
            f"see scores.csv and contact_sheet.png in {options.out_dir}"
        )
        return INCOMPLETE if report.skipped else 0

    return _guarded(action, "Finished pictures are kept; give the same command to go on.")


def _guarded(action: Any, kept: str) -> int:
    """Run a command; whatever the caller can mend becomes one sentence and a status."""
    try:
        return int(action())
    except KeyboardInterrupt:
        print(f"\nStopped. {kept}", file=sys.stderr)
        return INTERRUPTED + 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return complain(f"{where}{error.strerror or error}", FAILED)
    except (ValueError, RuntimeError) as error:
        from domain_translation.cooling.pictures import PicturesError
        from domain_translation.training import TrainingError

        if isinstance(error, PicturesError | TrainingError):
            return complain(str(error), getattr(error, "status", FAILED))
        raise


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """The options that were given, as arguments of the function behind the command."""
    return {k: v for k, v in vars(options).items() if k not in ("command", "run")}


def _list_skipped(reasons: dict[str, str]) -> None:
    for file, reason in reasons.items():
        print(f"domain-translation: skipped {file}: {reason}", file=sys.stderr)
