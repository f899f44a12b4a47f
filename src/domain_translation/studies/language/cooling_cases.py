"""What the study `language/cooling` compares: how a text was disturbed and moved, then translated.

L-Cool section 5.3 searches temperature, step size and number of steps (lcool.hyper.lang); here it
is the total pull tau = alpha N / sigma^2 that is varied, for what a chain does depends on little
else. Beside each chain stand moves that know less: the linear score, the pull towards the mean
token, and a random move of the same length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from domain_translation.pretrained.recipes import language as recipe
from domain_translation.pretrained.recipes.language import GrammarConfig
from domain_translation.studies.language.multi30k_text import Multi30kConfig

SOURCE = "en-fr"  # the direction that is looked at closely
DIRECTIONS = ("en-fr", "fr-en", "en-de", "de-en")
TAUS = (0.1, 0.25, 0.5, 1.0)
PULLS = ("denoiser", "Wiener", "mean", "random")
PAPER_VARIANCE = {"feature": 1.0, "input": 0.1}  # lcool.train.dae_lang: sigma^2
# sigma^2 of a denoiser: the paper's, or a share of the variance of the space.
PAPER, TENTH, MATCHED = "paper", "tenth of the variance", "the variance"
SHARES = {TENTH: 0.1, MATCHED: 1.0}
THRESHOLDS = (8.0, 4.0)  # nats, of the discrete chain
TEXTS = ("clean", "typos", "dropped", "wrong", "elsewhere")  # the last: of another domain


@dataclass(frozen=True)
class Setting:
    """What a run trains, and on how much it is judged."""

    translator: GrammarConfig | Multi30kConfig = recipe.SUPERVISED
    text: int = 20_000  # sentences that a denoiser learns from
    steps: int = 2000  # of its training; after 200 it is no better than a linear filter
    tokens: int = 1200  # in a minibatch of it
    learning_rate: float = 2e-3
    sentences: int = recipe.HELD_OUT


@dataclass(frozen=True)
class Case:
    """One text, disturbed, moved and translated.

    Attributes:
        direction: of `DIRECTIONS`.
        text: of `TEXTS`.
        space: "feature" or "input".
        noise: what the denoiser's sigma^2 is: `PAPER`, `TENTH`, `MATCHED`.
        pull: of `PULLS`; "nothing"; or "words", the discrete chain.
        tau: total pull alpha N / sigma^2; of the discrete chain, its threshold in nats.
        steps: N.
        temperature: T.
        disturbed: standard deviation of Gaussian noise in the points beforehand, in units of sigma.
    """

    direction: str = SOURCE
    text: str = "clean"
    space: str = "feature"
    noise: str = PAPER
    pull: str = "denoiser"
    tau: float = 0.25
    steps: int = 5
    temperature: float = 1e-3
    disturbed: float = 0.0

    @property
    def name(self) -> str:
        """Such as "en-fr, clean, feature, paper, denoiser, tau 0.25, N 5, T 0.001"."""
        of = f"{self.direction}, {self.text}"
        where = f", {self.space}, {self.noise}"
        noisy = f", disturbed {self.disturbed:g}" if self.disturbed else ""
        if self.pull == "nothing":
            return of + (where if noisy else "") + noisy
        if self.pull == "words":
            return f"{of}, words, threshold {self.tau:g}"
        how = f"{self.pull}, tau {self.tau:g}, N {self.steps}, T {self.temperature:g}"
        return f"{of}{where}, {how}{noisy}"

    @property
    def before(self) -> Case:
        """The same text without the move."""
        untouched = Case(self.direction, self.text, pull="nothing", disturbed=self.disturbed)
        return (
            replace(untouched, space=self.space, noise=self.noise) if self.disturbed else untouched
        )

    @property
    def sigma_of(self) -> tuple[str, str, str]:
        """Which denoiser: its language, space and noise."""
        return self.direction[:2], self.space, self.noise

    @property
    def network(self) -> bool:
        """Whether a trained denoiser takes part."""
        return self.pull in ("denoiser", "random")


# lcool.hyper.lang: what section 5.3 calls the best for EN-FR.
BEST_FEATURE = Case(steps=25)
BEST_INPUT = Case(space="input", tau=0.0025, steps=25, temperature=1e-4)


def cases() -> tuple[Case, ...]:
    """All that is compared, each once, in the order in which it is run."""
    found = [
        *_feature(),
        *_input(),
        *_elsewhere(),
        *disturbed(),
        *words(("clean", "typos", "wrong")),
    ]
    return with_baselines(found)


def with_baselines(found: Sequence[Case]) -> tuple[Case, ...]:
    """Cases, each once, after the untouched texts that they are held against."""
    return tuple(dict.fromkeys([*(case.before for case in found), *found]))


def _feature() -> Iterable[Case]:
    for text in ("clean", "typos"):
        yield from (Case(text=text, pull=pull, tau=tau) for pull in PULLS for tau in TAUS)
    for pull in ("denoiser", "random"):
        yield from (Case(text="dropped", pull=pull, tau=tau) for tau in (0.25, 1.0))
        for text in ("clean", "typos", "dropped", "wrong"):
            yield from (Case(text=text, noise=TENTH, pull=pull, tau=tau) for tau in (0.25, 1.0))
    yield from (Case(tau=tau, steps=25) for tau in TAUS)
    yield from (Case(tau=tau, temperature=0.0) for tau in (0.25, 1.0))


def _input() -> Iterable[Case]:
    yield BEST_INPUT
    for noise in (PAPER, MATCHED):
        yield from (Case(space="input", noise=noise, pull=p) for p in ("denoiser", "random"))


def _elsewhere() -> Iterable[Case]:
    """The other directions at the paper's settings, and with a tenth of the variance for noise."""
    for direction in DIRECTIONS[1:]:
        feature = replace(BEST_FEATURE, direction=direction)
        tenth = Case(direction, noise=TENTH)
        yield from (feature, replace(feature, pull="random"))
        yield from (tenth, replace(tenth, pull="random"))
        if direction.startswith("en"):
            yield replace(BEST_INPUT, direction=direction)
            yield Case(direction, space="input")


def disturbed() -> Iterable[Case]:
    """The positive control: noise of the denoiser's own kind, which it can undo."""
    for noise in (0.5, 1.0):
        for pull in ("denoiser", "Wiener"):
            yield from (Case(pull=pull, tau=tau, disturbed=noise) for tau in (0.25, 0.5, 1.0))
    yield Case(space="input", noise=MATCHED, tau=0.5, disturbed=1.0)


def words(texts: Iterable[str]) -> Iterable[Case]:
    """The discrete chain."""
    for text in texts:
        yield from (
            Case(text=text, pull="words", tau=tau, steps=1, temperature=0.0) for tau in THRESHOLDS
        )


def needed(wanted: Sequence[Case]) -> list[tuple[str, str, str]]:
    """The denoisers (language, space, noise) behind cases, each once."""
    return list(dict.fromkeys(case.sigma_of for case in wanted if case.pull in PULLS))
