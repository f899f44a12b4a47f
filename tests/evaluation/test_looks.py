"""Pictures pass for a domain when their statistics do, and not for their class."""

import pytest
import torch

from domain_translation.evaluation.pictures.looks import fit, statistics


def _pictures(n, brightness, seed, channels=3):
    g = torch.Generator().manual_seed(seed)
    level = brightness + 0.1 * torch.randn(n, 1, 1, 1, generator=g)
    return (level + 0.1 * torch.randn(n, channels, 8, 8, generator=g)).clamp(-1, 1)


def test_statistics_of_known_pictures():
    x = torch.zeros(2, 3, 4, 4)
    x[1, 0] = 0.5  # a flat colour: range over channels 0.5, no edges
    x[1, 1:] = 0.0
    found = statistics(x)
    assert found.shape == (2, 11)
    assert bool((found[0] == 0).all())
    assert found[1, 7].item() == 0.5
    assert found[1, 8:].tolist() == [0.0, 0.0, 0.0]
    halves = torch.zeros(1, 3, 4, 4)
    halves[:, 0, :2] = 0.6  # colours (0.4, -0.2, -0.2) above, their mean (0.2, -0.1, -0.1)
    assert statistics(halves)[0, 8].item() == pytest.approx((0.06 / 3) ** 0.5)
    stripes = torch.zeros(1, 1, 4, 4)
    stripes[..., ::2] = 1.0
    there = statistics(stripes)[0]
    assert there[9].item() == 0.5  # 1 across, 0 down
    assert there[10].item() == 2.0
    assert statistics(3 * stripes)[0].tolist() == there.tolist()  # cut off at 1


def test_real_pictures_pass_and_others_do_not():
    real, other = _pictures(400, 0.4, 0), _pictures(400, -0.4, 1)
    looks = fit(real, other)
    assert looks.share(real) == pytest.approx(0.95, abs=0.01)
    assert looks.share(_pictures(400, 0.4, 2)) > 0.85
    assert looks.share(other) == 0.0


def test_garbage_on_the_right_side_of_the_line_does_not_pass():
    looks = fit(_pictures(400, 0.4, 0), _pictures(400, -0.4, 1))
    g = torch.Generator().manual_seed(3)
    garbage = torch.rand(50, 3, 8, 8, generator=g).mul(0.9)
    assert looks.line.predict(statistics(garbage).numpy()).mean() > 0.9
    assert looks.share(garbage) == 0.0


def test_what_lies_between_two_near_domains_belongs_to_one():
    """Typical pictures on the other domain's side of the line do not pass."""
    real, other = _pictures(400, 0.2, 0), _pictures(400, 0.0, 1)
    looks = fit(real, other)
    inside = looks.cloud.mahalanobis(looks.scale.transform(statistics(other).numpy()))
    typical = float((inside <= looks.limit).mean())
    assert typical > 0.3
    assert looks.share(other) < typical / 2


def test_one_channel():
    looks = fit(_pictures(100, 0.4, 0, 1), _pictures(100, -0.4, 1, 1))
    assert looks.share(_pictures(100, 0.4, 2, 1)) > 0.8


@pytest.mark.parametrize(("n", "channels"), [(10, 3), (30, 1)])
def test_refusals(n, channels):
    with pytest.raises(ValueError, match="give 20 or more of either domain"):
        fit(_pictures(30, 0.4, 0), _pictures(n, 0.4, 1, channels))
