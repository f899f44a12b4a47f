"""Model files: a network's weights, and a card that says how to build it again.

One safetensors file holds both; nothing in it is code. The card names one of this package's
networks and the arguments it was built with, and carries whatever else its maker recorded (the
noise level of a denoiser, the command that trained it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from domain_translation import checkpoints
from domain_translation.batch_weight.weight_nets import WeightNet
from domain_translation.cf_ebm.network import EnergyNetwork
from domain_translation.checkpoints import CheckpointError
from domain_translation.cyclegan.networks import PatchDiscriminator, ResnetGenerator
from domain_translation.dae.networks import ConvDenoiser, MLPDenoiser, UNetDenoiser
from domain_translation.dae.tiramisu import Tiramisu
from domain_translation.evaluation.judge_networks import make_judges
from domain_translation.evaluation.sample_judges import SampleJudge
from domain_translation.jd_bw.discriminator import JointDiscriminator
from domain_translation.jd_bw.generators import StochasticGenerator
from domain_translation.pix2pix.networks import UnetGenerator

# What a card may name.
NETWORKS: Mapping[str, Callable[..., nn.Module]] = {
    make.__name__: make
    for make in (
        ResnetGenerator,
        PatchDiscriminator,
        UnetGenerator,
        MLPDenoiser,
        ConvDenoiser,
        UNetDenoiser,
        Tiramisu,
        make_judges,
        EnergyNetwork,
        SampleJudge,
        StochasticGenerator,
        JointDiscriminator,
        WeightNet,
    )
}


class Model(NamedTuple):
    """A network read from a file, frozen and in evaluation mode, and its card."""

    network: nn.Module
    card: dict[str, Any]


def save_model(
    path: Path | str,
    model: nn.Module,
    network: str,
    arguments: Mapping[str, Any],
    card: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write the weights of `model` and how to build it.

    Args:
        path: file to write, by convention `*.safetensors`.
        model: what `NETWORKS[network]` builds from `arguments`.
        network: a name in `NETWORKS`.
        arguments: keyword arguments of that network; what JSON can hold.
        card: what else to record.
        dtype: to store floating-point weights in; float16 halves the file.

    Raises:
        ValueError: `network` is not in `NETWORKS`, or does not build such a model.
        CheckpointError: the disk refuses.
    """
    if build(network, arguments).state_dict().keys() != model.state_dict().keys():
        raise ValueError(f"{network} with {dict(arguments)} does not build the model to be saved")
    weights = {
        name: w.to(dtype) if w.is_floating_point() else w for name, w in model.state_dict().items()
    }
    checkpoints.save(
        path, weights, {**(card or {}), "network": network, "arguments": dict(arguments)}
    )


def load_model(path: Path | str) -> Model:
    """Read a file written by `save_model` and build its network, weights in float32.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: not a model file, or one whose weights do not fit its card.
    """
    tensors, card = checkpoints.load(path)
    try:
        model = build(card["network"], card["arguments"])
        model.load_state_dict(
            {k: w.float() if w.is_floating_point() else w for k, w in tensors.items()}
        )
    except KeyError as error:
        raise CheckpointError(
            f"{path} is a checkpoint without the card entry {error}; a model file is written by "
            f"models.save_model"
        ) from error
    except (ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be built as its card says ({error})") from error
    return Model(model.requires_grad_(False).eval(), card)


def build(network: str, arguments: Mapping[str, Any]) -> nn.Module:
    """The untrained network that a card describes.

    Raises:
        ValueError: `network` is not in `NETWORKS`.
        TypeError: arguments it does not take.
    """
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}; known are {', '.join(NETWORKS)}")
    return NETWORKS[network](**arguments)
