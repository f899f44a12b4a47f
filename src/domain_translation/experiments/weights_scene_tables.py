"""The cards of scenes, drawn and real, as chapters show them: tables, rows of pictures, curves.

`weights_scene_grid` and `weights_real` write the cards; nothing is trained here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray
from torch import Tensor

from domain_translation import plots
from domain_translation.data.sr_digits import Pair
from domain_translation.experiments import stored_runs
from domain_translation.experiments.picture_text import from_pictures
from domain_translation.experiments.weights_scene_measures import NOISES, SOURCES
from domain_translation.notebook.cards import Card

DRAWN, REAL = "scenes", "real"
WAYS = ("x to y", "y to x")
BASELINES = ("doing nothing", "one picture")
PASSES = "passes"
CAUSES = ("source", "noise", "both")
FIRST_DOMAIN = ("x", "fgx", "fy")  # pictures that are, or should be, of the first domain
ZOOM = 6  # pixels of a shown picture for each of its own
WINDOW = 5  # records of class masses in a moving mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SceneCard:
    """What the card says of one scene.

    Attributes:
        scene: the card's entry of the scene.
        made: when and on which processor, one phrase.
    """

    scene: Mapping[str, Any]
    made: str

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods, in the order of the card."""
        return tuple(dict.fromkeys(run["method"] for run in self.scene["runs"]))

    @property
    def repeats(self) -> str:
        """How many seeds the methods were run with, e.g. "3 seeds (JD-BW), 1 (MUNIT)"."""
        by_count: dict[int, list[str]] = {}
        for method in self.methods:
            by_count.setdefault(len(self.runs(method)), []).append(method)
        first, *others = (f"{n} seeds ({', '.join(m)})" for n, m in by_count.items())
        if not others:
            return first.split(" (")[0]
        return ", ".join([first, *(other.replace(" seeds", "") for other in others)])

    def goal(self, way: str) -> str:
        """What the domain is called that "x to y" or "y to x" leads to."""
        return str(self.scene["looks"][1 if way == WAYS[0] else 0])

    def runs(self, method: str) -> list[Mapping[str, Any]]:
        """The runs of a method, by seed."""
        return sorted((r for r in self.scene["runs"] if r["method"] == method), key=_seed)

    def values(self, method: str, field: str) -> Array:
        """A number of a method, (seeds,); (0,) where the method has none."""
        return np.array([run[field] for run in self.runs(method) if field in run], float)

    def confusion(self, method: str, way: str) -> Array:
        """Confusion matrices (seeds, K, K), "x to y" or "y to x": rows are the sources' classes."""
        return np.array([run[f"confusion, {way}"] for run in self.runs(method)], float)

    def totals(self, method: str) -> Array:
        """Weighted class masses of both domains during training, (seeds, records, 2, K)."""
        return np.array([run["totals"] for run in self.runs(method)], float)

    def pictures(self, which: str, method: str = "") -> Tensor:
        """Pictures (n, C, S, S) of the first seed of a method; without one, the test images.

        Args:
            which: x or y; of a method gx, fgx, fy, gfy, or noises, every source with each noise.
            method: one of `methods`, or "".
        """
        held = self.runs(method)[0]["pictures"] if method else self.scene["pictures"]
        channels = self.scene["channels"][0 if which in FIRST_DOMAIN else 1]
        return from_pictures(held[which], self.scene["size"], channels)


def _seed(run: Mapping[str, Any]) -> int:
    return int(run["seed"])


def read(name: str, file: str = DRAWN) -> SceneCard:
    """The card of one scene: plates, wares, heads; in the file `REAL` street, fashion, faces.

    Raises:
        FileNotFoundError: the card does not come with this installation.
        KeyError: another name.
    """
    found = stored_runs.read(f"weights/{file}")
    made = f"{found['date']}, one core ({found['machine']['cpu']})"
    return SceneCard(found["scenes"][name], made)


def card(name: str, file: str = DRAWN) -> Card:
    """The runs of one scene as a card that claims are judged by; an arm is a method.

    Raises: as `read`.
    """
    found = stored_runs.read(f"weights/{file}")
    scene = found["scenes"][name]
    runs = [{**run, **derived(run, scene)} for run in scene["runs"]]
    shares = (scene["tests"], scene["tests"] // len(scene["classes"]))
    return stored_runs.as_card(study(name), runs, found, items=lambda name: items(name, *shares))


def study(name: str) -> str:
    """Name of the card of a scene."""
    return f"weights/{name}-full"


def derived(run: Mapping[str, Any], scene: Mapping[str, Any]) -> dict[str, float]:
    """Numbers that follow from those of a run.

    "rare class kept": of the class that the other domain has less of. "classes made": how many
    occur among translations of sources of which each is as frequent, one over the sum of squared
    shares. "source over noise": mean squared difference of two translations of one source, over
    that of two with one noise.
    """
    p, q = np.asarray(scene["masses"], float)
    found: dict[str, float] = {}
    for way, rare in zip(WAYS, (int(np.argmin(q - p)), int(np.argmin(p - q))), strict=True):
        table = np.asarray(run[f"confusion, {way}"], float)
        found[f"rare class kept, {way}"] = float(table[rare, rare])
        found[f"classes made, {way}"] = classes_made(table)
        source, noise = (run[f"pixels by {cause}, {way}"] for cause in CAUSES[:2])
        found[f"pixels by both, {way}"] = 1 - source - noise
        found[f"pixels by noise - by both, {way}"] = 2 * noise + source - 1
        found[f"class not by source, {way}"] = 1 - run[f"class by source, {way}"]
        found[f"source over noise, {way}"] = source_over_noise(source, noise)
    return found


def classes_made(confusion: Array) -> float:
    """How many classes occur among translations of sources of which every class is as frequent.

    1 / sum of squared masses: K when all are as frequent, 1 when all translations are of one.

    Args:
        confusion: (K, K), rows are the classes of the sources.
    """
    masses = confusion.mean(0)
    return float(1 / np.square(masses / masses.sum()).sum())


def source_over_noise(
    source: float, noise: float, sources: int = SOURCES, noises: int = NOISES
) -> float:
    """Mean squared difference of two translations of one source over that of two with one noise.

    Args:
        source, noise: shares of the variance that each explains alone, noise < 1.
        sources, noises: how many of each were combined.
    """
    return noises * (sources - 1) / (sources * (noises - 1)) * (1 - source) / (1 - noise)


def items(name: str, tests: int, of_a_class: int) -> int:
    """How many test images a number of a run is a share of; 0 where it is none."""
    if name.startswith("class swayed"):
        return SOURCES
    if name.startswith("rare class kept"):
        return of_a_class
    return tests if name.startswith(("kept", "outranked")) else 0


def told(values: Sequence[float] | Array, digits: int = 2) -> str:
    """Mean and standard deviation over seeds; one value as it is, none as nothing."""
    v = np.asarray(values, float)
    if len(v) < 2:
        return "".join(f"{value:.{digits}f}" for value in v)
    return f"{v.mean():.{digits}f}\u00a0±\u00a0{v.std(ddof=1):.{digits}f}"  # in one line


def columns(card: SceneCard, way: str) -> dict[str, tuple[str, int]]:
    """Columns of `results` for "x to y" or "y to x": title to the card's field and its digits.

    Errors to counterparts appear where they are known.
    """
    own = way[0]
    all_columns = {
        "kept": (f"kept, {way}", 2),
        "distance": (f"distance, {way}", 1),
        PASSES: (f"passes, {way}", 2),
        "error": (f"error, {way}", 2),
        "outranked": (f"outranked, {way}", 2),
        "diversity": (f"diversity, {way}", 2),
        "class swayed": (f"class swayed by noise, {way}", 2),
        "kept, there and back": (f"kept, {own} there and back", 2),
        "mass gap": (f"gap, {own}", 3),
    }
    known = f"error, {way}" in card.scene[BASELINES[0]]
    unknown = () if known else ("error", "outranked")
    return {title: column for title, column in all_columns.items() if title not in unknown}


def results(card: SceneCard, way: str, live: Mapping[str, Mapping[str, float]]) -> str:
    """A Markdown table of one way: real images, both baselines, all methods.

    Args:
        card: of the scene.
        way: "x to y" or "y to x".
        live: further numbers by row and title of `columns`, see `weights_scene_yardsticks`.
    """
    titles = columns(card, way)
    lines = [f"| | {' | '.join(titles)} |", "|---|" + "---:|" * len(titles)]
    for row in (*live, *(r for r in (*BASELINES, *card.methods) if r not in live)):
        cells = []
        for title, (field, digits) in titles.items():
            more = live.get(row, {})
            cells.append(told([more[title]] if title in more else _found(card, row, field), digits))
        name = row if row in card.methods else f"*{row}*"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _found(card: SceneCard, row: str, field: str) -> Array:
    baseline = card.scene.get(row, {})  # of a method, there is none
    return np.array([baseline[field]]) if field in baseline else card.values(row, field)


def settings(card: SceneCard) -> str:
    """A Markdown table of what the methods were trained with."""
    lines = ["| | steps | critic steps to each | batch | noise | parameters | core seconds |"]
    lines.append("|---|" + "---:|" * 6)
    for method in card.methods:
        s = card.scene["settings"][method]
        noise = s["noise"] if "noise" in s else s["style"]
        parameters = card.runs(method)[0]["parameters"]
        lines.append(
            f"| {method} | {s['steps']:,} | {s.get('critic_steps', 1)} | {s['batch']} | {noise} | "
            f"{parameters:,} | {told(card.values(method, 'cpu seconds'), 0)} |"
        )
    return "\n".join(lines)


def noises(card: SceneCard) -> str:
    """A Markdown table of what source and noise decide, first domain to second."""
    titles = [f"{kind} by {cause}" for kind in ("pixels", "class") for cause in CAUSES]
    lines = [f"| | {' | '.join(titles)} | class swayed |", "|---|" + "---:|" * (len(titles) + 1)]
    for method in card.methods:
        cells = []
        for kind in ("pixels", "class"):
            source, noise = (card.values(method, f"{kind} by {c}, x to y") for c in CAUSES[:2])
            cells += [source, noise, 1 - source - noise]
        cells.append(card.values(method, "class swayed by noise, x to y"))
        lines.append(f"| {method} | {' | '.join(told(cell) for cell in cells)} |")
    return "\n".join(lines)


def tiles(x: Tensor) -> Tensor:
    """Images (n, 1 or 3, S, S) for `plots.photo_rows`: three channels, each pixel a square."""
    shown = x.clamp(-1, 1).expand(-1, 3, -1, -1)
    return shown.repeat_interleave(ZOOM, 2).repeat_interleave(ZOOM, 3)


def there_and_back(
    card: SceneCard, methods: Sequence[str], way: str, picked: Sequence[int]
) -> tuple[list[Tensor], list[str]]:
    """Rows and labels as in JD-BW's Figures 5 and 6: originals, translated, back again.

    Args:
        card: of the scene.
        methods: in this order.
        way: "x to y" or "y to x".
        picked: which of the card's test images.
    """
    own, there, back = ("x", "gx", "fgx") if way == "x to y" else ("y", "fy", "gfy")
    chosen = list(picked)
    rows = [tiles(card.pictures(own)[chosen])]
    labels = [card.scene["looks"][0 if own == "x" else 1]]
    for method in methods:
        rows += [tiles(card.pictures(key, method)[chosen]) for key in (there, back)]
        labels += [method, "and back"]
    return rows, labels


def translated(card: SceneCard, originals: Pair | None) -> tuple[list[Tensor], list[str]]:
    """Rows and labels of both ways: the first test images, and what every method makes of them.

    Args:
        card: of the scene, one of the file `REAL`.
        originals: the scene's test images, which the card does not hold; None leaves them away.
    """
    rows: list[Tensor] = []
    labels: list[str] = []
    for side, which in enumerate(("gx", "fy")):
        made = {m: card.pictures(which, m) for m in card.methods}
        if originals is not None:
            shown = len(next(iter(made.values())))
            made = {card.scene["looks"][side]: originals[side].x[:shown]} | made
        rows += [tiles(x) for x in made.values()]
        labels += list(made)
    return rows, labels


def noise_rows(card: SceneCard, method: str) -> list[Tensor]:
    """Rows as in JD-BW's Figures 4, 7 and 8: one tile for each noise.

    The source is at the left, if the card has it.
    """
    made = card.pictures("noises", method)
    grid = made.reshape(-1, NOISES, *made.shape[1:])
    if "pictures" in card.scene:
        sources = card.pictures("x")[: len(grid), None]
        grid = torch.cat([sources.expand(-1, -1, made.shape[1], -1, -1), grid], 1)
    return [tiles(row) for row in grid]


def smoothed(totals: Array) -> Array:
    """Means over the last `WINDOW` records, fewer at the beginning: (..., records, 2, K)."""
    records = totals.shape[-3]
    ends = [slice(max(0, i + 1 - WINDOW), i + 1) for i in range(records)]
    return np.stack([totals[..., end, :, :].mean(-3) for end in ends], -3)


def draw_masses(ax: Axes, card: SceneCard, method: str, k: int) -> None:
    """Weighted mass of class k over the training, and its midpoint, on `ax`.

    First domain dashed, second solid; bands from the least to the greatest seed; at the left, the
    mass without weights as a mark.
    """
    curves = smoothed(card.totals(method))[..., k]
    steps = card.scene["settings"][method]["steps"]
    at = (np.arange(curves.shape[1]) + 1) * steps / curves.shape[1]
    for side, (style, colour) in enumerate((("--", plots.BLUE), ("-", plots.RED))):
        band = curves[:, :, side]
        ax.fill_between(at, band.min(0), band.max(0), color=colour, alpha=0.18, lw=0)
        ax.plot(at, band.mean(0), style, color=colour, label=card.scene["looks"][side])
        ax.plot(0, card.scene["masses"][side][k], "os"[side], color=colour, ms=6, clip_on=False)
    ax.axhline(card.scene["goal"][k], color=plots.INK, ls=":", lw=1.2)
    ax.set(xlabel="generator steps", xlim=(0, steps))
