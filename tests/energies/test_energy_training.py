"""Algorithms 1 and 2: fading, starts, resume, divergence, presets, what they refuse."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from still import losses_of
from torch import Tensor
from toyrun import Stop, killed_fit

from domain_translation.data import load_digits
from domain_translation.energies import config as presets
from domain_translation.energies import training
from domain_translation.energies.average import Average
from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.guard import FIELDS, WINDOW, DivergedError, Trace
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import ShortRun, sample, short_run, uniform
from domain_translation.energies.training import (
    algorithm1,
    at_size,
    fading,
    from_noise,
    smooth_start,
    train,
)
from domain_translation.notebook.errata import checks
from domain_translation.runtime import precision, seeded
from domain_translation.sampling import langevin, scores
from domain_translation.training import LOOK, Player, Step, checkpoints, fit, model_files
from domain_translation.training.checkpoints import CheckpointError

TINY = CFEBMConfig(
    sizes=(8, 16),
    images=(16, 40),
    steps=(2, 3),
    learning_rates=(1e-3, 1e-3),
    batch=4,
    c=1,
    spectral=False,
    variance=4e-4,
)


def stripes(n: int = 32, size: int = 16) -> Tensor:
    """Horizontal and vertical stripes: two modes that are easy to tell apart."""
    pattern = torch.where(torch.arange(size) % 8 < 4, 1.0, -1.0).expand(size, size)
    return torch.stack([pattern if i % 2 else pattern.T for i in range(n)])[:, None]


def weights(trained: training.Trained) -> dict[str, Tensor]:
    return trained.network.state_dict()


def test_fading_is_the_reading_of_the_erratum() -> None:
    assert [fading(m, 100) for m in (0, 25, 50, 51, 100)] == [0, 0.5, 1, 1, 1]
    assert fading(30, 100) == checks.fade_read(30, 100)


def test_the_step_is_equation_3_with_the_noise_of_a2() -> None:
    """For E = |x|^2 / 2 a chain is a linear recursion: its variance is known at every length."""
    run = ShortRun(20, step_size=0.3, variance=0.02)
    eta = torch.tensor([0.02 - 0.02 / (20 - t + 1) for t in range(1, 21)], dtype=torch.float64)
    torch.testing.assert_close(run.temperatures(), eta / 0.6)
    start = torch.zeros(4000, 1, 2, 2)
    x = short_run(lambda x: x.square().flatten(1).sum(1) / 2, start, run, seed=1).x
    variance = 0.0
    for e in eta.tolist():
        variance = (1 - 0.3) ** 2 * variance + e
    assert abs(x.var().item() / variance - 1) < 0.05  # 16,000 numbers: four standard errors


def test_sampling_is_algorithm_2() -> None:
    with seeded(0):
        network = EnergyNetwork(8, 1, 1)
    run = ShortRun(5, 0.5, 4e-4)
    g = torch.Generator().manual_seed(3)
    start = uniform(4, 1, 8, g)
    kernel = langevin.ula(scores.energy_score(network), 0.5, run.temperatures())
    expected = langevin.sample(kernel, start, 5, generator=g).x
    torch.testing.assert_close(sample(network, 4, run, seed=3), expected)
    assert start.min() >= -1
    assert start.max() <= 1
    assert start.std() > 0.5


def test_longer_chains_are_allowed_and_warned_of() -> None:
    with seeded(0):
        network = EnergyNetwork(8, 1, 1)
    with pytest.warns(UserWarning, match="9 steps are more than the 5 of training: .*oversaturate"):
        assert sample(network, 2, ShortRun(5), steps=9).shape == (2, 1, 8, 8)


def test_smooth_start_mixes_coarse_samples_and_noise() -> None:
    with seeded(0):
        coarse = EnergyNetwork(8, 1, 1)
    start = smooth_start(coarse, ShortRun(4, 0.5, 4e-4))
    g = torch.Generator()
    at_0 = start(64, 0.0, g.manual_seed(0))
    torch.testing.assert_close(at_0[..., ::2, ::2], at_0[..., 1::2, 1::2])  # upsampled
    at_1 = start(64, 1.0, g.manual_seed(0))
    assert torch.equal(at_1, uniform(64, 1, 16, g.manual_seed(0)))  # noise alone
    half = start(64, 0.5, g.manual_seed(0))
    # The same noise in both: what remains is made of 2x2 blocks.
    rest = half - 0.5 * at_1
    torch.testing.assert_close(rest[..., ::2, ::2], rest[..., 1::2, 1::2], atol=1e-5, rtol=1e-4)
    assert abs(rest.std() - 0.75**0.5 * at_0.std()) < 0.02


def test_one_update_is_equation_2() -> None:
    """Energies of data fall, those of samples rise: the sign of the gradient."""
    config = replace(TINY, sizes=(8,), images=(400,), steps=(2,), learning_rates=(1e-3,))
    trained = train(stripes(size=8), config, 0)
    gap = trained.stages[0]["gap"]
    assert gap[-20:].mean() < gap[:5].mean()
    data, noise = stripes(size=8), uniform(32, 1, 8, torch.Generator().manual_seed(0))
    assert trained.network(data).mean() < trained.network(noise).mean()


def test_the_loss_of_one_update_by_hand() -> None:
    """E of noisy data minus E where chains from noise end, and a penalty on both (eq. 2)."""
    config = replace(
        TINY, sizes=(8,), images=(16,), steps=(3,), learning_rates=(1e-3,), penalty=0.5
    )
    x, g = stripes(4, 8), torch.Generator().manual_seed(7)
    with seeded(0):
        energy = EnergyNetwork(8, 1, 1)
    average, trace = Average(energy, 0.9), Trace(4)
    stage = training.Stage(0, x, from_noise(1, 8))

    def step(players: dict[str, Player]) -> Step:
        noisy = replace(config, data_noise=0.3)
        return algorithm1(energy, stage, noisy, average, trace, players["energy"])

    (found,) = losses_of(step, ["energy"], (x,), seed=7)
    samples = short_run(energy, uniform(4, 1, 8, g), config.run(), generator=g).x
    noisy = x + 0.3 * torch.randn(x.shape, generator=g)
    low, high = energy(noisy), energy(samples)
    by_hand = low.mean() - high.mean() + 0.5 * (low.square().mean() + high.square().mean())
    torch.testing.assert_close(found, by_hand)
    # What is written down of it
    assert len(trace) == average.updates == 1
    expected = {
        "gap": low.mean() - high.mean(),
        "data_energy": low.mean(),
        "sample_energy": high.mean(),
        "gradient_norm": scores.energy_score(energy)(samples).flatten(1).norm(dim=1).mean(),
        "sample_std": samples.std(),
        "diversity": samples.std(0).mean(),
        "fade": torch.tensor(1.0),
    }
    torch.testing.assert_close({field: trace[field][0] for field in FIELDS}, expected)


def test_a_stage_fades_by_its_images_and_starts_from_the_coarse_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """b = 2m / N; the coarse chains that help have the coarse stage's length."""
    helped: list[ShortRun] = []

    def watched(coarse: EnergyNetwork, run: ShortRun, precision: str) -> training.Start:
        helped.append(run)
        return smooth_start(coarse, run, precision)

    monkeypatch.setattr(training, "smooth_start", watched)
    fade = train(stripes(), TINY).stages[1]["fade"]  # 40 images, four an update
    assert fade.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 1])
    assert [run.steps for run in helped] == [TINY.steps[0]]


def test_the_last_stage_slows_down_from_its_middle_on() -> None:
    factor = training._slowing(100, 0.2)
    assert [factor(step) for step in (0, 50, 75, 100)] == pytest.approx([1, 1, 0.6, 0.2])


def test_training_moves_the_samples_to_the_data() -> None:
    """After 150 updates the mean of samples is near the mean digit; at the start it is 0."""
    digits = 2 * load_digits(seed=0).train.x - 1
    config = replace(
        TINY,
        sizes=(8,),
        images=(9_600,),
        steps=(15,),
        learning_rates=(1e-3,),
        batch=64,
        c=4,
        penalty=0.01,
    )
    trained = train(digits, config, 0)
    x = sample(trained.network, 128, config.run(), seed=1)
    mean = digits.mean(0)
    assert (x.mean(0) - mean).norm() < 0.3 * mean.norm()
    assert trained.stages[0]["sample_std"][-1] < 1


def test_the_average_follows_its_formula() -> None:
    network = torch.nn.Linear(2, 1)
    mean = Average(network, decay=0.15)
    expected = network.weight.detach().clone()
    for k in range(3):
        with torch.no_grad():
            network.weight.mul_(-2.0).add_(1.0)
        mean.update(network)
        decay = min(0.15, (1 + k) / (10 + k))
        expected = decay * expected + (1 - decay) * network.weight.detach()
        torch.testing.assert_close(mean.state_dict()["weight"], expected)


def test_a_resumed_training_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(stripes(), TINY, 3)
    stops = iter((2, 7))

    def stopping_fit(*arguments: Any, **options: Any) -> Tensor:
        """The second stage dies after a few updates, having written a checkpoint."""
        at = next(stops) if options["label"] == "energy at 16 pixels" else None
        return (fit if at is None else killed_fit(at))(*arguments, **options)

    monkeypatch.setattr(training, "fit", stopping_fit)
    for done in (2, 9):
        with pytest.raises(Stop):
            train(stripes(), TINY, 3, tmp_path)
        assert checkpoints.load(tmp_path / "16.safetensors").card["step"] == done
    monkeypatch.undo()
    again = train(stripes(), TINY, 3, tmp_path)
    assert all(torch.equal(v, weights(again)[k]) for k, v in weights(whole).items())
    assert all(
        torch.equal(v, again.average.state_dict()[k]) for k, v in whole.average.state_dict().items()
    )
    for before, after in zip(whole.stages, again.stages, strict=True):
        assert torch.equal(before.values, after.values)
        assert len(before) == len(after)
    assert whole.stages[1]["fade"].max() == 1
    assert whole.network.fading is None


def test_a_checkpoint_of_another_stage_or_run_is_refused(tmp_path: Path) -> None:
    train(stripes(), TINY, 0, tmp_path)
    (tmp_path / "8.safetensors").replace(tmp_path / "16.safetensors")
    with pytest.raises(CheckpointError, match=r"belongs to another run \(.*stage"):
        train(stripes(), TINY, 0, tmp_path)
    with pytest.raises(CheckpointError, match="seed"):
        train(stripes(), TINY, 1, tmp_path)


GUARDED = ("gap", "gradient_norm", "sample_std", "diversity")


def trace_of(rows: list[dict[str, float]]) -> Trace:
    """A trace of these updates."""
    trace = Trace(len(rows))
    values = torch.tensor([[row[field] for field in FIELDS] for row in rows])
    trace.load_state_dict({"values": values, "done": torch.tensor(len(rows))})
    return trace


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sample_std": 50.0}, "leave the range"),
        ({"gap": float("nan")}, "come apart"),
        ({"diversity": 0.0}, "same image"),
        ({"gradient_norm": 1e5}, "too steep"),
        ({"gradient_norm": float("nan"), "diversity": 0.0}, "too steep"),  # the first sign counts
    ],
)
def test_each_sign_of_divergence_is_named(change: dict[str, float], words: str) -> None:
    healthy = dict.fromkeys(FIELDS, 0.5)
    trace_of([healthy] * 3).check()
    with pytest.raises(DivergedError, match=f"update 2: .*{words}") as found:
        trace_of([healthy, {**healthy, **change}, healthy]).check()
    assert found.value.update == 2
    assert found.value.measured == pytest.approx({**healthy, **change}, nan_ok=True)


def test_one_wide_gap_is_forgiven_and_many_are_not() -> None:
    """With a penalty of 0.02 the gap of a lost run stays at 50: a single limit would not see it."""
    images, score = uniform(4, 1, 8, torch.Generator().manual_seed(0)), torch.ones(4, 1, 8, 8)

    def add(trace: Trace, gap: float) -> None:
        trace.add(torch.full((4,), gap), torch.zeros(4), images, score, 1.0)

    trace = Trace(300)
    for k in range(200):
        add(trace, 90.0 if k % 3 == 0 else 0.1)
    trace.check()
    lost = Trace(300)
    for _ in range(WINDOW - 1):
        add(lost, -50.0)
    lost.check()
    add(lost, -50.0)
    with pytest.raises(DivergedError, match=f"update {WINDOW}: .*come apart"):
        lost.check()


def first_lost(rows: list[dict[str, float]], every: int) -> str:
    """What a run with these updates ends by, looked at `every` so many and at the end."""
    for done in (*range(every, len(rows), every), len(rows)):
        try:
            trace_of(rows[:done]).check()
        except DivergedError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("seed", range(12))
def test_the_first_lost_update_is_found_however_seldom_one_looks(seed: int) -> None:
    """The same as the definition finds, update by update: medians, signs in their order."""
    g = torch.Generator().manual_seed(seed)
    n, wide = 170, 0.35 + 0.02 * seed  # share of wide gaps: the median is above 20 for half of them
    rows = torch.rand(n, len(FIELDS), generator=g) + 0.1
    gap, steep, spread, same = (FIELDS.index(f) for f in GUARDED)
    rows[:, gap] += 40 * (torch.rand(n, generator=g) < wide)
    for field, value in ((gap, math.nan), (steep, 2e3), (spread, 11.0), (same, 1e-4)):
        rows[torch.rand(n, generator=g) < 0.0015, field] = value
    expected = ""
    for k, now in enumerate(rows.tolist()):
        recent = sorted(abs(row[gap]) for row in rows[max(0, k + 1 - WINDOW) : k + 1].tolist())
        if not math.isfinite(now[gap]) or (k + 1 >= WINDOW and recent[(WINDOW - 1) // 2] > 20):
            expected = "the energies of data and samples have come apart"
        elif now[steep] >= 1e3:
            expected = "the energy is too steep for any step size"
        elif now[spread] >= 10:
            expected = "the chains leave the range of images"
        elif now[same] < 1e-3:
            expected = "all chains end at the same image"
        if expected:
            expected = f"update {k + 1}: {expected}"
            break
    run = [dict(zip(FIELDS, row, strict=True)) for row in rows.tolist()]
    found = [first_lost(run, every) for every in (1, 7, LOOK)]
    assert len(set(found)) == 1
    assert found[0].partition(" (")[0] == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((stripes(), torch.zeros(32)), "without labels"),
        (stripes(size=8), r"last stage takes images \(n, C, 16, 16\)"),
        (2 * stripes(), r"pixels lie in \[-2, 2\]"),
        (stripes() * torch.nan, "hold NaN"),
        (stripes().long(), "int64"),
        (stripes()[:0], "have shape"),
    ],
)
def test_data_that_are_no_images(data: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        train(data, TINY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sizes": (8, 32)}, "doubles"),
        ({"steps": (1,)}, "different lengths"),
        ({"batch": 100}, "at least one batch"),
    ],
)
def test_schedules_that_do_not_fit(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(TINY, **change)  # type: ignore[arg-type]


PRESETS = {k: v for k, v in vars(presets).items() if isinstance(v, CFEBMConfig)}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_build_and_take_a_step_at_every_stage(name: str) -> None:
    """The preset's stages, each with one update of two images, at its own width up to 32 pixels."""
    config = PRESETS[name]
    large = config.sizes[-1] > 32
    tiny = replace(
        config,
        batch=2,
        images=(2,) * len(config.sizes),
        steps=(1,) * len(config.sizes),
        c=4 if large else config.c,
    )
    trained = train(stripes(4, config.sizes[-1]), tiny, 0)
    assert trained.network.size == config.sizes[-1]
    assert all(len(s) == 1 for s in trained.stages)
    assert trained.network(stripes(1, config.sizes[-1])).isfinite().all()


def test_presets_are_the_papers_schedules() -> None:
    p = presets.PAPER_128
    assert p.images == (50_000, 75_000, 100_000, 125_000, 150_000)
    assert p.steps == (15, 30, 50, 50, 60)
    assert p.learning_rates == (0.001, 0.001, 0.001, 0.0012, 0.0015)
    assert (p.momentum, p.step_size, p.variance, p.c) == (0.5, 1.0, 0.02, 32)
    assert sum(presets.PAPER_256.steps) == 90
    assert presets.PAPER_DOG_TO_CAT.learning_rates[0] == pytest.approx(0.01)
    assert presets.PAPER.updates(0) == -(-50_000 // 64)


def test_every_setting_is_read() -> None:
    folder = Path(training.__file__).parent
    code = "".join(p.read_text() for p in folder.glob("*.py"))
    for field in fields(CFEBMConfig):
        assert f"config.{field.name}" in code or f"self.{field.name}" in code, field.name


def test_a_trained_energy_travels_in_a_file(tmp_path: Path) -> None:
    network = train(stripes(), TINY).network
    model_files.save_model(tmp_path / "e.safetensors", network)
    again = model_files.load_model(tmp_path / "e.safetensors").network
    assert torch.equal(again(stripes()), network(stripes()))
    assert checkpoints.load(tmp_path / "e.safetensors").card["network"] == "EnergyNetwork"


def test_small_images_are_means() -> None:
    x = stripes()
    assert torch.equal(at_size(x, 16), x)
    torch.testing.assert_close(at_size(x, 8)[..., 0, 0], x[..., :2, :2].mean((-2, -1)))
    assert from_noise(3, 8)(2, 1.0, torch.Generator()).shape == (2, 3, 8, 8)


def test_auto_records_the_precision_that_was_taken(tmp_path: Path) -> None:
    train(stripes(), replace(TINY, precision="auto"), checkpoint=tmp_path)
    for path in tmp_path.iterdir():
        taken = checkpoints.load(path).card["run"]["config"]["precision"]
        assert taken == precision("auto", "cpu")
