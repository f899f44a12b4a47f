"""Noise-conditional denoisers, principal components, and translators trained on pairs."""

from pathlib import Path

import pytest
import torch
from still import Still
from torch import nn

from domain_translation.denoising import DenoiserConfig, train_denoiser
from domain_translation.denoising.conditional import (
    AtSigma,
    ConditionalDenoiser,
    conditional_score,
    geometric,
    train_conditional,
)
from domain_translation.denoising.principal import principal
from domain_translation.sampling.densities import GaussianMixture
from domain_translation.training import Step, trained
from domain_translation.translators.regression import train_on_pairs

MIXTURE = GaussianMixture([[-1.2, 0.3], [1.0, -0.4]], 0.25, [0.4, 0.6])


def data(n: int = 4_000) -> torch.Tensor:
    x = MIXTURE.sample(n, torch.Generator().manual_seed(0))
    return x - MIXTURE.mean.float()


def network(x: torch.Tensor) -> ConditionalDenoiser:
    return ConditionalDenoiser(x.var(0), width=64)


def test_one_network_learns_the_scores_of_all_levels() -> None:
    x, ladder = data(), geometric(1.0, 0.1, 8)
    model = train_conditional(
        lambda: network(x), x, ladder, DenoiserConfig(steps=500, batch=128, learning_rate=1e-2)
    )
    score = conditional_score(model)
    for sigma in (0.6, 0.4, 0.15):
        noise = torch.randn(500, 2, generator=torch.Generator().manual_seed(1))
        y = data(500) + sigma * noise
        exact = MIXTURE.smoothed(sigma).score(y + MIXTURE.mean.float())
        # relative error of the score, in mean square under the smoothed density
        error = (score(y, sigma) - exact).square().sum() / exact.square().sum()
        linear = -y / (x.var(0) + sigma**2)
        by_wiener = (linear - exact).square().sum() / exact.square().sum()
        assert error < 0.08
        assert error < by_wiener / 2


def test_the_loss_of_one_step_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Squared errors in units of each sample's own noise level, summed over the event."""
    seen: list[Step] = []
    monkeypatch.setattr(trained, "Player", lambda *_: Still())
    monkeypatch.setattr(trained, "fit", lambda step, *_, **__: seen.append(step))
    x, ladder, g = data(6), torch.tensor([2.0, 0.5]), torch.Generator()
    model = train_conditional(lambda: network(x), x, ladder.tolist(), DenoiserConfig())
    found = seen[0]((x,), g.manual_seed(3))["denoiser"]
    g.manual_seed(3)
    sigma = ladder[torch.randint(2, (6,), generator=g)]
    noise = torch.randn(x.shape, generator=g)
    error = (model(x + sigma[:, None] * noise, sigma) - x) / sigma[:, None]
    assert 2 in sigma
    assert 0.5 in sigma
    torch.testing.assert_close(found, error.square().sum() / 6)


def test_the_score_of_a_level_is_tweedies() -> None:
    x = data(5)
    score = conditional_score(lambda y, sigma: sigma[:, None] * y)  # r(x) = x / 2 at 1/2
    torch.testing.assert_close(score(x, 0.5), -2 * x)


def test_without_its_perceptron_it_is_wieners_filter() -> None:
    model = ConditionalDenoiser(torch.tensor([4.0, 0.25]))
    for p in model.layers[-1].parameters():
        nn.init.zeros_(p)
    x = torch.tensor([[1.0, 1.0], [2.0, -2.0]])
    out = model(x, torch.tensor([0.5, 2.0]))
    expected = torch.tensor([[4 / 4.25, 0.5], [2 * 4 / 8, -2 * 0.25 / 4.25]])
    assert torch.allclose(out, expected)


def test_training_is_reproducible_and_resumes(tmp_path: Path) -> None:
    x, config = data(300), DenoiserConfig(steps=12, batch=32)

    def weights(steps: int, checkpoint: Path | None = None) -> list[torch.Tensor]:
        pace = DenoiserConfig(steps=steps, batch=32)
        model = train_conditional(lambda: network(x), x, [0.3, 0.1], pace, 4, checkpoint)
        return list(model.parameters())

    once, again = weights(config.steps), weights(config.steps, tmp_path / "a.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    resumed = weights(config.steps, tmp_path / "a.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(once, resumed, strict=True))


def test_held_at_one_level_it_is_an_ordinary_denoiser() -> None:
    x = data(500)
    model = network(x)
    held = AtSigma(model, 0.3)
    assert torch.equal(held(x), model(x, torch.full((500,), 0.3)))
    trained = train_denoiser(lambda: AtSigma(network(x), 0.3), x, 0.3, DenoiserConfig(steps=300))
    noisy = x + 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    linear = noisy * x.var(0) / (x.var(0) + 0.09)
    assert (trained(noisy) - x).square().mean() < 0.9 * (linear - x).square().mean()


def test_ladder_is_geometric() -> None:
    ladder = geometric(0.8, 0.1, 4)
    assert ladder == pytest.approx([0.8, 0.4, 0.2, 0.1])
    for wrong in ((0.1, 0.8, 4), (0.8, 0.0, 4), (0.8, 0.1, 1)):
        with pytest.raises(ValueError, match="high > low > 0"):
            geometric(*wrong)


def test_refused_training() -> None:
    config = DenoiserConfig(steps=1)
    for sigmas in ([], [0.1, -1.0], [float("inf")]):
        with pytest.raises(ValueError, match="sigmas are"):
            train_conditional(lambda: network(data(50)), data(50), sigmas, config)
    with pytest.raises(ValueError, match="NaN"):
        train_conditional(lambda: network(data(50)), data(50) / 0, [0.1], config)
    with pytest.raises(ValueError, match="variances"):
        ConditionalDenoiser(torch.tensor([1.0, 0.0]))
    with pytest.raises(ValueError, match="sigma is 0"):
        AtSigma(nn.Identity(), 0.0)


@pytest.mark.parametrize("n", [60, 400])  # fewer and more samples than numbers
def test_principal_axes(n: int) -> None:
    g = torch.Generator().manual_seed(3)
    spread = torch.diag(torch.tensor([3.0, 2.0, 1.0] + [0.1] * 117))
    x = (torch.randn(n, 120, generator=g) @ spread + 5).reshape(n, 3, 5, 8)
    basis = principal(x, 3)
    _, sizes, axes = torch.linalg.svd((x - x.mean(0)).flatten(1).double(), full_matrices=False)
    assert torch.allclose(basis.variances.double(), sizes[:3] ** 2 / (n - 1), rtol=1e-4)
    assert torch.allclose(
        (basis.axes.double() @ axes[:3].T).abs(), torch.eye(3).double(), atol=1e-3
    )
    assert basis.rest == pytest.approx(float((sizes[3:] ** 2).sum() / (n - 1) / 117), rel=1e-4)
    back = basis.events(basis.coordinates(x))
    assert torch.allclose(basis.coordinates(back), basis.coordinates(x), atol=1e-4)
    assert (back - x).square().mean() < 0.012


def test_lifted_wiener_is_the_linear_denoiser_of_all_pixels() -> None:
    g = torch.Generator().manual_seed(4)
    x = torch.randn(500, 3, 4, generator=g) * torch.linspace(0.2, 2, 12).reshape(3, 4)
    basis = principal(x, 5)
    sigma = torch.full((500,), 0.7)
    lifted = basis.lifted(lambda c, s: c * basis.variances / (basis.variances + s[:, None] ** 2))
    cov = basis.axes.T @ torch.diag(basis.variances - basis.rest) @ basis.axes
    cov = cov + basis.rest * torch.eye(12)
    whole = torch.linalg.solve(cov + 0.49 * torch.eye(12), cov)
    expected = basis.mean + ((x - basis.mean).flatten(1) @ whole).reshape(x.shape)
    assert torch.allclose(lifted(x, sigma), expected, atol=1e-4)


def test_too_many_axes_are_refused() -> None:
    with pytest.raises(ValueError, match="give at least 1 and fewer than 9"):
        principal(torch.randn(10, 20, generator=torch.Generator().manual_seed(5)), 9)


def test_pairs_teach_the_map_between_them() -> None:
    g = torch.Generator().manual_seed(6)
    x, matrix = torch.randn(500, 4, generator=g), torch.randn(4, 3, generator=g)
    y = x @ matrix + 1
    runs = [
        train_on_pairs(
            lambda: nn.Linear(4, 3), x, y, steps=600, batch=64, learning_rate=2e-2, seed=1
        )
        for _ in range(2)
    ]
    a, b = (run.state_dict()["weight"] for run in runs)
    assert torch.allclose(a, matrix.T, atol=1e-2)
    assert torch.equal(a, b)
    with pytest.raises(ValueError, match="500 sources and 3 targets"):
        train_on_pairs(lambda: nn.Linear(4, 3), x, y[:3], steps=1)
