"""Distances between images and features, judges of samples, and the test of memorisation."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg
from torch import Generator, Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from domain_translation import pretrained
from domain_translation.data import labelled_sets
from domain_translation.evaluation.distances import features as spaces
from domain_translation.evaluation.distances.frechet import frechet_distance
from domain_translation.evaluation.distances.kernel_distance import kernel_distance, squared_mmd
from domain_translation.evaluation.distances.neighbours import memorisation, nearest
from domain_translation.evaluation.distances.protocol import PROTOCOLS, Protocol, as_images, measure
from domain_translation.evaluation.distances.trivial_generators import gaussian_samples
from domain_translation.evaluation.judges.sample_judges import (
    FEATURES,
    SampleJudge,
    SampleJudgeConfig,
    probabilities,
    train_sample_judge,
)
from domain_translation.evaluation.pictures.noisiness import noise_level
from domain_translation.synthetic.digits import glyphs


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed))


def correlated(n: int, d: int, seed: int) -> Tensor:
    return normal(n, d, seed=seed) @ normal(d, d, seed=seed + 100) + normal(d, seed=seed + 200)


# ------------------------------------------------------------------ Fréchet distance


def test_frechet_is_the_formula_with_scipys_matrix_root() -> None:
    a, b = correlated(60, 5, 1).double(), correlated(40, 5, 2).double()
    cov_a, cov_b = np.cov(a.numpy().T), np.cov(b.numpy().T)
    root = np.trace(linalg.sqrtm(cov_a @ cov_b)).real
    expected = float((a.mean(0) - b.mean(0)).square().sum()) + np.trace(cov_a + cov_b) - 2 * root
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_frechet_in_one_dimension_is_a_closed_form() -> None:
    a, b = 2 * normal(50, 1, seed=3).double() + 1, normal(70, 1, seed=4).double()
    expected = (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2
    assert frechet_distance(a, b) == pytest.approx(float(expected), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.floats(0.1, 5))
def test_frechet_of_moved_and_scaled_clouds(seed: int, n: int, by: float) -> None:
    """Also where the covariance is singular: n may be below d."""
    a = correlated(n, 6, seed).double()
    variance = float(a.var(0).sum())
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-7 * (1 + variance))
    assert frechet_distance(a, a + by) == pytest.approx(6 * by**2, abs=1e-6 * (1 + variance))
    centred = a - a.mean(0)
    assert frechet_distance(centred, by * centred) == pytest.approx(
        (by - 1) ** 2 * variance, rel=1e-6, abs=1e-6 * variance
    )


def test_frechet_is_symmetric_and_ignores_rotations() -> None:
    a, b = correlated(50, 4, 5).double(), correlated(60, 4, 6).double()
    rotation = torch.linalg.qr(normal(4, 4, seed=7).double()).Q
    d = frechet_distance(a, b)
    assert frechet_distance(b, a) == pytest.approx(d, rel=1e-9)
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(d, rel=1e-9)


# ------------------------------------------------------------------ kernel distance


def test_squared_mmd_is_the_double_sum_over_different_pairs() -> None:
    a, b = correlated(6, 3, 8).double(), correlated(5, 3, 9).double()

    def k(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    among_a = sum(k(a[i], a[j]) for i, j in product(range(6), repeat=2) if i != j) / 30
    among_b = sum(k(b[i], b[j]) for i, j in product(range(5), repeat=2) if i != j) / 20
    between = sum(k(x, y) for x, y in product(a, b)) / 30
    assert float(squared_mmd(a, b)) == pytest.approx(among_a + among_b - 2 * between, rel=1e-10)


def test_the_kernel_distance_has_no_bias() -> None:
    """Two halves of one law: the mean over many pairs is 0 within its standard error."""
    found = torch.stack(
        [squared_mmd(normal(12, 4, seed=i), normal(12, 4, seed=5000 + i)) for i in range(600)]
    )
    assert abs(found.mean()) < 3 * found.std() / math.sqrt(len(found))
    assert (found < 0).any()
    moved = squared_mmd(normal(200, 4, seed=1), normal(200, 4, seed=2) + 1)
    assert moved > 10 * found.std()


def test_subsets_of_everything_are_everything() -> None:
    a, b = normal(20, 3, seed=10), normal(20, 3, seed=11)
    whole = kernel_distance(a, b, subsets=3, size=20)
    assert whole.mean == pytest.approx(float(squared_mmd(a, b)), rel=1e-9)
    assert whole.std == pytest.approx(0, abs=1e-9)
    parts = [kernel_distance(a, b, subsets=4, size=8, seed=s) for s in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]
    assert parts[0].std > 0


def test_both_distances_agree_with_torchmetrics() -> None:
    class AsTheyAre(nn.Module):
        num_features = 5

        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1)

    a, b = correlated(90, 5, 12).double(), correlated(80, 5, 13).double()
    frechet = FrechetInceptionDistance(feature=AsTheyAre(), input_img_size=(5, 1, 1)).set_dtype(
        torch.float64
    )
    kernel = KernelInceptionDistance(feature=AsTheyAre(), subsets=1, subset_size=80)
    for x, real in ((a[:80], True), (b, False)):
        frechet.update(x.reshape(-1, 5, 1, 1), real)
        kernel.update(x.reshape(-1, 5, 1, 1), real)
    assert frechet_distance(a[:80], b) == pytest.approx(float(frechet.compute()), rel=1e-6)
    assert float(squared_mmd(a[:80], b)) == pytest.approx(float(kernel.compute()[0]), rel=1e-6)


@pytest.mark.parametrize("distance", [frechet_distance, squared_mmd, kernel_distance])
def test_features_that_are_none_are_refused(distance: Callable[[Tensor, Tensor], object]) -> None:
    with pytest.raises(ValueError, match=r"\(4, 3\) and \(4, 2\).*at least two rows"):
        distance(torch.zeros(4, 3), torch.zeros(4, 2))
    with pytest.raises(ValueError, match="at least two rows"):
        distance(torch.zeros(1, 3), torch.zeros(4, 3))
    with pytest.raises(ValueError, match="NaN or infinite"):
        distance(torch.full((4, 3), torch.nan), torch.zeros(4, 3))


@pytest.mark.parametrize(("subsets", "size"), [(0, 5), (3, 1), (3, 11)])
def test_impossible_subsets_are_refused(subsets: int, size: int) -> None:
    with pytest.raises(ValueError, match="at least one subset of 2 to 10 rows"):
        kernel_distance(torch.zeros(10, 2), torch.zeros(12, 2), subsets=subsets, size=size)


# ------------------------------------------------------------------ judges and their features


@pytest.fixture(scope="module")
def drawn() -> glyphs.Glyphs:
    return glyphs.sample(700, 3, size=8)


@pytest.fixture(scope="module")
def judge(drawn: glyphs.Glyphs) -> SampleJudge:
    config = SampleJudgeConfig(steps=250, batch=32, width=8)
    return train_sample_judge(drawn.x[:600], drawn.y[:600], config)


def test_a_judge_learns_digits_and_its_head_reads_the_features(
    judge: SampleJudge, drawn: glyphs.Glyphs
) -> None:
    p = probabilities(judge, drawn.x)
    assert (p[600:].argmax(1) == drawn.y[600:]).double().mean() > 0.9
    torch.testing.assert_close(p.sum(1), torch.ones(700))
    f = spaces.judge_features(judge)(drawn.x)
    assert f.shape == (700, FEATURES)
    assert f.min() >= 0
    torch.testing.assert_close(judge.answer(f).softmax(1), p)
    assert not judge.training
    assert not any(q.requires_grad for q in judge.parameters())


def test_its_training_repeats_to_the_bit(drawn: glyphs.Glyphs, tmp_path: Path) -> None:
    config = SampleJudgeConfig(steps=3, batch=8, width=4)
    kept = tmp_path / "judge.safetensors"
    runs = [
        train_sample_judge(drawn.x, drawn.y, config, seed, checkpoint).state_dict()
        for seed, checkpoint in ((1, None), (1, kept), (1, kept), (2, None))
    ]
    for other in runs[1:3]:
        assert all(torch.equal(runs[0][k], other[k]) for k in other)
    assert not torch.equal(runs[0]["answer.weight"], runs[3]["answer.weight"])


@pytest.mark.parametrize(
    "change",
    [{"smoothing": 0.3}, {"shift": 0}, {"noise": 0.5}, {"mirrored": 1.0}, {"learning_rate": 1e-2}],
)
def test_every_setting_is_read(change: dict[str, float], drawn: glyphs.Glyphs) -> None:
    a, b = (
        train_sample_judge(drawn.x, drawn.y, SampleJudgeConfig(steps=2, batch=8, width=4, **more))
        for more in ({}, change)
    )
    assert not torch.equal(a.answer.weight, b.answer.weight)


@pytest.mark.parametrize("size", [4, 12, 28])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"size is {size}; give a power of two"):
        SampleJudge(size)


def test_images_outside_the_range_or_without_classes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"scale them to \[-1, 1\]"):
        train_sample_judge(torch.full((4, 1, 8, 8), 1.5), torch.zeros(4, dtype=torch.long))
    with pytest.raises(ValueError, match="for 4 examples; give one class per example"):
        train_sample_judge(torch.zeros(4, 1, 8, 8), torch.zeros(3, dtype=torch.long))


# ------------------------------------------------------------------ Inception


def test_missing_inception_weights_are_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"download weights-inception-2015-12-05-6726825d"):
        spaces.inception_features(tmp_path / spaces.INCEPTION)
    other = tmp_path / "other.pth"
    other.write_bytes(b"not these")
    with pytest.raises(ValueError, match="SHA-256 does not begin with 6726825d"):
        spaces.inception_features(other)


def test_inception_weights_without_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / spaces.INCEPTION
    file.write_bytes(b"weights")
    monkeypatch.setattr(spaces, "_INCEPTION_SHA", "9a129038d9a00aed")  # of b"weights"
    for name in ("torch_fidelity", "torch_fidelity.feature_extractor_inceptionv3"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match="need torch-fidelity; install"):
        spaces.inception_features(file)


def test_inception_gets_colour_images_of_256_levels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With torch-fidelity's network replaced by one that returns what it was given."""
    file = tmp_path / spaces.INCEPTION
    file.write_bytes(b"weights")
    monkeypatch.setattr(spaces, "_INCEPTION_SHA", "9a129038d9a00aed")

    class Extractor(torch.nn.Module):
        def __init__(
            self, name: str, names: list[str], feature_extractor_weights_path: str
        ) -> None:
            assert (names, feature_extractor_weights_path) == (["2048"], str(file))
            super().__init__()

        def forward(self, x: Tensor) -> tuple[Tensor]:
            return (x.flatten(1),)

    stand_in = SimpleNamespace(FeatureExtractorInceptionV3=Extractor)
    monkeypatch.setitem(sys.modules, "torch_fidelity", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", stand_in)
    x = torch.tensor([-1.2, -1.0, 0.0, 1.0]).reshape(1, 1, 2, 2).expand(40, -1, -1, -1)
    found = spaces.inception_features(file)(x)
    assert found.dtype == torch.uint8
    assert found.shape == (40, 12)
    assert found[39].tolist() == [0, 0, 128, 255] * 3


# ------------------------------------------------------------------ protocol


def test_the_protocol_is_what_it_says(judge: SampleJudge, drawn: glyphs.Glyphs) -> None:
    protocol = Protocol("by hand", n=100, size=8, channels=1, subset=50)
    a, b = drawn.x[:100], drawn.x[600:]
    found = measure(a, b, spaces.judge_features(judge), protocol)
    again = measure(1.0 * a, b, spaces.judge_features(judge), protocol)
    assert found == again
    f = [judge.features(as_images(x)) for x in (a, b)]
    assert found.frechet == pytest.approx(frechet_distance(*f), rel=1e-6)
    assert found.kernel == kernel_distance(*f, subsets=100, size=50, seed=0)
    other = measure(-a, b, spaces.judge_features(judge), protocol)
    assert other.samples_sha256 != found.samples_sha256
    assert other.real_sha256 == found.real_sha256
    assert other.frechet > found.frechet


def test_values_are_those_of_image_files() -> None:
    x = torch.tensor([-1.3, -1.0, -0.999, 0.1, 1.0, 2.0])
    y = as_images(x)
    assert y.tolist() == pytest.approx([-1, -1, -1, 0.098039, 1, 1], abs=1e-5)
    torch.testing.assert_close(as_images(y), y)


def test_protocols_tell_samples_from_worse_ones_and_refuse_others() -> None:
    for name in ("digits", "glyphs"):
        protocol, judge = PROTOCOLS[name], pretrained.load(f"energies/judge_{name}")
        assert isinstance(judge, SampleJudge)
        space = spaces.judge_features(judge)
        real = labelled_sets.real_images(name, "test").x
        samples = labelled_sets.real_images(name, "train").x[: protocol.n]
        found = measure(samples, real, space, protocol)
        worse = measure((samples + 0.5).clamp(-1, 1), real, space, protocol)
        assert 0 <= found.frechet < worse.frechet / 3
        assert found.kernel.mean < worse.kernel.mean / 3
        with pytest.raises(ValueError, match="the protocol compares"):
            measure(samples[1:], real, space, protocol)


# ------------------------------------------------------------------ neighbours and memorisation


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 12), st.integers(1, 700))
def test_nearest_is_the_sorted_list_of_all_distances(seed: int, m: int, n: int) -> None:
    x, train = normal(n, 1, 2, 2, seed=seed), normal(m, 1, 2, 2, seed=seed + 1)
    found = nearest(x, train, m)
    every = (x[:, None] - train[None]).flatten(2).norm(dim=2)
    torch.testing.assert_close(found.distance, every.sort(1).values, atol=2e-3, rtol=1e-3)
    assert (found.row.sort(1).values == torch.arange(m)).all()


def test_nearest_in_another_space() -> None:
    train = torch.tensor([0.0, 5.0, -1.0]).reshape(3, 1, 1, 1)
    x = torch.tensor([[[[-4.9]]]])
    assert nearest(x, train).row.tolist() == [[2]]
    assert nearest(x, train, features=lambda z: z.abs().flatten(1)).row.tolist() == [[1]]


def test_impossible_neighbours_are_refused() -> None:
    with pytest.raises(ValueError, match="one size and number of channels"):
        nearest(torch.zeros(2, 1, 8, 8), torch.zeros(2, 3, 8, 8))
    with pytest.raises(ValueError, match="k is 3 for 2"):
        nearest(torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 8), 3)
    with pytest.raises(ValueError, match="100 are needed"):
        memorisation(torch.zeros(2, 1), torch.zeros(99, 1), torch.zeros(5, 1))


def test_memorisation_is_found_in_copies_and_not_in_new_images() -> None:
    train, new, held_out = (glyphs.sample(400, s, size=8).x for s in (1, 2, 3))
    honest = memorisation(new, held_out, train)
    assert not honest.found()
    assert honest.nearer == pytest.approx(0.5, abs=0.08)
    copied = memorisation(train[:200] + 0.05 * normal(200, 1, 8, 8), held_out, train)
    assert copied.found()
    assert copied.nearer > 0.9
    assert copied.samples < copied.held_out
    few = memorisation(torch.cat([train[:20], new[20:]]), held_out, train)
    assert few.found()
    assert few.p_copies < few.p_value
    assert few.copies == pytest.approx(0.05, abs=0.03)


def test_memorisation_is_rarely_found_where_there_is_none() -> None:
    """The level of the test: 5 % of honest samples, within chance."""
    train = normal(300, 1, 2, 2, seed=0)
    wrong = [
        memorisation(normal(100, 1, 2, 2, seed=10 + i), normal(120, 1, 2, 2, seed=900 + i), train)
        for i in range(200)
    ]
    share = sum(m.found() for m in wrong) / len(wrong)
    assert share < 0.10
    assert np.mean([m.p_value < 0.5 for m in wrong]) == pytest.approx(0.5, abs=0.12)


def test_far_samples_are_no_memorisation() -> None:
    train, held_out = normal(200, 1, 2, 2, seed=1), normal(150, 1, 2, 2, seed=2)
    far = memorisation(normal(150, 1, 2, 2, seed=3) + 9, held_out, train)
    assert not far.found()
    assert far.nearer < 0.05
    assert far.copies == 0


# ------------------------------------------------------------------ the sets


def test_digits_and_glyphs_come_in_one_range_and_their_parts_are_apart() -> None:
    for name, shape in (("digits", (1, 8, 8)), ("glyphs", (1, 16, 16))):
        train, test = (labelled_sets.real_images(name, part) for part in ("train", "test"))
        assert train.x.shape[1:] == test.x.shape[1:] == shape
        assert (train.x.min(), train.x.max()) == (-1, 1)
        assert sorted(set(train.y.tolist())) == sorted(set(test.y.tolist())) == list(range(10))
        assert nearest(test.x, train.x).distance.min() > 0.05
    own = labelled_sets.judge_images("glyphs").x
    assert nearest(own[:200], labelled_sets.real_images("glyphs").x).distance.min() > 0.05
    assert torch.equal(
        labelled_sets.judge_images("digits").x, labelled_sets.real_images("digits").x
    )
    with pytest.raises(ValueError, match="sets are digits, glyphs"):
        labelled_sets.real_images("celeba")
    with pytest.raises(ValueError, match="'validation'"):
        labelled_sets.real_images("digits", "validation")


# ------------------------------------------------------------------ trivial generators, noise


def test_gaussian_draws_have_the_means_and_covariances_of_the_training_images() -> None:
    train = (0.2 * correlated(60, 4, 20)).clamp(-9, 9).reshape(60, 1, 2, 2)
    low, high = train.min() - 50, train.max() + 50
    wide = torch.cat([train, torch.stack([low, high]).reshape(2, 1, 1, 1).expand(2, 1, 2, 2)])
    y = gaussian_samples(wide, 40_000, seed=1).flatten(1)
    rows = wide.flatten(1)
    scale = float(rows.std())
    torch.testing.assert_close(y.mean(0), rows.mean(0), atol=0.05 * scale, rtol=0)
    torch.testing.assert_close(y.T.cov(), rows.T.cov(), atol=0.2 * scale**2, rtol=0)


def test_a_mixture_draws_from_every_cluster_in_proportion() -> None:
    centres = torch.tensor([-5.0, 0.0, 5.0]).repeat_interleave(torch.tensor([60, 30, 10]))
    train = (centres[:, None] + 0.1 * normal(100, 4)).reshape(100, 1, 2, 2)
    x = gaussian_samples(train, 4000, components=3, seed=2).flatten(1)
    near = [(x.mean(1) - c).abs() < 1 for c in (-5, 0, 5)]
    shares = [float(n.double().mean()) for n in near]
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.03)
    assert float(x[near[0]].std(0).mean()) == pytest.approx(0.1, rel=0.2)
    again = gaussian_samples(train, 4000, components=3, seed=2).flatten(1)
    assert torch.equal(x, again)
    assert not torch.equal(x, gaussian_samples(train, 4000, components=3, seed=3).flatten(1))
    with pytest.raises(ValueError, match="51 components from 100 images"):
        gaussian_samples(train, 5, components=51)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 1), st.floats(-1, 1), st.floats(-0.05, 0.05), st.integers(0, 99))
def test_the_noise_level_of_noise_on_a_ramp(
    s: float, level: float, slope: float, seed: int
) -> None:
    ramp = level + slope * torch.arange(40.0)
    x = ramp.expand(2, 3, 40, 40) + s * normal(2, 3, 40, 40, seed=seed)
    assert noise_level(x).tolist() == pytest.approx([s, s], rel=0.08)
    assert noise_level(ramp.expand(1, 1, 40, 40)).item() == pytest.approx(0, abs=1e-5)
    with pytest.raises(ValueError, match="3x3 or more"):
        noise_level(torch.zeros(2, 1, 2, 5))
