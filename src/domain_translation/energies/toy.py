"""Maximum likelihood with Langevin negatives on points whose density is known (CF-EBM 3.1).

    update = gradient of  mean E(data) - mean E(negatives)            (cfebm.eq2)

The gradient of the log-likelihood needs negatives from e^-E / Z. What a program draws instead is
decided by where its chains start: `contrastive` starts them at the data, `persistent` where they
stopped last time, `short_run` at fresh noise. `exact` draws from e^-E / Z on a grid, which only a
toy allows. All four train through the same `train_energy`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.runtime import seeded
from domain_translation.sampling import langevin
from domain_translation.sampling.inputs import events
from domain_translation.sampling.scores import Energy, energy_score
from domain_translation.training import Batch, Losses, Player, fit, linear_decay, unpaired
from domain_translation.training.trained import State, freeze, identity

# (energy, data batch, remembered chains, generator) -> negatives, chains to remember
Drawn = tuple[Tensor, Tensor]
Draw = Callable[[nn.Module, Tensor, Tensor, Generator], Drawn]


class MLPEnergy(nn.Module):
    """`copies` independent energies side by side: E(x) = sum over r of E_r(x_r).

    A state is a tuple of points, one per copy, ``(B, copies, dim)``. Its energy is a sum, so
    Langevin chains, gradients and Adam treat every copy as if it were alone: several seeds are
    trained for little more than the price of one.

        E_r(x) = network_r(x) + |x|^2 / (2 reach^2)

    The network is Lipschitz, so with the second term e^-E has a finite integral at every
    temperature; without it, it need not.

    Args:
        dim: of a point.
        copies: independent models.
        width: of both hidden layers (swish).
        reach: of the quadratic term, in units of the points, > 0.
    """

    def __init__(self, dim: int = 2, copies: int = 1, width: int = 32, reach: float = 6.0) -> None:
        super().__init__()
        self.dim, self.copies, self.reach = dim, copies, reach
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        # The first layer starts three times as steep as PyTorch would have it: its waves are then
        # as short as the modes of the toys, which a smooth network takes long to learn.
        for inside, out, steep in ((dim, width, 3), (width, width, 1), (width, 1, 1)):
            bound = steep / math.sqrt(inside)
            for list_, rows in ((self.weights, inside), (self.biases, 1)):
                start = torch.empty(copies, rows, out).uniform_(-bound, bound)
                list_.append(nn.Parameter(start))

    def features(self, x: Tensor) -> Tensor:
        """Last hidden layer, (B, copies, dim) -> (copies, B, width); the energy is linear in it."""
        h = x.transpose(0, 1)
        *weights, _ = self.weights  # a slice of a ParameterList is a new module: slow in a chain
        *biases, _ = self.biases
        for w, b in zip(weights, biases, strict=True):
            h = nn.functional.silu(torch.baddbmm(b, h, w))
        return h

    def each(self, x: Tensor) -> Tensor:
        """Energies of the copies, (B, copies, dim) -> (B, copies)."""
        out = torch.baddbmm(self.biases[-1], self.features(x), self.weights[-1])
        return out[..., 0].T + x.square().sum(-1) / (2 * self.reach**2)

    def forward(self, x: Tensor) -> Tensor:
        energy: Tensor = self.each(x).sum(1)
        return energy


@dataclass(frozen=True)
class Walk:
    """A Langevin chain: its temperature is stated, not implied."""

    steps: int
    step_size: float  # alpha, the coefficient of grad E
    temperature: float = 1.0  # T = delta^2 / (2 alpha)

    def __str__(self) -> str:
        return f"{self.steps} steps of {self.step_size:g} at T = {self.temperature:g}"


@dataclass(frozen=True)
class ToyConfig:
    """Settings of the training; the paper has no toy, all are declared here."""

    updates: int = 500
    batch: int = 128  # points per update
    learning_rate: float = 4e-3  # Adam; constant for half the updates, then linearly to 0
    momentum: float = 0.5  # Adam's first beta, as in CF-EBM A.2


TOY = ToyConfig()


class Negatives(NamedTuple):
    """Where the negatives of an update come from; made by the four functions below.

    Attributes:
        name: in words; part of a checkpoint's card.
        draw: (energy, data batch, remembered chains, generator) -> (negatives, chains).
        chains: remembered before the first update; empty where nothing is remembered.
    """

    name: str
    draw: Draw
    chains: Tensor = torch.empty(0)


def run(
    energy: Energy, x: Tensor, walk: Walk, generator: Generator, *, check: bool = True
) -> Tensor:
    """States after `walk` from `x`, (B, *event): Langevin, CF-EBM eq. 3 at T = 1 (cfebm.eq3).

    Without `check`, chains that left the finite numbers come back as they are.
    """
    kernel = langevin.ula(energy_score(energy), walk.step_size, walk.temperature)
    return langevin.sample(kernel, x, walk.steps, generator=generator, check=check).x


def contrastive(walk: Walk) -> Negatives:
    """Contrastive divergence: chains start at the data of the update (Hinton 2002)."""

    def draw(energy: nn.Module, x: Tensor, chains: Tensor, g: Generator) -> Drawn:
        return run(energy, x, walk, g, check=False), chains

    return Negatives(f"contrastive, {walk}", draw)


def persistent(walk: Walk, chains: Tensor) -> Negatives:
    """Persistent chains: they go on from where the last update left them (Tieleman 2008).

    Args:
        walk: how far they go between two updates.
        chains: where they begin, (chains, *event).
    """

    def draw(energy: nn.Module, x: Tensor, chains: Tensor, g: Generator) -> Drawn:
        y = run(energy, chains, walk, g, check=False)
        return y, y

    return Negatives(f"persistent, {walk}", draw, chains)


def short_run(walk: Walk, half_width: float) -> Negatives:
    """Short runs from U(-half_width, half_width), the same law every time (Nijkamp et al. 2019).

    Raises:
        ValueError: a half-width that is not positive and finite.
    """
    if not 0 < half_width < math.inf:
        raise ValueError(f"half_width was {half_width}; give a positive finite number")

    def draw(energy: nn.Module, x: Tensor, chains: Tensor, g: Generator) -> Drawn:
        return run(energy, uniform(x, half_width, g), walk, g, check=False), chains

    return Negatives(f"short run from +-{half_width:g}, {walk}", draw)


def exact(grid: Tensor, spacing: float) -> Negatives:
    """Draws from e^-E / Z itself, as a step function on a grid: for an `MLPEnergy` only.

    Args:
        grid: centres of square cells, (cells, dim), covering where e^-E is not small.
        spacing: side of a cell.

    Its `draw` raises ValueError for another kind of energy.
    """

    def draw(energy: nn.Module, x: Tensor, chains: Tensor, g: Generator) -> Drawn:
        if not isinstance(energy, MLPEnergy):
            raise ValueError(
                f"the energy is a {type(energy).__name__}; exact negatives tabulate the copies of "
                "an MLPEnergy, choose other negatives or that energy"
            )
        with torch.no_grad():
            mass = torch.softmax(-energy.each(spread(grid, energy.copies)), 0)
        rows = torch.multinomial(mass.T, len(x), replacement=True, generator=g)
        return grid[rows.T] + uniform(x, spacing / 2, g), chains

    return Negatives(f"exact, {len(grid)} cells of {spacing:g}", draw)


def spread(points: Tensor, copies: int) -> Tensor:
    """The same points for every copy, (n, dim) -> (n, copies, dim)."""
    return points[:, None].expand(-1, copies, -1)


def uniform(like: Tensor, half_width: float, generator: Generator) -> Tensor:
    """U(-half_width, half_width) in the shape of `like`."""
    return torch.empty_like(like).uniform_(-half_width, half_width, generator=generator)


@dataclass
class Memory(State):
    """Chains that a training goes on from."""

    chains: Tensor

    fields = ("chains",)


def train_energy(
    make: Callable[[], nn.Module],
    data: Tensor,
    negatives: Negatives,
    config: ToyConfig = TOY,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> tuple[nn.Module, Tensor]:
    """Train the energy that `make` builds by CF-EBM eq. 2 with the given negatives (cfebm.eq2).

    The same arguments give the same weights, bit for bit on a CPU, also after an interruption:
    remembered chains are part of the checkpoint.

    Args:
        make: builds the untrained energy, (B, *event) -> (B,).
        data: points (n, *event), finite.
        negatives: from `contrastive`, `persistent`, `short_run` or `exact`.
        config: length and pace.
        seed: of the initial weights, the minibatches and the chains.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Returns:
        The energy, frozen, and mean E(data) - mean E(negatives) at every update, (updates,).

    Raises:
        ValueError: no data, or data that are not finite.
        TrainingError: a chain, and with it the loss, left the finite numbers.
        CheckpointError: see `training.fit`.
    """
    data = events(data, "data")
    with seeded(seed):
        energy = make().to(data.device)
    data = events(data, "data", like=energy)
    player = Player(energy, config.learning_rate, (config.momentum, 0.999))
    memory = Memory(negatives.chains.to(data, copy=True))

    def step(batch: Batch, generator: Generator) -> Losses:
        (x,) = batch
        # Frozen, so that the chains' many gradients are of the states alone.
        energy.requires_grad_(False)
        y, memory.chains = negatives.draw(energy, x, memory.chains, generator)
        energy.requires_grad_(True)
        # The gradient of the log-likelihood, CF-EBM eq. 2 (cfebm.eq2)
        return {"energy": player.descend(energy(x).mean() - energy(y).mean())}

    gaps = fit(
        step,
        {"energy": player},
        unpaired(config.batch, data),
        config.updates,
        state={"chains": memory},
        seed=seed,
        schedule=linear_decay(config.updates),
        checkpoint=checkpoint,
        card=identity(config, {"data": data, "chains": negatives.chains}, negatives=negatives.name),
        label=negatives.name.partition(",")[0],
    )
    return freeze(energy), gaps[:, 0]
