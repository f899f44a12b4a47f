"""Short runs of an image energy: this package against torchebm, ebmkit and a plain loop.

usage: python benchmarks/energies.py [--device cuda] [--rounds 5] [--compile]

64 images of 3x32x32, 50 Langevin steps, CF-EBM's network with c = 8 and 16, the same weights for
everybody. The peers get the network as the paper describes it (a convolution, then the mean) in
PyTorch's default layout, with parameters that do not ask for gradients; see README.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from samplers import machine
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cosine_similarity

from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import frozen
from domain_translation.runtime import seeded
from domain_translation.sampling import langevin, scores

IMAGES, STEPS, STEP, NOISE = 64, 50, 1.0, 0.02
WIDTHS = (8, 16)
RESULTS = Path(__file__).parent / "results"
AIMS = {"this package, float32": 2.0, "this package, bfloat16": 3.0}
OURS = "this package"


class Literal(nn.Module):
    """The same energy with the same weights, written down word for word."""

    def __init__(self, network: EnergyNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, *_: Any) -> Tensor:
        net = self.network
        h = net.from_rgb(x)
        for primal in reversed(net.primals):
            y = primal.second(primal.activation(primal.first(primal.activation(h))))
            h = y + avg_pool2d(primal.residual(h), 2)
        return net.head(net.top(h))[:, 0]


def variants(network: EnergyNetwork, start: Tensor, compiled: bool) -> dict[str, Any]:
    """Name -> a run that returns final images. All take the same steps with the same noise."""
    import ebm
    from torchebm.core import BaseModel
    from torchebm.samplers import LangevinDynamics

    literal = Literal(network)
    temperature = NOISE**2 / (2 * STEP)

    def ours(precision: str) -> Callable[[], Tensor]:
        def run() -> Tensor:
            still = frozen(network, precision)  # counted: training copies at every update
            kernel = langevin.ula(scores.energy_score(still), STEP, temperature)
            return langevin.sample(kernel, start, STEPS).x

        return run

    def compiled_once() -> Callable[[], Tensor]:
        # A trained energy is frozen and compiled once; the warming round pays for it.
        kernel = langevin.ula(scores.energy_score(frozen(network, "float32")), STEP, temperature)
        return lambda: langevin.sample(kernel, start, STEPS, compile=True).x

    def plain() -> Tensor:
        x = start.clone()
        for _ in range(STEPS):
            x = x.detach().requires_grad_(True)
            (gradient,) = torch.autograd.grad(literal(x).sum(), x)
            x = x.detach() - STEP * gradient + NOISE * torch.randn_like(x)
        return x

    class Model(BaseModel):
        def forward(self, x: Tensor) -> Tensor:
            return literal(x)

    ula = ebm.LangevinDynamics(step_size=2 * STEP, noise_scale=NOISE, steps=STEPS)
    dynamics = LangevinDynamics(
        Model(), step_size=STEP, noise_scale=temperature**0.5, device=start.device
    )
    found: dict[str, Callable[[], Tensor]] = {
        f"{OURS}, float32": ours("float32"),
        f"{OURS}, bfloat16": ours("bfloat16"),
    }
    if compiled:
        found[f"{OURS}, float32, compiled"] = compiled_once()
    found["ebmkit"] = lambda: ula.sample(literal, start)
    found["torchebm"] = lambda: dynamics.sample(x=start.clone(), n_steps=STEPS)
    found["plain autograd loop"] = plain
    return found


def quality(network: EnergyNetwork, x: Tensor) -> dict[str, float]:
    """Cosine of each precision's score with the literal network's in float32."""
    expected = scores.energy_score(Literal(network))(x).flatten(1)
    return {
        precision: cosine_similarity(
            scores.energy_score(frozen(network, precision))(x).flatten(1), expected
        )
        .min()
        .item()
        for precision in ("float32", "bfloat16")
    }


def measure(c: int, device: str, rounds: int, compiled: bool) -> dict[str, Any]:
    """Interleaved rounds; seconds of one run of `STEPS` steps."""
    with seeded(0):
        network = EnergyNetwork(32, c, 3).to(device).requires_grad_(False).eval()
        start = torch.rand(IMAGES, 3, 32, 32).to(device) * 2 - 1
    runs = variants(network, start, compiled)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(-1, rounds):  # the first round warms up
        for name, run in runs.items():
            begin = time.perf_counter()
            if not bool(run().isfinite().all()):
                raise SystemExit(f"{name}: images are not finite")
            if device == "cuda":
                torch.cuda.synchronize()
            if round_ >= 0:
                seconds[name].append(time.perf_counter() - begin)
    return {
        "seconds": {name: statistics.median(s) for name, s in seconds.items()},
        "spread": {name: [min(s), max(s)] for name, s in seconds.items()},
        "cosine": quality(network, start),
    }


def table(results: dict[str, Any]) -> str:
    """The Markdown page made of the results."""
    lines = ["# Short runs of an image energy", "", __doc__.split("\n\n")[2].strip(), ""]
    for device, done in results.items():
        about = ", ".join(f"{k} {v}" for k, v in done["machine"].items())
        before, after = done["load"]
        lines += [
            f"{device.upper()}: {done['when']}, median of {done['rounds']} rounds (least and most "
            f"in brackets), {done['threads']} threads, load average {before} before and {after} "
            f"after; {about}.",
            "",
            "| c | variant | seconds | times the best peer | aim | cosine with float32 |",
            "|---:|---|---:|---:|---:|---:|",
        ]
        for c, row in done["widths"].items():
            peers = min(s for n, s in row["seconds"].items() if n in ("ebmkit", "torchebm"))
            for name, s in row["seconds"].items():
                low, high = row["spread"][name]
                ratio = f"{peers / s:.1f}" if name.startswith(OURS) else ""
                cosine = row["cosine"].get(name.split(", ")[1]) if ", " in name else None
                aim = f"{AIMS[name]:g}" if name in AIMS else ""
                lines.append(
                    f"| {c} | {name} | {s:.2f} ({low:.2f} to {high:.2f}) | {ratio} | {aim} | "
                    f"{f'{cosine:.5f}' if cosine else ''} |"
                )
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="also time the compiled sampler")
    args = parser.parse_args()
    before = round(os.getloadavg()[0], 1)
    about = machine(args.device, ("ebmkit", "torchebm"))
    widths = {str(c): measure(c, args.device, args.rounds, args.compile) for c in WIDTHS}
    path = RESULTS / "energies.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results[args.device] = {
        "when": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": about,
        "rounds": args.rounds,
        "threads": torch.get_num_threads(),
        "load": [before, round(os.getloadavg()[0], 1)],
        "widths": widths,
    }
    path.write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
