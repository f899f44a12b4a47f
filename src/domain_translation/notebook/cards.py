"""Cards: what several seeds measured, stored, and the estimates that claims draw from it.

A card is a long table: arm, seed, name, value, and fingerprints of the networks that the value is
about. Beside it stands where it comes from: profile, code, data, machine, versions, seconds.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from domain_translation.notebook import evidence
from domain_translation.notebook.evidence import Estimate

if TYPE_CHECKING:
    import pandas as pd

FALSE_ALARM = 2.5e-4  # of a live value against its card: one alarm in a hundred books
ROUNDING = 1e-4  # relative: what processors make of a number that no seed changes
Key = str | tuple[str, str]  # a name, or an arm and a name


class CardError(ValueError):
    """A card cannot be read, or does not hold what was asked for."""


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        arm: what is compared: a method, a setting; "" where there is one only.
        seed: of the run.
        name: what was measured, in words.
        value: a finite number.
        networks: fingerprints of the networks that the value is about, in a fixed order.
        error: a standard error that all seeds share, as that of their one test set.
    """

    arm: str
    seed: int
    name: str
    value: float
    networks: tuple[str, ...] = ()
    error: float = 0.0


@dataclass(frozen=True)
class Card:
    """Measurements of one study under one profile.

    Attributes:
        study: its name, such as ``reweighting/digits``.
        profile: ``quick``, ``full`` or ``paper``; a card answers for its own only.
        rows: the long table; one value for each arm, seed and name.
        lost: why a run has no rows, by arm and seed.
        origin: code and data digests, machine, versions, seconds, date.

    Raises CardError for two values of one arm, seed and name, or one that is not finite.
    """

    study: str
    profile: str
    rows: tuple[Row, ...] = ()
    lost: Mapping[tuple[str, int], str] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen = set()
        for row in self.rows:
            what = f"{row.name!r} of {row.arm or 'the run'}, seed {row.seed}"
            if not math.isfinite(row.value):
                raise CardError(f"{self.study} measured {row.value} for {what}; count it as lost")
            if (row.arm, row.seed, row.name) in seen:
                raise CardError(f"{self.study} measured {what} twice; give each its own name")
            seen.add((row.arm, row.seed, row.name))

    @property
    def empty(self) -> bool:
        """Whether nothing has been measured yet."""
        return not self.rows

    def values(self, key: Key) -> dict[int, float]:
        """Values by seed.

        Raises:
            CardError: nothing of that name and arm was measured.
        """
        return {} if self.empty else {row.seed: row.value for row in self._chosen(key)}

    def __getitem__(self, key: Key) -> Estimate:
        """The mean over the seeds: `mean` without a shared error."""
        return self.mean(key)

    def mean(self, key: Key, shared: float = 0.0) -> Estimate:
        """The mean over the seeds, whose number is that of the trainings behind it.

        Args:
            key: what was measured.
            shared: a standard error that all seeds have in common beside the measured one.

        Raises:
            CardError: nothing of that name and arm was measured.
        """
        if self.empty:
            return evidence.unmeasured(self.study)
        chosen = self._chosen(key)
        error = math.hypot(shared, _error(chosen))
        units = _by_training({r.seed: r.value for r in chosen}, chosen)
        return self._estimate(units, trainings(chosen), error)

    def paired(self, a: Key, b: Key, shared: float = 0.0) -> Estimate:
        """The mean of a - b over the seeds that both have.

        A measured error of `a` and of `b` counts as independent: where both are of the same test
        items, measure the difference instead.

        Raises:
            CardError: no seed in common.
        """
        if self.empty:
            return evidence.unmeasured(self.study)
        at, bt = self.values(a), self.values(b)
        common = sorted(at.keys() & bt.keys())
        if not common:
            raise CardError(f"{self.study}: {_said(a)} and {_said(b)} have no seed in common")
        rows = [r for k in (a, b) for r in self._chosen(k) if r.seed in common]
        counts = [trainings([r for r in rows if r in self._chosen(k)]) for k in (a, b)]
        fewest = min((c for c in counts if c), default=0)
        gaps = _by_training({s: at[s] - bt[s] for s in common}, rows)
        error = math.hypot(shared, *(_error(self._chosen(k)) for k in (a, b)))
        return self._estimate(gaps, fewest, error)

    def share(self, key: Key, holds: Callable[[float], bool]) -> Estimate:
        """The share of seeds whose value `holds`; lost runs count as not holding.

        Of seeds that share a training, all have to hold: they count as one run.
        """
        if self.empty:
            return evidence.unmeasured(self.study)
        chosen = self._chosen(key)
        held = _by_training({r.seed: float(holds(r.value)) for r in chosen}, chosen)
        runs = len(held) + self.lost_of(chosen[0].arm)
        found = evidence.share(held.count(1.0), runs, seeds=trainings(chosen))
        return self._signed(found)

    def share_lost(self, arm: str = "") -> Estimate:
        """The share of an arm's runs that are lost; each is a training of its own."""
        if self.empty:
            return evidence.unmeasured(self.study)
        lived = {r.seed for r in self.rows if r.arm == arm}
        lost = self.lost_of(arm)
        if not lived and not lost:
            raise CardError(f"{self.study} has no arm {arm!r}; it has {', '.join(self.arms)}")
        runs = len(lived) + lost
        return self._signed(evidence.share(lost, runs, seeds=runs))

    def frame(self) -> pd.DataFrame:
        """A row a run: its arm, its seed, and a column for each number; NaN where it has none."""
        import pandas as pd  # the press reads cards without it

        runs: dict[tuple[str, int], dict[str, Any]] = {}
        for row in self.rows:
            run = runs.setdefault((row.arm, row.seed), {"arm": row.arm, "seed": row.seed})
            run[row.name] = row.value
        return pd.DataFrame(list(runs.values()))

    @property
    def arms(self) -> tuple[str, ...]:
        """What was compared, in the order of measurement."""
        return tuple(dict.fromkeys([*(r.arm for r in self.rows), *(a for a, _ in self.lost)]))

    def lost_of(self, arm: str = "") -> int:
        """How many runs of an arm are lost."""
        return sum(1 for a, _ in self.lost if a == arm)

    def predicts(self, key: Key, live: float, seed: int | None = None) -> bool:
        """Whether a live value is one that the card expects, that of its own `seed` left out.

        The spread is pooled over all arms of that name, so that few seeds an arm suffice.
        """
        chosen = self._chosen(key)
        name = chosen[0].name
        groups: dict[str, list[float]] = {}
        for row in self.rows:
            if row.name == name and row.seed != seed:
                groups.setdefault(row.arm, []).append(row.value)
        here = groups.get(chosen[0].arm, [])
        df = sum(len(v) - 1 for v in groups.values())
        if not here or df < 1:
            raise CardError(f"{self.study}: {_said(key)} has too few seeds to expect anything")
        square = sum(float(np.var(v)) * len(v) for v in groups.values()) / df
        far = float(stats.t.ppf(1 - FALSE_ALARM / 2, df))
        middle = float(np.mean(here))
        reach = far * math.sqrt(square * (1 + 1 / len(here)))
        return abs(live - middle) <= reach + ROUNDING * max(abs(middle), abs(live))

    def _estimate(self, values: list[float], seeds: int, shared: float) -> Estimate:
        if len(values) == 1:
            return self._signed(evidence.alone(values[0], shared, seeds=seeds))
        if shared == 0 and len(set(values)) == 1:  # as sure as its seeds are alike
            return self._signed(Estimate(values[0], 0.0, len(values), seeds))
        return self._signed(evidence.mean(values, seeds=seeds, shared=shared))

    def _signed(self, estimate: Estimate) -> Estimate:
        """The estimate with the card's name, date and machine."""
        machine = self.origin.get("machine", [])
        machines = [machine] if isinstance(machine, str) else machine
        said = filter(None, [self.origin.get("made", ""), *machines])
        return replace(estimate, card=self.study, origin=", ".join(said))

    def _chosen(self, key: Key) -> list[Row]:
        arm, name = key if isinstance(key, tuple) else (None, key)
        found = [r for r in self.rows if r.name == name and arm in (None, r.arm)]
        if not found:
            known = sorted({r.name for r in self.rows} | {r.arm for r in self.rows if r.arm})
            near = difflib.get_close_matches(name, known, n=2) or known[:5]
            raise CardError(
                f"{self.study} has not measured {_said(key)}; it has {', '.join(near) or 'nothing'}"
            )
        if len({r.arm for r in found}) > 1:
            arms = sorted({r.arm for r in found})
            raise CardError(f"{self.study}: {name!r} was measured of {', '.join(arms)}; name one")
        return sorted(found, key=lambda r: r.seed)


def _error(rows: Sequence[Row]) -> float:
    return math.sqrt(sum(r.error**2 for r in rows) / len(rows))


def fingerprint(network: Any) -> str:
    """A digest of a network's parameters and buffers: equal for copies, other after a training.

    Raises:
        ValueError: it has no parameters.
    """
    import torch  # the press reads cards without it

    tensors = network.state_dict().values() if hasattr(network, "state_dict") else ()
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    if not len(tensors):
        raise ValueError(
            f"a measurement is about {type(network).__name__}, which has no parameters; name "
            "networks in of=, or leave it out where nothing is trained"
        )
    return found.hexdigest()[:12]


def trainings(rows: Sequence[Row]) -> int:
    """The fewest distinct networks behind the rows, over their places; 0 where there is none."""
    places = zip(*(r.networks for r in rows), strict=True)
    return min((len(set(place)) for place in places), default=0)


def _by_training(values: Mapping[int, float], rows: Sequence[Row]) -> list[float]:
    """The independent units of values by seed: where seeds share a training, its mean over them."""
    behind: dict[int, tuple[str, ...]] = {}
    for row in rows:
        behind[row.seed] = behind.get(row.seed, ()) + row.networks
    groups: dict[tuple[str, ...], list[float]] = {}
    for seed, value in values.items():
        groups.setdefault(behind[seed], []).append(value)
    if len(groups) == 1:  # then the seeds stay apart: all is said of that training alone
        return list(values.values())
    return [float(np.mean(group)) for group in groups.values()]


def pooled(cards: Iterable[Card]) -> Card:
    """One card of several, of equal study, profile, code and data.

    Raises:
        CardError: they differ in one of these, or share a seed of an arm.
    """
    first, *others = list(cards)
    for other in others:
        for what in ("study", "profile"):
            if getattr(first, what) != getattr(other, what):
                raise CardError(f"cards of another {what} are not pooled: {first.study}")
        for what in ("code", "data"):
            if first.origin.get(what) != other.origin.get(what):
                raise CardError(f"cards of other {what} are not pooled: {first.study}")
    rows = tuple(r for card in (first, *others) for r in card.rows)
    lost = {k: v for card in (first, *others) for k, v in card.lost.items()}
    return Card(first.study, first.profile, rows, lost, first.origin)


def _said(key: Key) -> str:
    return (
        " of ".join(repr(part) for part in reversed(key)) if isinstance(key, tuple) else repr(key)
    )
