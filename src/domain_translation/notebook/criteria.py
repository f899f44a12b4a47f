"""Verdicts that follow from their evidence: criteria with three answers, six words.

A criterion *holds* or *fails* only where a 95 % interval excludes its threshold; otherwise the run
*cannot tell*. One or two trainings of a network decide nothing about networks like it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from domain_translation.notebook.evidence import ALPHA, Estimate

HOLDS, FAILS, CANNOT_TELL = "holds", "fails", "cannot tell"
CONFIRMED, REDUCED = "confirmed", "confirmed at reduced scale"
CONTRADICTED, UNDECIDED = "contradicted", "undecided"
NOT_RUN, RECORDED = "not run", "recorded"
FEWEST_TRAININGS = 3
# The level at which a live number counts: seven standard errors.
CLEAR = 1e-12
SIGNS = {HOLDS: "✓", FAILS: "✗", CANNOT_TELL: "?"}


@dataclass(frozen=True)
class Criterion:
    """What a claim is judged by.

    Attributes:
        judge: alpha -> holds, fails or cannot tell.
        estimates: the numbers behind it; none where it is exact.
        how: how exact evidence is known.
        low, high: between which it wants the number.
    """

    judge: Callable[[float], str]
    estimates: tuple[Estimate, ...] = ()
    how: str = ""
    low: float = -inf
    high: float = inf

    @property
    def estimate(self) -> Estimate | None:
        """The surest number behind it; None where it is exact."""
        return min(self.estimates, key=lambda e: e.error, default=None)

    @property
    def clear(self) -> bool:
        """Decided, and seven standard errors from the threshold: a rerun says the same."""
        return self.judge(ALPHA) == self.judge(CLEAR) != CANNOT_TELL


def within(estimate: Estimate, low: float, high: float) -> Criterion:
    """The estimate lies inside [low, high].

    Raises:
        ValueError: no two thresholds in this order.
    """
    if low is None or high is None or not low < high:
        raise ValueError(f"the thresholds were {low} and {high}; give two numbers in this order")

    def judge(alpha: float) -> str:
        below, above = estimate.interval(alpha)
        if 0 < estimate.seeds < FEWEST_TRAININGS:
            return CANNOT_TELL  # another training might say otherwise
        if low < below and above < high:
            return HOLDS
        return FAILS if above < low or below > high else CANNOT_TELL

    return Criterion(judge, (estimate,), low=low, high=high)


def at_least(estimate: Estimate, threshold: float) -> Criterion:
    """The estimate is above the threshold."""
    return within(estimate, threshold, inf)


def at_most(estimate: Estimate, threshold: float) -> Criterion:
    """The estimate is below the threshold."""
    return within(estimate, -inf, threshold)


def greater(a: Estimate, b: Estimate, by: float = 0.0) -> Criterion:
    """a > b + by for independent estimates; with seeds in common, judge `paired` by `at_least`."""
    return at_least(a.minus(b), by)


def any_of(*criteria: Criterion) -> Criterion:
    """At least one of k holds, each at alpha / k; it fails where every one fails.

    Raises:
        ValueError: no criterion.
    """
    if not criteria:
        raise ValueError("any_of had nothing to choose from; give at least one criterion")

    def judge(alpha: float) -> str:
        if any(c.judge(alpha / len(criteria)) == HOLDS for c in criteria):
            return HOLDS
        return FAILS if all(c.judge(alpha) == FAILS for c in criteria) else CANNOT_TELL

    estimates = tuple(e for c in criteria for e in c.estimates)
    return Criterion(judge, estimates, low=criteria[0].low, high=criteria[0].high)


def exact(holds: bool, how: str) -> Criterion:
    """A proof, a count, a rational or symbolic identity; never an inequality of floats.

    Raises:
        ValueError: no bool, or nothing said of how it is known.
    """
    if not how or not isinstance(holds, (bool, np.bool_)):
        raise ValueError(f"exact evidence was {holds!r}, {how!r}; give a bool and how it is known")
    return Criterion(lambda alpha: HOLDS if holds else FAILS, how=how)


def identity(gap: float, rounding: float) -> Criterion:
    """Two floats agree: a gap up to `rounding` holds, one a thousand times larger fails.

    Raises:
        ValueError: unless gap >= 0 and rounding > 0, both numbers.
    """
    if not (gap >= 0 and 0 < rounding < inf):
        raise ValueError(f"an identity had gap {gap} and rounding {rounding}; both are positive")
    said = HOLDS if gap <= rounding else FAILS if gap > 1000 * rounding else CANNOT_TELL
    return Criterion(lambda alpha: said, how="identity within rounding")


@dataclass(frozen=True)
class Judgement:
    """What evidence says of a claim.

    Attributes:
        word: one of the six verdicts.
        marks: what each criterion says, by its sentence.
        given: the same of each precondition.
        smallest: of each undecided criterion, the smallest effect that the run could have seen.
    """

    word: str
    marks: Mapping[str, str]
    given: Mapping[str, str]
    smallest: Mapping[str, float]


def judge(
    criteria: Mapping[str, Criterion],
    given: Mapping[str, Criterion] | None = None,
    *,
    reduced: bool = False,
    alpha: float = ALPHA,
) -> Judgement:
    """The word for a claim that all its criteria hold, provided that all of `given` hold.

    To confirm all, each is tested at `alpha`; to contradict, one failure of k is enough, so
    failures are corrected by Holm. A precondition that does not hold leaves the claim undecided.
    """
    known = {sentence: c.judge(alpha) for sentence, c in (given or {}).items()}
    marks = {sentence: c.judge(alpha) for sentence, c in criteria.items()}
    left = {sentence: c for sentence, c in criteria.items() if c.estimate}
    while worst := [s for s, c in left.items() if c.judge(alpha / len(left)) == FAILS]:
        del left[worst[0]]  # Holm: step down
    marks |= {sentence: CANNOT_TELL for sentence in left if marks[sentence] == FAILS}
    smallest = {
        sentence: c.estimate.smallest_effect(alpha)
        for sentence, c in left.items()
        if c.estimate and marks[sentence] == CANNOT_TELL and not c.estimate.unmeasured
    }
    if set(known.values()) <= {HOLDS} and FAILS in marks.values():
        word = CONTRADICTED
    elif {*known.values(), *marks.values()} == {HOLDS}:
        word = REDUCED if reduced else CONFIRMED
    else:
        word = UNDECIDED
    return Judgement(word, marks, known, smallest)
