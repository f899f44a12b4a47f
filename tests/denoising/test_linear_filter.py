"""The best linear denoiser against closed forms."""

from __future__ import annotations

import pytest
import torch

from domain_translation.denoising.linear import linear_filter


def test_white_pictures_are_shrunk_by_wieners_factor() -> None:
    g = torch.Generator().manual_seed(0)
    clean = torch.randn((60, 3, 24, 24), generator=g)
    y = linear_filter(clean, 1.0, size=3, stride=1)(torch.ones(1, 3, 8, 8))
    assert y.mean().item() == pytest.approx(0.5, abs=0.06)


def test_flat_pictures_are_averaged_over_the_window() -> None:
    g = torch.Generator().manual_seed(1)
    clean = torch.randn((400, 1, 12, 12), generator=g).mean((2, 3), keepdim=True) * 12
    clean = clean.expand(-1, -1, 12, 12).contiguous()
    noisy = clean + 0.5 * torch.randn(clean.shape, generator=g)
    left = (linear_filter(clean, 0.5, size=5, stride=2)(noisy) - clean)[..., 2:-2, 2:-2]
    # The mean over 25 pixels leaves a fifth of the noise; a prior of variance 1 a little less.
    assert left.square().mean().sqrt().item() == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("size", [4, 41])
def test_a_filter_that_does_not_fit_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="odd size"):
        linear_filter(torch.zeros(1, 3, 16, 16), 0.1, size=size)
