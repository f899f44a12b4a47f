"""How often the intervals of ``domain-translation shift`` cover the truth: writes ``shift.md``.

    python benchmarks/shift.py [DRAWS [PICTURES [BOOTSTRAP]]]

Every draw takes other pictures of both domains. SR-digits (half of the first domain zeros, every
image shrunk, turned and moved) has a total variation of 0.4 by construction, the same digits with
equal masses one of 0. With labels the shares of the ten digits are known as well.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from tabulate import tabulate
from torch import Tensor
from torch.nn.functional import interpolate

from domain_translation.notebook import machine
from domain_translation.reweighting import balance, groups
from domain_translation.reweighting.domains.sr_digits import training_pair
from domain_translation.reweighting.masses import skewed, total_variation

SHIFTS = {"SR-digits": 0.5, "equal masses": 0.1}  # mass of the zeros in the first domain
CLASSES = 10


def pictures(x: Tensor) -> Tensor:
    """Digits as the command sees them."""
    return interpolate(x.expand(-1, 3, -1, -1), (groups.SIDE,) * 2, mode="bicubic").clamp(-1, 1)


def drawn(zeros: float, n: int, seed: int) -> tuple[list[Tensor], list[np.ndarray]]:
    """n pictures of each domain and their digits; numbers of digits vary as in a real sample."""
    rng = np.random.default_rng(seed)
    pair = training_pair("digits", zeros, 4 * n, seed)
    rows = [torch.from_numpy(rng.integers(4 * n, size=n)) for _ in pair]
    return (
        [pictures(side.x[row]) for side, row in zip(pair, rows, strict=True)],
        [side.y[row].numpy() for side, row in zip(pair, rows, strict=True)],
    )


def covers(found: balance.Interval, truth: float) -> bool:
    return found.low - 1e-9 <= truth <= found.high + 1e-9


def trial(zeros: float, n: int, bootstrap: int, seed: int) -> dict[str, float]:
    """One draw: which intervals cover the truth, and how far the estimates are off."""
    images, digits = drawn(zeros, n, seed)
    p, q = skewed(zeros, CLASSES), skewed(1 / CLASSES, CLASSES)
    truth = total_variation(p, q)
    known = balance.of_labels(digits[0], digits[1], CLASSES, seed=seed)
    values = groups.reduced(groups.features(torch.cat(images)))
    x, y = values[:n], values[n:]
    count = groups.choose_count(x, y)
    found = balance.of_groups(
        *groups.groups(x, y, count),
        count,
        lambda i, j, s: groups.groups(x[i], y[j], count, s),
        draws=bootstrap,
        seed=seed,
    )
    shares = [*zip(known.p, p.tolist(), strict=True), *zip(known.q, q.tolist(), strict=True)]
    return {
        "labels: shares covered": float(np.mean([covers(i, t) for i, t in shares])),
        "labels: shift covered": covers(known.shift, truth),
        "labels: shift": known.shift.value,
        "clusters: shift covered": covers(found.shift, truth),
        "clusters: shift": found.shift.value,
        "clusters: error of the shift": abs(found.shift.value - truth),
        "clusters: half width": (found.shift.high - found.shift.low) / 2,
        "clusters": count,
    }


def main(draws: int = 100, n: int = 600, bootstrap: int = 100) -> None:
    started, rows = time.process_time(), {}
    for name, zeros in SHIFTS.items():
        trials = [trial(zeros, n, bootstrap, seed) for seed in range(draws)]
        rows[name] = {k: float(np.mean([t[k] for t in trials])) for k in trials[0]}
        print(name, rows[name], flush=True)
    names = list(next(iter(rows.values())))
    table = tabulate(
        [[k, *(rows[name][k] for name in rows)] for k in names],
        ["mean over draws", *rows],
        "github",
        floatfmt=".3f",
    )
    text = f"""# How often the intervals of `domain-translation shift` cover the truth

{draws} draws of {n} pictures of each domain, {bootstrap} draws of the bootstrap each: 95 %
intervals. True total variation: 0.4 and 0. {time.process_time() - started:.0f} CPU s on
{machine.processor()}.

{table}
"""
    Path(__file__).with_name("shift.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
