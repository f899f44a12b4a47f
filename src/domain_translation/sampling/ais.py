"""Annealed importance sampling: a log-normaliser bounded from both sides (cfebm.metric.ais).

A bridge of densities leads from a base p_0, whose normaliser and sampler are known, to exp(-E):

    f_k(x) = p_0(x)^(1 - l_k) exp(-l_k E(x)),   0 = l_0 < l_1 < ... < l_K = 1

Chains that walk it from the base carry weights w with E[w] = Z = integral of exp(-E) (Neal 2001):
E[log w] <= log Z. Chains that walk it back from exact samples of exp(-E)/Z carry weights with
E[1/w] = 1/Z: E[log w] >= log Z (Grosse, Ghahramani and Adams 2015). The transitions are the
package's Metropolis-adjusted Langevin steps in the package's one loop:

    base, betas = ais.Normal((16,), std=3.0), ais.sigmoid(1000)
    steps = ais.adapt(energy, base, betas, seed=0)
    below = ais.bound(ais.forward(energy, base, betas, steps, chains=64, seed=0))
    above = ais.bound(ais.reverse(energy, base, betas, steps, exact_samples, seed=0))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from domain_translation.sampling import langevin
from domain_translation.sampling.adaptation import adapt_step_size
from domain_translation.sampling.ais_bounds import Bound, log_normaliser_bound, tempered
from domain_translation.sampling.bridges import Base, Normal, Uniform, crossing, geometric, sigmoid
from domain_translation.sampling.inputs import answer, asking, events
from domain_translation.sampling.scores import Energy

__all__ = [
    "Bound", "Normal", "Run", "Uniform", "adapt", "bound", "forward", "geometric",
    "log_normaliser_bound", "reverse", "sigmoid", "tempered", "walk",
]  # fmt: skip

# A block of transitions: long enough to make the start of the loop cheap, short enough to keep all
# of its states. It depends on the event alone, so that shards of a run agree.
_NUMBERS, _LONGEST = 1 << 16, 200


@dataclass(frozen=True, eq=False)
class Run:
    """What chains over a bridge of K densities leave behind; B chains.

    Attributes:
        log_weights: log w (B,), float64, on the CPU like all but `x`: of a forward run with
            E[w] = Z, of a reverse run with E[1/w] = 1/Z.
        path: (K, B), float64: the log-weights as they grew. In a forward run row k - 1 estimates
            log of the integral of f_k, from below.
        gaps: (K, B), float64: -log p_0 - E at the states that the terms of `path` were taken at.
        x: (B, *event), the last states, inside the base's support.
        acceptance: (K - 1,) share of accepted proposals at each transition, in walking order.
        reverse: whether the chains walked from exp(-E) to the base.
    """

    log_weights: Tensor
    path: Tensor
    gaps: Tensor
    x: Tensor
    acceptance: Tensor
    reverse: bool


def forward(
    energy: Energy,
    base: Base,
    betas: Tensor,
    step_sizes: float | Tensor,
    *,
    chains: int | Sequence[int] = 64,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Run:
    """Chains from the base to exp(-E): a stochastic lower bound on log Z.

    Args:
        energy: ``(B, *event) -> (B,)``, differentiable; exp(-energy) has a finite integral over
            the base's support.
        base: `Normal` or `Uniform`.
        betas: l_0 .. l_K ``(K + 1,)`` from 0 to 1, increasing; see `linear`, `sigmoid`,
            `geometric`. K - 1 transitions are made, one evaluation of the energy each.
        step_sizes: alpha > 0 of the transitions at betas[1 .. K - 1]: a number or ``(K - 1,)``
            from `adapt`. They must not depend on these chains.
        chains: how many, or the numbers of the chains to run here. Chain i's randomness depends
            on (seed, i) alone, so that a long job can be cut into shards and put together.
        seed: of the run.
        device: where the chains live.

    Raises:
        ValueError: an argument outside these ranges, an energy of another shape, or one that is
            not finite where a chain stands.
        DivergenceError: a chain left the finite numbers.
    """
    numbers = list(range(chains)) if isinstance(chains, int) else [int(i) for i in chains]
    if not numbers or min(numbers) < 0:
        raise ValueError(f"chains was {chains}; give how many, or a list of numbers from 0 up")
    start = torch.cat([base.sample(1, _generator(seed, i)) for i in numbers]).to(device)
    steps = _checked(betas, step_sizes)
    kinds = torch.stack([betas[1:-1].double(), steps])
    return walk(energy, base, start, kinds, betas.diff(), numbers, seed, backwards=False)


def reverse(
    energy: Energy,
    base: Base,
    betas: Tensor,
    step_sizes: float | Tensor,
    x: Tensor,
    *,
    seed: int = 0,
) -> Run:
    """Chains from samples of exp(-E)/Z back to the base: a stochastic upper bound on log Z.

    The bound holds for exact, independent samples only. Samples that miss a mode give no bound:
    if they come from a part A of the space that holds the share pi of exp(-E)/Z and in which
    forward chains end with probability P, the estimate settles at log Z + log(pi / P).

    Args:
        energy, base, betas, step_sizes: those of the forward run.
        x: samples ``(B, *event)``, one per chain, in the base's support.
        seed: of the run; chain i's randomness depends on (seed, i) alone.

    Raises:
        ValueError, DivergenceError: as `forward`.
    """
    steps, x = _checked(betas, step_sizes), events(x, "the samples")
    if tuple(x.shape[1:]) != base.event or len(x) == 0:
        raise ValueError(
            f"the samples have shape {tuple(x.shape)}, the base lives on {base.event}; pass (B, "
            f"{', '.join(map(str, base.event))})"
        )
    if not bool(base.contains(x).all()):
        raise ValueError("a sample lies outside the base's support; choose a base that covers them")
    kinds = torch.stack([betas[1:-1].double(), steps]).flip(1)
    numbers = list(range(len(x)))
    return walk(energy, base, x, kinds, betas.diff().flip(0), numbers, seed, backwards=True)


def _checked(betas: Tensor, step_sizes: float | Tensor) -> Tensor:
    """Step sizes (K - 1,), float64, after a look at both."""
    wrong = betas.ndim != 1 or len(betas) < 2
    if wrong or betas[0] != 0 or betas[-1] != 1 or not bool((betas.diff() > 0).all()):
        raise ValueError(
            f"betas had shape {tuple(betas.shape)}; pass at least two increasing numbers, the "
            "first 0 and the last 1"
        )
    steps = torch.as_tensor(step_sizes, dtype=torch.float64).cpu()
    count = len(betas) - 2
    if steps.ndim and steps.shape != (count,):
        raise ValueError(
            f"step_sizes had shape {tuple(steps.shape)}; give a number or ({count},), one for each "
            "density between the ends"
        )
    if not bool((steps.isfinite() & (steps > 0)).all()):
        raise ValueError("step_sizes holds numbers that are not finite and greater than 0")
    return steps.expand(count)


def walk(
    energy: Energy,
    base: Base,
    x: Tensor,
    kinds: Tensor,
    increments: Tensor,
    numbers: Sequence[int],
    seed: int,
    *,
    backwards: bool,
) -> Run:
    """Move chains from x (B, *event) over the bridge and add up their log-weights, either way.

    In the order of the walk, `kinds` (2, K - 1) are the inverse temperatures and step sizes of the
    transitions, `increments` (K,) the l_k - l_{k - 1}; `numbers` are the chains'.
    """
    gaps = [_gap(base, x[None], _energy(energy, x)[None])]
    accepted = [x.new_empty(0, len(x), dtype=torch.bool)]
    length = max(1, min(_LONGEST, _NUMBERS // math.prod(base.event)))
    for block, (betas, steps) in enumerate(map(torch.unbind, torch.split(kinds, length, 1))):
        if len(betas) == 0:
            break
        kernel = crossing(energy, base, betas, steps)
        seeds = [_entropy(seed, i, 1 + block, backwards) for i in numbers]
        chain = langevin.sample(kernel, x, len(betas), chain_seeds=seeds, thin=1)
        states, energies, moved = _seen(chain)
        gaps.append(_gap(base, states, energies))
        accepted.append(moved)
        x = chain.x
    gap = torch.cat(gaps)  # -log p_0 - E wherever a chain stood
    path = (increments.to(gap)[:, None] * gap).cumsum(0)
    shares = torch.cat(accepted).cpu().double().mean(1)
    return Run(path[-1], path, gap, base.fold(x)[0], shares, backwards)


def _gap(base: Base, states: Tensor, energies: Tensor) -> Tensor:
    """-log p_0 - E at states (n, B, *event) of these energies (n, B), float64, on the CPU."""
    at_base = base.energy_and_score(states.flatten(0, 1))[0].reshape(energies.shape)
    both = torch.stack([at_base, energies]).cpu().double()  # one way to the CPU
    return both[0] - both[1]


def _seen(chain: langevin.Chain) -> tuple[Tensor, Tensor, Tensor]:
    """States, energies and acceptances of each step of a chain that tells them."""
    assert chain.trajectory is not None
    assert chain.info is not None
    assert chain.info.energy is not None
    assert chain.info.accepted is not None
    return chain.trajectory, chain.info.energy, chain.info.accepted


def _energy(energy: Energy, x: Tensor) -> Tensor:
    """E at the start, (B,)."""
    with torch.no_grad(), asking("the energy", x):
        value = answer(energy(x), x, "the energy")
    if value.shape != x.shape[:1] or not bool(value.isfinite().all()):
        raise ValueError(
            f"the energy of a batch of shape {tuple(x.shape)} had shape {tuple(value.shape)} or "
            f"was not finite; it must be finite on the base's support and of shape ({len(x)},)"
        )
    return value


def _entropy(seed: int, *numbers: int) -> int:
    return int(np.random.SeedSequence([seed, *numbers]).generate_state(1, np.uint64)[0] >> 1)


def _generator(seed: int, chain: int) -> torch.Generator:
    return torch.Generator().manual_seed(_entropy(seed, chain, 0))


def adapt(
    energy: Energy,
    base: Base,
    betas: Tensor,
    *,
    chains: int = 32,
    knots: int = 12,
    warmup: int = 50,
    target_accept: float = 0.6,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Step sizes ``(K - 1,)`` at which the transitions accept about `target_accept`.

    A pilot of its own walks up the bridge and stops at `knots` densities to adapt; between them
    the logarithm of the step is interpolated. No step exceeds `base.widest`.

    Args:
        energy, base, betas: as in `forward`.
        chains: of the pilot.
        knots: densities to stop at, at least 1.
        warmup: steps at each of them.
        target_accept: between 0 and 1.
        seed: of the pilot, apart from the same seed's runs.
        device: where the pilot lives.

    Raises:
        ValueError: an argument outside these ranges.
    """
    count = len(_checked(betas, 1.0))
    if knots < 1 or chains < 1:
        raise ValueError(f"knots was {knots} and chains {chains}; both are at least 1")
    if count == 0:
        return torch.empty(0, dtype=torch.float64)

    def kernel(beta: float, step: float) -> langevin.Kernel:
        return crossing(energy, base, beta, min(step, base.widest))

    stops = np.unique(np.linspace(0, count - 1, knots).round().astype(int))
    x = base.sample(chains, torch.Generator().manual_seed(_entropy(seed, 1 << 31))).to(device)
    found, step = [], 0.1 * base.widest
    for stop in stops:
        make = partial(kernel, float(betas[1 + stop]))
        step, x = adapt_step_size(
            make, x, warmup, initial=step, target_accept=target_accept, seed=seed + int(stop)
        )
        step = min(step, base.widest)
        found.append(math.log(step))
    return torch.from_numpy(np.exp(np.interp(np.arange(count), stops, found)))


def bound(run: Run, *, seed: int = 0) -> Bound:
    """The bound on log Z that a run gives: lower of a forward run, upper of a reverse run.

    Args:
        run: of `forward` or `reverse`, with at least 2 chains.
        seed: of the bootstrap.

    Raises:
        ValueError: fewer than 2 chains.
    """
    return log_normaliser_bound(run.log_weights, reverse=run.reverse, seed=seed)
