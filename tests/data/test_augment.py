"""Crops, moves and mirror images against slices, one image at a time."""

from __future__ import annotations

import torch
from torch import Generator

from domain_translation.data.augment import crop_and_flip, flip_and_move


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def test_crops_are_slices_at_the_drawn_places() -> None:
    images = torch.rand(6, 4, 9, 12, generator=gen())
    drawn = gen(1)
    tops = torch.randint(9 - 5 + 1, (6,), generator=drawn)
    lefts = torch.randint(12 - 5 + 1, (6,), generator=drawn)
    coins = torch.rand(6, generator=drawn) < 0.5
    plain = [x[:, t : t + 5, u : u + 5] for x, t, u in zip(images, tops, lefts, strict=True)]
    whole = [c.flip(2) if coin else c for c, coin in zip(plain, coins, strict=True)]
    assert torch.equal(crop_and_flip(images, 5, gen(1)), torch.stack(whole))
    assert torch.equal(crop_and_flip(images, 5, gen(1), mirrored=False), torch.stack(plain))
    assert coins.any()
    assert not coins.all()


def test_whole_images_that_are_not_mirrored_draw_nothing() -> None:
    images, generator = torch.rand(3, 1, 8, 8, generator=gen()), gen(1)
    assert torch.equal(crop_and_flip(images, 8, generator, mirrored=False), images)
    assert torch.equal(generator.get_state(), gen(1).get_state())


def test_moved_images_repeat_their_edge_and_mirror_images_move_the_same_way() -> None:
    images = torch.rand(2, 3, 4, 5, generator=gen())
    up, left = torch.tensor([[1], [-2]]), torch.tensor([[-1], [2]])
    moved = flip_and_move(images, up, left, torch.tensor([[False], [True]]))
    first = images[0][:, [1, 2, 3, 3]][:, :, [0, 0, 1, 2, 3]]
    second = images[1].flip(2)[:, [0, 0, 0, 1]][:, :, [2, 3, 4, 4, 4]]
    assert torch.equal(moved, torch.stack([first, second]))
