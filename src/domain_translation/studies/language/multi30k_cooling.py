"""Does cooling help the translation of real sentences? The sweep of `language/cooling` on Multi30k.

One run is one training on sentence pairs, English and French, and that of the denoisers of its two
spaces at the paper's sigma^2, 1 for Feature and 0.1 for Input. The test captions are cooled with
every total pull, clean and with typing errors, beside the linear score, the pull towards the mean
and a random move of the same length. Tatoeba's everyday sentences are the other domain; features
disturbed by the denoiser's own noise are the positive control.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from domain_translation.data import text_noise, texts
from domain_translation.studies.language.cooling import STRENGTHS, bench_of, moved_texts
from domain_translation.studies.language.cooling_cases import (
    BEST_FEATURE,
    BEST_INPUT,
    PULLS,
    TAUS,
    TENTH,
    Case,
    Setting,
    disturbed,
    with_baselines,
    words,
)
from domain_translation.studies.language.cooling_measures import measured
from domain_translation.studies.language.multi30k import SUPERVISED
from domain_translation.studies.language.multi30k_text import (
    DATA,
    DEVELOPMENT,
    TEST,
    Multi30kConfig,
    held_out,
    text_of,
    translator,
)
from domain_translation.studies.study import Measure, Study

OTHER = "tatoeba"  # the other domain
DIRECTIONS = ("en-fr", "fr-en")
# With masked words before the pairs: the discrete chain asks them.
TWIN = replace(SUPERVISED, masked=600)


def run(setting: Setting, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train the networks on Multi30k, move and translate its test sentences in every way.

    Raises DamagedData, MissingData: as the readers of `data.texts`.
    """
    config = _config(setting)
    given = {**asked(setting)}
    given["en", "typos"] = text_noise.typos(given["en", "clean"], STRENGTHS["typos"])
    bench = bench_of(
        translator(config, seed, folder),
        DIRECTIONS,
        given,
        text_of(config)[0],
        held_out(DEVELOPMENT, config.languages),
    )
    return moved_texts(bench, cases(), setting, seed, folder)


def measure(setting: Setting, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """What `cooling_measures` says of these sentences."""
    return measured(cases(), asked(setting), found)


def asked(setting: Setting) -> dict[tuple[str, str], list[str]]:
    """The sentences that are translated, which are also the references, by language and text."""
    test = held_out(TEST, _config(setting).languages)
    found = {(k, "clean"): lines[: setting.sentences] for k, lines in test.items()}
    other = spread_out(texts.tatoeba(), setting.sentences)
    return found | {(k, "elsewhere"): lines for k, lines in other.items()}


def spread_out(pairs: Mapping[str, list[str]], count: int) -> dict[str, list[str]]:
    """So many of the pairs, at equal distances: of a text that is sorted by length, all lengths.

    A sentence with several translations is asked with the first.
    """
    first = {line: i for i, line in reversed(list(enumerate(pairs["en"])))}
    rows = sorted(first.values())
    count = min(count, len(rows))
    chosen = [rows[k * len(rows) // count] for k in range(count)]
    return {language: [lines[i] for i in chosen] for language, lines in pairs.items()}


def cases() -> tuple[Case, ...]:
    """All that is compared, in the order in which it is run."""
    found = [*_feature(), *_input(), *_back(), *disturbed(), *words(("clean", "typos"))]
    return with_baselines(found)


def _feature() -> Iterable[Case]:
    for text in ("clean", "typos", "elsewhere"):
        yield from (Case(text=text, pull=pull, tau=tau) for pull in PULLS for tau in TAUS)
    for pull in ("denoiser", "random"):
        yield from (Case(noise=TENTH, pull=pull, tau=tau) for tau in (0.25, 1.0))
    yield from (Case(tau=tau, steps=25) for tau in TAUS)


def _input() -> Iterable[Case]:
    yield BEST_INPUT
    yield from (Case(space="input", pull=pull, tau=tau) for pull in PULLS for tau in TAUS)
    for text, tau in itertools.product(("typos", "elsewhere"), TAUS):
        yield from (
            Case(text=text, space="input", pull=pull, tau=tau) for pull in ("denoiser", "random")
        )


def _back() -> Iterable[Case]:
    """From French to English, at the paper's settings and with every pull."""
    yield from (replace(BEST_FEATURE, direction="fr-en"), replace(BEST_INPUT, direction="fr-en"))
    for space, pull in itertools.product(("feature", "input"), ("denoiser", "random")):
        yield from (Case("fr-en", space=space, pull=pull, tau=tau) for tau in TAUS)


def _config(setting: Setting) -> Multi30kConfig:
    assert isinstance(setting.translator, Multi30kConfig)
    return setting.translator


STUDY = Study(
    "language/multi30k_cooling",
    {"supervised": Setting(TWIN, sentences=1000)},
    range(3),
    run,
    measure,
    trains=True,
    data=(DATA, OTHER),
)
