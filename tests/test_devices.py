"""Everything runs on another device: the bits of the CPU, and hardly a wait or an upload a step.

`pretend` shows what fails, what the host waits for and what is copied. What runs step by step, a
sampler or a training, is a row of `RUNS`; what is called once is a row of `ONCE`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ownpictures as own
import pytest
import torch
from elsewhere import Run, To, assert_same_bits, assert_stays_there, here, place, pretend, there
from torch import Generator, Tensor, nn

from domain_translation import cli, cooling, denoising, runtime
from domain_translation.cooling.pictures import cool as cool_pictures
from domain_translation.cooling.stopping import cool_along, cool_until
from domain_translation.cooling.strips import strip
from domain_translation.denoising.principal import principal
from domain_translation.energies import (
    baseline_densities,
    baseline_detectors,
    detection,
    likelihood,
    quadrature,
    restoration,
    saliency,
    toy,
)
from domain_translation.energies import sampling as energies
from domain_translation.energies.network import EnergyNetwork
from domain_translation.evaluation import forced_choice
from domain_translation.evaluation.distances import (
    features,
    frechet,
    kernel_distance,
    neighbours,
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
    regions,
)
from domain_translation.evaluation.statistics import class_preservation, significance
from domain_translation.sampling import adaptation, ais, diagnostics, langevin, schedules, scores
from domain_translation.sampling.densities import GaussianMixture

# What they work on


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=Generator().manual_seed(seed)) * 2 - 1


RING = GaussianMixture.ring()
POINTS = draw(12, 2)
GREY = draw(6, 1, 8, 8)
COLOUR = draw(24, 3, 8, 8, seed=1)
OTHER = draw(24, 3, 8, 8, seed=2)
CLASSES = torch.arange(24) % 3
COOL: dict[str, Any] = {"step_size": 0.005, "temperature": 0.01}


def network(make: Callable[..., nn.Module], to: To, *arguments: Any) -> Any:
    """The same network for each run, frozen, on the device of the run."""
    with runtime.seeded(0):
        made = make(*arguments)
    return made.to(place(to)).requires_grad_(False).eval()


def score(to: To) -> scores.Score:
    return scores.dae_score(network(denoising.UNetDenoiser, to, 1, 2), 0.3)


def energy(to: To) -> EnergyNetwork:
    return network(EnergyNetwork, to, 8, 2, 1)


def bent(x: Tensor) -> Tensor:
    return (x**2 + 0.1 * (3 * x).sin()).flatten(1).sum(1)


# Step by step


def chain(kernel: Callable[[To], langevin.Kernel], **how: Any) -> Callable[[int, To], Any]:
    return lambda steps, to: vars(langevin.sample(kernel(to), to(POINTS), steps, **how))


def ula(to: To) -> langevin.Kernel:
    return langevin.ula(torch.neg, 0.01)


def scaled(to: To) -> langevin.Kernel:
    sizes = to(schedules.linear(0.02, 0.01, 400).float())
    return langevin.ula(RING.score, sizes, scale=to(torch.tensor([1.0, 2.0])))


def annealed(to: To) -> langevin.Kernel:
    return langevin.ula(lambda x, sigma: -x / sigma, 1e-3, sigma=lambda t: 1 / (10 + t))


def mala(to: To) -> langevin.Kernel:
    return langevin.mala(lambda x: (x.square().sum(1) / 2, -x), lambda t: 1 / (1 + t), 0.7)


def with_generator(steps: int, to: To) -> Any:
    source = torch.Generator(place(to)).manual_seed(3)
    return langevin.sample(mala(to), to(POINTS), steps, generator=source).x


def bridge(steps: int, to: To) -> Any:
    base, betas = ais.Uniform((4,), -2.0, 2.0), ais.sigmoid(steps + 1)
    run = ais.forward(bent, base, betas, 0.1, chains=5, device=place(to))
    return vars(run), ais.bound(run)


def bridge_back(steps: int, to: To) -> Any:
    base, betas = ais.Normal((4,)), ais.sigmoid(steps + 1)
    return vars(ais.reverse(bent, base, betas, 0.1, to(draw(5, 4))))


def masked(steps: int, to: To) -> Any:
    mask = to(torch.tensor([True, False, True, True, False, True]))
    return cooling.cool(torch.sin, to(GREY), steps=steps, mask=mask, thin=50, batch=2, **COOL)


def along(steps: int, to: To) -> Any:
    sigmas = [1 / (1 + t) for t in range(steps)]
    return cool_along(lambda x, s: -x / s, to(GREY), sigmas=sigmas, share=0.1, temperature=0.01)


def round_trips(steps: int, to: To) -> Any:
    there_and_back = scores.cycle_score(torch.sin, torch.cos, 0.5)
    return cooling.cool(there_and_back, to(GREY), steps=steps, **COOL)


def in_a_training(steps: int, to: To) -> Any:
    """The chains that the updates of CF-EBM's Algorithm 1 begin with."""
    source = torch.Generator(place(to)).manual_seed(0)
    x, known, run = to(GREY), energy(to), energies.ShortRun(10)
    for _ in range(steps):
        x = energies.short_run(known, x, run, generator=source, check=False).x
    return x


def restored(steps: int, to: To) -> Any:
    run, missing = energies.ShortRun(steps), restoration.hole("scattered", 8)
    return restoration.complete(bent, to(GREY), missing, run, copies=2)


RUNS = {
    "ULA": Run(chain(ula)),
    "ULA, scale and schedule": Run(chain(scaled)),
    "ULA, chain seeds, trajectory": Run(chain(ula, chain_seeds=range(12), thin=50)),
    "ULA, annealed": Run(chain(annealed)),
    "ULA, unchecked": Run(chain(ula, check=False), waits=0, uploads=0),
    "MALA, trajectory": Run(chain(mala, thin=50)),
    "MALA, chain seeds": Run(chain(mala, chain_seeds=range(12))),
    "MALA, generator": Run(with_generator),
    "AIS": Run(bridge),
    "AIS, backwards": Run(bridge_back),
    "cool": Run(lambda n, to: cooling.cool(score(to), to(GREY), steps=n, **COOL).x),
    "cool, mask, parts, trajectory": Run(masked),
    "cool until": Run(
        lambda n, to: cool_until(torch.neg, to(GREY), level=3.8, max_steps=n, **COOL)
    ),
    "cool along": Run(along),
    "cool by round trips": Run(round_trips),
    "CF-EBM, in a training": Run(in_a_training, (2, 6), waits=0, uploads=0),
    "CF-EBM, restoration": Run(restored),
}


@pytest.mark.parametrize("name", RUNS)
def test_steps_neither_wait_nor_upload_and_have_the_bits_of_the_cpu(name: str) -> None:
    assert_stays_there(RUNS[name])


def test_a_divergence_is_reported_from_any_device() -> None:
    kernel = langevin.ula(lambda x: torch.where(x > 0.9, torch.inf, x), 0.1)
    with pretend.accelerator(float64=False), pytest.raises(langevin.DivergenceError) as caught:
        langevin.sample(kernel, there(POINTS), 50)
    with pytest.raises(langevin.DivergenceError) as wanted:
        langevin.sample(kernel, POINTS, 50)
    assert vars(caught.value) == vars(wanted.value)


def test_mistakes_fail_as_on_cuda_and_are_counted() -> None:
    x = torch.ones(3)
    with pretend.accelerator() as seen:
        y = there(x)
        for wrong in (
            lambda: x + y,
            lambda: torch.stack([x[0], y[0]]),
            lambda: x[y.long()],
            lambda: torch.empty_like(y).normal_(generator=torch.Generator()),
            lambda: torch.empty(3).normal_(generator=torch.Generator(pretend.NAME)),
        ):
            with pytest.raises(pretend.MixedDevices):
                wrong()
        with pytest.raises(TypeError, match="array"):
            y.numpy()
        assert not seen.waits
        assert float((y * x[0] + y[x > 0]).sum()) == 6
    assert seen.waits.total() == 2  # float, and a mask
    assert seen.uploads.total() == 2  # x, and the mask
    with pretend.accelerator(float64=False), pytest.raises(TypeError, match="float64"):
        there(x).double()


# Once


def detectors(to: To) -> Any:
    train, known = to(GREY), energy(to)
    others = {
        "noise": detection.uniform_noise(4, train, 0),
        "constants": detection.constants(4, train, 0),
        "mixtures": detection.interpolations(4, train, 0),
        "levels": detection.greys(torch.linspace(-1, 1, 4), train),
        "blurred": detection.blurred(train, 1.0),
    }
    found = detection.energy_detectors(known, train) | dict(baseline_detectors.energy_free(train))
    return detection.table(found, train, others)


def translation(to: To) -> Any:
    with pytest.warns(UserWarning, match="oversaturate"):
        sampled = energies.sample(energy(to), 2, energies.ShortRun(3), steps=4)
    maps = saliency.saliency(energy(to), to(GREY), energies.ShortRun(5))
    changed = saliency.over_channels(maps.magnitude)
    return sampled, maps, saliency.finds_change(changed, changed > changed.median())


def holes(to: To) -> Any:
    x, missing = to(GREY), to(restoration.hole("centre", 8))
    filled = restoration.neighbour_fill(x[:2], missing, x, 3)
    mean = restoration.mean_fill(x, missing, x)
    return filled, restoration.spread(filled, missing), restoration.hole_error(mean, x, missing)


def normaliser(to: To) -> Any:
    energy, cells = network(toy.MLPEnergy, to), quadrature.cells(2.0, 9)
    log_p = RING.log_prob(cells.centres)
    return (
        quadrature.log_normaliser(energy, cells),
        quadrature.divergence(log_p, energy, cells),
        quadrature.best_temperature(log_p, energy, cells),
    )


def densities_with_likelihoods(to: To) -> Any:
    levels = to(((COLOUR[:, :1, :2, :2] + 1) * 4).floor())
    x = baseline_densities.dequantised(levels, 8, Generator().manual_seed(0))
    found = (
        baseline_densities.histograms(levels, 8, x),
        baseline_densities.gaussian(x, x, [0.1]),
        baseline_densities.mixture(x, x, [2], [0.1]),
        baseline_densities.kernels(x, x, [0.3]),
    )
    return [(one.validation, one.gain(x)) for one in found]


def temperatures(to: To) -> Any:
    x, how = to(draw(3, 2)), {"hottest": 5.0, "steps": 4}
    profile = likelihood.profile(bent, x, coldest=0.5, chains=4, **how)
    return vars(profile), profile.at(1.0), profile.at(0.1), likelihood.bracket(
        bent, 1.0, x, settle=3, **how
    )  # fmt: skip


def judged(to: To) -> Any:
    x, y = to(COLOUR), to(CLASSES)
    both = classical.train_judges(x, y)
    judge = network(sample_judges.SampleJudge, to, 8, 3)
    five = network(image_judges.ImageJudges, to, 8)
    table = class_preservation.confusion(judge, x, y, 10)
    pairs = class_preservation.grid(lambda image, seed: image + seed / 9, x, 2)
    return (
        classical.accuracy(both, x, y),
        classical.likeness(both, x, y),
        image_judges.target_likeness(five, x),
        class_preservation.agreement(table),
        class_preservation.variance_shares(pairs.flatten(2)),
        class_preservation.class_swayed(judge, pairs),
        features.judge_features(judge)(x),
    )


def sets_of_images(to: To) -> Any:
    x, y = to(COLOUR.flatten(1)), to(OTHER.flatten(1))
    many = to(draw(100, 3, 2, 2))
    return (
        frechet.frechet_distance(x[:, :5], y[:, :5]),
        kernel_distance.kernel_distance(x, y, subsets=3, size=9),
        neighbours.memorisation(many[:9] + 0.1, many, many[:50]),
        trivial_generators.gaussian_samples(to(COLOUR), 5, components=2),
        looks.fit(to(COLOUR), to(OTHER)).share(to(OTHER)),
    )


def pairs_of_images(to: To) -> Any:
    x, y = to(COLOUR), to(OTHER)
    region = regions.changed_region(x, y, 0.5)
    before, after = noisiness.noise_level(x), noisiness.noise_level(y)
    return (
        change.change((x + 1) / 2, (y + 1) / 2),
        counterparts.to_counterparts(x, y, to(CLASSES)),
        controls.blurred_as_far(x, y),
        map_classes.map_classes(x, map_classes.CITY),
        map_classes.accuracy_by_class(x, y, map_classes.CITY, 200.0),
        regions.error_in(x, y, region),
        regions.contrast_in(x, region, 3),
        significance.compare(before, after),
        cooling.compare_by_share(before, before, after),
        forced_choice(before[None], after[None], raters=4, pairs=5),
    )


def of_a_trajectory(to: To) -> Any:
    x = to(draw(20, 3, 2))
    return diagnostics.ess(x), diagnostics.split_rhat(x)


def of_cooling(to: To) -> Any:
    x, how = to(COLOUR[:4]), {"steps": 4, **COOL}
    trials = cooling.search(
        torch.neg, x, lambda y: float(y.mean()), step_sizes=[0.1], temperatures=[0.1], steps=[2, 4]
    )
    return (
        strip(torch.sin, torch.neg, x, frames=2, **how),
        cooling.study(torch.sin, torch.neg, x, cooling.Cooling(0.3, 0.1, 0.1, 4), 0),
        cool_pictures(torch.sin, x, lambda y: 0.9 * y, sigma=0.3, steps=4, share=0.5, batch=3),
        trials,
    )


def axes(to: To) -> Any:
    wide, tall = principal(to(COLOUR), 3), principal(to(COLOUR[:, :, :2, :2]), 3)
    return vars(wide), vars(tall)


ONCE: dict[str, Callable[[To], Any]] = {
    "step size": lambda to: adaptation.adapt_step_size(
        lambda a: langevin.mala(RING.energy_and_score, a), to(POINTS), 20
    ),
    "step sizes of a bridge": lambda to: ais.adapt(
        bent, ais.Normal((4,)), ais.sigmoid(20), chains=4, warmup=5, device=place(to)
    ),
    "a trajectory": of_a_trajectory,
    "cooling": of_cooling,
    "principal axes": axes,
    "detection": detectors,
    "translation by an energy": translation,
    "holes": holes,
    "normaliser": normaliser,
    "likelihoods": densities_with_likelihoods,
    "temperatures": temperatures,
    "judges": judged,
    "sets of images": sets_of_images,
    "pairs of images": pairs_of_images,
}


@pytest.mark.parametrize("float64", [True, False], ids=["float64", "no float64"])
@pytest.mark.parametrize("name", ONCE)
def test_what_is_called_once_has_the_bits_of_the_cpu(name: str, float64: bool) -> None:
    with pretend.accelerator(float64=float64):
        found = ONCE[name](there)
    assert_same_bits(found, ONCE[name](here))


# Commands


def commands(folder: Path, device: str) -> dict[str, bytes]:
    """The files that both commands write for two pictures, with what they say of the device."""
    own.folder(folder / "in", 2, side=12)
    own.translator_file(folder / "g")
    learn = ["train-denoiser", "in", "--out", "d", "--crop", "8", "--crops", "4", "--width", "2"]
    cool = ["cool", "in", "out", "--translator", "g", "--denoiser", "d", "--share", "0.5"]
    with contextlib.chdir(folder):
        assert cli.main([*learn, "--steps", "2", "--batch", "2", "--device", device]) == 0
        assert cli.main([*cool, "--steps", "3", "--device", device]) == 0
    files = own.bytes_below(folder)
    assert json.loads(files.pop("out/run.json"))["settings"]["device"] == device
    return files


def test_the_commands_write_the_files_of_the_cpu(tmp_path: Path) -> None:
    with pretend.accelerator(float64=False):
        found = commands(tmp_path / "there", pretend.NAME)
    wanted = commands(tmp_path / "here", "cpu")
    assert {"d", "out/scores.csv", "out/cooled/0.png", "out/translated/1.png"} < found.keys()
    assert found == wanted


@pytest.mark.parametrize(
    "command",
    [
        "cool in out --translator g --denoiser d",
        "train-denoiser in --out new",
        "train-translator in other --out new",
    ],
)
def test_a_device_that_is_not_there_is_one_sentence(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own.folder(tmp_path / "in", 1)
    own.translator_file(tmp_path / "g")
    own.denoiser_file(tmp_path / "d")
    with contextlib.chdir(tmp_path):
        assert cli.main([*command.split(), "--device", "cuda:77"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "domain-translation: the device 'cuda:77' is not here; this machine has cpu"
    )
    assert said.count("\n") == 1
    assert {"g", "d", "in"} == {path.name for path in tmp_path.iterdir()}
