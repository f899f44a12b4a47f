"""One policy for what comes in: every public entry takes floats of any width or says one sentence.

A row of `PICTURES`, `POINTS` ... is an entry, called with good input; a row of `WRONG` spoils it.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from elsewhere import assert_same_bits, pretend
from torch import Generator, Tensor, nn

from domain_translation import cooling, denoising, runtime
from domain_translation.cooling.pictures import cool as cool_pictures
from domain_translation.cooling.stopping import cool_along, cool_until
from domain_translation.cooling.strips import strip, time_to_move
from domain_translation.denoising import gate, linear
from domain_translation.denoising.conditional import ConditionalDenoiser, train_conditional
from domain_translation.denoising.principal import principal
from domain_translation.energies import baseline_detectors, detection, restoration, saliency, toy
from domain_translation.energies import sampling as energies
from domain_translation.energies import training as energy_training
from domain_translation.energies import translation as energy_translation
from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.network import EnergyNetwork
from domain_translation.evaluation import compare, forced_choice
from domain_translation.evaluation.distances import (
    features,
    frechet,
    kernel_distance,
    neighbours,
    protocol,
    trivial_generators,
)
from domain_translation.evaluation.judges import classical, image_judges, sample_judges
from domain_translation.evaluation.pictures import (
    change,
    controls,
    counterparts,
    looks,
    map_classes,
    noisiness,
    pixels,
    regions,
    weave,
)
from domain_translation.evaluation.statistics import class_preservation
from domain_translation.reweighting import config as jdbw
from domain_translation.reweighting import images, joint, masses, one_sided
from domain_translation.reweighting import toy as clusters
from domain_translation.reweighting.domains import edges
from domain_translation.sampling import adaptation, ais, diagnostics, langevin, scores
from domain_translation.translators import cyclegan, munit, pix2pix, regression

Entry = Callable[[Any], Any]


def draw(*shape: int, seed: int = 0) -> Tensor:
    """In [-1, 1], and the same in half precision."""
    x = torch.rand(shape, generator=Generator().manual_seed(seed)) * 2 - 1
    return (x * 64).round() / 64


def built(make: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with runtime.seeded(0):
        made = make(*arguments, **named)
    for network in made if isinstance(made, tuple) else (made,):
        network.requires_grad_(False).eval()
    return made


N = 24
COLOUR, OTHER = draw(N, 3, 8, 8), draw(N, 3, 8, 8, seed=1)
BIG, HOLE = draw(N, 3, 16, 16), restoration.hole("centre", 8)
CLASSES = torch.arange(N) % 3
POINTS, FAR_POINTS = draw(N, 4), 2 + draw(N, 4, seed=1)
SHORT = energies.ShortRun(2)
ENERGY, JUDGE = built(EnergyNetwork, 8, 2, 3), built(sample_judges.SampleJudge, 8, 3)
FIVE = built(image_judges.ImageJudges, 8)
UNET = built(denoising.UNetDenoiser, 3, 2)
DAE = denoising.DenoiserConfig(steps=1, batch=2)
CFEBM = CFEBMConfig((8,), (4,), (2,), (1e-3,), batch=2, c=2)
JDBW = replace(jdbw.QUICK_DIGITS, steps=1, batch=2, critic_steps=1, width=2, critic_width=2)
JDBW = replace(JDBW, weight_width=2)
GAN = replace(cyclegan.QUICK, size=8, steps=1, batch=1, width=2, blocks=1, critic_layers=1)
MUNIT = replace(munit.QUICK, size=16, steps=1, batch=1, width=4, critic_width=2)
PAIRS = replace(pix2pix.QUICK, size=8, steps=1, batch=1, width=2, depth=3, critic_layers=1)
PROTOCOL = protocol.Protocol("", N, 8, 3, 2, 9)
COOL: dict[str, Any] = {"step_size": 0.01, "temperature": 0.1}
TRANSLATOR = built(images.networks, JDBW, (3, 3)).forward


def parameters(networks: Any) -> Any:
    found = networks if isinstance(networks, tuple) else (networks,)
    return [list(n.parameters()) for n in found if isinstance(n, nn.Module)]


def jdbw_on(x: Any, y: Any, classes: Any = None) -> Any:
    fresh = images.networks(replace(JDBW, size=16), (3, 3))
    return parameters(joint.train(x, y, fresh, JDBW, classes=classes).networks)


def one_sided_on(x: Any, y: Any, classes: Any = None) -> Any:
    config = replace(clusters.ToyConfig(), steps=1, batch=2, width=4)
    fresh = one_sided.networks(config, 0)
    return parameters(one_sided.train(x, y, fresh, config, classes=classes).networks)


def dae_on(x: Any, **how: Any) -> Any:
    make = lambda: denoising.UNetDenoiser(3, width=2)  # noqa: E731
    return parameters(denoising.train_denoiser(make, x, **{"sigma": 0.3, "config": DAE} | how))


def regression_on(x: Any, y: Any, **how: Any) -> Any:
    make = lambda: denoising.ConvDenoiser(3, 2)  # noqa: E731
    return parameters(regression.train_on_pairs(make, x, y, **{"steps": 1, "batch": 2} | how))


def cool_on(x: Any, translator: Any = torch.sin, denoiser: Any = UNET, **how: Any) -> Any:
    return cool_pictures(translator, x, denoiser, **{"sigma": 0.3, "steps": 2} | how)


def gan_on(x: Any, y: Any, classes: Any = None) -> Any:
    return parameters(cyclegan.train_cyclegan(x, y, GAN, classes=classes).networks)


def munit_on(x: Any, y: Any, classes: Any = None) -> Any:
    return parameters(munit.train(x, y, MUNIT, classes=classes).networks)


def energy_on(x: Any, config: CFEBMConfig = CFEBM) -> Any:
    return parameters(energy_training.train(x, config).network)


def short(x: Any, energy: Any = ENERGY, **how: Any) -> Tensor:
    return energies.short_run(energy, x, replace(SHORT, **how)).x


PICTURES: dict[str, Entry] = {
    "cool": cool_on,
    "train_denoiser": dae_on,
    "train_denoiser, principal": lambda x: vars(principal(x, 2)),
    "linear_filter": lambda x: linear.linear_filter(x, 0.3, size=3)(x),
    "noise_left": lambda x: gate.noise_left(UNET, torch.sin, x, 0.3),
    "energies.train": energy_on,
    "energies.train_translator": lambda x: parameters(
        energy_translation.train_translator(x, OTHER, CFEBM).network
    ),
    "energies.train_translator, target": lambda x: parameters(
        energy_translation.train_translator(OTHER, x, CFEBM).network
    ),
    "energies.translate": lambda x: energy_translation.translate(ENERGY, x, SHORT).x,
    "energies.short_run": short,
    "saliency": lambda x: saliency.saliency(ENERGY, x, SHORT),
    "complete": lambda x: restoration.complete(ENERGY, x, HOLE, SHORT),
    "neighbour_fill": lambda x: restoration.neighbour_fill(x, HOLE, OTHER, 2),
    "mean_fill": lambda x: restoration.mean_fill(x, HOLE, OTHER),
    "hole_error": lambda x: restoration.hole_error(x, OTHER, HOLE),
    "detection.table": lambda x: detection.table(
        detection.energy_detectors(ENERGY, OTHER), x, {"other": OTHER}
    ),
    "energy_detectors": lambda x: detection.energy_detectors(ENERGY, x)["typical energy"](OTHER),
    "energy_free": lambda x: [f(OTHER) for f in baseline_detectors.energy_free(x).values()],
    "interpolations": lambda x: detection.interpolations(4, x, 0),
    "blurred": lambda x: detection.blurred(x, 1.0),
    "canny_edges": edges.canny_edges,
    "jdbw.translate": lambda x: images.translate(TRANSLATOR, x, JDBW.noise),
    "train_on_pairs": lambda x: regression_on(x, OTHER),
    "train_on_pairs, target": lambda x: regression_on(OTHER, x),
    "train_cyclegan": lambda x: gan_on(x, OTHER),
    "train_cyclegan, target": lambda x: gan_on(OTHER, x),
    "train_pix2pix": lambda x: parameters(pix2pix.train_pix2pix(x, OTHER, PAIRS)),
    "pixel_accuracy": lambda x: pixels.pixel_accuracy(x, OTHER, 90.0),
    "map_classes": lambda x: map_classes.map_classes(x, map_classes.CITY),
    "accuracy_by_class": lambda x: map_classes.accuracy_by_class(x, OTHER, map_classes.CITY, 90.0),
    "noise_level": noisiness.noise_level,
    "weave": weave.weave,
    "looks.statistics": looks.statistics,
    "looks.fit": lambda x: looks.fit(x, OTHER).share(OTHER),
    "changed_region": lambda x: regions.changed_region(x, OTHER, 0.5),
    "error_in": lambda x: regions.error_in(x, OTHER, COLOUR[:, 0] > 0),
    "contrast_in": lambda x: regions.contrast_in(x, COLOUR[:, 0] > 0, 3),
    "to_counterparts": lambda x: counterparts.to_counterparts(x, OTHER, CLASSES),
    "outranked": lambda x: counterparts.outranked(x, OTHER, CLASSES),
    "blurred_as_far": lambda x: controls.blurred_as_far(x, OTHER),
    "train_judges": lambda x: classical.likeness(
        classical.train_judges(x, CLASSES), OTHER, CLASSES
    ),
    "judges.accuracy": lambda x: classical.accuracy(CLASSICAL, x, CLASSES),
    "judges.likeness": lambda x: classical.likeness(CLASSICAL, x, CLASSES),
    "train_sample_judge": lambda x: parameters(
        sample_judges.train_sample_judge(x, CLASSES, sample_judges.SampleJudgeConfig(1, 4, width=2))
    ),
    "probabilities": lambda x: sample_judges.probabilities(JUDGE, x),
    "judge_features": lambda x: features.judge_features(JUDGE)(x),
    "train_image_judges": lambda x: parameters(
        image_judges.train_image_judges(x, OTHER, image_judges.JudgeConfig(steps=1, batch=2))
    ),
    "target_likeness": lambda x: image_judges.target_likeness(FIVE, x),
    "confusion": lambda x: class_preservation.confusion(JUDGE, x, CLASSES, 10),
    "eight_bit": features.eight_bit,
    "nearest": lambda x: neighbours.nearest(x, OTHER),
    "measure": lambda x: protocol.measure(x, OTHER, features.pixels, PROTOCOL)[:2],
    "gaussian_samples": lambda x: trivial_generators.gaussian_samples(x, 3, components=2),
}  # fmt: skip
SIXTEEN: dict[str, Entry] = {
    "jdbw.train": lambda x: jdbw_on(x, BIG),
    "jdbw.train, second": lambda x: jdbw_on(BIG, x),
    "munit.train": lambda x: munit_on(x, BIG),
}
ALL_PICTURES = {name: (entry, COLOUR) for name, entry in PICTURES.items()} | {
    name: (entry, BIG) for name, entry in SIXTEEN.items()
}
CLASSICAL = classical.train_judges(COLOUR, CLASSES)
GRID = draw(4, 3, 3, 8, 8)
TRAJECTORY = draw(8, 3, 2)


def cool_points(x: Any, score: Any = torch.neg, **how: Any) -> Tensor:
    return cooling.cool(score, x, **COOL | {"steps": 2} | how).x


def ula_on(x: Any, score: Any = torch.neg, steps: Any = 2, **how: Any) -> Tensor:
    seed = how.pop("seed", 0)
    return langevin.sample(langevin.ula(score, **{"step_size": 0.1} | how), x, steps, seed=seed).x


def until(x: Any, score: Any = torch.neg, **how: Any) -> Any:
    return cool_until(score, x, **COOL | {"level": 0.1, "max_steps": 2} | how)


def along(x: Any, score: Any = lambda x, s: -x, **how: Any) -> Any:
    ladder = {"sigmas": [0.2, 0.1], "share": 0.5, "temperature": 0.1}
    return cool_along(score, x, **ladder | how)


def strip_of(x: Any, translator: Any = torch.sin, score: Any = torch.neg, **how: Any) -> Any:
    return strip(translator, score, x, **COOL | {"steps": 2, "frames": 1} | how)


def then(x: Any, translator: Any = torch.sin, score: Any = torch.neg) -> Any:
    return cooling.cool_then_translate(translator, score, x, steps=2, **COOL)


def normal(x: Tensor) -> Tensor:
    return x.square().flatten(1).sum(1) / 2


def mala_on(x: Any, energy: Any = normal) -> Tensor:
    return langevin.sample(langevin.mala(scores.energy_and_score(energy), 0.1), x, 2).x


def back(x: Any, energy: Any = normal) -> Tensor:
    return ais.reverse(energy, ais.Normal((4,)), ais.sigmoid(3), 0.1, x).log_weights


class Bowl(nn.Module):
    """An energy of points (B, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x).square().sum(1)


def toy_on(x: Any) -> Any:
    negatives, config = toy.contrastive(toy.Walk(2, 0.1)), toy.ToyConfig(updates=1, batch=2)
    return parameters(toy.train_energy(Bowl, x, negatives, config)[0])


def conditional_on(x: Any, **how: Any) -> Any:
    make = lambda: ConditionalDenoiser(torch.ones(4), 4)  # noqa: E731
    return parameters(train_conditional(make, x, **{"sigmas": [0.1], "config": DAE} | how))


POINTWISE: dict[str, Entry] = {
    "langevin.sample, ula": ula_on,
    "langevin.sample, mala": mala_on,
    "adapt_step_size": lambda x: adaptation.adapt_step_size(
        lambda a: langevin.mala(scores.energy_and_score(normal), a), x, 3
    ),
    "ais.reverse": back,
    "cooling.cool": cool_points,
    "cool_then_translate": then,
    "cool_until": until,
    "cool_along": along,
    "score_norms": lambda x: cooling.score_norms(torch.neg, x),
    "strip": strip_of,
    "time_to_move": lambda x: time_to_move(torch.neg, x, 0.01, step_size=0.1, steps=9),
    "search": lambda x: cooling.search(
        torch.neg, x, lambda y: 0.0, step_sizes=[0.1], temperatures=[0.1], steps=[2]
    ),
    "train_conditional": conditional_on,
    "train_energy": toy_on,
    "one_sided.train": lambda x: one_sided_on(x[:, :2], POINTS[:, :2]),
    "moved_as_far": lambda x: controls.moved_as_far(x, POINTS, FAR_POINTS),
    "frechet_distance": lambda x: frechet.frechet_distance(x, FAR_POINTS),
    "squared_mmd": lambda x: kernel_distance.squared_mmd(x, FAR_POINTS),
    "kernel_distance": lambda x: kernel_distance.kernel_distance(x, FAR_POINTS, subsets=2, size=4),
    "compare": lambda x: compare(x[:, 0], FAR_POINTS[:, 0]),
    "forced_choice": lambda x: forced_choice(x.T, FAR_POINTS.T, raters=2, pairs=5),
    "auroc": lambda x: detection.auroc(x[:, 0], FAR_POINTS[:, 0]),
    "variance_shares": lambda x: class_preservation.variance_shares(x.reshape(-1, 2, 4)),
    "ess": lambda x: diagnostics.ess(x[:, :, None]),
    "split_rhat": lambda x: diagnostics.split_rhat(x[:, :, None]),
    "effective_share": lambda x: masses.effective_share(x[:, 0] * x[:, 0]),
}
# Entries in whose units the training data or the caller's other pictures are, whatever these are.
ANY_RANGE = (
    "train_denoiser, principal", "energies.short_run", "hole_error", "train_judges",
    "judges.accuracy", "judges.likeness",
)  # fmt: skip
# Chains in float64 draw their noise in float64.
OWN_NOISE = (
    "langevin.sample, ula", "langevin.sample, mala", "adapt_step_size", "cooling.cool",
    "cool_then_translate", "cool_until", "cool_along", "strip", "energies.short_run",
)  # fmt: skip
TAKES_ARRAYS, TAKES_NONE = ("compare",), ("canny_edges",)  # arrays, empty batches

FLOATS = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float64": torch.float64}


def spoilt(how: str, x: Tensor) -> Any:
    match how:
        case "numpy":
            return x.numpy()
        case "list":
            return x.tolist()
        case "uint8":
            return ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        case "int64":
            return (x * 10).round().long()
        case "NaN":
            return x.index_fill(0, torch.tensor([1]), torch.nan)
        case "inf":
            return x.index_fill(0, torch.tensor([1]), torch.inf)
        case "empty":
            return x[:0]
        case "out of 255":
            return ((x + 1) * 127.5).round()
        case "one picture":
            return x[0]
        case "four channels":
            return torch.cat([x, x[:, :1]], 1)
    raise AssertionError(how)


WRONG_PICTURES = (
    "numpy", "list", "uint8", "int64", "NaN", "inf", "empty", "out of 255", "one picture",
    "four channels",
)  # fmt: skip
WRONG_POINTS = ("numpy", "uint8", "int64", "NaN", "inf", "empty")
# Entries that take pictures with any number of channels, each by itself.
ANY_CHANNELS = (
    "train_denoiser, principal", "linear_filter", "energies.train", "energy_detectors",
    "energy_free", "interpolations", "blurred", "noise_level", "weave", "looks.statistics",
    "contrast_in", "train_sample_judge", "gaussian_samples", "train_judges",
    "jdbw.train", "jdbw.train, second", "munit.train", "train_cyclegan", "train_cyclegan, target",
    "train_pix2pix", "eight_bit",
)  # fmt: skip


def outcome(call: Callable[[], Any]) -> tuple[str, str]:
    """How an entry ends: "clear", "obscure" or "silent", and what was said."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            call()
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            ours = "domain_translation" in frame.filename and "raise" in (frame.line or "")
            sentence = f"{type(error).__name__}: {error}"
            house = isinstance(error, ValueError | langevin.DivergenceError)
            return ("clear" if ours and house else "obscure"), sentence
    if said:
        return "warned", str(said[0].message)
    return "silent", ""


def assert_clear(call: Callable[[], Any]) -> str:
    found, said = outcome(call)
    assert found == "clear", f"{found}: {said}"
    assert "; " in said or ": " in said.partition(": ")[2] or ", " in said, said
    return said


@pytest.mark.parametrize("name", ALL_PICTURES)
def test_pictures_are_floats_in_the_range(name: str) -> None:
    entry, x = ALL_PICTURES[name]
    for how in WRONG_PICTURES:
        free = {"four channels": ANY_CHANNELS, "out of 255": ANY_RANGE, "empty": TAKES_NONE}
        if name in free.get(how, ()):
            continue
        assert_clear(lambda how=how: entry(spoilt(how, x)))


@pytest.mark.parametrize("name", POINTWISE)
def test_points_are_finite_floats(name: str) -> None:
    for how in WRONG_POINTS:
        if name in TAKES_ARRAYS and how not in ("NaN", "inf", "empty"):
            continue
        if (name, how) == ("auroc", "inf"):
            continue  # a score may say "never"
        assert_clear(lambda how=how: POINTWISE[name](spoilt(how, POINTS)))


def assert_as_in_float32(entry: Entry, x: Tensor, dtype: torch.dtype) -> None:
    found, wanted = (torch.utils._pytree.tree_leaves(entry(y)) for y in (x.to(dtype), x))
    for a, b in zip(found, wanted, strict=True):
        if isinstance(b, Tensor) and b.is_floating_point():
            assert a.dtype in (b.dtype, torch.float64)
            a = a.to(b.dtype)
        torch.testing.assert_close(a, b, rtol=2e-3, atol=2e-3, equal_nan=True)


@pytest.mark.parametrize("name", [*ALL_PICTURES, *POINTWISE])
def test_floats_of_any_width_give_the_result_of_float32(name: str) -> None:
    entry, x = ALL_PICTURES[name] if name in ALL_PICTURES else (POINTWISE[name], POINTS)
    for dtype in FLOATS.values():
        if dtype == torch.float64 and name in OWN_NOISE:
            leaves = torch.utils._pytree.tree_leaves(entry(x.double()))
            assert all(leaf.isfinite().all() for leaf in leaves if isinstance(leaf, Tensor))
        else:
            assert_as_in_float32(entry, x, dtype)


FEWER = CLASSES[:-1]
LABELLED: dict[str, Entry] = {
    "train_judges": lambda y: classical.train_judges(COLOUR, y),
    "judges.accuracy": lambda y: classical.accuracy(CLASSICAL, COLOUR, y),
    "judges.likeness": lambda y: classical.likeness(CLASSICAL, COLOUR, y),
    "train_sample_judge": lambda y: sample_judges.train_sample_judge(COLOUR, y),
    "confusion": lambda y: class_preservation.confusion(JUDGE, COLOUR, y, 10),
    "outranked": lambda y: counterparts.outranked(COLOUR, OTHER, y),
    "jdbw.train": lambda y: jdbw_on(BIG, BIG, (CLASSES, y)),
    "one_sided.train": lambda y: one_sided_on(POINTS[:, :2], POINTS[:, :2], y),
    "train_cyclegan": lambda y: gan_on(COLOUR, OTHER, (y, CLASSES)),
    "munit.train": lambda y: munit_on(BIG, BIG, (y, CLASSES)),
}


@pytest.mark.parametrize("wrong", [CLASSES.float(), CLASSES - 1, FEWER, CLASSES.numpy(), None])
@pytest.mark.parametrize("name", LABELLED)
def test_classes_are_whole_numbers_one_for_each(name: str, wrong: Any) -> None:
    if wrong is not None or name not in ("one_sided.train",):
        assert_clear(lambda: LABELLED[name](wrong))


SETTINGS: dict[str, tuple[Entry, list[Any]]] = {
    "sample, steps": (lambda v: ula_on(POINTS, steps=v), [0, -1, 2.5, np.nan, "3", None]),
    "sample, seed": (lambda v: ula_on(POINTS, seed=v), [None, 0.5]),
    "sample, step_size": (lambda v: ula_on(POINTS, step_size=v), [0, -1.0, np.nan, np.inf]),
    "sample, temperature": (lambda v: ula_on(POINTS, temperature=v), [-1.0, np.nan, np.inf]),
    "cool, steps": (lambda v: cool_points(POINTS, steps=v), [0, 1.5, None]),
    "cool, temperature": (lambda v: cool_points(POINTS, temperature=v), [1.0, -0.1, np.nan]),
    "cool, batch": (lambda v: cool_points(POINTS, batch=v), [0, -1]),
    "cool, ids": (lambda v: cool_points(POINTS, ids=v), [[1, 2]]),
    "cool pictures, batch": (lambda v: cool_on(COLOUR, batch=v), [0, 1.5, None]),
    "cool_until, level": (lambda v: until(POINTS, level=v), [-1.0, np.nan, np.inf]),
    "cool_until, max_steps": (lambda v: until(POINTS, max_steps=v), [0, 1.5]),
    "cool_along, share": (lambda v: along(POINTS, share=v), [0, 2.0, np.nan]),
    "cool_along, sigmas": (lambda v: along(POINTS, sigmas=v), [[], [0.1, -0.1]]),
    "strip, frames": (lambda v: strip_of(POINTS, frames=v), [0, 1.5, 3]),
    "train_denoiser, sigma": (lambda v: dae_on(COLOUR, sigma=v), [0, -1, np.nan, np.inf]),
    "train_denoiser, steps": (
        lambda v: dae_on(COLOUR, config=denoising.DenoiserConfig(v, 2)),
        [0, -1, 1.5],
    ),
    "train_denoiser, batch": (
        lambda v: dae_on(COLOUR, config=denoising.DenoiserConfig(1, v)),
        [0, -1, 1.5],
    ),
    "train_on_pairs, steps": (lambda v: regression_on(COLOUR, OTHER, steps=v), [0, -1]),
    "train_conditional, sigmas": (lambda v: conditional_on(POINTS, sigmas=v), [[], [-1.0]]),
    "linear_filter, sigma": (lambda v: linear.linear_filter(COLOUR, v, size=3), [-1, np.nan]),
    "noise_left, sigma": (lambda v: gate.noise_left(UNET, UNET, COLOUR, v), [0, np.nan]),
    "short_run, step": (lambda v: short(COLOUR, step_size=v), [0, -1, np.nan]),
    "short_run, steps": (lambda v: short(COLOUR, steps=v), [0, -1]),
    "nearest, k": (lambda v: neighbours.nearest(COLOUR, OTHER, v), [0, 99]),
    "forced_choice, raters": (lambda v: forced_choice(POINTS.T, POINTS.T, raters=v), [0, 1.5]),
    "compare, level": (lambda v: compare(POINTS[:, 0], POINTS[:, 1], level=v), [0, 1.5, np.nan]),
    "gaussian_samples, n": (lambda v: trivial_generators.gaussian_samples(COLOUR, v), [0, -1]),
    "interpolations, n": (lambda v: detection.interpolations(v, COLOUR, 0), [0, -1]),
    "weave, period": (lambda v: weave.weave(COLOUR, v), [0, 99]),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_are_refused_with_a_sentence(name: str) -> None:
    entry, values = SETTINGS[name]
    for value in values:
        assert_clear(lambda value=value: entry(value))


ANSWERS: dict[str, Callable[..., Any]] = {
    "of another shape": lambda x, *_: x[..., :1].expand(*x.shape[:-1], 7),
    "fewer rows": lambda x, *_: x[1:],
    "nothing": lambda x, *_: None,
    "a tuple": lambda x, *_: (x, x),
    "an array": lambda x, *_: x.numpy(),
    "an error": lambda x, *_: x @ torch.ones(99, 99),
}
ASKED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "sample": ("score", lambda f: ula_on(POINTS, f)),
    "cooling.cool": ("score", lambda f: cool_points(POINTS, f)),
    "cool_until": ("score", lambda f: until(POINTS, f)),
    "cool_along": ("score", lambda f: along(POINTS, f)),
    "score_norms": ("score", lambda f: cooling.score_norms(f, POINTS)),
    "strip": ("score", lambda f: strip_of(POINTS, score=f)),
    "strip, translator": ("translator", lambda f: strip_of(POINTS, f)),
    "time_to_move": ("score", lambda f: time_to_move(f, POINTS, 1.0, step_size=0.1, steps=2)),
    "cool_then_translate": ("translator", lambda f: then(POINTS, f)),
    "cool pictures": ("translator", lambda f: cool_on(COLOUR, f)),
    "cool pictures, denoiser": ("denoiser", lambda f: cool_on(COLOUR, denoiser=f)),
    "cool pictures, share": ("denoiser", lambda f: cool_on(COLOUR, denoiser=f, share=0.5)),
    "noise_left": ("denoiser", lambda f: gate.noise_left(f, UNET, COLOUR, 0.3)),
    "mala": ("energy", lambda f: mala_on(POINTS, f)),
    "short_run": ("energy", lambda f: short(COLOUR, f)),
    "ais.reverse": ("energy", lambda f: back(POINTS, f)),
    "train_denoiser": (
        "denoiser",
        lambda f: denoising.train_denoiser(lambda: Called(f), COLOUR, 0.3, DAE),
    ),
    "train_on_pairs": (
        "translator",
        lambda f: regression.train_on_pairs(lambda: Called(f), COLOUR, OTHER, steps=1),
    ),
}


class Called(nn.Module):
    """A network around a function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Any:
        return self.function(x * self.weight)


@pytest.mark.parametrize("how", ANSWERS)
@pytest.mark.parametrize("name", ASKED)
def test_whoever_answers_wrongly_is_blamed(name: str, how: str) -> None:
    of, call = ASKED[name]
    if how == "of another shape" and (of == "translator" or name == "short_run"):
        return  # the target domain has a shape of its own, and the sum of an energy its gradient
    said = assert_clear(lambda: call(ANSWERS[how]))
    assert f"the {of}" in said or "the score does not take a batch" in said


@pytest.mark.parametrize(
    "energy",
    [
        torch.no_grad()(normal),
        lambda x: normal(x.detach()),
        lambda x: torch.from_numpy(normal(x).detach().numpy()),
        lambda x: torch.zeros(len(x)),
    ],
    ids=["no_grad", "detached", "numpy", "constant"],
)
def test_d15_an_energy_without_a_gradient_is_told(energy: Any) -> None:
    for call in (mala_on, short, lambda x, e: ula_on(x, scores.energy_score(e))):
        assert "energy carries no gradient" in assert_clear(lambda call=call: call(POINTS, energy))
    with torch.inference_mode():
        assert "energy carries no gradient" in assert_clear(lambda: mala_on(POINTS))


def test_d15_step_sizes_may_be_lists_and_steps_floats_without_a_fraction() -> None:
    wanted = ula_on(POINTS, steps=2, step_size=torch.tensor([0.2, 0.1]))
    for sizes in ([0.2, 0.1], np.array([0.2, 0.1])):
        assert_same_bits(ula_on(POINTS, steps=2.0, step_size=sizes), wanted)


def test_d16_an_energy_that_is_nan_beyond_its_domain_is_blamed() -> None:
    kernel = langevin.mala(scores.energy_and_score(lambda x: (x - x.log()).sum(1)), 0.5)
    with pytest.raises(langevin.DivergenceError, match="the energy is not where it was proposed"):
        langevin.sample(kernel, torch.full((8, 1), 0.2), 200)


def test_d16_a_sampler_that_runs_away_before_anything_is_learnt_is_blamed() -> None:
    with pytest.raises(Exception, match="smaller `step_size`") as caught:
        energy_on(COLOUR, replace(CFEBM, step_size=1e4, images=(400,)))
    assert "learning rate" not in str(caught.value)


def test_d10_the_range_of_another_function_is_told() -> None:
    unit = (COLOUR + 1) / 2
    with pytest.warns(UserWarning, match="give 2 x - 1"):
        pixels.pixel_accuracy(unit, unit)
    assert "(x + 1) / 2" in assert_clear(lambda: change.change(COLOUR, OTHER))


def test_one_device_for_what_meets() -> None:
    wrong = {}
    with pretend.accelerator():
        for name, (entry, x) in ALL_PICTURES.items():
            found, said = outcome(lambda entry=entry, x=x: entry(x.to(pretend.NAME)))
            if found != "silent" and not (found == "clear" and "move one" in said):
                wrong[name] = said
    assert not wrong, "\n".join(map(str, wrong.items()))
