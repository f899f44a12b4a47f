"""pix2pix's U-Net from the state dicts of junyanz/pytorch-CycleGAN-and-pix2pix.

There each level holds the next one, `model.model.1.model.3.model...`. Its batch normalisation is
used with the statistics of the picture itself, as the paper does at test time (Isola et al. 2017,
section 3.4): for one picture that is instance normalisation, and stored statistics are not used.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.training import state_dicts
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.trained import freeze
from domain_translation.translators.pix2pix.networks import UnetGenerator


def is_unet(names: Collection[str]) -> bool:
    """Whether these are names of a U-Net in the published layout, in whatever wrapper."""
    common = state_dicts.prefix(names)
    plain = {name.removeprefix(common) for name in names}
    return {"0.weight", "3.weight", "1.model.1.weight"} <= plain


def generator(tensors: Mapping[str, Tensor], path: Path | str) -> UnetGenerator:
    """The generator with these weights, frozen and in evaluation mode.

    Args:
        tensors: of a state dict for which `is_unet` holds.
        path: of their file, for messages.

    Raises:
        CheckpointError: a U-Net with another normalisation, or other shapes or values.
    """
    plain = state_dicts.renamed(tensors, ("0.weight", "1.model.1.weight"))
    depth = _depth(plain)
    if depth > 2 and "1.model.2.weight" not in plain:
        raise CheckpointError(
            f"{path} holds a U-Net of pix2pix whose normalisation has no weights (instance "
            f"normalisation); one with batch normalisation, pix2pix's own, is expected"
        )
    named = _names(depth)
    given = {named.get(name, name): tensor for name, tensor in plain.items()}
    first, last = plain["0.weight"], plain["3.weight"]
    if first.ndim != 4 or last.ndim != 4:
        raise CheckpointError(f"{path} holds a U-Net whose first or last layer is no convolution")
    with torch.device("meta"):  # shapes only, until the file is known to fit them
        model = UnetGenerator(first.shape[1], last.shape[1], first.shape[0], depth)
    state_dicts.check(given, model.state_dict(), f"{path} is no U-Net in pix2pix's layout")
    model.load_state_dict({k: v.float() for k, v in given.items()}, assign=True)
    return freeze(model)


def _depth(plain: Mapping[str, Tensor]) -> int:
    depth, inside = 1, "1.model."
    while any(name.startswith(inside) for name in plain):
        depth, inside = depth + 1, f"{inside}3.model."
    return depth


def _names(depth: int) -> dict[str, str]:
    """Our name of each published tensor; level 0 is the outermost."""
    ours = {"0.weight": "down.0.0.weight"}
    ours |= {f"3.{kind}": f"up.{depth - 1}.1.{kind}" for kind in ("weight", "bias")}
    inside = "1.model."
    for level in range(1, depth):
        innermost = level == depth - 1
        up, norm = (3, 4) if innermost else (5, 6)
        ours[f"{inside}1.weight"] = f"down.{level}.1.weight"
        ours[f"{inside}{up}.weight"] = f"up.{depth - 1 - level}.1.weight"
        for kind in ("weight", "bias"):
            ours[f"{inside}{norm}.{kind}"] = f"up.{depth - 1 - level}.2.{kind}"
            if not innermost:
                ours[f"{inside}2.{kind}"] = f"down.{level}.2.{kind}"
        inside += "3.model."
    return ours
