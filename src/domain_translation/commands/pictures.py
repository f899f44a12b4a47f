"""``domain-translation train-denoiser`` and ``cool``: for one's own pictures."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from domain_translation.commands.status import INCOMPLETE, given, guarded, list_skipped, number, say

TRAIN_EXAMPLES = """\
examples:
  domain-translation train-denoiser summer/ --out summer.safetensors
  domain-translation train-denoiser summer/ --out light.safetensors --sigma 0.1 --width 16
  domain-translation train-denoiser summer/ --out d.safetensors --device cuda --json > card.json
"""
COOL_EXAMPLES = """\
examples:
  domain-translation cool photos/ cooled/ --translator latest_net_G.pth \\
      --denoiser summer.safetensors
  domain-translation cool photos/ paper/ --translator latest_net_G.pth \\
      --denoiser summer.safetensors --steps 40 --share 0.2
  domain-translation cool photos/ styled/ --translator style.onnx --range 0:255 \\
      --denoiser summer.safetensors --threshold 0

exit status: 0 done, 1 failed, 2 wrong request, 3 done except for pictures that were skipped
(scores.csv says why), 130 and 143 stopped
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to the parser."""
    # An option that is not given is not in the namespace: the functions know their defaults.
    for command in (_add_train(commands), _add_cool(commands)):
        number(command, "--seed", int, "of all randomness (default: 0)")
        command.add_argument("--device", help="cpu (default), cuda, mps")
        command.add_argument(
            "--json", action="store_true", default=False, help="print one JSON object, for scripts"
        )


def _add_train(commands: Any) -> argparse.ArgumentParser:
    train: argparse.ArgumentParser = commands.add_parser(
        "train-denoiser",
        argument_default=argparse.SUPPRESS,
        help="learn what your pictures look like",
        description="Train a denoiser on the pictures of a folder. Stopped, it goes on where it "
        "was when the command is given again.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=TRAIN_EXAMPLES,
    )
    train.set_defaults(run=_train)
    train.add_argument("folder", metavar="DIR", help="pictures of the source domain")
    train.add_argument(
        "--out", dest="out_file", metavar="FILE", required=True, help="file to write (.safetensors)"
    )
    number(train, "--sigma", float, "noise to remove, pictures being in [-1, 1] (default: 0.3)")
    number(train, "--crop", int, "side of the training crops in pixels, from 6 on (default: 64)")
    number(train, "--size", int, "scale pictures to this square first (default: do not)")
    number(train, "--crops", int, "how many crops, in memory (default: 4096)")
    number(train, "--width", int, "of the network (default: 32)")
    number(train, "--steps", int, "minibatches (default: 500)")
    number(train, "--batch", int, "crops in a minibatch (default: 8)")
    number(train, "--learning-rate", float, "Adam's (default: 0.002); a short training takes more")
    return train


def _add_cool(commands: Any) -> argparse.ArgumentParser:
    cool: argparse.ArgumentParser = commands.add_parser(
        "cool",
        argument_default=argparse.SUPPRESS,
        help="cool your pictures, then translate them",
        description="Cool and translate the pictures of a folder. A picture whose score is longer "
        "than usual is cooled until it is as short as the median of the pictures that the denoiser "
        "was trained on. Stopped, it goes on where it was when the command is given again.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=COOL_EXAMPLES,
    )
    cool.set_defaults(run=_cool)
    # So that -1:1 is a value and no option, as newer versions of Python have it.
    cool._negative_number_matcher = re.compile(r"-\.?\d")
    cool.add_argument("in_dir", metavar="IN_DIR", help="pictures to translate")
    cool.add_argument("out_dir", metavar="OUT_DIR", help="new folder for the results")
    cool.add_argument(
        "--translator",
        metavar="FILE",
        required=True,
        help="model file, TorchScript, torch.export, ONNX, or state dict (.pth, .safetensors)",
    )
    cool.add_argument(
        "--factory",
        metavar="MODULE:NAME",
        default=None,
        help="builds the network of a state dict (default: the published generators of CycleGAN, "
        "pix2pix and CUT)",
    )
    cool.add_argument("--key", metavar="NAME", help="which network of a file that holds several")
    cool.add_argument("--denoiser", metavar="FILE", required=True, help="from train-denoiser")
    number(cool, "--sigma", float, "of the denoiser (default: what its file says)")
    cool.add_argument(
        "--range",
        metavar="BLACK:WHITE",
        dest="values",
        default="-1:1",
        help="values that the translator takes and gives, as 0:1 or 0:255 (default: -1:1)",
    )
    number(cool, "--step-size", float, "alpha, below sigma^2 (default: sigma^2/18, the paper's)")
    number(cool, "--temperature", float, "in [0, 1) (default: 0.001)")
    number(cool, "--steps", int, "exactly N, the paper's protocol (its N is 40; default: until "
            "the score is as short as in training)")  # fmt: skip
    which = cool.add_mutually_exclusive_group()
    number(which, "--share", float, "cool this share, the longest scores")
    which.add_argument(
        "--threshold",
        type=_threshold,
        metavar="X",
        help="cool only pictures with a larger score_rms; auto: than four of five training "
        "pictures (default: auto, and all with --steps or --share)",
    )
    number(cool, "--size", int, "show pictures scaled to this square (default: their own size)")
    number(cool, "--multiple", int, "continue sides to multiples of this (default: 4)")
    return cool


def _threshold(text: str) -> float | str:
    return text if text == "auto" else float(text)


def _train(options: argparse.Namespace) -> int:
    from domain_translation.cooling.pictures import UserError, train_denoiser_on_folder
    from domain_translation.cooling.pictures.denoisers import doubt
    from domain_translation.cooling.pictures.folders import told_passed

    def action() -> int:
        settings = given(options)
        as_json = settings.pop("json")
        card, skipped, passed = train_denoiser_on_folder(**settings)
        list_skipped(skipped)
        for sentence in filter(None, (told_passed(passed), doubt(card))):
            say(sentence)
        if as_json:
            told = {"file": options.out_file, "card": card, "skipped": skipped, "passed": passed}
            print(json.dumps(told, allow_nan=False))
            return INCOMPLETE if skipped else 0
        lengths = ", ".join(f"{v:.3g} ({k})" for k, v in card["score_rms"].items())
        seen = "on pictures held out" if card["held_out"] else "on its own training pictures"
        print(
            f"{options.out_file}: trained on {card['crops']} crops of {card['pictures']} pictures; "
            f"{card['noise_left']:.1%} of the noise is left {seen}, {card['blur_left']:.1%} by a "
            f"plain blur, {card['linear_left']:.1%} by the best linear filter.\n"
            f"score_rms of the training crops, up to: {lengths}; cool spares pictures below the "
            f"second, and cools others down to the first."
        )
        return INCOMPLETE if skipped else 0

    return guarded(action, "The next run with the same settings goes on from here.", UserError)


def _cool(options: argparse.Namespace) -> int:
    from domain_translation.cooling.pictures import (
        UserError,
        cool_folder,
        load_denoiser,
        load_translator,
    )
    from domain_translation.cooling.pictures.translators import value_range

    def action() -> int:
        settings = given(options)
        as_json, values = settings.pop("json"), value_range(settings.pop("values"))
        named = settings.pop("translator"), settings.pop("factory"), values
        translator = load_translator(*named, settings.pop("key", None))
        denoiser = load_denoiser(settings.pop("denoiser"), settings.pop("sigma", None))
        report = cool_folder(translator, denoiser, **settings, tell=say)
        list_skipped({row.file: f"{row.status}: {row.reason}" for row in report.skipped})
        for sentence in report.notes:
            say(sentence)
        if as_json:
            skipped = {row.file: {"status": row.status, "reason": row.reason}
                       for row in report.skipped}  # fmt: skip
            told = {"folder": options.out_dir, **report.figures, "skipped": skipped,
                    "passed": report.passed, "notes": report.notes}  # fmt: skip
            print(json.dumps(told, allow_nan=False))
            return INCOMPLETE if skipped else 0
        done = len(report.rows) - len(report.skipped)
        earlier = f", {report.kept} of them by an earlier run" if report.kept else ""
        sheet = " and contact_sheet.png" if done else ""
        print(
            f"{done} of {len(report.rows)} pictures done{earlier}; see scores.csv{sheet} in "
            f"{options.out_dir}\n{report.summary}"
        )
        return INCOMPLETE if report.skipped else 0

    kept = "Finished pictures are kept; give the same command to go on."
    return guarded(action, kept, UserError)
