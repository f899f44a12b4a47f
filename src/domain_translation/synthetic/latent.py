"""The law of a scene's latent parameters: a core, and a wide tail of a few kinds of oddity.

A scene is ordinary with probability 1 - rare; otherwise one kind of oddity (a rare pose, odd
light, ...) is drawn, and only the parameters of that kind leave the core's law. Every
component is a product of normal, categorical and uniform laws, so the density of the mixture,
and with it a scene's surprise, is known exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from domain_translation.synthetic.scenes import Painted, Scenes, assemble, check_request

Latents = dict[str, NDArray[Any]]
DEFAULT_RARE = 0.1
# Of a world: (scenes, seed, size, rare) -> latent parameters and the noise of its textures, and
# from these and the size its source and target images, and a mask.
Drawing = Callable[[range, int, int, float], tuple[Latents, dict[str, NDArray[np.float32]]]]
Rendering = Callable[..., tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]


class Oddity(NamedTuple):
    """One kind of rare scene: what it draws from another law than the core."""

    share: float
    """Of the rare scenes; the shares of all kinds sum to 1."""
    normals: Mapping[str, tuple[float, float]]
    """Mean and standard deviation."""
    choices: Mapping[str, Mapping[str, float]]
    """Probability of each value; a value left out has none."""


class Law(NamedTuple):
    normals: Mapping[str, tuple[float, float]]
    """The core's mean and standard deviation of each continuous parameter."""
    choices: Mapping[str, Mapping[str, float]]
    """The core's probabilities of each value of each discrete parameter (all values named)."""
    uniforms: Sequence[str]
    """Parameters uniform in [0, 1] in every component."""
    oddities: Mapping[str, Oddity]


def sample(
    law: Law, draw: Drawing, render: Rendering, n: int, seed: int, size: int, rare: float
) -> Scenes:
    """The scenes of a world, and how rare each is under its law; errors as `check_request`."""
    check_request(n, size, rare)

    def paint(scenes: range) -> Painted:
        latents, knots = draw(scenes, seed, size, rare)
        source, target, _ = render(latents, knots, size)
        return source, target, surprise(law, latents)

    return assemble(n, size, paint)


def index(law: Law, parameter: str, value: str) -> int:
    """Number of a discrete parameter's value, as the latents hold it."""
    return list(law.choices[parameter]).index(value)


def draw(
    law: Law, scenes: range, seed: int, rare: float, textures: int
) -> tuple[Latents, NDArray[np.float32]]:
    """Latent parameters of the numbered scenes, and white noise for their textures.

    Scene i uses a generator of its own, seeded by (seed, i): it does not depend on its company.

    Args:
        scenes: numbers of the scenes, n of them.
        rare: share of scenes from the tail, in [0, 1].
        textures: standard normal numbers wanted per scene beyond the latent parameters.

    Returns:
        (latents, noise): each latent (n,), float64 or, for discrete ones, the index of the
        value in the core's table; noise (n, textures) float32.
    """
    discrete = 1 + len(law.choices) + len(law.uniforms)
    uniform = np.empty((len(scenes), discrete))
    normal = np.empty((len(scenes), len(law.normals)))
    noise = np.empty((len(scenes), textures), np.float32)
    for row, i in enumerate(scenes):
        generator = np.random.default_rng(np.random.SeedSequence((seed, i)))
        generator.random(out=uniform[row])
        generator.standard_normal(out=normal[row])
        generator.standard_normal(out=noise[row], dtype=np.float32)
    component = np.searchsorted(np.cumsum(_weights(law, rare))[:-1], uniform[:, 0], side="right")
    latents: Latents = {}
    for j, (name, (mean, sd)) in enumerate(_normal_tables(law).items()):
        latents[name] = mean[component] + sd[component] * normal[:, j]
    for j, (name, table) in enumerate(_choice_tables(law).items(), start=1):
        below = np.cumsum(table, axis=1)[component, :-1]
        latents[name] = (uniform[:, j : j + 1] >= below).sum(1)
    for j, name in enumerate(law.uniforms, start=1 + len(law.choices)):
        latents[name] = uniform[:, j]
    return latents, noise


def draw_textured(
    law: Law, scenes: range, seed: int, rare: float, textures: Mapping[str, tuple[int, int]]
) -> tuple[Latents, dict[str, NDArray[np.float32]]]:
    """Latent parameters, and white noise (n, rows, columns) for each named texture; as `draw`."""
    counts = [rows * columns for rows, columns in textures.values()]
    latents, white = draw(law, scenes, seed, rare, sum(counts))
    pieces = np.split(white, np.cumsum(counts)[:-1], axis=1)
    knots = {
        name: piece.reshape(-1, *shape)
        for (name, shape), piece in zip(textures.items(), pieces, strict=True)
    }
    return latents, knots


def surprise(law: Law, latents: Latents) -> NDArray[np.float64]:
    """−log density (nats) of latent parameters, each (n,), with a tenth of all scenes rare."""
    log_density = np.log(_weights(law, DEFAULT_RARE))[:, None]
    for name, (mean, sd) in _normal_tables(law).items():
        z = (latents[name] - mean[:, None]) / sd[:, None]
        log_density = log_density - 0.5 * z**2 - np.log(sd * np.sqrt(2 * np.pi))[:, None]
    with np.errstate(divide="ignore"):  # a value that a component never draws: log 0 = -inf
        for name, table in _choice_tables(law).items():
            log_density = log_density + np.log(table)[:, latents[name]]
    return np.asarray(-logsumexp(log_density, axis=0), dtype=np.float64)


def _weights(law: Law, rare: float) -> NDArray[np.float64]:
    shares = np.array([oddity.share for oddity in law.oddities.values()])
    return np.concatenate([[1 - rare], rare * shares])


def _normal_tables(law: Law) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Mean and standard deviation of each continuous parameter in each component, core first."""
    tables = {}
    for name, core in law.normals.items():
        rows = np.array([core, *(o.normals.get(name, core) for o in law.oddities.values())])
        tables[name] = (rows[:, 0], rows[:, 1])
    return tables


def _choice_tables(law: Law) -> dict[str, NDArray[np.float64]]:
    """Probabilities of each value in each component, (components, values), core first."""
    tables = {}
    for name, core in law.choices.items():
        laws = [core, *(o.choices.get(name, core) for o in law.oddities.values())]
        tables[name] = np.array([[one.get(value, 0.0) for value in core] for one in laws])
    return tables
