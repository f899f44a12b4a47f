"""The study of maps at toy size, and the measurements that it shares with the chapter."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.data.folders import Domains
from domain_translation.denoising.training import DenoiserConfig
from domain_translation.evaluation import compare, pixel_accuracy
from domain_translation.evaluation.pictures.map_classes import (
    CITY,
    GOOGLE,
    accuracy_by_class,
    gaps,
    map_classes,
)
from domain_translation.evaluation.statistics.power import detectable_gain, pairs_needed, power
from domain_translation.notebook.criteria import CANNOT_TELL, at_least
from domain_translation.notebook.ledger import data_file
from domain_translation.studies.cooling import maps
from domain_translation.studies.cooling.map_measures import (
    Accuracies,
    band_means,
    by_fringe,
    by_share,
    flips,
    gains,
    in_batches,
    pooled,
    stored,
    summary,
    yardsticks,
)
from domain_translation.synthetic import TASKS
from domain_translation.training.cached import cached, seconds, timed
from domain_translation.translators.cyclegan import CycleGANConfig

ROOT = Path(__file__).resolve().parents[2]
PLAN = maps.Plan(
    cyclegan=CycleGANConfig(width=4, blocks=1, critic_layers=1, size=32, steps=2),
    load_size=36,
    denoiser=DenoiserConfig(steps=2, batch=2, learning_rate=1e-3),
    step_sizes=(0.001, 0.005),
    temperatures=(0.001,),
    steps=(1, 2),
)


def domains(n: int, seed: int, size: int = 32) -> Domains:
    scenes = TASKS["city"](n, seed, size=size)
    return Domains(scenes.source, scenes.target)


@pytest.fixture(scope="module")
def pairs() -> maps.Pairs:
    return maps.Pairs(domains(4, 0, 36), domains(4, 0).source, domains(3, 1), domains(10, 2))


def colour(rgb: tuple[int, int, int], size: int = 4) -> torch.Tensor:
    return (torch.tensor(rgb) / 127.5 - 1).reshape(1, 3, 1, 1).expand(1, 3, size, size)


# ------------------------------------------------------------------ classes


def test_every_legend_colour_is_its_own_class() -> None:
    for legend in (CITY, GOOGLE):
        for k, colours in enumerate(legend.values()):
            for rgb in colours:
                assert (map_classes(colour(rgb), legend) == k).all()


def test_a_colour_far_from_the_legend_is_a_border() -> None:
    assert (map_classes(colour((0, 0, 0)), CITY) == -1).all()


def test_class_accuracies_add_up_to_the_pixel_accuracy() -> None:
    a, b = domains(3, 5).target, domains(3, 6).target
    found = accuracy_by_class(a, b, CITY)
    total = sum(share * hits for share, hits in found.values())
    assert total == pytest.approx(float(pixel_accuracy(a, b).mean()), abs=1e-12)
    assert sum(share for share, _ in found.values()) == pytest.approx(1)


def test_the_legend_names_most_of_a_city_map() -> None:
    border = (map_classes(domains(5, 7, 64).target, CITY) == -1).double().mean()
    assert border < 0.2


def test_gaps_are_between_classes_and_the_nearest_comes_first() -> None:
    found = gaps({"a": ((0, 0, 0), (1, 0, 0)), "b": ((1, 0, 4),)})
    assert found[:2] == [(4, "a", (1, 0, 0), "b", (1, 0, 4)), (4, "b", (1, 0, 4), "a", (1, 0, 0))]
    assert [gap.distance for gap in found[2:]] == [pytest.approx(17**0.5)] * 2


# ------------------------------------------------------------------ power


def test_power_is_the_level_without_a_gain_and_what_was_wanted_at_the_detectable_one() -> None:
    assert power(0.0, 3.0, 100) == pytest.approx(0.05)
    assert power(detectable_gain(3.0, 848), 3.0, 848) == pytest.approx(0.8, abs=1e-4)
    assert detectable_gain(1.0, 1) == pytest.approx(2.8016, abs=1e-4)  # 1.9600 + 0.8416


def test_power_agrees_with_simulation() -> None:
    rng = np.random.default_rng(0)
    d = rng.normal(0.3, 1.0, (4000, 60))
    t = d.mean(1) / (d.std(1, ddof=1) / np.sqrt(60))
    assert power(0.3, 1.0, 60) == pytest.approx((np.abs(t) > 1.96).mean(), abs=0.03)


@given(st.floats(0.05, 5), st.floats(0.1, 20))
def test_pairs_needed_are_enough_and_one_less_is_not(gain: float, deviation: float) -> None:
    n = pairs_needed(gain, deviation)
    assert detectable_gain(deviation, n) <= gain * (1 + 1e-9)
    assert n == 1 or detectable_gain(deviation, n - 1) > gain * (1 - 1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: power(1, 0, 10),
        lambda: power(1, 1, 0),
        lambda: power(1, 1, 10, level=1.0),
        lambda: detectable_gain(1, 10, wanted=0.01),
        lambda: pairs_needed(0, 1),
    ],
)
def test_power_refuses_what_has_no_meaning(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"give|no number|needs"):
        call()


# ------------------------------------------------------------------ tables


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=5, max_size=5))
def test_band_means_undo_running_means(bands: list[float]) -> None:
    nested = [float(np.mean(bands[: k + 1])) for k in range(5)]
    assert band_means(nested) == pytest.approx(bands, abs=1e-9)


def test_band_means_of_the_source_as_computed_by_hand() -> None:
    printed = [62.76 - 61.83, 66.37 - 65.95, 67.54 - 66.37, 68.76 - 68.56, 69.05 - 68.83]
    assert band_means(printed) == pytest.approx([0.93, -0.09, 2.67, -2.71, 0.30], abs=1e-9)
    with pytest.raises(ValueError, match="one mean a share"):
        band_means([1.0])


def made_up(n: int = 20, seed: int = 0) -> Accuracies:
    g = torch.Generator().manual_seed(seed)
    values = torch.rand(3, 3, n, generator=g, dtype=torch.float64)
    return Accuracies(torch.rand(n, generator=g), values)


def test_the_table_is_the_comparison_of_the_longest_scores() -> None:
    found = made_up()
    rows = by_share(found)
    top = found.norms.argsort(descending=True)[:4]
    expected = compare(100 * found.values[1, 0, top].numpy(), 100 * found.values[1, 1, top].numpy())
    assert [r["n"] for r in rows] == [4, 8, 12, 16, 20]
    assert rows[0]["gain"] == pytest.approx(expected.gain)
    assert rows[0]["p"] == pytest.approx(expected.p_value)
    blurred = 100 * (found.values[1, 2] - found.values[1, 0]).mean()
    assert rows[-1]["blur gain"] == pytest.approx(float(blurred))
    assert gains(found) == pytest.approx([r["gain"] for r in rows])


def test_numbers_by_fringe_agree_with_the_table_and_the_bands() -> None:
    found = made_up()
    numbers, rows = by_fringe(found), by_share(found)
    names = {"plain": "plain", "gain": "gain", "gain of the blur": "blur gain"}
    for name, key in names.items():
        nested = [numbers[f"{name}, {share}% fringe"] for share in (20, 40, 60, 80, 100)]
        assert nested == pytest.approx([row[key] for row in rows])
    bands = [numbers[f"gain, band {k}"] for k in range(1, 6)]
    assert bands == pytest.approx(band_means([row["gain"] for row in rows]))
    assert numbers["gain, fringe - rest"] == pytest.approx(bands[0] - np.mean(bands[1:]))
    closer, farther = (
        numbers[f"share of scenes {w} the truth"] for w in ("closer to", "farther from")
    )
    assert closer + farther == 1  # none of them stays where it was


def test_yardsticks_know_the_commonest_colour_and_the_truth_itself() -> None:
    truth = colour(CITY["park"][1], 8).clone()
    truth[..., :2] = colour(CITY["water"][0], 8)[..., :2]
    found = yardsticks(truth, CITY)
    assert torch.equal(found["one colour"], colour(CITY["park"][1], 8))
    assert float(pixel_accuracy(found["truth, one pixel aside"], truth)) < 1
    assert float(pixel_accuracy(found["truth, half resolution"], truth)) > 0.7


def test_pooled_sets_are_ranked_together() -> None:
    a, b = made_up(5, 1), made_up(7, 2)
    both = pooled([a, b])
    assert both.norms.shape == (12,)
    assert both.values.shape == (3, 3, 12)
    assert torch.equal(both.arm("cooled")[5:], b.arm("cooled"))


def test_flips_split_the_gain_in_two() -> None:
    g = torch.Generator().manual_seed(0)
    a, b, truth = (torch.rand(4, 3, 16, 16, generator=g) * 0.2 for _ in range(3))
    up, down = flips(a, b, truth)
    gain = pixel_accuracy(b, truth) - pixel_accuracy(a, truth)
    assert torch.allclose(up - down, gain, atol=1e-12)
    assert float(up.min()) > 0


def test_batches_change_nothing() -> None:
    x = torch.rand(7, 3, 4, 4)
    assert torch.equal(in_batches(lambda z: z * 2, 3)(x), x * 2)


# ------------------------------------------------------------------ cached results


def test_cached_results_are_taken_up_again_only_if_they_are_of_the_same_run(tmp_path: Path) -> None:
    calls = []

    def compute() -> dict[str, torch.Tensor]:
        calls.append(1)
        return {"x": torch.tensor([len(calls)])}

    path = tmp_path / "cached.ckpt"
    for identity, expected in (({"a": 1}, 1), ({"a": 1}, 1), ({"a": (2, 3)}, 2)):
        assert cached(path, identity, compute)["x"].item() == expected
    path.write_bytes(path.read_bytes()[:50])
    assert cached(path, {"a": (2, 3)}, compute)["x"].item() == 3


def test_the_clock_adds_up_and_counts_failures(tmp_path: Path) -> None:
    path = tmp_path / "seconds.json"
    for _ in range(2):
        with timed(path, "one"):
            pass
    with pytest.raises(KeyError), timed(path, "two"):
        raise KeyError
    assert set(seconds(path)) == {"one", "two"}
    assert seconds(path)["one"] >= 0


# ------------------------------------------------------------------ the run


def test_a_run_measures_both_settings_and_resumes_to_the_same(
    pairs: maps.Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "read", lambda plan: pairs)
    found = maps.run(PLAN, 0, tmp_path)
    numbers = {m.name: m.value for m in maps.measure(PLAN, 0, found)}
    last = {k: numbers[f"chosen, by share, 1, {k}"] for k in ("n", "plain", "cooled", "gain")}
    assert last["n"] == 10
    assert numbers["chosen, thresholds, 16, plain"] == pytest.approx(last["plain"])
    turned = numbers["chosen, turned right"] - numbers["chosen, turned wrong"]
    assert turned == pytest.approx(last["gain"])
    by_class = sum(
        numbers[f"chosen, classes, {c}, share"] * numbers[f"chosen, classes, {c}, cooled"] / 100
        for c in (*GOOGLE, "border")
    )
    assert by_class == pytest.approx(last["cooled"])
    trials = found["validation, trials"]
    assert trials.shape == (4, 4)
    assert numbers["validation, best accuracy"] == float(trials[:, 3].max())
    assert {k.split("/")[0] for k in found if "/" in k} == {"forward", "backward", "denoiser"}
    assert found["published, pictures"].shape == (4, 4, 3, 32, 32)
    assert found["published, moved"].shape == (10,)

    def again(*_: object) -> None:
        raise AssertionError("searched again")

    monkeypatch.setattr(maps, "choose", again)
    once_more = maps.run(PLAN, 0, tmp_path)
    assert all(torch.equal(found[k], v) for k, v in once_more.items())
    with pytest.raises(AssertionError, match="searched again"):
        maps.run(replace(PLAN, step_sizes=(0.002,)), 0, tmp_path)


def test_baselines_know_a_blank_map() -> None:
    blank = colour(GOOGLE["ground"][0], 8)
    found = maps.baselines(blank)
    assert found == {k: pytest.approx(100) for k in found}


def test_the_fraction_of_the_papers_training() -> None:
    part = maps.fraction(replace(maps.Plan().cyclegan, steps=9000, size=128), 1096)
    assert part["images seen"] == pytest.approx(9000 / 219_200)
    assert part["pixels seen"] == pytest.approx(part["images seen"] / 4)
    assert 0 < part["parameters"] < 0.1


def test_the_excerpt_shows_the_pictures_in_their_places() -> None:
    pictures = torch.stack(
        [torch.cat([colour((40 * r, 60 * c, 0), 8) for c in range(4)]) for r in range(4)]
    )
    found = maps.excerpt(PLAN, 0, {f"{name}, pictures": pictures for name in maps.SETTINGS})
    for r in range(4):
        for c in range(4):
            shown = found["published"][r, c]
            assert shown.shape == (3, 96, 96)
            assert shown[:, 48, 48].tolist() == [40 * r, 60 * c, 0]


def test_the_stored_run_differs_from_todays_plan_in_its_precision_alone() -> None:
    """Its CycleGAN multiplied in bfloat16 and its card says so; another run would in float32."""
    stored = json.loads((ROOT / "data/results/full/maps/card.json").read_text())["plan"]
    today = json.loads(json.dumps(asdict(maps.Plan())))
    assert stored["cyclegan"].pop("precision") == "bfloat16"
    assert today["cyclegan"].pop("precision") == "float32"
    assert today["cyclegan"].pop("mirrored")  # settings that had no name then
    assert today["cyclegan"].pop("decay")
    assert stored.pop("seed") == 0  # today the engine's, of which there are five
    assert stored.pop("noise_seeds") == [0]
    assert stored == today


def test_a_summary_adds_up_to_its_gain() -> None:
    card = json.loads(data_file("results/full/maps/card.json").read_text(encoding="utf-8"))
    found = summary(card["arms"]["published"], card["baselines"])
    assert found["turned right"] - found["turned wrong"] == pytest.approx(found["gain"])
    parts = [value for name, value in found.items() if name.startswith("gain from")]
    assert sum(parts) == pytest.approx(found["gain"])
    assert found["one colour"] == card["baselines"]["one colour"]


def test_the_stored_run_is_one_training_and_decides_nothing() -> None:
    card = json.loads(data_file("results/full/maps/card.json").read_text(encoding="utf-8"))
    arm = card["arms"]["published"]
    found = stored(arm, card["baselines"])
    last = arm["by share"][-1]
    gain, above = found["gain", 1.0], found["above one colour"]
    assert gain.value == last["gain"]
    assert gain.n == last["n"] == card["pairs"]["test"]
    low, high = gain.interval()
    assert high - low == pytest.approx(last["high"] - last["low"], rel=1e-3)
    assert above.value == pytest.approx(last["plain"] - card["baselines"]["one colour"])
    assert {e.seeds for e in found.values()} == {1}
    assert at_least(found["gain", 0.2], 0).judge(0.05) == CANNOT_TELL
