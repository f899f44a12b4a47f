"""Procedural horses and zebras: the sampler's contract, its law, and its pictures."""

from __future__ import annotations

import latentlaw
import numpy as np
import pytest

from domain_translation.synthetic import latent, shapes
from domain_translation.synthetic.animals import animals, coat, pasture, skeleton
from domain_translation.synthetic.animals.animals_law import LAW, index


def _draw(n, rare, size=64, seed=0):
    latents, knots = animals.draw(range(n), seed, size, rare)
    return latents, animals.render(latents, knots, size)


def test_only_the_coat_changes():
    latentlaw.assert_only_the_mask_changes(_draw(24, 0.5)[1], 0.3, 0.3)


def test_some_of_the_animal_is_always_in_the_picture():
    latentlaw.assert_something_is_always_in_the_picture(animals)


def test_zebras_have_contrast_and_horses_do_not():
    _, (source, target, mask) = _draw(32, 0.0)
    ratios = []
    for plain, striped, m in zip(source, target, mask, strict=True):
        assert (striped.mean(0)[m > 0.95]).std() > 0.4
        steps = [
            np.abs(np.diff(im.mean(0), axis=1))[m[:, 1:] > 0.95].mean() for im in (plain, striped)
        ]
        ratios.append(steps[1] / steps[0])
    assert np.median(ratios) > 3


def test_stripes_run_across_the_trunk_and_across_the_legs():
    latents = {name: np.array([mean]) for name, (mean, _) in LAW.normals.items()}
    latents |= {name: np.array([0]) for name in LAW.choices} | {"phase": np.array([0.0])}
    bones = skeleton.build(latents)
    y, x = np.mgrid[1.2:0:-0.004, -0.8:0.8:0.004].astype(np.float32)[:, None]
    body = coat.model(bones, latents, x, y)
    dark = coat.stripes(body.trunk, np.full((1, 1, 1), 0.004, np.float32))[0]
    vertical, horizontal = np.abs(np.diff(dark, axis=0)), np.abs(np.diff(dark, axis=1))
    (loin_x, loin_y), (knee_x, knee_y) = bones.loin[0], bones.legs["near fore"][1][0]
    trunk = (abs(x[0] - loin_x) < 0.15) & (abs(y[0] - loin_y) < 0.08)
    cannon = (abs(x[0] - knee_x) < 0.02) & (abs(y[0] - knee_y + 0.12) < 0.1)
    assert horizontal[:, :][trunk[:, 1:]].mean() > 3 * vertical[trunk[1:]].mean()
    assert vertical[cannon[1:]].mean() > 3 * horizontal[cannon[:, 1:]].mean()


def test_every_pose_stands_on_the_ground():
    poses = len(LAW.choices["pose"])
    latents = {name: np.full(poses, mean) for name, (mean, _) in LAW.normals.items()}
    latents |= {"pose": np.arange(poses), "phase": np.full(poses, 0.3)}
    bones = skeleton.build(latents)
    hooves = np.min([leg[3][:, 1] for leg in bones.legs.values()], axis=0)
    assert (hooves > 0).all()
    lying = np.arange(poses) == index("pose", "lie")
    assert (bones.loin[lying, 1] < 0.35).all()
    assert np.allclose(hooves[~lying], 0.02)
    rearing = index("pose", "rear")
    assert bones.poll[rearing, 1] > bones.poll[index("pose", "stand"), 1] + 0.1
    assert bones.muzzle[index("pose", "graze"), 1] < 0.35
    for leg in bones.legs.values():  # bones keep their length in every pose
        assert np.ptp(np.hypot(*(leg[1] - leg[0]).T)) < 1e-6


def test_surprise_is_minus_the_log_density():
    latentlaw.assert_surprise_is_minus_the_log_density(animals, LAW)


def test_the_law_is_normalised_and_drawn_as_stated():
    latentlaw.assert_normalised(LAW)
    latents, _ = latent.draw(LAW, range(2000), 0, 0.0, 0)
    for name, (mean, sd) in LAW.normals.items():
        assert latents[name].mean() == pytest.approx(mean, abs=5 * sd / np.sqrt(2000))
        assert latents[name].std() == pytest.approx(sd, rel=0.1)
    for name, probabilities in LAW.choices.items():
        counts = np.bincount(latents[name], minlength=len(probabilities)) / 2000
        assert np.allclose(counts, list(probabilities.values()), atol=0.06)
    wide, _ = latent.draw(LAW, range(2000), 0, 1.0, 0)
    odd = wide["pose"] >= index("pose", "graze")
    assert odd.mean() == pytest.approx(LAW.oddities["pose"].share, abs=0.05)


def test_noise_has_unit_variance_between_its_knots():
    knots = np.random.default_rng(0).standard_normal((4000, 6, 6)).astype(np.float32)
    at = np.array([[0.0, 1.5, 2.3, 5.0]], np.float32)
    assert np.allclose(shapes.noise(knots, at, at).std(0), 1, atol=0.06)


def test_a_cone_is_exact_for_equal_radii():
    x, y = np.meshgrid(*[np.linspace(-2, 2, 41, dtype=np.float32)] * 2)
    start, end = np.array([[-1.0, 0.0]]), np.array([[1.0, 0.0]])
    solid, t = shapes.cone(x[None], y[None], start, end, np.full((1, 2), 0.5))
    nearest = np.clip(x, -1, 1)
    assert np.allclose(solid.distance[0], np.hypot(x - nearest, y) - 0.5, atol=1e-5)
    assert np.allclose(t[0], (nearest + 1) / 2, atol=1e-5)


def test_every_kind_of_scene_has_its_colours():
    assert list(pasture.LIGHTS) == list(LAW.choices["light"])
    assert list(pasture.GROUNDS) == list(LAW.choices["ground"])
    assert list(skeleton.POSES) == list(LAW.choices["pose"])
    assert len(coat.COATS) == len(coat.MANES) == len(coat.POINTS) == len(LAW.choices["coat"])
    assert len(pasture.FAR_HEIGHT) == len(LAW.choices["distance"])
