"""Translators from the checkpoints that CycleGAN's authors published.

The paper preset starts from these weights instead of training for days (lcool.arch.cyclegan).
A `latest_net_G.pth` is a `state_dict` of the generator alone: its width, its blocks and its
channels are read off the shapes. Files are read as tensors; code in them is never run.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.trained import freeze
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

_FIRST_BLOCK = 10  # position of the first residual block in the sequence of layers
_BEYOND_BLOCKS = 7  # layers from the last block to the last convolution
# Statistics that old PyTorch stored for instance normalisation, although it never uses them.
_LEGACY = ("running_mean", "running_var", "num_batches_tracked")


def published_url(name: str) -> str:
    """Address of the published generator `name`, one of `PUBLISHED`.

    Raises:
        ValueError: no such generator was published.
    """
    if name not in PUBLISHED:
        raise ValueError(f"no generator {name!r} was published; choose from {_some(PUBLISHED, 18)}")
    return f"{SERVER}/{name}.pth"


def load_published(path: Path | str) -> ResnetGenerator:
    """Read a generator in the authors' layout, ready to translate (evaluation mode, no gradients).

    Args:
        path: `.pth` as published, also with DataParallel's `module.` before each key or with
            the unused statistics of old versions; or the same tensors as `.safetensors`.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is damaged, holds more than named tensors, or other tensors
            than a ResNet generator with instance normalisation has.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    tensors = _plain_names(_read(path))
    with torch.device("meta"):  # shapes only, until the file is known to fit them
        model = ResnetGenerator(**_arguments(tensors, path))
    _check(tensors, model.state_dict(), path)
    model.load_state_dict({k: v.float() for k, v in tensors.items()}, assign=True)
    return freeze(model)


def _read(path: Path) -> dict[str, Tensor]:
    raw = path.read_bytes()
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load(raw)
        content = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds something else than tensors, and code in a file is never run; "
            f"save the generator's state_dict alone"
        ) from error
    except Exception as error:  # a damaged file trips the readers in a dozen ways
        raise CheckpointError(
            f"{path} is damaged or no PyTorch file; fetch it again from {SERVER}"
        ) from error
    if not isinstance(content, Mapping) or not all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items()
    ):
        raise CheckpointError(
            f"{path} is no state_dict (names with one tensor each); "
            f"save the generator's state_dict alone"
        )
    return dict(content)


def _plain_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without DataParallel's prefix and without legacy statistics."""
    if all(k.startswith("module.") for k in tensors):
        tensors = {k.removeprefix("module."): v for k, v in tensors.items()}
    return {k: v for k, v in tensors.items() if k.rpartition(".")[2] not in _LEGACY}


def _arguments(tensors: Mapping[str, Tensor], path: Path) -> dict[str, int]:
    """What to build, read off the shapes of the first and the last convolution."""
    blocks = len({k.split(".")[1] for k in tensors if ".conv_block." in k})
    first, last = "model.1.weight", f"model.{_FIRST_BLOCK + blocks + _BEYOND_BLOCKS}.weight"
    for key in (first, last):
        if key not in tensors or tensors[key].ndim != 4:
            raise CheckpointError(
                f"{path} is no ResNet generator in CycleGAN's layout: it has {blocks} residual "
                f"blocks and no convolution {key!r} (it holds {_some(tensors)})"
            )
    width, in_channels = tensors[first].shape[:2]
    out_channels = tensors[last].shape[0]
    return {
        "in_channels": in_channels,
        "out_channels": out_channels,
        "width": width,
        "blocks": blocks,
    }


def _check(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path) -> None:
    """Refuse names, shapes or values that are not those of the generator."""
    norm = sorted(k for k in tensors if k not in wanted and tensors[k].ndim == 1)
    if any(k.endswith(".weight") for k in norm):
        raise CheckpointError(
            f"{path} has a normalisation with weights ({_some(norm)}), as batch normalisation "
            f"has; a generator with instance normalisation without weights is expected"
        )
    faults = {
        "lacks": [k for k in wanted if k not in tensors],
        "has besides": [k for k in tensors if k not in wanted],
        "has in another shape": [
            k for k in wanted if k in tensors and tensors[k].shape != wanted[k].shape
        ],
        "has not as finite floating-point numbers": [
            k for k, v in tensors.items() if not (v.is_floating_point() and v.isfinite().all())
        ],
    }
    found = "; ".join(f"{fault} {_some(keys)}" for fault, keys in faults.items() if keys)
    if found:
        raise CheckpointError(f"{path} is not a generator in CycleGAN's layout: it {found}")


def _some(names: Iterable[str], most: int = 3) -> str:
    listed = list(names)
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return (", ".join(listed[:most]) or "nothing") + rest
