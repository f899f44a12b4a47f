"""``domain-translation train-text-denoiser`` and ``cool-text``: for one's own sentences."""

from __future__ import annotations

import argparse
from typing import Any

from domain_translation.commands.status import (
    INCOMPLETE,
    complain,
    given,
    guarded,
    list_skipped,
    number,
    say,
)

SHOWN = 20  # skipped lines that are named


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to the parser."""
    # An option that is not given is not in the namespace: the functions know their defaults.
    train = commands.add_parser(
        "train-text-denoiser",
        argument_default=argparse.SUPPRESS,
        help="learn what your sentences look like to a translator",
        description="Train a denoiser of a translator's points on text, one sentence a line. "
        "Stopped, it goes on where it was when the command is given again.",
        epilog="Example: domain-translation train-text-denoiser news.en --translator opus-en-fr/ "
        "--out news.safetensors",
    )
    train.set_defaults(run=_train)
    train.add_argument("files", metavar="FILE", nargs="+", help="sentences, plain text or gzip")
    train.add_argument(
        "--out", dest="out_file", metavar="FILE", required=True, help="file to write (.safetensors)"
    )
    _translator(train)
    _space(
        train, "where to denoise: the encoder's output or the word embeddings (default: feature)"
    )
    number(train, "--sigma", float, "noise to remove, in units of the points (default: such that "
            "its square is a tenth of their variance)")  # fmt: skip
    number(train, "--sentences", int, "how many at most, in memory (default: 10000)")
    number(train, "--layers", int, "of the denoiser (default: 1)")
    number(train, "--heads", int, "of its attention (default: 4)")
    number(train, "--steps", int, "minibatches (default: 1000)")
    number(train, "--tokens", int, "in a minibatch (default: 600)")
    number(train, "--learning-rate", float, "Adam's (default: 0.003)")
    cool = commands.add_parser(
        "cool-text",
        argument_default=argparse.SUPPRESS,
        help="cool your sentences, then translate them",
        description="Cool and translate the sentences of a file, one a line; writes a table with "
        "the columns line, plain, cooled, score, moved, changed, reason. Stopped, it goes on where "
        "it was when the command is given again.",
        epilog="Example: domain-translation cool-text mine.en mine.tsv --translator opus-en-fr/ "
        "--denoiser news.safetensors --share 0.2. Exit status: 0 done, 1 failed, 2 wrong request, "
        "3 done except for lines that were skipped (the table says why), 130 stopped.",
    )
    cool.set_defaults(run=_cool)
    cool.add_argument("in_file", metavar="IN_FILE", help="sentences, plain text or gzip")
    cool.add_argument("out_file", metavar="OUT_FILE", help="new file for the table (.tsv)")
    cool.add_argument("--denoiser", metavar="FILE", required=True, help="from train-text-denoiser")
    _translator(cool)
    _space(cool, "that the denoiser has to have (default: the one it has)")
    cool.add_argument("--beam", type=int, metavar="N", default=1, help="prefixes kept (default: 1)")
    number(cool, "--step-size", float, "alpha (default: such that all steps together pull by a "
            "quarter, alpha N = sigma^2 / 4)")  # fmt: skip
    number(cool, "--temperature", float, "in [0, 1) (default: 0.001)")
    number(cool, "--steps", int, "N (default: 5)")
    which = cool.add_mutually_exclusive_group()
    number(which, "--share", float, "cool this share, the longest scores (default: all)")
    number(which, "--threshold", float, "cool only sentences with a longer score")
    cool.add_argument("--reference", metavar="FILE", help="the right translations, for BLEU, chrF")
    for command in (train, cool):
        number(command, "--seed", int, "of all randomness (default: 0)")


def _translator(parser: argparse.ArgumentParser) -> None:
    """What names a translator; the same for both commands."""
    parser.add_argument(
        "--translator",
        metavar="MODEL",
        required=True,
        help="model file of this package, or a local folder of Hugging Face",
    )
    add = parser.add_argument
    add("--source", metavar="LANGUAGE", default=None, help="of the sentences, as the model says it")
    add("--target", metavar="LANGUAGE", default=None, help="to translate to, as the model says it")
    add("--prefix", metavar="TEXT", default="", help="of every sentence, for models such as T5")
    add("--device", default="cpu", help="cpu (default), cuda, mps")


def _space(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--space", metavar="SPACE", help=f"feature or input: {text}")


def _train(options: argparse.Namespace) -> int:
    from domain_translation.cooling.text_files import UserError, train_denoiser_on_text

    def action() -> int:
        settings = given(options)
        translator = _loaded(settings)
        files, out = settings.pop("files"), settings.pop("out_file")
        card, skipped = train_denoiser_on_text(files, out, translator, **settings)
        list_skipped(skipped, SHOWN)
        lengths = ", ".join(f"{v:.3g} ({k})" for k, v in card["score_rms"].items())
        relative = card["sigma"] ** 2 / card["variance"]
        seen = "on sentences held out" if card["held_out"] else "on its own training sentences"
        print(
            f"{out}: trained on {card['sentences']} sentences; it leaves {card['residual']:.1%} of "
            f"the variance {seen}, the best linear filter {card['linear_residual']:.1%}.\n"
            f"noise: sigma {card['sigma']:.3g}; its square is {relative:.0%} of the points' "
            f"variance, {card['variance']:.3g}.\n"
            f"score of these sentences, up to: {lengths}; a --threshold above spares such ones."
        )
        if card["residual"] >= card["linear_residual"]:
            say("the denoiser is no better than a linear filter; give it more --steps")
        if relative > 1:
            say("this noise drowns the points: what removes it knows little but their mean; give a "
                "smaller --sigma")  # fmt: skip
        return INCOMPLETE if skipped else 0

    return guarded(action, "The next run with the same settings goes on from here.", UserError)


def _cool(options: argparse.Namespace) -> int:
    from domain_translation.cooling.text_files import UserError, cool_file, load_denoiser

    def action() -> int:
        settings = given(options)
        if settings["target"] is None and settings["source"] is not None:
            return complain("give --target, the language to translate to", 2)
        translator = _loaded(settings)
        denoiser = load_denoiser(settings.pop("denoiser"), translator, settings.pop("space", None))
        report = cool_file(translator, denoiser, **settings, tell=say)
        list_skipped({f"line {row.line}": row.reason for row in report.skipped}, SHOWN)
        for sentence in (*report.judged, report.summary, f"The table is {options.out_file}."):
            print(sentence)
        return INCOMPLETE if report.skipped else 0

    return guarded(action, "Finished lines are kept; give the same command to go on.", UserError)


def _loaded(settings: dict[str, Any]) -> Any:
    """The translator that these settings name; they are taken out."""
    from domain_translation.cooling.text_files import load_translator

    model = settings.pop("translator")
    names = ("source", "target", "prefix", "beam", "device")
    return load_translator(model, **{k: settings.pop(k) for k in names if k in settings})
