"""A step of JD-BW's Algorithm 1 against the sum of its network passes.

usage: python benchmarks/jd_bw.py [--rounds 7] [--steps 5]

Processor time on one thread, at the settings of the 16x16 digits. Every pass that the algorithm
cannot do without runs alone, as often as a step needs it; in turn, round after round, a few whole
steps run. The medians are compared: the aim is a step within 10 % of its passes, which is missed
if anything is computed twice. Adam's updates, which are no passes, are timed beside them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from samplers import machine

from domain_translation.reweighting import images, joint
from domain_translation.reweighting.config import QUICK_DIGITS
from domain_translation.reweighting.record import Record
from domain_translation.reweighting.step_costs import step_parts
from domain_translation.training import Player, fit

RESULTS = Path(__file__).parent / "results"
REPEATS = 3  # runs of a pass within its turn
AIM = 1.10


def spent(run: Callable[[], Any], repeats: int) -> float:
    """Processor seconds of one of `repeats` calls."""
    begin = time.process_time()
    for _ in range(repeats):
        run()
    return (time.process_time() - begin) / repeats


def updates(players: Iterable[Player]) -> Callable[[], None]:
    """The Adam updates of a step, the gradients' copies included, with zero gradients."""

    def run() -> None:
        for player in players:
            for p in player.model.parameters():
                p.grad = torch.empty_like(p).copy_(torch.zeros_like(p))
            player.optimiser.step()
            player.optimiser.zero_grad()

    return run


def measure(rounds: int, steps: int) -> dict[str, Any]:
    """Median processor seconds of a step, of each pass (times its number) and of the updates."""
    config = QUICK_DIGITS
    g = torch.Generator().manual_seed(0)
    x, y = (torch.rand(config.batch, 1, config.size, config.size, generator=g) for _ in range(2))
    networks = images.networks(config)
    parts = step_parts(x, y, networks, config, g)
    record = Record((rounds + 1) * steps, config.clip_first, config.clip_last)
    players = joint.players(networks, config)
    step = joint.algorithm1(x, y, networks, config, record, players)
    batches = joint.minibatches(len(x), len(y), config)
    seconds: dict[str, list[float]] = {name: [] for name in ("step", "updates", *parts)}
    for round_ in range(-1, rounds):  # the first round warms up
        turn = {name: part.times * spent(part.run, REPEATS) for name, part in parts.items()}
        turn["step"] = spent(lambda: fit(step, players, batches, steps), 1) / steps
        turn["updates"] = spent(updates(players.values()), REPEATS)
        if round_ >= 0:
            for name, value in turn.items():
                seconds[name].append(value)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    passes = sum(median[name] for name in parts)
    return {
        "seconds": median,
        "spread": {name: [min(values), max(values)] for name, values in seconds.items()},
        "passes": passes,
        "step / passes": median["step"] / passes,
        "step / (passes + updates)": median["step"] / (passes + median["updates"]),
    }


def table(results: dict[str, Any]) -> str:
    """The Markdown page made of the results."""
    done = results["measured"]
    about = ", ".join(f"{k} {v}" for k, v in results["machine"].items())
    before, after = results["load"]
    lines = [
        "# A step of Algorithm 1",
        "",
        __doc__.split("\n\n")[2].strip(),
        "",
        f"{results['when']}, median of {results['rounds']} rounds of {results['steps']} steps, one "
        f"thread, load average {before} before and {after} after; {about}.",
        "",
        "| part | milliseconds a step | least and most |",
        "|---|---:|---:|",
    ]
    for name, value in done["seconds"].items():
        low, high = done["spread"][name]
        lines.append(f"| {name} | {1e3 * value:.1f} | {1e3 * low:.1f} to {1e3 * high:.1f} |")
    lines += [
        f"| all passes | {1e3 * done['passes']:.1f} | |",
        "",
        f"Step / passes: {done['step / passes']:.3f} (aim: at most {AIM:g}). With the updates "
        f"counted as well: {done['step / (passes + updates)']:.3f}.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    before = round(os.getloadavg()[0], 1)
    results = {
        "when": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine("cpu", ()),
        "rounds": args.rounds,
        "steps": args.steps,
        "measured": measure(args.rounds, args.steps),
        "load": [before, round(os.getloadavg()[0], 1)],
    }
    path = RESULTS / "jd_bw.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()
