"""Langevin samplers of this package against blackjax, torchebm and ebmkit, on the same work.

usage: python benchmarks/samplers.py [--device cuda] [--rounds 5] [--tasks NAME ...]

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TURN = 0.5  # least seconds of one variant's turn
RESULTS = Path(__file__).parent / "results"
PEERS = ("blackjax", "ebmkit", "jax", "torchebm")
# torchebm's loop with the score of this package: shown, but no peer.
BORROWED = "torchebm with this package's score"
COMPILED, EAGER = "this package, compile=True", "this package"


@dataclass(frozen=True)
class Task:
    """One row of the table. Targets are ratios to the fastest peer."""

    title: str
    kernel: str  # "ula" or "mala"
    target: str  # "ring": mixture of 8 in 2-D; "wide": 100-D Gaussian, variances 0.01 to 1
    chains: int
    steps: int
    step_size: float
    threads: int
    aims: tuple[tuple[str, float], ...]  # variant, smallest ratio to the best peer


TASKS = {
    "ula1000": Task("ULA, 2-D mixture, 1,000 chains x 1,000 steps", "ula", "ring", 1000, 1000,
                    0.01, 2, ((COMPILED, 7.0), (EAGER, 2.0))),
    "ula10000": Task("ULA, 2-D mixture, 10,000 chains x 1,000 steps", "ula", "ring", 10_000, 1000,
                     0.01, 2, ((COMPILED, 7.0), (EAGER, 2.0))),
    "mala1000": Task("MALA, 2-D mixture, 1,000 chains x 1,000 steps, trajectory kept", "mala",
                     "ring", 1000, 1000, 0.1, 2, ((COMPILED, 2.0),)),
    "mala32": Task("MALA, 2-D mixture, 32 chains x 5,000 steps, trajectory kept", "mala", "ring",
                   32, 5000, 0.1, 1, ((COMPILED, 1.0),)),
    "wide100": Task("MALA, 100-D Gaussian, 100 chains x 2,000 steps, trajectory kept", "mala",
                    "wide", 100, 2000, 0.0035, 2, ((COMPILED, 1.5),)),
    "wide1000": Task("MALA, 100-D Gaussian, 1,000 chains x 500 steps, trajectory kept", "mala",
                     "wide", 1000, 500, 0.0035, 2, ((COMPILED, 1.0),)),
}  # fmt: skip


def variants(task: Task, device: str) -> dict[str, Callable[[], Any]]:
    """What takes part: name -> a run that returns final states (B, d) or a trajectory."""
    import torch

    from domain_translation.sampling import densities, langevin

    ring = densities.GaussianMixture.ring(8, 4.0, 0.5)
    wide = densities.Gaussian(torch.zeros(100), torch.logspace(-1, 0, 100))
    target: Any = ring if task.target == "ring" else wide
    start = 3 * torch.randn(task.chains, 2) if target is ring else wide.sample(task.chains)
    start = start.to(device)
    if task.kernel == "ula":
        kernel, thin = langevin.ula(target.score, task.step_size), None
    else:
        kernel, thin = langevin.mala(target.energy_and_score, task.step_size), 1

    def ours(compiled: bool) -> Callable[[], Any]:
        def run() -> Any:
            chain = langevin.sample(kernel, start, task.steps, thin=thin, compile=compiled)
            return chain.x if thin is None else chain.trajectory

        return run

    found = {COMPILED: ours(True), EAGER: ours(False)}
    found.update(torch_peers(task, target, start))
    if device == "cpu":
        found["blackjax (jit, vmap, scan)"] = blackjax_run(task, target, start)
    return found


def torch_peers(task: Task, target: Any, start: Any) -> dict[str, Callable[[], Any]]:
    """ebmkit and, for ULA, torchebm (it has no MALA), with and without its analytic gradient."""
    import ebm
    import torch
    from torchebm.core import BaseModel
    from torchebm.samplers import LangevinDynamics

    constants = (target.means if task.target == "ring" else target.var).to(start)

    def plain_energy(x: Any) -> Any:
        """The energy as one writes it down, up to a constant."""
        if task.target == "wide":
            return 0.5 * (x * x / constants).sum(-1)
        return -torch.logsumexp(-((x[:, None, :] - constants) ** 2).sum(-1) / 0.5, 1)

    class Energy(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return plain_energy(x)

    class Model(BaseModel):
        def forward(self, x: Any) -> Any:
            return plain_energy(x)

    class Analytic(Model):
        def gradient(self, x: Any) -> Any:
            return ring_gradient(x)

    class Ours(Model):
        def gradient(self, x: Any) -> Any:
            return -target.score(x)

    def ring_gradient(x: Any) -> Any:
        """Its gradient likewise: responsibilities by a matrix product."""
        logits = torch.addmm(-(constants * constants).sum(1) / 0.5, x, constants.T / 0.25)
        return (x - torch.softmax(logits, 1) @ constants) / 0.25

    energy = Energy()
    if task.kernel == "mala":
        mala = ebm.MALA(step_size=task.step_size, steps=task.steps)
        return {"ebmkit": lambda: mala.sample(energy, start, return_trajectory=True)[1:]}
    ula = ebm.LangevinDynamics(step_size=task.step_size, steps=task.steps)
    found: dict[str, Callable[[], Any]] = {"ebmkit": lambda: ula.sample(energy, start)}
    models = {"torchebm": Model(), "torchebm, analytic gradient": Analytic(), BORROWED: Ours()}
    for name, model in models.items():
        sampler = LangevinDynamics(
            model, step_size=task.step_size, noise_scale=1.0, device=start.device
        )
        found[name] = lambda sampler=sampler: sampler.sample(x=start.clone(), n_steps=task.steps)
    return found


def blackjax_run(task: Task, target: Any, start: Any) -> Callable[[], Any]:
    """blackjax as its documentation has it: vmap over chains, scan over steps, all in one jit."""
    import blackjax
    import jax
    import jax.numpy as jnp
    import numpy as np
    import torch

    if task.target == "ring":
        means, var = jnp.asarray(target.means.float().numpy()), float(target.std[0]) ** 2

        def log_density(x: Any) -> Any:
            return jax.nn.logsumexp(-((x - means) ** 2).sum(-1) / (2 * var))
    else:
        spread = jnp.asarray(target.var.float().numpy())

        def log_density(x: Any) -> Any:
            return -0.5 * (x * x / spread).sum()

    x0, key = jnp.asarray(start.numpy()), jax.random.key(0)

    def ula(key: Any, x: Any) -> Any:
        algorithm = blackjax.sgld(lambda p, _: jax.grad(log_density)(p))

        def body(x: Any, k: Any) -> Any:
            keys = jax.random.split(k, len(x))
            step = jax.vmap(lambda one, p: algorithm.step(one, p, 0.0, task.step_size))
            return step(keys, x), None

        return jax.lax.scan(body, x, jax.random.split(key, task.steps))[0]

    def mala(key: Any, x: Any) -> Any:
        algorithm = blackjax.mala(log_density, task.step_size)

        def body(state: Any, k: Any) -> Any:
            state, _ = jax.vmap(algorithm.step)(jax.random.split(k, len(x)), state)
            return state, state.position

        return jax.lax.scan(body, jax.vmap(algorithm.init)(x), jax.random.split(key, task.steps))[1]

    compiled = jax.jit(ula if task.kernel == "ula" else mala)
    return lambda: torch.from_numpy(np.asarray(compiled(key, x0).block_until_ready()).copy())


def check(task: Task, result: Any) -> float:
    """How far the second moments are from the known ones, as a ratio; raises beyond 10 %."""
    x = (result if result.ndim == 2 else result[len(result) // 2 :].flatten(0, 1)).double().cpu()
    if task.target == "wide":
        import torch

        ratio = float((x.var(0) / torch.logspace(-2, 0, 100).double()).mean())
    else:
        import torch

        angle = torch.arange(8).double() * (torch.pi / 4)
        means = 4 * torch.stack([angle.cos(), angle.sin()], 1)
        var = 0.25 / (1 - task.step_size / 0.5) if task.kernel == "ula" else 0.25
        ratio = float(torch.cdist(x[-200_000:], means).square().amin(1).mean() / (2 * var))
    if not 0.9 < ratio < 1.1:
        raise SystemExit(f"{task.title}: second moments are off by a factor of {ratio:.3f}")
    return ratio


def measure(task: Task, device: str, rounds: int) -> dict[str, Any]:
    """Interleaved rounds of one task; rates in chain-steps per second."""
    import torch

    if task.threads == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(task.threads)
    torch.manual_seed(0)
    runs = variants(task, device)
    first, ratios, seconds = {}, {}, {name: [] for name in runs}

    def timed(run: Callable[[], Any]) -> tuple[float, Any]:
        begin = time.perf_counter()
        result = run()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - begin, result

    for name, run in runs.items():
        first[name], result = timed(run)
        ratios[name] = check(task, result)
    # A turn lasts at least TURN seconds, like timeit's: a call of 15 ms would otherwise measure how
    # fast threads wake up after another library's turn.
    calls = {name: 1 + int(TURN / timed(run)[0]) for name, run in runs.items()}
    for _ in range(rounds):
        for name, run in runs.items():
            turn = [timed(run)[0] for _ in range(calls[name])]
            seconds[name].append(sum(turn) / len(turn))
    work = task.chains * task.steps
    return {
        name: {
            "rate": work / statistics.median(s),
            "best_rate": work / min(s),
            "first_call_s": first[name],
            "moment_ratio": ratios[name],
        }
        for name, s in seconds.items()
    }


def machine(device: str, peers: Sequence[str] = PEERS) -> dict[str, str]:
    """Hardware and versions, for the head of the table."""
    import torch

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    versions = {p: importlib.metadata.version(p) for p in ("torch", *peers)}
    gpu = torch.cuda.get_device_name() if device == "cuda" else ""
    return {
        "hardware": gpu or f"{model}, {os.cpu_count()} logical cores",
        "python": platform.python_version(),
        **versions,
    }


def table(results: dict[str, Any]) -> str:
    """The Markdown page made of all results measured so far."""
    lines = ["# Samplers", ""]
    for device in ("cpu", "cuda"):
        if device not in results:
            lines += [f"{device.upper()}: not measured; run `samplers.py --device {device}`.", ""]
            continue
        for key, done in results[device]["tasks"].items():
            about = ", ".join(f"{k} {v}" for k, v in done["machine"].items())
            before, after = done["load"]
            lines.append(
                f"- {device.upper()}, {key}: {done['when']}, median of {done['rounds']} rounds, "
                f"load average {before} before and {after} after; {about}."
            )
        lines += [""]
    lines += ["Millions of chain-steps per second, float32 (ratio to the fastest peer). The first "
              "call includes compilation. torchebm with this package's score is not a peer: it "
              "shows what the layout of the score alone is worth.", ""]  # fmt: skip
    lines += ["| task | variant | CPU | aim | first call | GPU |", "|---|---|---|---|---|---|"]
    for key, task in TASKS.items():
        rows = {d: results[d]["tasks"].get(key, {}).get("variants", {}) for d in results}
        names = list(dict.fromkeys(n for r in rows.values() for n in r))
        for i, name in enumerate(names):
            title = (
                f"{task.title}, {task.threads} thread{'s'[: task.threads - 1]}" if i == 0 else ""
            )
            aim = dict(task.aims).get(name)
            first = rows.get("cpu", {}).get(name, {}).get("first_call_s")
            lines.append(
                f"| {title} | {name} | {_cell(rows.get('cpu'), name)} | "
                f"{f'{aim:g}x' if aim else ''} | {f'{first:.1f} s' if first else ''} | "
                f"{_cell(rows.get('cuda'), name)} |"
            )
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any] | None, name: str) -> str:
    if not row or name not in row:
        return "not measured"
    peers = [v["rate"] for n, v in row.items() if "this package" not in n]
    ours = name.startswith("this package") and peers
    ratio = f" ({row[name]['rate'] / max(peers):.1f}x)" if ours else ""
    return f"{row[name]['rate'] / 1e6:.2f}{ratio}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", nargs="*", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--only", choices=list(TASKS), help=argparse.SUPPRESS)
    args = parser.parse_args()
    missing = [p for p in PEERS if not _installed(p)]
    if missing:
        raise SystemExit(
            f"{', '.join(missing)} not installed: pip install 'domain-translation[bench]'"
        )
    if args.only:  # the child process of one task
        print(json.dumps(measure(TASKS[args.only], args.device, args.rounds)))
        return
    path = RESULTS / "samplers.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    mine = results.setdefault(args.device, {"tasks": {}})
    for key in args.tasks:
        threads, load = str(TASKS[key].threads), round(os.getloadavg()[0], 1)
        done = subprocess.run(
            [sys.executable, __file__, "--only", key, "--device", args.device,
             "--rounds", str(args.rounds)],
            env={**os.environ, "OMP_NUM_THREADS": threads, "JAX_PLATFORMS": "cpu"},
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        # Each task keeps its own circumstances: tasks may be measured on different days.
        mine["tasks"][key] = {
            "variants": json.loads(done.stdout.splitlines()[-1]),
            "rounds": args.rounds,
            "load": [load, round(os.getloadavg()[0], 1)],
            "machine": machine(args.device),
            "when": datetime.datetime.now().isoformat(timespec="seconds"),
        }
        for name, r in mine["tasks"][key]["variants"].items():
            print(f"{key:10s} {name:32s} {r['rate'] / 1e6:9.2f} M/s", flush=True)
    RESULTS.mkdir(exist_ok=True)
    replace(path, json.dumps(results, indent=1) + "\n")
    replace(RESULTS / "samplers.md", table(results))


def replace(path: Path, text: str) -> None:
    """Writes beside the file and renames: an interrupted run leaves the old results."""
    beside = path.with_suffix(path.suffix + ".new")
    beside.write_text(text)
    os.replace(beside, path)


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
