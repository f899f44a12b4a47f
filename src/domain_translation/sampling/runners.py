"""Ways to run a block of steps: as it stands, compiled, or as a CUDA graph.

All of them call the same `advance`. Compiled functions and CUDA graphs hold a short stretch of
fixed length that is made once and repeated for the whole chain.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx

from domain_translation.sampling.kernels import Coefficients, Info, Kernel, Move, State
from domain_translation.sampling.noise import Noise, by_coordinate, stack_steps

STRETCH = 20  # most steps in one compiled function or one CUDA graph


class Outcome(NamedTuple):
    """What a block of steps leads to."""

    state: State
    accepted: Tensor | None  # (B,) accepted steps; None without a Metropolis test
    x: Tensor | None  # (k, B, *event), states after the k steps asked for
    info: Info | None  # (k, B) each, what happened in them

    def moved(self) -> bool:
        """Whether any chain accepted a step."""
        return self.accepted is None or bool(self.accepted.any())


# state, noise and coefficients of n steps, the steps (from 0) to report in full
Runner = Callable[[State, Noise, Coefficients, Sequence[int]], Outcome]


def advance(
    move: Move, target: Any, state: State, noise: Noise, at: Coefficients, keep: Sequence[int]
) -> Outcome:
    """As many steps as `noise` holds."""
    count: Tensor | None = None
    kept, infos = [], []
    by_step = (c if isinstance(c, list) else c.unbind() for c in (*noise, *at))
    for i, (normal, log_uniform, *numbers) in enumerate(zip(*by_step, strict=True)):
        state, info = move(target, state, Noise(normal, log_uniform), Coefficients(*numbers))
        if info.accepted is not None:
            count = info.accepted.long() if count is None else count + info.accepted
        if i in keep:
            kept.append(state.x)
            infos.append(info)
    if not kept:
        return Outcome(state, count, None, None)
    return Outcome(state, count, stack_steps(kept), stack_infos(infos))


def stack_infos(infos: Sequence[Info]) -> Info:
    """The infos of several steps as one, with a leading axis."""
    fields = zip(*infos, strict=True)
    return Info(*(None if f[0] is None else torch.stack(f) for f in fields))


def runner(kernel: Kernel, x: Tensor, block: int, steps: int, *, compiled: bool) -> Runner:
    """The fastest way to run `steps` steps of `kernel`, up to `block` at once, from `x`."""
    plain = functools.partial(advance, kernel.move, kernel.target)
    length = min(STRETCH, block)
    short: Runner = plain
    if compiled:
        short = _compiled(kernel.move, kernel.target, by_coordinate(x))
    if _captured(x, steps):
        short = graphed(short, length)
    return plain if short is plain else stretches(short, length, plain)


def fused(x: Tensor, steps: int, *, compiled: bool) -> bool:
    """Whether `runner` repeats stretches that were made once: they read numbers from tensors."""
    return compiled or _captured(x, steps)


def _captured(x: Tensor, steps: int) -> bool:
    return x.is_cuda and steps >= 10 * STRETCH  # a capture costs as much as four stretches


def stretches(short: Runner, length: int, rest: Runner) -> Runner:
    """Runs blocks as stretches of `length` by `short`, and what remains by `rest`.

    A stretch reports all of its steps or none, so that `short` has to be made at most twice.
    """

    def run(state: State, noise: Noise, at: Coefficients, keep: Sequence[int]) -> Outcome:
        total: Tensor | None = None
        kept, infos, steps = [], [], []
        touched = {k // length for k in keep}
        pieces = zip(*(torch.split(t, length) for t in (*noise, *at)), strict=True)
        for i, (normal, log_uniform, *numbers) in enumerate(pieces):
            count = len(normal)
            every = tuple(range(count)) if i in touched else ()
            step = short if count == length else rest
            state, accepted, x, info = step(
                state, Noise(normal, log_uniform), Coefficients(*numbers), every
            )
            if accepted is not None:
                total = accepted if total is None else total + accepted
            if x is not None and info is not None:
                kept.append(x)
                infos.append(info)
                steps += [i * length + k for k in every]
        if not kept:
            return Outcome(state, total, None, None)
        x, info = torch.cat(kept), Info(*map(_cat, zip(*infos, strict=True)))
        if len(steps) > len(keep):
            wanted = [steps.index(k) for k in keep]
            x, info = x[wanted], Info(*(f if f is None else f[wanted] for f in info))
        return Outcome(state, total, x, info)

    return run


def _cat(parts: tuple[Any, ...]) -> Any:
    return None if parts[0] is None else torch.cat(parts)


def graphed(short: Runner, length: int) -> Runner:
    """`short` captured into a CUDA graph for stretches of `length` steps.

    Launching many small kernels one by one costs more than running them; a graph launches them
    all at once. It reads and writes fixed memory, so inputs are copied in and results out.
    """
    captured: dict[bool, tuple[torch.cuda.CUDAGraph, tuple[Tensor, ...], Outcome]] = {}

    def capture(
        inputs: tuple[State, Noise, Coefficients], keep: Sequence[int]
    ) -> tuple[torch.cuda.CUDAGraph, tuple[Tensor, ...], Outcome]:
        state, noise, at = _map(torch.clone, inputs)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries set themselves up outside the capture
            for _ in range(3):
                short(state, noise, at, keep)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outcome = short(state, noise, at, keep)
        return graph, tuple(_tensors((state, noise, at))), outcome

    def run(state: State, noise: Noise, at: Coefficients, keep: Sequence[int]) -> Outcome:
        inputs = (state, noise, at)
        if bool(keep) not in captured:
            captured[bool(keep)] = capture(inputs, keep)
        graph, fixed, outcome = captured[bool(keep)]
        for room, value in zip(fixed, _tensors(inputs), strict=True):
            room.copy_(value)
        graph.replay()
        copied: Outcome = _map(torch.clone, outcome)
        return copied

    return run


def _map(function: Callable[[Tensor], Tensor], tree: Any) -> Any:
    return torch.utils._pytree.tree_map_only(Tensor, function, tree)


def _tensors(tree: Any) -> list[Tensor]:
    leaves = torch.utils._pytree.tree_leaves(tree)
    return [leaf for leaf in leaves if isinstance(leaf, Tensor)]


@functools.lru_cache(maxsize=32)
def _compiled(move: Move, target: Any, columns: bool) -> Runner:
    """`advance` through torch.compile; kept for the next chain with the same target."""
    moved = by_columns(move) if columns else move

    def run(state: State, noise: Noise, at: Coefficients, keep: Sequence[int]) -> Outcome:
        return advance(moved, target, state, noise, at, keep)

    # torch.compile counts recompilations per code object: give every target its own.
    own = types.FunctionType(
        run.__code__.replace(), run.__globals__, run.__name__, None, run.__closure__
    )
    compiled: Runner = torch.compile(own, dynamic=False, backend=_without_stacks)
    return compiled


def by_columns(move: Move) -> Move:
    """`move` for batches ``(B, d)``, carried out on their d columns."""

    def split(x: Tensor | None) -> Any:
        return None if x is None else x.unbind(-1)

    def joined(columns: Any) -> Any:
        return None if columns is None else torch.stack(columns, -1)

    def moved(target: Any, state: State, noise: Noise, at: Coefficients) -> tuple[State, Info]:
        def of_columns(x: tuple[Tensor, ...]) -> Any:
            result = target(joined(x))
            if isinstance(result, tuple):
                return result[0], split(result[1])
            return split(result)

        apart = State(split(state.x), state.energy, split(state.score))
        new, info = move(of_columns, apart, Noise(split(noise.normal), noise.log_uniform), at)
        return State(joined(new.x), new.energy, joined(new.score)), info

    return moved


def _without_stacks(module: fx.GraphModule, inputs: list[Tensor]) -> Any:
    """Inductor, after stacks of columns that are unbound again have been taken out.

    Between two steps `by_columns` joins columns that the next step splits, and so does a score
    written on coordinates. Without them the whole stretch is arithmetic on arrays of chains.
    Stacks that remain are stored coordinate by coordinate.
    """
    from torch._inductor.compile_fx import compile_fx

    graph = module.graph
    for node in list(graph.nodes):
        source = node.args[0] if node.target == "unbind" and node.args[1:] == (-1,) else None
        if isinstance(source, fx.Node) and _stacks_columns(source):
            for item in list(node.users):
                item.replace_all_uses_with(source.args[0][item.args[1]])  # type: ignore[index]
    for node in list(graph.nodes):
        if _stacks_columns(node):
            with graph.inserting_after(node):
                turned = graph.call_method("transpose", (node, -2, -1))
            node.replace_all_uses_with(turned, delete_user_cb=lambda user: user is not turned)  # noqa: B023
            node.args = (node.args[0], 0)
    module.recompile()
    # A whole stretch in one loop. On the CPU a wrapper in C++ halves the cost of a call; on CUDA
    # the graph makes it irrelevant.
    on_cpu = not any(i.is_cuda for i in inputs if isinstance(i, Tensor))
    # An iteration of the loop is a whole stretch for some chains: worth a thread from 128 on.
    patches = {"max_fusion_size": 256, "cpp_wrapper": on_cpu, "cpp.min_chunk_size": 128}
    return compile_fx(module, inputs, config_patches=patches)


def _stacks_columns(node: fx.Node) -> bool:
    if node.target is not torch.stack or node.args[1:] != (-1,):
        return False
    value = node.meta.get("example_value")
    return isinstance(value, Tensor) and value.ndim == 2
