"""Settings of cooling on real maps, by 5-fold cross-validation with stored networks (lcool.tab3).

The networks are those of the earlier run of `studies.cooling.maps`, one training. Every held-out
pair is cooled with every setting once; each fifth of the pairs is then judged with the setting that
is best on the other four. No pair helps to choose its own setting, and all of them count.

Said beforehand: cooling gains if the mean over all pairs is above 0 at 95 %, and it is cooling that
gains if it is above a blur's, a noise's and a linear filter's that are chosen in the same way.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from domain_translation import cooling
from domain_translation.data import folders
from domain_translation.denoising.linear import linear_filter
from domain_translation.evaluation import pixel_accuracy
from domain_translation.evaluation.pictures.controls import blurred_as_far
from domain_translation.files import data_file
from domain_translation.notebook.cards import fingerprint
from domain_translation.sampling import scores
from domain_translation.studies.cooling.map_measures import in_batches
from domain_translation.studies.study import Measure, Study
from domain_translation.training.cached import cached
from domain_translation.training.model_files import load_model

DATA = "maps256"
FOLDS = 5
WAYS = ("denoiser", "blur", "linear filter", "noise only")


@dataclass(frozen=True)
class Plan:
    """What is tried. The other reading of L-Cool's step, x + 0.005 (r - x), is alpha = 0.00045.

    Attributes:
        size: side of the pictures in pixels, that of the networks.
        sigma: noise of the denoiser.
        chains: (alpha, T) of the chains.
        steps: N at which they are looked at, increasing.
        published: (alpha, T, N) of L-Cool.
        part: pairs cooled at a time.
    """

    size: int = 128
    sigma: float = 0.3
    chains: tuple[tuple[float, float], ...] = (
        (0.00045, 0.0111),
        (0.001, 0.001),
        (0.005, 0.001),
        (0.005, 0.01),
    )
    steps: tuple[int, ...] = (5, 20, 40)
    published: tuple[float, float, int] = (0.005, 0.001, 40)
    part: int = 55

    @property
    def settings(self) -> list[tuple[float, float, int]]:
        """All (alpha, T, N), in the order of the results."""
        return [(a, t, n) for a, t in self.chains for n in self.steps]


def stored(name: str) -> nn.Module:
    """A network of the earlier run: forward, backward or denoiser."""
    return load_model(Path(str(data_file(f"results/full/maps/{name}.safetensors")))).network


def accuracies(
    plan: Plan,
    translator: Callable[[Tensor], Tensor],
    by: Mapping[str, Callable[[Tensor], Tensor]],
    pairs: folders.Domains,
    ids: range,
    seed: int,
) -> dict[str, Tensor]:
    """Pixel accuracies (settings, n) of every way, and (n,) of the plain translations.

    Args:
        plan: the settings.
        translator: photographs -> maps.
        by: r of "denoiser", "linear filter" and "noise only", which is the identity.
        pairs: photographs and true maps, (n, 3, S, S) each.
        ids: of the pairs, for the noise.
        seed: of the noise.
    """
    x, truth = pairs

    def right(z: Tensor) -> Tensor:
        return pixel_accuracy(translator(z), truth)

    found: dict[str, list[Tensor]] = {way: [] for way in WAYS}
    thin = math.gcd(*plan.steps)
    for step_size, temperature in plan.chains:
        about: dict[str, Any] = {"step_size": step_size, "temperature": temperature, "ids": ids}
        for way, denoiser in by.items():
            score = scores.dae_score(denoiser, plan.sigma)
            run = cooling.cool(score, x, steps=plan.steps[-1], seed=seed, thin=thin, **about)
            assert run.trajectory is not None
            for n in plan.steps:
                z = run.trajectory[n // thin - 1]
                found[way].append(right(z))
                if way == "denoiser":
                    found["blur"].append(right(blurred_as_far(x, z)))
    return {"plain": right(x)} | {way: torch.stack(rows) for way, rows in found.items()}


def run(plan: Plan, seed: int, folder: Path) -> dict[str, Tensor]:
    """All settings on all held-out pairs, part by part; a stopped run goes on.

    Raises:
        MissingData, DamagedData: of the maps, see `folders.paired`.
        FileNotFoundError: the stored networks do not come with this installation.
    """
    pairs = folders.paired(DATA, plan.size, "held-out")
    train = folders.paired(DATA, plan.size, "train").source[::11]
    by = {
        "denoiser": in_batches(stored("denoiser")),
        "linear filter": linear_filter(train, plan.sigma),
        "noise only": lambda z: z,
    }
    translator, count, parts = in_batches(stored("forward")), len(pairs.source), []
    for start in range(0, count, plan.part):
        ids = range(start, min(start + plan.part, count))
        some = folders.Domains(*(side[ids.start : ids.stop] for side in pairs))
        card = {"plan": repr(plan), "seed": seed, "pairs": [ids.start, ids.stop]}
        with torch.no_grad():
            parts.append(
                cached(
                    folder / f"pairs-{start}.ckpt",
                    card,
                    functools.partial(accuracies, plan, translator, by, some, ids, seed),
                )
            )
    return {name: torch.cat([part[name] for part in parts], -1) for name in parts[0]}


def chosen(values: Tensor, seed: int, folds: int = FOLDS) -> tuple[Tensor, Tensor]:
    """Each pair's value with the setting that is best on the other folds.

    Args:
        values: (settings, n), larger is better.
        seed: of the partition.
        folds: parts of the pairs, of equal size as far as that goes.

    Returns:
        values (n,) in the order of the pairs, and each fold's setting (folds,).
    """
    n = values.shape[1]
    order = torch.randperm(n, generator=Generator().manual_seed(seed))
    own, best = values.new_empty(n), []
    for fold in torch.tensor_split(order, folds):
        others = torch.ones(n, dtype=torch.bool)
        others[fold] = False
        best.append(int(values[:, others].mean(1).argmax()))
        own[fold] = values[best[-1], fold]
    return own, torch.tensor(best)


def measure(plan: Plan, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Gains over the plain translation in points, chosen by folds and with L-Cool's setting."""
    networks = (fingerprint(stored("forward")), fingerprint(stored("denoiser")))

    def mean(name: str, values: Tensor) -> Measure:
        error = float(values.std() / len(values) ** 0.5)
        return Measure(name, 100 * float(values.mean()), networks, 100 * error)

    plain, at = found["plain"], plan.settings.index(plan.published)
    numbers = [mean("plain accuracy", plain)]
    picked = {way: chosen(found[way], seed) for way in WAYS}
    for way in WAYS:
        own, best = picked[way]
        numbers += [
            mean(f"gain, {way}, chosen by folds", own - plain),
            mean(f"gain, {way}, L-Cool's setting", found[way][at] - plain),
        ]
        for name, places in zip(("alpha", "T", "N"), zip(*plan.settings, strict=True), strict=True):
            middle = torch.tensor(places, dtype=torch.float64)[best].mean()
            numbers.append(Measure(f"{way}, mean {name} of the folds", float(middle), ()))
    for way in WAYS[1:]:
        gap = picked["denoiser"][0] - picked[way][0]
        numbers.append(mean(f"denoiser less {way}, chosen by folds", gap))
    return numbers


STUDY = Study(
    "cooling/map_folds",
    {"stored networks": Plan()},
    range(5),
    run,
    measure,
    trains=False,
    data=(DATA,),
)
