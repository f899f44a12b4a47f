"""Real text: captions of pictures, translated with and without pairs (Multi30k).

Arms: the network on sentence pairs, and three times as long; on unpaired halves with the words of
a dictionary that was counted in a thousand pairs (`unsupervised`: weak supervision, see
`multi30k_text`), with a dictionary that was found in the halves themselves, and with none (`pure`).
The same with German where hours remain. All are judged on the thousand test sentences of 2016,
beside their dictionary word by word and the source as it is.

Said beforehand: the supervised network reaches 26 BLEU from English to French, 35 in three times
the time; without pairs it gains 5 BLEU over the 7.5 there and 13.3 back that FreeDict's 8,800
headwords give word by word, with inflections matched and function words set by hand. Word by word
on the development sentences, the found dictionary gives 8.7 and 12.8, that of a thousand pairs 12.3
and 15.6, of five thousand 15.8 and 21.2, of all 16.8 and 22.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.evaluation.ngrams import Floats
from domain_translation.evaluation.text import (
    bleu,
    bleu_from_statistics,
    bleu_statistics,
    bootstrap_differences,
)
from domain_translation.language.lexicon import word_by_word
from domain_translation.studies.language.grammar import LOOK, as_bytes, as_text, translations
from domain_translation.studies.language.multi30k_text import (
    DATA,
    DEVELOPMENT,
    TEST,
    Multi30kConfig,
    dictionaries,
    directions,
    held_out,
    translator,
)
from domain_translation.studies.study import Measure, Study

LOOKS = 6  # at the network on its way through the last stage
WATCHED = 200  # development sentences that it then translates
RESAMPLES = 300  # of the test sentences, for the error that all seeds share
GERMAN = ("en", "de")
SUPERVISED = Multi30kConfig(
    supervised=True, masked=0, word_pairs=0, steps=1200, tokens=1000, learning_rate=2e-3
)
UNSUPERVISED = Multi30kConfig(known=1000)
ARMS: Mapping[str, Multi30kConfig] = {
    "supervised": SUPERVISED,
    "unsupervised": UNSUPERVISED,
    "dictionary found in text": Multi30kConfig(found=True),
    "pure": Multi30kConfig(),
    "supervised, longer": replace(SUPERVISED, steps=3600, dropout=0.1),
    "supervised, German": replace(SUPERVISED, languages=GERMAN),
    "unsupervised, German": replace(UNSUPERVISED, languages=GERMAN),
}


def run(config: Multi30kConfig, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train, look at the network on its way, and let it translate the test sentences and back.

    The arms of a seed that learn without pairs begin with the same masked language model.
    """
    ways = directions(config.languages)
    development, test = (held_out(split, config.languages) for split in (DEVELOPMENT, TEST))
    masked = folder.parent / f"masked-{'-'.join(config.languages)}-{seed}.safetensors"
    looks = []
    for stage in translator(config, seed, folder, LOOKS, masked):
        if stage.name != "masked":
            watched = {language: lines[:WATCHED] for language, lines in development.items()}
            made = {(s, t): translations(stage, (s, t), watched[s]) for s, t in ways}
            scores = [bleu(made[s, t], watched[t]).value for s, t in ways]
            looks.append([float(stage.name == "last"), stage.steps, *scores])
    found = {LOOK: torch.tensor(looks)}
    for source, target in ways:
        there = translations(stage, (source, target), test[source])
        back = translations(stage, (target, source), there)
        found[f"{source}-{target}"] = as_bytes(there)
        found[f"{source}-{target}-{source}"] = as_bytes(back)
    return found


def measure(config: Multi30kConfig, seed: int, found: Mapping[str, Tensor]) -> Iterator[Measure]:
    """BLEU on the test pairs, with the error of their choice, and what it is held against."""
    test, tables = held_out(TEST, config.languages), dictionaries(config)
    for source, target in directions(config.languages):
        name, references = f"{source}-{target}", test[target]
        truth = bleu_statistics(references, references)
        counts = bleu_statistics(as_text(found[name]), references)
        yield Measure(f"BLEU {name}", _bleu(counts), error=_spread(truth, counts))
        back = bleu(as_text(found[f"{name}-{source}"]), test[source]).value
        yield Measure(f"BLEU {name}, round trip", back)
        floors = {"source as it is": test[source]}
        if tables:
            table = tables[source, target]
            floors["word by word"] = [word_by_word(table, line) for line in test[source]]
        for floor, lines in floors.items():
            less = bleu_statistics(lines, references)
            yield Measure(f"BLEU {name}, {floor}", _bleu(less), (), _spread(truth, less))
            gain = _bleu(counts) - _bleu(less)
            yield Measure(f"gain over {floor} {name}", gain, error=_spread(less, counts))


def excerpt(config: Multi30kConfig, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """BLEU of development sentences on the way (looks, 2 + directions), see `grammar.LOOK`."""
    return {LOOK: found[LOOK]}


def _bleu(counts: Floats) -> float:
    return float(bleu_from_statistics(counts.sum(0)))


def _spread(plain: Floats, other: Floats) -> float:
    """Standard error of a difference in BLEU; beside the truth, whose BLEU is 100, of one BLEU."""
    return float(bootstrap_differences(plain, other, resamples=RESAMPLES).std())


STUDY = Study(
    "language/multi30k",
    ARMS,
    range(3),
    run,
    measure,
    trains=True,
    excerpt=excerpt,
    data=(DATA,),
)
