"""``domain-translation train-translator``: a translator between two folders of pictures."""

from __future__ import annotations

import argparse
import json

from domain_translation.commands.status import INCOMPLETE, given, guarded, list_skipped, number, say

EXAMPLES = """\
examples:
  domain-translation train-translator summer/ winter/ --out s2w.safetensors
  domain-translation train-translator shoes/ bags/ --out s2b.safetensors --batch-weights
  domain-translation train-translator letters/ signs/ --out l2s.safetensors --size 128 \\
      --steps 20000 --no-mirror --device cuda
  domain-translation cool photos/ cooled/ --translator s2w.safetensors \\
      --denoiser summer.safetensors

exit status: 0 done, 1 failed, 2 wrong request, 3 done except for pictures that were skipped,
130 and 143 stopped
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    # An option that is not given is not in the namespace: the function knows its defaults.
    train = commands.add_parser(
        "train-translator",
        argument_default=argparse.SUPPRESS,
        help="learn to translate the pictures of one folder into those of another",
        description="Train translators A to B and B to A on two folders of pictures, which need "
        "no pairs: CycleGAN, or JD-BW where classes are out of balance (see: domain-translation "
        "shift). While it runs, a contact sheet beside FILE shows what it can do. Stopped, it goes "
        "on where it was when the command is given again.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLES,
    )
    train.set_defaults(run=_train)
    train.add_argument("a", metavar="A", help="pictures of the first domain")
    train.add_argument("b", metavar="B", help="pictures of the second domain")
    train.add_argument(
        "--out", dest="out_file", metavar="FILE", required=True,
        help="translator A to B to write (.safetensors); B to A becomes FILE.back",
    )  # fmt: skip
    train.add_argument(
        "--batch-weights", action="store_true",
        help="JD-BW: a joint discriminator, and weights of the pictures that are learnt",
    )  # fmt: skip
    number(train, "--size", int, "side of the squares in pixels, 64 to 256 (default: 64)")
    number(train, "--steps", int, "minibatches (default: 3000, from 128 pixels on 5000)")
    number(train, "--batch", int, "pictures of each domain in a minibatch (default: the preset's)")
    number(train, "--width", int, "of the networks (default: 16)")
    number(train, "--learning-rate", float, "Adam's (default: the preset's)")
    train.add_argument(
        "--no-mirror", dest="mirrored", action="store_false",
        help="show no mirror images: for letters, digits, signs",
    )  # fmt: skip
    number(train, "--seed", int, "of all randomness (default: 0)")
    train.add_argument("--device", help="cpu (default), cuda, mps")
    train.add_argument(
        "--json", action="store_true", default=False, help="print one JSON object, for scripts"
    )


def _train(options: argparse.Namespace) -> int:
    from domain_translation.cooling.errors import UserError
    from domain_translation.cooling.pictures.folders import told_passed
    from domain_translation.cooling.pictures.translator_training import train_translator_on_folders

    def action() -> int:
        settings = given(options)
        as_json = settings.pop("json")
        done = train_translator_on_folders(**settings, tell=say)
        list_skipped(done.skipped)
        for folder, passed in zip((options.a, options.b), done.passed, strict=True):
            if passed:
                say(f"{folder}: {told_passed(passed)}")
        status = INCOMPLETE if done.skipped else 0
        card, files = done.card, done.files
        if as_json:
            told = {"file": str(files.out), "back": str(files.back), "preview": str(files.preview),
                    "card": card, "skipped": done.skipped, "passed": list(done.passed),
                    "earlier": done.earlier}  # fmt: skip
            print(json.dumps(told, allow_nan=False))
            return status
        losses = ", ".join(f"{name} {value:.3g}" for name, value in card["losses"].items())
        when = " by an earlier run" if done.earlier else ""
        a, b = card["pictures"]["a"], card["pictures"]["b"]
        print(
            f"{files.out}: {card['method']} trained{when} for {card['steps']} steps on {a} and {b} "
            f"pictures at {card['size']}x{card['size']}; the way back is {files.back}.\n"
            f"Losses of the last tenth: {losses}. They do not tell how good it is: look at "
            f"{files.preview}."
        )
        return status

    return guarded(action, "The next run with the same settings goes on from here.", UserError)
