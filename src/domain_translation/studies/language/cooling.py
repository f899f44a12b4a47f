"""Does cooling a sentence help its translation, and against which controls?

One run is one training: a translator of the grammar's three languages, the masked language model it
began as, and the denoisers of its two spaces. Then sentences that no training has seen are moved in
every way of `cooling_cases` and translated; the translations are stored, and measured afterwards.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.cooling.discrete import cool_words
from domain_translation.cooling.text import (
    Move,
    by_length,
    langevin,
    move_text,
    score_rms,
    text_points,
)
from domain_translation.cooling.text_fringe import fringe_measures, word_counts
from domain_translation.cooling.text_moves import disturbance, in_turn, random_move
from domain_translation.data import text_noise
from domain_translation.denoising.sequences import (
    Points,
    SequenceScore,
    mean_filter,
    residual_share,
    train_sequence_denoiser,
    wiener_filter,
)
from domain_translation.language.stages import Stage
from domain_translation.language.translator import TextTranslator
from domain_translation.language.vocabulary import Vocabulary
from domain_translation.language.xlm import XLM
from domain_translation.pretrained.recipes import language as recipe
from domain_translation.sampling.scores import Denoiser
from domain_translation.studies.language.cooling_cases import (
    DIRECTIONS,
    PAPER,
    PAPER_VARIANCE,
    SHARES,
    Case,
    Setting,
    cases,
    needed,
)
from domain_translation.studies.language.cooling_measures import measure
from domain_translation.studies.language.grammar import as_bytes
from domain_translation.studies.study import Study
from domain_translation.synthetic import grammar

STRENGTHS = {"typos": 0.15, "dropped": 0.1, "wrong": 0.125}  # shares of the words
FRINGE = ("score_rms", "nll", "rarity", "tokens")


@dataclass
class Bench:
    """The networks of a run and what they are tried on."""

    translators: Mapping[str, TextTranslator]
    masked: XLM
    vocabulary: Vocabulary
    texts: Mapping[tuple[str, str], list[str]]  # by language and what was done to it
    text: Mapping[str, Sequence[str]]  # that the translators have learnt from
    unseen: Mapping[str, Sequence[str]]  # that neither they nor the denoisers have
    sigmas: dict[tuple[str, str, str], float] = field(default_factory=dict)
    pulls: dict[tuple[str, str, str, str], Denoiser] = field(default_factory=dict)


def run(setting: Setting, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train the networks on the grammar, move and translate its sentences in every way."""
    config = setting.translator
    assert isinstance(config, recipe.GrammarConfig)
    test = recipe.held_out(recipe.HELD_OUT, recipe.TEST, config)
    texts = {(k, "clean"): lines[: setting.sentences] for k, lines in test.items()}
    english, listed = texts["en", "clean"], sorted(grammar.dictionary("en", "fr"))
    texts["en", "typos"] = text_noise.typos(english, STRENGTHS["typos"])
    texts["en", "dropped"] = text_noise.dropped(english, STRENGTHS["dropped"])
    texts["en", "wrong"] = text_noise.wrong(english, STRENGTHS["wrong"], listed)
    bench = bench_of(
        recipe.translator(config, seed, folder),
        DIRECTIONS,
        texts,
        recipe.text_of(config.sentences, config.pieces)[0],
        recipe.held_out(recipe.HELD_OUT, recipe.DEVELOPMENT, config),
    )
    return moved_texts(bench, cases(), setting, seed, folder)


def bench_of(
    stages: Iterable[Stage],
    directions: Sequence[str],
    texts: Mapping[tuple[str, str], list[str]],
    text: Mapping[str, Sequence[str]],
    unseen: Mapping[str, Sequence[str]],
) -> Bench:
    """Train a translator through its `stages`, and lay out what it is tried on: see `Bench`."""
    for stage in stages:
        if stage.name == "masked":
            masked = copy.deepcopy(stage.model)
    model, vocabulary = stage.model, stage.vocabulary
    model.requires_grad_(False).eval()
    ways = {d: d.split("-") for d in directions}
    made = {d: TextTranslator(model, vocabulary, s, t, batch=100) for d, (s, t) in ways.items()}
    return Bench(made, masked.requires_grad_(False), vocabulary, texts, text, unseen)


def moved_texts(
    bench: Bench, wanted: Sequence[Case], setting: Setting, seed: int, folder: Path
) -> dict[str, Tensor]:
    """Train the denoisers, move and translate the sentences in every way that is wanted.

    Returns:
        By the name of a case: its translations as bytes; how far its points moved, and processor
        seconds, under "moved" and "seconds". The residuals and variances of the spaces, the
        measures of the fringe, and the share of tokens that are still nearest to their own word.
    """
    found = _train_denoisers(setting, bench, needed(wanted), seed, folder)
    lines: dict[str, list[str]] = {}
    for case in wanted:
        began = time.process_time()
        lines[case.name], moved = translated(bench, case, lines.get(case.before.name), seed)
        found[f"seconds, {case.name}"] = torch.tensor(time.process_time() - began)
        found[f"moved, {case.name}"] = moved
        if case.space == "input" and case.pull in ("denoiser", "random"):
            found[f"own word, {case.name}"] = _own_word(bench, case, seed)
    found |= {f"lines, {name}": as_bytes(text) for name, text in lines.items()}
    return found | _fringe(bench)


def _train_denoisers(
    setting: Setting,
    bench: Bench,
    wanted: Sequence[tuple[str, str, str]],
    seed: int,
    folder: Path,
) -> dict[str, Tensor]:
    """Train what pulls the points, and measure what it leaves of the noise on other sentences."""
    found = {}
    for language, space, noise in wanted:
        translator = next(t for d, t in bench.translators.items() if d.startswith(language))
        points = by_length(text_points(translator, bench.text[language][: setting.text], space))
        unseen = by_length(text_points(translator, bench.unseen[language], space))
        key, spread = (language, space, noise), variance(points)
        sigma = math.sqrt(PAPER_VARIANCE[space] if noise == PAPER else SHARES[noise] * spread)
        denoiser = train_sequence_denoiser(
            points,
            sigma,
            steps=setting.steps,
            space=space,
            tokens=setting.tokens,
            learning_rate=setting.learning_rate,
            longest=translator.model.config.positions,
            seed=seed,
            checkpoint=folder / f"{'-'.join(key).replace(' ', '_')}.safetensors",
        )
        linear = wiener_filter(points, sigma, seed)
        bench.sigmas[key] = sigma
        bench.pulls |= {
            (*key, "denoiser"): denoiser.requires_grad_(False).eval(),
            (*key, "Wiener"): linear,
            (*key, "mean"): mean_filter(points),
        }
        name = ", ".join(key)
        found[f"variance, {name}"] = torch.tensor(spread)
        for pull in ("denoiser", "Wiener"):
            left = residual_share(bench.pulls[*key, pull], unseen, sigma, seed)
            found[f"residual, {name}, {pull}"] = torch.tensor(left)
    return found


def variance(points: Points) -> float:
    """Of a coordinate over the tokens, averaged over coordinates: what sigma^2 is held against."""
    tokens = torch.cat([x.flatten(0, 1) for x in points.values()])
    return float((tokens - tokens.mean(0)).square().mean())


def chain(bench: Bench, case: Case, seed: int) -> Move:
    """The move of a case, without what disturbs it."""
    sigma = bench.sigmas[case.sigma_of]
    pull = "denoiser" if case.pull == "random" else case.pull
    score = SequenceScore(bench.pulls[*case.sigma_of, pull], sigma, case.space)
    move = langevin(
        score,
        step_size=case.tau * sigma**2 / case.steps,
        temperature=case.temperature,
        steps=case.steps,
        seed=seed,
    )
    return random_move(move, seed) if case.pull == "random" else move


def translated(
    bench: Bench, case: Case, plain: list[str] | None, seed: int
) -> tuple[list[str], Tensor]:
    """The translations of a case, and how far its points moved in units of their length (N,)."""
    source = case.direction[:2]
    sentences, translator = bench.texts[source, case.text], bench.translators[case.direction]
    still = torch.zeros(len(sentences))
    if case.pull == "words":
        mended = cool_words(bench.masked, bench.vocabulary, sentences, source, threshold=case.tau)
        return translator.translate(mended), still
    moves = []
    if case.disturbed:
        moves.append(disturbance(case.disturbed * bench.sigmas[case.sigma_of], seed))
    if case.pull != "nothing":
        moves.append(chain(bench, case, seed))
    if not moves:
        return translator.translate(sentences), still
    known = plain or sentences  # only compared with the cooled ones
    made = move_text(translator, in_turn(*moves), sentences, space=case.space, plain=known)
    return made.cooled, made.moved


@torch.no_grad()
def _own_word(bench: Bench, case: Case, seed: int) -> Tensor:
    """The share of the tokens whose nearest word embedding is their own after the move."""
    translator = bench.translators[case.direction]
    words, move = translator.model.source.words.weight, chain(bench, case, seed)
    own, tokens = 0, 0
    for points in text_points(translator, bench.texts[case.direction[:2], case.text], "input"):
        moved = move(points.x, points.rows)
        before, after = (torch.cdist(x.flatten(0, 1), words).argmin(-1) for x in (points.x, moved))
        own, tokens = own + int((before == after).sum()), tokens + len(before)
    return torch.tensor(own / tokens)


def _fringe(bench: Bench) -> dict[str, Tensor]:
    """Four measures of each English sentence, and the score's length in the other spaces (N,)."""
    counts, translator = word_counts(bench.text["en"]), bench.translators["en-fr"]
    scores = {
        key: SequenceScore(bench.pulls[*key, "denoiser"], sigma, key[1])
        for key, sigma in bench.sigmas.items()
        if key[0] == "en"
    }
    found: dict[str, Tensor] = {}
    for kind in ("clean", "typos"):
        lines = bench.texts["en", kind]
        table = fringe_measures(translator, scores["en", "feature", PAPER], lines, counts)
        found |= {f"{m}, {kind}": torch.tensor(table[m].to_numpy()) for m in FRINGE}
        for key, score in scores.items():
            groups = text_points(translator, lines, key[1])
            found[f"score, {key[1]}, {key[2]}, {kind}"] = score_rms(score, groups, len(lines))
    return found


STUDY = Study(
    "language/cooling",
    {
        "supervised": Setting(),
        "dictionary": Setting(recipe.UNSUPERVISED),
    },
    range(5),  # their differences are larger than those between sentences
    run,
    measure,
    trains=True,
)
