"""Restoring images by an energy's chain: missing pixels, and how much completions differ.

CF-EBM section 4.1 (cfebm.fig5, cfebm.fig6, cfebm.fig11). Denoising needs nothing of its own: it is
`sampling.short_run` from the noisy image. For a hole H with known pixels k around it,

    p(x_H | x_k)  is proportional to  exp(-E(x_H, x_k)),

so that the same energy with the known pixels held fixed is the energy of what is missing, and the
one Langevin loop runs on the missing pixels alone.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from domain_translation.energies.sampling import ShortRun, short_run
from domain_translation.sampling.inputs import FAR, events, floats, pictures
from domain_translation.sampling.scores import Energy

HOLES = ("centre", "top", "left", "scattered")


def hole(kind: str, size: int, seed: int = 0) -> Tensor:
    """A mask of a quarter of the pixels: (size, size) bool, True where pixels are missing.

    The source gives the area and no place (cfebm.fig6); "top" is that of cfebm.fig11.

    Args:
        kind: "centre" for the middle square of half the side, "top" or "left" for a quarter of
            the rows or columns, "scattered" for single pixels at random places.
        size: side of the images, a multiple of 4.
        seed: of the scattered pixels.

    Raises:
        ValueError: an unknown kind, or a size that has no quarter.
    """
    if kind not in HOLES:
        raise ValueError(f"hole is {kind!r}; allowed are {', '.join(HOLES)}")
    if size < 4 or size % 4:
        raise ValueError(f"size is {size}; give a multiple of 4, so that a quarter has whole rows")
    mask = torch.zeros(size, size, dtype=torch.bool)
    quarter = size // 4
    if kind == "centre":
        mask[quarter : 3 * quarter, quarter : 3 * quarter] = True
    elif kind == "top":
        mask[:quarter] = True
    elif kind == "left":
        mask[:, :quarter] = True
    else:
        order = torch.randperm(size**2, generator=Generator().manual_seed(seed))
        mask.view(-1)[order[: size**2 // 4]] = True
    return mask


def conditional(energy: Energy, x: Tensor, missing: Tensor) -> Energy:
    """Energy of the missing pixels alone, the known pixels of `x` held fixed.

    Args:
        energy: of whole images, (B, C, S, S) -> (B,).
        x: images (B, C, S, S); what they hold in the hole is not used.
        missing: (S, S) bool.

    Returns:
        energy of z (B, C, K), the K missing pixels in reading order; its gradient is the
        gradient of `energy` in the hole.
    """
    places = _places(x, missing)

    def of_hole(z: Tensor) -> Tensor:
        return energy(_placed(x, places, z))

    return of_hole


def filled(x: Tensor, missing: Tensor, z: Tensor) -> Tensor:
    """A copy of `x` (B, C, S, S) with the missing pixels (S, S) replaced by z (B, C, K)."""
    return _placed(x, _places(x, missing), z)


def _places(x: Tensor, missing: Tensor) -> Tensor:
    """Numbers (K,) of the missing pixels in reading order, on the device of `x`."""
    return missing.to(x.device).flatten().nonzero().flatten()


def _placed(x: Tensor, places: Tensor, z: Tensor) -> Tensor:
    # By number: a mask would have the host count its pixels at every step.
    return x.flatten(-2).index_copy(-1, places, z).reshape(x.shape)


def complete(
    energy: Energy, x: Tensor, missing: Tensor, run: ShortRun, *, copies: int = 1, seed: int = 0
) -> Tensor:
    """Fill holes by chains that start with U(-1, 1) noise in the hole; known pixels never move.

    Args:
        energy: of whole images, (B, C, S, S) -> (B,).
        x: images (B, C, S, S) in [-1, 1]; what they hold in the hole is not used.
        missing: (S, S) bool, the same hole for all images.
        run: the chain of the energy's training, or a longer one.
        copies: completions of each image, from independent noise.
        seed: of starts and noise.

    Returns:
        (copies, B, C, S, S).

    Raises:
        ValueError: no hole or nothing around it, a mask of another size, copies below 1.
        DivergenceError: a chain left the finite numbers.
    """
    x = floats(x, "x", "(B, C, S, S)").float()
    if missing.dtype != torch.bool or missing.shape != x.shape[-2:]:
        raise ValueError(
            f"missing is {missing.dtype} of shape {tuple(missing.shape)}; give a bool mask of the "
            f"images' {tuple(x.shape[-2:])}, True where pixels are missing"
        )
    if bool(missing.all()) or not bool(missing.any()):
        raise ValueError("missing marks all pixels or none; leave some of both kinds")
    pictures(_blank(x, missing), "x", within=FAR)
    if copies < 1:
        raise ValueError(f"copies is {copies}; ask for at least one completion")
    generator = Generator(x.device).manual_seed(seed)
    known = x.repeat(copies, 1, 1, 1)
    start = torch.empty_like(known[..., missing]).uniform_(-1, 1, generator=generator)
    found = short_run(conditional(energy, known, missing), start, run, generator=generator).x
    return filled(known, missing, found).reshape(copies, *x.shape)


def hole_error(restored: Tensor, x: Tensor, missing: Tensor) -> Tensor:
    """Root mean square error over the missing pixels, (..., B, C, S, S) -> (..., B)."""
    x, restored = events(x, "x"), events(restored, "restored", like=x)
    if restored.shape[-x.ndim :] != x.shape:
        raise ValueError(
            f"restored has shape {tuple(restored.shape)} and x {tuple(x.shape)}; give restorations "
            "of these images"
        )
    return (restored - x)[..., missing].square().flatten(-2).mean(-1).sqrt()


def spread(completions: Tensor, missing: Tensor) -> Tensor:
    """Root mean square difference of two completions in the hole: (copies, B, ...) -> (B,).

    The mean over all pairs of different completions of their squared difference per pixel, which
    is twice the unbiased variance. It is 0 exactly if all completions agree.

    Raises:
        ValueError: fewer than two completions.
    """
    if len(completions) < 2:
        raise ValueError(f"{len(completions)} completions have no spread; give at least two")
    variance = completions[..., missing].var(dim=0)
    return (2 * variance.flatten(1).mean(1)).sqrt()


def _blank(x: Tensor, missing: Tensor) -> Tensor:
    """Images without what they hold in the hole, where it may be anything."""
    return x.masked_fill(missing.to(x.device), 0) if x.shape[-2:] == missing.shape else x


def _like(x: Tensor, train: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
    """Images and training images of one size, after a look at both."""
    x = floats(x, "x", "(B, C, S, S)")
    pictures(_blank(x, missing), "x", within=FAR)
    train = pictures(train, "train", like=x, within=FAR, channels=x.shape[1])
    if x.shape[-2:] != train.shape[-2:]:
        raise ValueError(
            f"images have {tuple(x.shape[-2:])} and {tuple(train.shape[-2:])} pixels; give one size"
        )
    return x, train


def mean_fill(x: Tensor, missing: Tensor, train: Tensor) -> Tensor:
    """Holes filled with the mean training image: the best guess that looks at nothing."""
    x, train = _like(x, train, missing)
    return filled(x, missing, train.mean(0)[..., missing].expand_as(x[..., missing]))


def neighbour_fill(x: Tensor, missing: Tensor, train: Tensor, k: int = 1) -> Tensor:
    """Holes filled from the k training images nearest in the known pixels: (k, B, C, S, S).

    Nearest first; a memory that can only repeat what it has seen.

    Raises:
        ValueError: k outside 1 .. number of training images.
    """
    x, train = _like(x, train, missing)
    if not 1 <= k <= len(train):
        raise ValueError(f"k is {k}; give 1 to {len(train)}, the number of training images")
    ours, theirs = x[..., ~missing].flatten(1), train[..., ~missing].flatten(1)
    nearest = torch.cdist(ours, theirs).topk(k, largest=False).indices  # (B, k)
    return torch.stack([filled(x, missing, train[rows][..., missing]) for rows in nearest.T])
