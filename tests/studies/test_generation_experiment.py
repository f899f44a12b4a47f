"""The generation experiment on a tiny energy: what it reports, and that it reports it rightly."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.data.digits import Split
from domain_translation.energies import config as presets
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import ShortRun, uniform
from domain_translation.energies.work import short_run_network, work
from domain_translation.evaluation.distances.protocol import Protocol
from domain_translation.evaluation.judges.sample_judges import SampleJudge
from domain_translation.studies.energies import generation
from domain_translation.studies.study import tensors
from domain_translation.synthetic.digits import glyphs
from domain_translation.training.cost import multiplications


def real(n: int, seed: int) -> Split:
    return Split(*glyphs.sample(n, seed, size=8))


@pytest.fixture
def case() -> generation.Case:
    torch.manual_seed(0)
    network = EnergyNetwork(8, 2, 1).requires_grad_(False).eval()
    judge = SampleJudge(8, width=4).requires_grad_(False).eval()
    rules = Protocol("by hand", 110, 8, 1, subsets=2, subset=20)
    return generation.Case(
        network, ShortRun(4, 1.0, 0.01), judge, rules, real(150, 1), real(120, 2)
    )


def test_recognised_counts_what_the_judge_says(case: generation.Case) -> None:
    class Fixed(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            p = x.flatten(1)[:, :3]
            return p.log()

    x = torch.tensor([[0.95, 0.03, 0.02], [0.02, 0.92, 0.06], [0.3, 0.3, 0.4], [0.1, 0.85, 0.05]])
    x = torch.cat([x, torch.zeros(4, 13)], 1).reshape(4, 1, 4, 4)
    found = generation.recognised(Fixed(), x)  # type: ignore[arg-type]
    assert found["confident"] == 0.5
    assert found["classes"] == [1, 2, 1]
    assert found["confident classes"] == [1, 1, 0]


def test_arms_stand_beside_the_samples(case: generation.Case) -> None:
    samples = generation.draw(case, 110)
    assert torch.equal(samples, generation.draw(case, 110))
    assert samples.abs().max() <= 1
    arms = generation.arms(case, samples)
    assert list(arms) == ["real, training", "samples", "one Gaussian", "20 Gaussians"]
    assert {tuple(x.shape) for x in arms.values()} == {(110, 1, 8, 8)}
    table = generation.compared(case, arms)
    assert table["samples"]["frechet"] > table["real, training"]["frechet"]
    assert "frechet" not in table["real, held out"]
    assert len({row["frechet"] for row in list(table.values())[1:]}) == 4


def test_memorisation_is_reported_with_its_power(case: generation.Case) -> None:
    found = generation.remembered(case, generation.draw(case, 110))
    assert found["pixels"]["p_value"] > 0.5  # an untrained energy copies nothing
    assert found["copies, noise 0.05"]["p_value"] < 1e-6
    assert found["copies, noise 0.05"]["nearer"] > found["copies, noise 0.4"]["nearer"]


def test_sweeps_change_one_thing_each(case: generation.Case) -> None:
    run = case.run
    etas, lengths = generation.eta_runs(run), generation.length_runs(run)
    assert [r.variance for r in etas.values()] == [0.01 * e for e in generation.ETAS]
    assert {(r.steps, r.step_size) for r in etas.values()} == {(4, 1.0)}
    assert [r.steps for r in lengths.values()] == [2, 4, 8, 16]
    assert {(r.variance, r.step_size) for r in lengths.values()} == {(0.01, 1.0)}
    assert etas["1"] == lengths["1"] == run
    found = generation.swept(case, {"quiet": etas["0"], "loud": replace(run, variance=4.0)}, 40)
    assert found["loud"]["noise level"] > found["quiet"]["noise level"]
    assert found["loud"]["outside"] > found["quiet"]["outside"] >= 0
    assert found["loud"]["contrast"] > found["quiet"]["contrast"]
    assert math.isfinite(found["quiet"]["frechet"])


def test_a_walk_without_noise_is_gradient_descent(case: generation.Case) -> None:
    quiet = generation.walked(case._replace(run=ShortRun(4, 1.0, 1e-12)), 20)
    assert quiet["noise"] < 1e-6
    assert quiet["same class"] == 1
    assert len(quiet["energy"]) == 5
    loud = generation.walked(case._replace(run=ShortRun(4, 1e-3, 0.5)), 20)
    assert 0.9 < loud["noise"] < 1.1  # hardly any drift: the way is the noise
    generator = Generator().manual_seed(case.protocol.seed)
    start = uniform(20, 1, 8, generator)
    assert quiet["energy"][0] == pytest.approx(float(case.network(start).mean()))


def test_the_stored_energies_are_the_units_of_the_card() -> None:
    card, stored = generation.card(), generation.stored()
    assert (card.study, card.profile) == ("energies/generation-full", "full")
    name = "samples the judge is sure of"
    assert list(card.values(name).values()) == [
        stored[of]["arms"]["samples"]["confident"] for of in generation.SETS
    ]
    assert card[name].seeds == card[name].n == 5
    rows = [stored[of]["eta"] for of in generation.SETS]
    factors = card.values("distance, log of its factor by 16 times the variance")
    assert [math.exp(v) for v in factors.values()] == pytest.approx(
        [row["16"]["frechet"] / row["1"]["frechet"] for row in rows]
    )
    longer = card.values("outside, gain by 4 times the length")
    assert (
        longer[4]
        == stored["cifar"]["length"]["4"]["outside"] - (stored["cifar"]["length"]["1"]["outside"])
    )
    found = card.values("memorisation is found in noisy copies")
    assert set(found.values()) == {1.0}
    assert set(card.values("memorisation is found").values()) <= {0.0, 1.0}
    assert card.origin["mnist"]["date"] == stored["mnist"]["date"]


def test_a_run_measures_what_the_stored_runs_hold(
    case: generation.Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(generation, "load_case", lambda name: asked.append(name) or case)
    monkeypatch.setattr(generation, "_SWEPT", 20)
    found = generation.run(generation.SETS, 2, tmp_path)
    assert asked == ["mnist"]
    assert (int(found["train images"]), int(found["test images"])) == (150, 120)
    assert 0 <= float(found["judge accuracy"]) <= 1
    assert len(found["nearest rows"]) == 8
    assert len(found["walk, energy"]) == 5
    stored = set(tensors(generation.stored()["mnist"]))
    others = {name.split(", ")[0] for name in stored - set(found)}
    assert others == {"protocol", "run", "seconds", "machine"}  # settings, and of that run
    monkeypatch.setattr(generation.pretrained, "load", lambda name: case.network)
    rows = generation.measure(generation.SETS, 2, found)
    assert {m.name for m in rows} == {r.name for r in generation.card().rows}
    assert len({tuple(m.networks) for m in rows}) == 1


def test_work_adds_up_on_one_stage_and_grows_with_every_setting() -> None:
    config = presets.CFEBMConfig(
        sizes=(8,), images=(100,), steps=(7,), learning_rates=(1e-3,), c=2, batch=10, spectral=False
    )
    forward = 2 * multiplications(lambda: EnergyNetwork(8, 2, 3), (1, 3, 8, 8))
    found = work(config)
    assert found.sample == 7 * 2 * forward
    assert found.training == 100 * (7 * 2 + 6) * forward
    assert found.parameters == sum(p.numel() for p in EnergyNetwork(8, 2, 3).parameters())
    two = work(
        replace(config, sizes=(8, 16), images=(100, 100), steps=(7, 7), learning_rates=(1e-3,) * 2)
    )
    large = 2 * multiplications(lambda: EnergyNetwork(16, 2, 3), (1, 3, 16, 16))
    assert two.training == pytest.approx(
        found.training + 100 * ((7 * 2 + 6) * large + 7 * 2 * forward / 4)
    )


def test_the_papers_cifar_schedule_is_a_matter_of_petaflops() -> None:
    assert 4e15 < work(presets.PAPER).training < 9e15
    assert work(presets.PAPER).parameters == 1_345_537


def test_the_short_run_network_has_the_parameters_of_table_3() -> None:
    network = short_run_network()
    assert sum(p.numel() for p in network.parameters()) == 2_763_393
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 1, 1, 1)
