"""The shipped translators of the scenes, live."""

from __future__ import annotations

import pytest
import torch

from domain_translation import weights
from domain_translation.evaluation.class_preservation import agreement, confusion
from domain_translation.experiments.weights_methods import translate_by
from domain_translation.experiments.weights_scene_shipped import DRAWN, shipped_rows
from domain_translation.experiments.weights_scene_tables import ZOOM, tiles
from domain_translation.experiments.weights_scenes import SCENES


@pytest.mark.parametrize("name", list(SCENES))
def test_rows_begin_with_the_source_and_noises_are_shared(name: str) -> None:
    scene = SCENES[name]
    rows = shipped_rows(scene, 2)
    assert [tuple(row.shape) for row in rows] == [(9, 3, 16 * ZOOM, 16 * ZOOM)] * 2
    x = scene.even(2, DRAWN).x.x
    torch.testing.assert_close(rows[1][0], tiles(x[1:])[0])
    forward = weights.load(f"scenes/{name}_forward")
    torch.testing.assert_close(rows[1][3], tiles(translate_by(forward)(x[1:], 2))[0])  # type: ignore[arg-type]
    assert torch.equal(shipped_rows(scene, 1)[0], shipped_rows(scene, 1)[0])
    assert not torch.equal(shipped_rows(scene, 1, seed=1)[0], rows[0])


def test_the_shipped_translator_of_the_wares_keeps_their_class() -> None:
    scene = SCENES["wares"]
    drawn = scene.even(60, DRAWN + 1)
    made = translate_by(weights.load("scenes/wares_forward"))(drawn.x.x, 0)  # type: ignore[arg-type]
    found = confusion(weights.load("scenes/judge_photos"), made.clamp(-1, 1), drawn.x.y, 2)
    assert agreement(found) > 0.8
