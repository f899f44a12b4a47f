"""Translators from the checkpoints that CycleGAN's and CUT's authors published.

The paper preset starts from these weights instead of training for days (lcool.arch.cyclegan).
A `latest_net_G.pth` is a `state_dict` of the generator alone: its width, its blocks and its
channels are read off the shapes, and whether it was trained with dropout off the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.training import state_dicts
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.state_dicts import some
from domain_translation.training.trained import freeze
from domain_translation.translators import layouts
from domain_translation.translators.cyclegan.antialiased import AntialiasedGenerator
from domain_translation.translators.cyclegan.networks import ResnetGenerator

# The generators on the authors' server (scripts/download_cyclegan_model.sh of
# junyanz/pytorch-CycleGAN-and-pix2pix). They publish neither sizes nor digests, and serve plain
# http: reading tensors only is what makes such a file safe to open.
PUBLISHED = (
    *("apple2orange", "orange2apple", "summer2winter_yosemite", "winter2summer_yosemite"),
    *("horse2zebra", "zebra2horse", "monet2photo", "style_monet", "style_cezanne"),
    *("style_ukiyoe", "style_vangogh", "sat2map", "map2sat", "cityscapes_photo2label"),
    *("cityscapes_label2photo", "facades_photo2label", "facades_label2photo"),
    "iphone2dslr_flower",
)
SERVER = "http://efrosgans.eecs.berkeley.edu/cyclegan/pretrained_models"

# Position of the first residual block in the sequence of layers, and how many layers there are from
# the last block to the last convolution: CycleGAN's, and CUT's with its blurs.
_CYCLEGAN, _CUT = (10, 7), (12, 9)


def published_url(name: str) -> str:
    """Address of the published generator `name`, one of `PUBLISHED`.

    Raises:
        ValueError: no such generator was published.
    """
    if name not in PUBLISHED:
        raise ValueError(f"no generator {name!r} was published; choose from {some(PUBLISHED, 18)}")
    return f"{SERVER}/{name}.pth"


def load_published(
    path: Path | str, key: str | None = None
) -> ResnetGenerator | AntialiasedGenerator:
    """Read a generator in the authors' layout, ready to translate (evaluation mode, no gradients).

    Args:
        path: `.pth` as published, or whatever `state_dicts.read` takes: within other dicts, with
            a wrapper's name before each key, with the unused statistics of old versions, as
            `.safetensors`. Generators trained with dropout load as well; it is off.
        key: which network, where several are inside.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: see `state_dicts.read`; or other tensors than a ResNet generator with
            instance normalisation has.
    """
    return generator(state_dicts.read(path, key), path)


def generator(
    tensors: Mapping[str, Tensor], path: Path | str
) -> ResnetGenerator | AntialiasedGenerator:
    """The generator with these weights, frozen and in evaluation mode.

    Args:
        tensors: of a state dict, as `state_dicts.read` returns it.
        path: of their file, for messages.

    Raises:
        CheckpointError: other tensors than a ResNet generator with instance normalisation has.
    """
    named = _without_dropout(state_dicts.renamed(tensors, ("model.1.weight", "model.4.weight")))
    cut = any(name.endswith(".filt") for name in named)
    arguments = _arguments(named, _CUT if cut else _CYCLEGAN, path, layouts.kind(tensors))
    with torch.device("meta"):  # shapes only, until the file is known to fit them
        model = (AntialiasedGenerator if cut else ResnetGenerator)(**arguments)
    _refuse_norm_weights(named, model.state_dict(), path)
    layout = "CUT's" if cut else "CycleGAN's"
    state_dicts.check(named, model.state_dict(), f"{path} is not a generator in {layout} layout")
    model.load_state_dict({k: v.float() for k, v in named.items()}, assign=True)
    return freeze(model)


def _without_dropout(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names as without the dropout layer within each block, behind which all positions are +1."""
    if any(".conv_block.5." in name for name in tensors):
        return tensors
    return {name.replace(".conv_block.6.", ".conv_block.5."): t for name, t in tensors.items()}


def _arguments(
    tensors: Mapping[str, Tensor], layout: tuple[int, int], path: Path | str, kind: str
) -> dict[str, int]:
    """What to build, read off the shapes of the first and the last convolution."""
    first_block, beyond = layout
    blocks = len({k.split(".")[1] for k in tensors if ".conv_block." in k})
    first, last = "model.1.weight", f"model.{first_block + blocks + beyond}.weight"
    for key in (first, last):
        if key not in tensors or tensors[key].ndim != 4:
            raise CheckpointError(
                f"{path} is no ResNet generator in CycleGAN's layout: it has {blocks} residual "
                f"blocks and no convolution {key!r}, it holds {kind}"
            )
    width, in_channels = tensors[first].shape[:2]
    return {
        "in_channels": in_channels,
        "out_channels": tensors[last].shape[0],
        "width": width,
        "blocks": blocks,
    }


def _refuse_norm_weights(
    tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path | str
) -> None:
    norm = sorted(k for k in tensors if k not in wanted and tensors[k].ndim == 1)
    if any(k.endswith(".weight") for k in norm):
        raise CheckpointError(
            f"{path} has a normalisation with weights ({some(norm)}), as batch normalisation "
            f"has; a generator with instance normalisation without weights is expected"
        )
