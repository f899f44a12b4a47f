"""What is measured of scenes with a known translation: distances, votes, the round trip's scale."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from domain_translation.cooling import cool
from domain_translation.evaluation.judges.image_judges import target_margin
from domain_translation.evaluation.judges.judge_networks import ImageJudges
from domain_translation.pretrained.directions import Direction
from domain_translation.studies.cooling.scenes import error_changes, judged, rms, round_trip_score
from domain_translation.synthetic import Scenes


class Times(nn.Module):
    """Multiplies pictures by a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def pictures(n: int, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 16, 16, generator=Generator().manual_seed(seed)) * 2 - 1


def direction(name: str) -> Direction:
    x = pictures(3)
    scenes = Scenes(x, x, torch.zeros(3))
    judges = ImageJudges(16)
    return Direction(name, Times(0.5), Times(1.0), Times(0.5), 0.3, scenes, scenes, judges.eval())


def test_black_is_two_away_from_white() -> None:
    white = torch.ones(2, 3, 4, 4)
    assert rms(white, -white).tolist() == [2, 2]
    assert rms(white, white).tolist() == [0, 0]


def test_judges_of_a_direction_speak_of_its_target() -> None:
    x, forward = pictures(3), direction("horse2zebra")
    backward = direction("zebra2horse")
    torch.testing.assert_close(judged(forward, x), target_margin(forward.judges, x))
    torch.testing.assert_close(judged(backward, x), -target_margin(backward.judges, x))
    torch.testing.assert_close(judged(backward, x).mean(0), backward.margin(x))


def test_errors_change_by_what_the_arms_differ() -> None:
    plain = torch.tensor([1.0, 2.0, 3.0])
    found = error_changes({"plain": plain, "cooled": plain - 0.5, "blur": plain + 0.25})
    assert found == {
        "error, plain": 2.0,
        "change of the error, cooled": -0.5,
        "change of the error, blur": 0.25,
        "closer to the truth": 1.0,
    }


def test_the_round_trip_goes_as_far_as_the_denoiser() -> None:
    d, x = direction("horse2zebra"), pictures(4, 1)
    chain = {"step_size": 0.001, "temperature": 1e-4, "steps": 50}
    still = chain | {"temperature": 0}
    score = round_trip_score(d, x, chain)

    def reach(z: Tensor) -> float:
        return float((z - x).flatten(1).norm(dim=1).mean())

    moved = [reach(cool(s, x, **still).x) for s in (d.score, score)]
    assert abs(moved[1] / moved[0] - 1) < 0.05
