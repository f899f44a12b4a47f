"""Yardsticks of a scene: real images pass, untranslated ones do not, methods as their pictures."""

import torch

from domain_translation.experiments import weights_scene_yardsticks as yardsticks
from domain_translation.experiments.picture_text import pictures
from domain_translation.experiments.weights_scene_measures import judges
from domain_translation.experiments.weights_scene_tables import SceneCard
from domain_translation.experiments.weights_scenes import SCENES
from domain_translation.jd_bw.generators import as_channels


def _card(at):
    """A method that shows real plates, and one that shows glyphs as they are."""
    x, y = (side.x[:8] for side in at.test)
    untouched = {"gx": as_channels(x, 3), "noises": as_channels(x, 3), "fy": as_channels(y, 1)}
    real = {"gx": y, "noises": y, "fy": x}
    runs = [
        {"method": name, "seed": 0, "pictures": {k: pictures(v) for k, v in shown.items()}}
        for name, shown in (("real", real), ("untouched", untouched))
    ]
    return SceneCard({"runs": runs, "channels": (1, 3), "size": 16}, "")


def test_live():
    at = judges(SCENES["plates"])
    card = _card(at)
    for way in ("x to y", "y to x"):
        found = yardsticks.live(card, at, way)
        assert list(found)[:3] == ["real images", "doing nothing", "one picture"]
        assert found["real images"]["kept"] > 0.97
        assert 0 < found["real images"]["distance"] < 10
        assert found["real images"]["passes"] > 0.85
        assert found["doing nothing"]["passes"] < 0.05
        assert found["real"]["passes"] >= 0.75
        assert found["untouched"]["passes"] == 0.0


def test_translations():
    card = _card(judges(SCENES["plates"]))
    assert yardsticks.translations(card, "real", "x to y").shape == (16, 3, 16, 16)
    assert yardsticks.translations(card, "real", "y to x").shape == (8, 1, 16, 16)
    assert not torch.equal(
        yardsticks.translations(card, "real", "x to y"),
        yardsticks.translations(card, "untouched", "x to y"),
    )


def test_apart():
    """Noise of standard deviation 0.1 in each class: two images are 0.1 sqrt(2) apart."""
    g = torch.Generator().manual_seed(0)
    classes = torch.arange(2).repeat(500)
    images = classes[:, None, None, None] + 0.1 * torch.randn(1000, 3, 4, 4, generator=g)
    assert abs(yardsticks.apart(images, classes) - 0.1 * 2**0.5) < 0.002
    assert yardsticks.apart(images, torch.zeros(1000)) > 0.5
