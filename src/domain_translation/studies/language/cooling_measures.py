"""What the study `language/cooling` measures of its translations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from torch import Tensor

from domain_translation.evaluation.ngrams import Floats
from domain_translation.evaluation.text import (
    bleu_from_statistics,
    bleu_statistics,
    bootstrap_differences,
    sentence_chrf,
)
from domain_translation.pretrained.recipes import language as recipe
from domain_translation.studies.language.cooling_cases import (
    BEST_FEATURE,
    PAPER,
    PAPER_VARIANCE,
    TAUS,
    Case,
    Setting,
    cases,
)
from domain_translation.studies.language.grammar import as_text
from domain_translation.studies.study import Measure

RESAMPLES = 300  # of the test sentences, for the error that all seeds share
FIFTHS = 5
FRINGE = ("score_rms", "nll", "rarity", "tokens")
SCORES = ("feature, tenth of the variance", "input, paper", "input, the variance")


Asked = Mapping[tuple[str, str], Sequence[str]]  # references by language and text


def measure(setting: Setting, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """What `measured` says of the grammar's test sentences."""
    return measured(cases(), asked(setting), found)


def asked(setting: Setting) -> Asked:
    """The test sentences of the grammar."""
    assert isinstance(setting.translator, recipe.GrammarConfig)
    test = recipe.held_out(recipe.HELD_OUT, recipe.TEST, setting.translator)
    return {(language, "clean"): lines[: setting.sentences] for language, lines in test.items()}


def measured(wanted: Sequence[Case], truth: Asked, found: Mapping[str, Tensor]) -> list[Measure]:
    """BLEU of the plain texts, what each move changes, the spaces, the cost, and the fringe."""
    return [
        *_changes(wanted, truth, found),
        *_spaces(found),
        *_steps(found),
        *_fringe(truth, found),
    ]


def _changes(
    wanted: Sequence[Case], truth: Asked, found: Mapping[str, Tensor]
) -> Iterator[Measure]:
    """BLEU, its changes with the error of the test sentences, and how much was moved."""
    counts: dict[str, Floats] = {}
    lines: dict[str, list[str]] = {}
    for case in wanted:
        target = case.direction[-2:]
        references = truth.get((target, case.text), truth[target, "clean"])
        lines[case.name] = as_text(found[f"lines, {case.name}"])
        counts[case.name] = bleu_statistics(lines[case.name], references)

    def gap(name: str, a: Case, b: Case) -> Measure:
        first, second = counts[a.name], counts[b.name]
        value = bleu_from_statistics(first.sum(0)) - bleu_from_statistics(second.sum(0))
        drawn = bootstrap_differences(second, first, resamples=RESAMPLES)
        return Measure(name, float(value), error=float(drawn.std()))

    for case in wanted:
        if case.pull == "nothing":
            yield Measure(
                f"BLEU, {case.name}", float(bleu_from_statistics(counts[case.name].sum(0)))
            )
            continue
        plain, cooled = lines[case.before.name], lines[case.name]
        other = np.mean([a != b for a, b in zip(plain, cooled, strict=True)])
        yield gap(f"change, {case.name}", case, case.before)
        yield Measure(f"changed, {case.name}", float(other))
        yield Measure(f"moved, {case.name}", float(found[f"moved, {case.name}"].mean()))
        for rival in ("random", "Wiener"):
            control = replace(case, pull=rival)
            if case.pull == "denoiser" and control.name in counts:
                yield gap(f"less {rival}, {case.name}", case, control)


def _spaces(found: Mapping[str, Tensor]) -> Iterator[Measure]:
    """How large the noise is for its space, and what the denoisers leave of it."""
    for name, value in found.items():
        kind, _, of = name.partition(", ")
        if kind in ("variance", "residual", "own word"):
            yield Measure(name, float(value))
        if kind == "variance" and of.endswith(PAPER):
            sigma2 = PAPER_VARIANCE[of.split(", ")[1]]
            yield Measure(f"signal to noise, {of}", float(value) / sigma2)
            yield Measure(f"noise to spread, {of}", (sigma2 / float(value)) ** 0.5)
        if kind == "variance":
            left, linear = (float(found[f"residual, {of}, {p}"]) for p in ("denoiser", "Wiener"))
            yield Measure(f"left of what Wiener leaves, {of}", left / linear)


def _steps(found: Mapping[str, Tensor]) -> Iterator[Measure]:
    """Five steps beside twenty-five of the same pull, and what both cost."""

    def seconds(case: Case) -> float:
        return float(found[f"seconds, {case.name}"])

    for tau in TAUS:
        few, many = Case(tau=tau), Case(tau=tau, steps=25)
        both = (as_text(found[f"lines, {case.name}"]) for case in (few, many))
        same = np.mean([a == b for a, b in zip(*both, strict=True)])
        yield Measure(f"same with 5 steps as with 25, tau {tau:g}", float(same))
    plain = seconds(BEST_FEATURE.before)
    for steps in (5, 25):
        # A case is decoded once, its points are embedded and moved before.
        yield Measure(f"time, N {steps}", seconds(replace(BEST_FEATURE, steps=steps)) / plain)


def _fringe(truth: Asked, found: Mapping[str, Tensor]) -> Iterator[Measure]:
    """Does a long score mark what is badly translated? Beside it stand three other measures."""
    references, marks = truth["fr", "clean"], {}
    for text in ("clean", "typos"):
        made = as_text(found[f"lines, {Case(text=text).before.name}"])
        quality, counts = sentence_chrf(made, references), bleu_statistics(made, references)
        columns = {m: found[f"{m}, {text}"].double().numpy() for m in FRINGE}
        columns |= {f"score, {s}": found[f"score, {s}, {text}"].double().numpy() for s in SCORES}
        marks[text] = columns
        for name, column in columns.items():
            yield _told(f"Spearman with chrF, {name}, {text}", column, quality)
            fifths = np.array_split(np.argsort(column, kind="stable"), FIFTHS)
            for k, rows in enumerate(fifths, 1):
                score = bleu_from_statistics(counts[rows].sum(0))
                yield Measure(f"BLEU of fifth {k}, {name}, {text}", float(score))
    spoilt = np.repeat([0, 1], len(references))
    for name in marks["clean"]:
        both = np.concatenate([marks["clean"][name], marks["typos"][name]])
        yield Measure(f"area for typos, {name}", float(roc_auc_score(spoilt, both)))


def _told(name: str, a: Floats, b: Floats) -> Measure:
    """A rank correlation and its bootstrap error."""
    rank: Callable[[Floats, Floats], float] = lambda x, y: float(spearmanr(x, y).statistic)  # noqa: E731
    rng = np.random.default_rng(0)
    rows = [rng.choice(len(a), len(a)) for _ in range(100)]
    return Measure(name, rank(a, b), error=float(np.std([rank(a[r], b[r]) for r in rows])))
