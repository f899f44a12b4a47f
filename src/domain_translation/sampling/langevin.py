"""Langevin sampling: two kernels and the one loop that runs them.

    x' = x + alpha P score(x) + sqrt(2 alpha T) P^(1/2) nu,   nu ~ N(0, I)

`ula` is this step as it stands (the sources call it MALA or MALA-approx); `mala` adds the
Metropolis test that makes p^(1/T) its exact stationary density. `sample` runs either:

    kernel = langevin.ula(target.score, step_size=0.01)
    chain = langevin.sample(kernel, start, steps=1000, seed=0)

The temperature T = 1/beta is the only noise knob; `schedules` converts from other conventions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from domain_translation.sampling.inputs import asking, floats, whole
from domain_translation.sampling.kernels import Info, Kernel, State, mala, ula
from domain_translation.sampling.noise import (
    Noise,
    chain_blocks,
    empty_steps,
    shared_blocks,
    stored,
)
from domain_translation.sampling.runners import Outcome, fused, runner

__all__ = ["Chain", "DivergenceError", "Info", "Kernel", "Noise", "State", "mala", "sample", "ula"]


class DivergenceError(RuntimeError):
    """A chain left the finite numbers, or plainly ran away.

    Attributes:
        step: number of steps after which the first chain was no longer finite (from 1).
        chains: indices of the chains that were not finite then; none if compiled code went wrong.
        norms: the Euclidean norms of these chains one step earlier.
    """

    def __init__(self, step: int, chains: list[int], norms: list[float], why: str = "") -> None:
        self.step, self.chains, self.norms = step, chains, norms
        shown = ", ".join(map(str, chains[:8])) + (", ..." if len(chains) > 8 else "")
        super().__init__(
            why
            or f"step {step}: chain {shown} is no longer finite (largest norm one step earlier "
            f"{max(norms):.4g}); use a smaller step_size or check the score there"
            if chains
            else f"step {step}: the compiled chain is no longer finite although the plain one is: "
            "the compiler made wrong code for this processor; sample with compile=False"
        )


@dataclass(frozen=True, eq=False)
class Chain:
    """What a run leaves behind. Tensors stay on the device of the start."""

    x: Tensor  # (B, *event), the final states
    steps: int
    acceptance: Tensor  # (B,) share of accepted steps; 1 for kernels that accept always
    trajectory: Tensor | None  # (steps // thin, B, *event): after steps thin, 2 thin, ...
    info: Info | None  # fields (steps // thin, B): what happened at these steps


def sample(
    kernel: Kernel,
    x: Tensor,
    steps: int,
    *,
    seed: int = 0,
    generator: torch.Generator | None = None,
    chain_seeds: Sequence[int] | Tensor | None = None,
    thin: int | None = None,
    compile: bool = False,
    progress: bool = False,
    check: bool = True,
) -> Chain:
    """Run `steps` steps of `kernel` from `x`, all chains of the batch side by side.

    The first steps of a long run are those of a short one. Memory does not depend on `steps`
    unless `thin` asks for a trajectory. On a CUDA device a chain of 200 steps or more is captured,
    twenty at a time, into a CUDA graph; the target must then do without synchronising with the CPU.

    Args:
        kernel: from `ula` or `mala`.
        x: start, ``(B, *event)``, finite floats; it is not changed. Chains of float64 are computed
            in float64, all others in float32.
        steps: at least 1.
        seed: of the noise of the whole batch.
        generator: noise source instead of `seed`, on the device of `x`.
        chain_seeds: B integers >= 0 instead of `seed`: chain i's noise then depends on seed i
            alone, not on the batch it is in, so that batches can be reordered and split.
        thin: keep every thin-th state, and what happened there.
        compile: fuse twenty steps into one compiled function (needs a C++ compiler on the CPU).
            The first call takes 20 to 60 s; later calls with the same target and shape reuse it.
        progress: show a progress bar.
        check: look at the start, at what the target returns, and at the states of every block.
            Without, what is not finite goes on to the end. Looking makes the host wait for a
            device: a training that runs short chains and looks itself now and then does without.

    Raises:
        ValueError: an argument outside these ranges, or a target whose score or energy has the
            wrong shape, dtype or device.
        DivergenceError: a chain left the finite numbers; nothing is returned.
    """
    x, steps = floats(x, "the start", "(B, *event)"), whole(steps, "steps")
    _check_start(x, finite=check)
    _check_counts(steps, thin)
    x = stored(x)
    tensors = fused(x, steps, compiled=compile)
    with torch.no_grad():
        with asking("the energy" if kernel.adjusted else "the score", x):
            state = kernel.start(x)
        if check:
            _check_target(kernel, state)
        blocks = _noise(x, kernel.adjusted, steps, seed, generator, chain_seeds)
        record = _Record(x, steps, thin)
        run, at = None, None
        with tqdm(total=steps, disable=not progress, desc="Langevin", unit="step") as bar:
            for noise in blocks:
                run = run or runner(kernel, x, len(noise.normal), steps, compiled=compile)
                count = min(len(noise.normal), steps - record.done)
                noise = Noise(*(n[:count] for n in noise))
                if at is None or count != len(at.drift) or not kernel.constant:
                    at = kernel.coefficients(record.done, count, x, tensors=tensors)
                before = state
                outcome = run(state, noise, at, record.wanted(count))
                state = outcome.state
                if check and not _finite(state):
                    raise _diverged(kernel, before, noise, record.done)
                record.add(count, outcome)
                bar.update(count)
                if record.done == steps or (kernel.absorbing and not outcome.moved()):
                    break
    return record.chain(state)


class _Record:
    """What `sample` has gathered so far."""

    def __init__(self, x: Tensor, steps: int, thin: int | None) -> None:
        self.steps, self.thin, self.done = steps, thin, 0
        self.accepted: Tensor | None = None
        self.trajectory = empty_steps(x, steps // thin) if thin else None
        self.infos: list[Info] = []

    def wanted(self, count: int) -> list[int]:
        """Which of the next `count` steps (from 0) belong to the trajectory."""
        if self.thin is None:
            return []
        return list(range(self.thin - 1 - self.done % self.thin, count, self.thin))

    def add(self, count: int, outcome: Outcome) -> None:
        if outcome.accepted is not None:
            self.accepted = (
                outcome.accepted if self.accepted is None else self.accepted + outcome.accepted
            )
        if self.thin and self.trajectory is not None and outcome.x is not None:
            first = self.done // self.thin
            self.trajectory[first : first + len(outcome.x)].copy_(outcome.x)
        if outcome.info is not None:
            self.infos.append(outcome.info)
        self.done += count

    def chain(self, state: State) -> Chain:
        acceptance = state.x.new_ones(len(state.x))
        if self.accepted is not None:
            acceptance = self.accepted.to(acceptance) / self.steps
        info = None
        if self.infos:
            fields = zip(*self.infos, strict=True)
            info = Info(*(None if f[0] is None else torch.cat(f) for f in fields))
        return Chain(state.x.contiguous(), self.steps, acceptance, self.trajectory, info)


def _noise(
    x: Tensor,
    adjusted: bool,
    steps: int,
    seed: int,
    generator: torch.Generator | None,
    chain_seeds: Sequence[int] | Tensor | None,
) -> Iterator[Noise]:
    if chain_seeds is None:
        source = generator or torch.Generator(x.device).manual_seed(whole(seed, "seed", None))
        return shared_blocks(x, source, adjusted)
    if generator is not None:
        raise ValueError("generator and chain_seeds were both given; give one of them")
    seeds = [int(s) for s in _listed(chain_seeds)]
    if len(seeds) != len(x) or min(seeds) < 0:
        raise ValueError(
            f"chain_seeds held {len(seeds)} seeds from {min(seeds, default=0)} up for a batch of "
            f"{len(x)} chains; give one integer >= 0 per chain"
        )
    return chain_blocks(x, seeds, adjusted, steps)


def _listed(numbers: Sequence[int] | Tensor) -> Sequence[int]:
    return numbers.tolist() if isinstance(numbers, Tensor) else numbers


def _check_start(x: Tensor, *, finite: bool) -> None:
    if x.ndim == 0 or x.numel() == 0:
        raise ValueError(
            f"the start was a {x.dtype} tensor of shape {tuple(x.shape)}; pass a floating-point "
            "batch (B, *event) with at least one chain"
        )
    wrong = ~x.isfinite().flatten(1).all(1) if x.ndim > 1 else ~x.isfinite()
    if finite and bool(wrong.any()):
        raise ValueError(
            f"the start of chain {wrong.nonzero().flatten().tolist()[:8]} is NaN or infinite; "
            "start every chain at finite numbers"
        )


def _check_counts(steps: int, thin: int | None) -> None:
    if thin is not None and not 1 <= thin <= steps:
        raise ValueError(f"thin was {thin}; keep every 1st to every {steps}th of the steps")


def _check_target(kernel: Kernel, state: State) -> None:
    """Evaluates an unadjusted kernel's score once, so that a wrong one fails with a sentence."""
    x = state.x
    if kernel.scale is not None and kernel.scale.shape not in (x.shape[1:], ()):
        raise ValueError(
            f"scale has shape {tuple(kernel.scale.shape)}; for a batch of shape {tuple(x.shape)} "
            f"give a number or shape {tuple(x.shape[1:])}"
        )
    with asking("the score", x):
        score = state.score if kernel.adjusted else kernel.score(x)
    for name, value, shape in (("score", score, x.shape), ("energy", state.energy, x.shape[:1])):
        if name == "energy" and not kernel.adjusted:
            continue
        found = value if isinstance(value, Tensor) else torch.empty(0)
        if (found.shape, found.dtype, found.device) != (shape, x.dtype, x.device):
            raise ValueError(
                f"the {name} of a {x.dtype} batch of shape {tuple(x.shape)} on {x.device} was a "
                f"{found.dtype} tensor of shape {tuple(found.shape)} on {found.device}; it must "
                f"have shape {tuple(shape)} and the dtype and device of the batch"
            )
    if state.energy is not None and not bool(state.energy.isfinite().all()):
        chains = (~state.energy.isfinite()).nonzero().flatten().tolist()[:8]
        raise ValueError(
            f"the energy of chain {chains} at the start is not finite; start where the density "
            "is positive"
        )


def _finite(state: State) -> bool:
    finite = state.x.isfinite().all()
    return bool(finite if state.energy is None else finite & state.energy.isfinite().all())


def _diverged(kernel: Kernel, state: State, noise: Noise, done: int) -> DivergenceError:
    """The error for a block that ended badly: its steps are run again, one by one."""
    for i, one in enumerate(map(Noise, noise.normal, noise.log_uniform)):
        before, (state, _) = state, kernel(state, one, done + i)
        bad = ~state.x.flatten(1).isfinite().all(1) if state.x.ndim > 1 else ~state.x.isfinite()
        if state.energy is not None:
            bad = bad | ~state.energy.isfinite()
        if bool(bad.any()):
            break
    norms = before.x.reshape(len(before.x), -1)[bad].cpu().double().norm(dim=1)
    chains, why = bad.nonzero().flatten().tolist(), ""
    if chains and bool(state.x[bad].isfinite().all()):
        why = (
            f"step {done + i + 1}: chain {chains[0]} is finite, but the energy is not where it was "
            "proposed to go; an energy must be a number there, or +inf where the density is 0"
        )
    return DivergenceError(done + i + 1, chains, norms.tolist(), why)
