"""What chapters show of the scenes' card, on a small card of known numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from domain_translation.data.digits import Split
from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation.class_preservation import variance_shares
from domain_translation.experiments import stored_runs
from domain_translation.experiments import weights_scene_conditions as conditions
from domain_translation.experiments import weights_scene_tables as tables
from domain_translation.experiments.picture_text import pictures
from domain_translation.experiments.weights_scene_tables import SceneCard

SIZE = 4
PM = "\u00a0±\u00a0"


def _pictures(n, channels, seed):
    levels = torch.randint(0, 256, (n, channels, SIZE, SIZE), generator=_generator(seed))
    return levels / 127.5 - 1


def _generator(seed):
    return torch.Generator().manual_seed(seed)


SHOWN = {"x": _pictures(3, 1, 0), "y": _pictures(3, 3, 1)}
MADE = {"gx": _pictures(3, 3, 2), "fgx": _pictures(3, 1, 3), "fy": _pictures(3, 1, 4),
        "gfy": _pictures(3, 3, 5), "noises": _pictures(16, 3, 6)}  # fmt: skip


def _run(method, seed, *, kept, distance=1.0, swayed=0.0, totals=()):
    run = {
        "method": method,
        "seed": seed,
        "kept, x to y": kept,
        "distance, x to y": distance,
        "parameters": 1234,
        "cpu seconds": 10.0 + seed,
        "confusion, x to y": [[kept, 1 - kept], [1 - kept, kept]],
        "totals": [list(map(list, record)) for record in totals],
    }
    run |= {f"class swayed by noise, {way}": swayed for way in ("x to y", "y to x")}
    run |= {f"diversity, {way}": 0.3 for way in ("x to y", "y to x")}
    if method == "JD-BW":
        run["gap, x"] = 0.125
    if seed == 0:
        run["pictures"] = {name: pictures(x) for name, x in MADE.items()}
    return run


TOTALS = [[(0.2 + 0.1 * i, 0.8 - 0.1 * i), (0.9 - 0.1 * i, 0.1 + 0.1 * i)] for i in range(4)]


def _card(*, own=(0.0, 0.05), other=(0.3, 0.4), distance=1.0):
    runs = []
    for seed in (1, 0):  # out of order
        runs.append(_run("MUNIT", seed, kept=0.5, distance=distance, swayed=other[seed]))
        runs.append(_run("JD-BW", seed, kept=0.8 + 0.1 * seed, swayed=own[seed], totals=TOTALS))
    scene = {
        "looks": ("edges", "photos"),
        "size": SIZE,
        "channels": (1, 3),
        "masses": ((0.2, 0.8), (0.9, 0.1)),
        "goal": (0.55, 0.45),
        "doing nothing": {"kept, x to y": 0.96, "distance, x to y": 7.25},
        "one picture": {"kept, x to y": 0.5, "distance, x to y": 8.0},
        "settings": {
            "JD-BW": {"steps": 400, "critic_steps": 5, "batch": 32, "noise": 16},
            "MUNIT": {"steps": 1200, "batch": 32, "style": 8},
        },
        "pictures": {name: pictures(x) for name, x in SHOWN.items()},
        "runs": runs,
    }
    return SceneCard(scene, "2018, one core")


def test_runs_and_values_are_by_seed():
    card = _card()
    assert card.methods == ("MUNIT", "JD-BW")
    assert card.repeats == "2 seeds"
    assert [run["seed"] for run in card.runs("JD-BW")] == [0, 1]
    assert card.values("JD-BW", "kept, x to y").tolist() == pytest.approx([0.8, 0.9])
    assert card.values("MUNIT", "gap, x").shape == (0,)
    assert card.confusion("JD-BW", "x to y").shape == (2, 2, 2)
    assert card.totals("JD-BW").shape == (2, 4, 2, 2)


def test_repeats_may_differ():
    card = _card()
    card.scene["runs"].remove(card.runs("JD-BW")[1])
    assert card.repeats == "2 seeds (MUNIT), 1 (JD-BW)"
    assert tables.told(card.values("JD-BW", "kept, x to y")) == "0.80"


def test_pictures_have_the_channels_of_their_domain():
    card = _card()
    for name, made in MADE.items():
        assert torch.allclose(card.pictures(name, "JD-BW"), made, atol=1e-6)
    for name, real in SHOWN.items():
        assert torch.allclose(card.pictures(name), real, atol=1e-6)


def test_told():
    assert tables.told([0.8, 0.9], 2) == f"0.85{PM}0.07"
    assert tables.told([1234.5], 0) == "1234"
    assert tables.told([]) == ""


def test_results():
    live = {
        "real images": {"kept": 1.0, "passes": 0.95},
        "doing nothing": {"passes": 0.0},
        "MUNIT": {"passes": 0.2},
    }
    lines = tables.results(_card(), "x to y", live).split("\n")
    titles = ["kept", "distance", "passes", "diversity", "class swayed", "kept, there and back"]
    assert lines[0] == "| | " + " | ".join([*titles, "mass gap"]) + " |"
    assert lines[1] == "|---|" + "---:|" * 7
    assert lines[2] == "| *real images* | 1.00 |  | 0.95 |  |  |  |  |"
    assert lines[3] == "| *doing nothing* | 0.96 | 7.2 | 0.00 |  |  |  |  |"
    assert lines[4].startswith(
        f"| MUNIT | 0.50{PM}0.00 | 1.0{PM}0.0 | 0.20 | 0.30{PM}0.00 | 0.35{PM}"
    )
    assert lines[5] == "| *one picture* | 0.50 | 8.0 |  |  |  |  |  |"
    assert lines[6].startswith(f"| JD-BW | 0.85{PM}0.07 |")
    assert lines[6].endswith(f"|  | 0.125{PM}0.000 |")
    assert len(lines) == 7


def test_columns_know_counterparts():
    card = _card()
    assert "error" not in tables.columns(card, "x to y")
    card.scene["doing nothing"]["error, x to y"] = 0.3
    found = tables.columns(card, "x to y")
    assert found["error"] == ("error, x to y", 2)
    assert found["outranked"] == ("outranked, x to y", 2)
    assert tables.columns(card, "y to x")["mass gap"] == ("gap, y", 3)


def test_settings():
    lines = tables.settings(_card()).split("\n")
    assert lines[2] == f"| MUNIT | 1,200 | 1 | 32 | 8 | 1,234 | 10{PM}1 |"
    assert lines[3] == f"| JD-BW | 400 | 5 | 32 | 16 | 1,234 | 10{PM}1 |"


def test_tiles_are_squares_of_the_pixels():
    x = SHOWN["x"]
    shown = tables.tiles(3 * x)
    assert shown.shape == (3, 3, SIZE * tables.ZOOM, SIZE * tables.ZOOM)
    assert torch.equal(shown[:, 2, :: tables.ZOOM, :: tables.ZOOM], (3 * x[:, 0]).clamp(-1, 1))
    corner = shown[:, :, : tables.ZOOM, : tables.ZOOM]
    assert bool((corner == corner[..., :1, :1]).all())


def test_there_and_back():
    rows, labels = tables.there_and_back(_card(), ["JD-BW", "MUNIT"], "y to x", [2, 0])
    assert labels == ["photos", "JD-BW", "and back", "MUNIT", "and back"]
    wanted = [SHOWN["y"], *[MADE["fy"], MADE["gfy"]] * 2]
    for row, pictured in zip(rows, wanted, strict=True):
        assert torch.allclose(row, tables.tiles(pictured[[2, 0]]), atol=1e-6)
    first, _ = tables.there_and_back(_card(), ["JD-BW"], "x to y", [1])
    assert torch.allclose(first[1], tables.tiles(MADE["gx"][[1]]), atol=1e-6)


def test_noise_rows_begin_with_their_source():
    rows = tables.noise_rows(_card(), "JD-BW")
    assert [len(row) for row in rows] == [9, 9]
    for i, row in enumerate(rows):
        assert torch.allclose(row[0], tables.tiles(SHOWN["x"][[i]])[0], atol=1e-6)
        assert torch.allclose(row[1:], tables.tiles(MADE["noises"][8 * i : 8 * i + 8]), atol=1e-6)


def test_smoothed_looks_back_only():
    found = tables.smoothed(np.arange(8.0)[None, :, None, None])
    assert found.ravel().tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0]


def test_draw_masses():
    figure, ax = plt.subplots()
    tables.draw_masses(ax, _card(), "JD-BW", 1)
    dashed, mark, solid, *_ = ax.get_lines()
    assert dashed.get_linestyle() == "--"
    assert dashed.get_xdata().tolist() == [100.0, 200.0, 300.0, 400.0]
    assert dashed.get_ydata() == pytest.approx([0.8, 0.75, 0.7, 0.65])
    assert mark.get_ydata()[0] == 0.8
    assert solid.get_ydata() == pytest.approx([0.1, 0.15, 0.2, 0.25])
    assert ax.get_lines()[-1].get_ydata()[0] == 0.45
    plt.close(figure)


def test_noises():
    card = _card()
    for run in card.scene["runs"]:
        run |= {"pixels by source, x to y": 0.7, "pixels by noise, x to y": 0.2}
        run |= {"class by source, x to y": 0.5, "class by noise, x to y": 0.25}
    lines = tables.noises(card).split("\n")
    assert lines[0].startswith("| | pixels by source | pixels by noise | pixels by both | class ")
    shares = " | ".join(f"{v:.2f}{PM}0.00" for v in (0.7, 0.2, 0.1, 0.5, 0.25, 0.25))
    assert lines[2] == f"| MUNIT | {shares} | 0.35{PM}0.07 |"
    assert lines[3] == f"| JD-BW | {shares} | 0.03{PM}0.04 |"


def test_rows_of_translations_with_and_without_the_originals():
    card = _card()
    rows, labels = tables.translated(card, None)
    assert labels == ["MUNIT", "JD-BW"] * 2
    torch.testing.assert_close(rows[2], tables.tiles(card.pictures("fy", "MUNIT")))
    sides = [Split(SHOWN[side].repeat(2, 1, 1, 1), torch.zeros(6).long()) for side in "xy"]
    rows, labels = tables.translated(card, Pair(*sides))
    assert labels == ["edges", "MUNIT", "JD-BW", "photos", "MUNIT", "JD-BW"]
    torch.testing.assert_close(rows[0], tables.tiles(SHOWN["x"]))
    torch.testing.assert_close(rows[4], tables.tiles(card.pictures("fy", "MUNIT")))


def test_a_card_without_its_test_images_shows_the_noises_alone():
    card = _card()
    whole = tables.noise_rows(card, "JD-BW")
    bare = SceneCard({k: v for k, v in card.scene.items() if k != "pictures"}, "")
    for row, beside in zip(tables.noise_rows(bare, "JD-BW"), whole, strict=True):
        torch.testing.assert_close(row, beside[1:])


def test_classes_made():
    assert tables.classes_made(np.eye(4)) == pytest.approx(4.0)
    assert tables.classes_made(np.tile([0, 1.0, 0, 0], (4, 1))) == pytest.approx(1.0)
    assert tables.classes_made(np.tile([0.5, 0.5, 0, 0], (4, 1))) == pytest.approx(2.0)


def test_source_over_noise_is_that_of_the_pairs():
    g = _generator(7)
    v = torch.randn(5, 4, 3, generator=g, dtype=torch.float64) + torch.randn(5, 1, 3, generator=g)
    found = variance_shares(v)
    pairs = [torch.cdist(row, row).square().sum() / (5 * 4 * 3) for row in v]
    others = [torch.cdist(c, c).square().sum() / (4 * 5 * 4) for c in v.transpose(0, 1)]
    wanted = float(sum(pairs) / sum(others))
    assert tables.source_over_noise(found.source, found.noise, 5, 4) == pytest.approx(wanted)


def test_numbers_that_follow_from_those_of_a_run():
    """Rare are bags (class 0) among the photographs, and shoes (class 1) among the edges."""
    run = {"confusion, x to y": [[0.9, 0.1], [0.5, 0.5]], "confusion, y to x": [[1, 0], [0.2, 0.8]]}
    for way in tables.WAYS:
        run |= {f"pixels by source, {way}": 0.7, f"pixels by noise, {way}": 0.2}
        run[f"class by source, {way}"] = 0.95
    found = tables.derived(run, {"masses": ((0.7, 0.3), (0.1, 0.9))})
    assert found["rare class kept, x to y"] == pytest.approx(0.9)
    assert found["rare class kept, y to x"] == pytest.approx(0.8)
    assert found["pixels by noise - by both, x to y"] == pytest.approx(0.1)
    assert found["class not by source, y to x"] == pytest.approx(0.05)
    assert found["source over noise, x to y"] == pytest.approx(8 * 39 / (40 * 7) * 0.3 / 0.8)


@pytest.mark.parametrize(
    ("name", "file", "seeds"),
    [(n, tables.DRAWN, 3) for n in ("plates", "wares", "heads")]
    + [(n, tables.REAL, 1) for n in ("street", "fashion", "faces")],
)
def test_stored_scenes_as_cards(name, file, seeds):
    card, scene = tables.card(name, file), tables.read(name, file)
    assert card.study == f"weights/{name}-full"
    assert card.arms == scene.methods
    assert set(card.values(("JD-BW", "kept, x to y"))) == set(range(seeds))
    errors = {r.name: r.error for r in card.rows if (r.arm, r.seed) == ("JD-BW", 0)}
    assert errors["distance, x to y"] == 0 < errors["kept, x to y"] < 0.03
    assert errors["class swayed by noise, x to y"] > 0.02


@pytest.mark.parametrize(
    ("away", "share", "said"),
    [(5.0, 1.0, ("cannot tell", "cannot tell")), (1.0, 0.0, ("holds", "cannot tell"))],
)
def test_conditions_of_a_translation(away, share, said):
    """Nearer than 2: a quarter of one picture's 8, which is less than doing nothing's 7.25."""
    scene = _card()
    runs = [{"method": "JD-BW", "seed": s, "distance, x to y": away + s / 5} for s in range(3)]
    runs[0]["distance, x to y"] -= away - 1.0  # one seed of the first case is near
    origin = {"versions": {}}
    card = stored_runs.as_card("weights/wares-full", runs, origin)
    live = {"JD-BW": {"passes": share}}
    found = conditions.translates(scene, card, live, "JD-BW", "x to y")
    assert tuple(c.judge(0.05) for c in found.values()) == said
    near, passing = found.values()
    assert near.high == 2.0
    assert (passing.estimate.n, passing.estimate.seeds) == (40, 1)
    assert "nearer to photos than untranslated ones" in next(iter(found))
