"""Edges against photographs of the shoes and bags of Fashion-MNIST, out of balance as in JD-BW.

Section 4.1 (jdbw.data.edges) leaves the contours as they come, 26.6 % of them shoes, and draws
the photographs so that 90 % are shoes. No image gives both a contour and a photograph.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.data.digits import Split
from domain_translation.data.folders import split_halves
from domain_translation.reweighting.domains.edges import canny_edges
from domain_translation.reweighting.domains.mass_shift import resample

BAG, SHOES = 8, (5, 7, 9)  # Fashion-MNIST's labels: bag; sandal, sneaker, ankle boot
# Of 50,000 shoes and 138,000 bags, in the order of the classes: 0 bag, 1 shoe.
EDGE_SHARES = (1 - 50 / 188, 50 / 188)
PHOTO_SHARES = (0.1, 0.9)


class Wares(NamedTuple):
    """Contours and photographs of different wares; x (n, 1, size, size), y 0 bag, 1 shoe."""

    edges: Split
    photos: Split


def divided(data: Split, n: int, seed: int) -> Wares:
    """The two domains from labelled pictures of Fashion-MNIST; errors as in `resample`."""
    wares = only_wares(data)
    halves: tuple[list[Tensor], list[Tensor]] = ([], [])
    for k in (0, 1):
        own = (wares.y == k).nonzero().flatten()
        sizes = (len(own) // 2, len(own) - len(own) // 2)
        for half, rows in zip(halves, split_halves(len(own), sizes, seed), strict=True):
            half.append(own[rows])
    drawn, taken = (torch.cat(rows) for rows in halves)
    contours = resample(Split(wares.x[drawn], wares.y[drawn]), EDGE_SHARES, n, seed)
    photos = resample(Split(wares.x[taken], wares.y[taken]), PHOTO_SHARES, n, seed + 1)
    return Wares(Split(canny_edges(contours.x), contours.y), photos)


def only_wares(data: Split) -> Split:
    """The shoes and bags among Fashion-MNIST's classes, as classes 1 and 0, on a white ground.

    The makers of Fashion-MNIST negated their photographs; here that is undone, as the photographs
    of edges2shoes are on white too, and the contours are.
    """
    shoe = torch.isin(data.y, torch.tensor(SHOES))
    keep = shoe | (data.y == BAG)
    return Split(-data.x[keep], shoe[keep].long())
