"""Model files: a network's weights, and a card that says how to build it again.

One safetensors file holds both; nothing in it is code. The card names one of this package's
networks and the arguments it was built with, which the network remembers, and carries whatever
else its maker recorded (the noise level of a denoiser, the command that trained it).
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from domain_translation.training import checkpoints
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.trained import freeze

# What a card may name, and where in this package it is: nothing else is ever imported or called.
NETWORKS: Mapping[str, str] = {
    "AntialiasedDenoiser": "denoising.antialiased:AntialiasedDenoiser",
    "AntialiasedGenerator": "translators.cyclegan.antialiased:AntialiasedGenerator",
    "ConvDenoiser": "denoising.networks:ConvDenoiser",
    "EnergyNetwork": "energies.network:EnergyNetwork",
    "ImageJudges": "evaluation.judges.judge_networks:ImageJudges",
    "JointDiscriminator": "reweighting.discriminator:JointDiscriminator",
    "MLPDenoiser": "denoising.networks:MLPDenoiser",
    "PatchDiscriminator": "translators.cyclegan.networks:PatchDiscriminator",
    "ResnetGenerator": "translators.cyclegan.networks:ResnetGenerator",
    "SampleJudge": "evaluation.judges.sample_judges:SampleJudge",
    "SequenceDenoiser": "denoising.sequences:SequenceDenoiser",
    "StochasticGenerator": "reweighting.generators:StochasticGenerator",
    "Tiramisu": "denoising.tiramisu:Tiramisu",
    "UNetDenoiser": "denoising.networks:UNetDenoiser",
    "UnetGenerator": "translators.pix2pix.networks:UnetGenerator",
    "WeightNet": "reweighting.weight_nets:WeightNet",
    "make_judges": "evaluation.judges.judge_networks:ImageJudges",  # its name in older cards
}


class Storable(nn.Module):
    """A network that remembers what it was built with, so that a file can tell."""

    _arguments: dict[str, Any]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        build, signature = cls.__init__, inspect.signature(cls.__init__)

        @functools.wraps(build)
        def remember(self: Storable, *args: Any, **kwargs: Any) -> None:
            build(self, *args, **kwargs)
            given = signature.bind(self, *args, **kwargs)
            given.apply_defaults()
            self._arguments = dict(list(given.arguments.items())[1:])  # without self

        cls.__init__ = remember  # type: ignore[assignment]

    def arguments(self) -> dict[str, Any]:
        """What builds a network like this one: `type(network)(**network.arguments())`."""
        return dict(self._arguments)


class Model(NamedTuple):
    """A network read from a file, frozen and in evaluation mode, and its card."""

    network: nn.Module
    card: dict[str, Any]


def save_model(
    path: Path | str,
    model: nn.Module,
    card: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write the weights of `model` and how to build it.

    Args:
        path: file to write, by convention `*.safetensors`.
        model: a network whose class is in `NETWORKS`.
        card: what else to record.
        dtype: to store floating-point weights in; float16 halves the file.

    Raises:
        ValueError: another network, or one that was changed after it was built.
        CheckpointError: the disk refuses.
    """
    name = type(model).__name__
    if name not in NETWORKS or not isinstance(model, Storable) or type(model) is not _class(name):
        raise ValueError(f"a {name} cannot be stored; model files hold {', '.join(NETWORKS)}")
    arguments = model.arguments()
    if build(name, arguments).state_dict().keys() != model.state_dict().keys():
        raise ValueError(f"{name} with {arguments} does not build the model to be saved")
    weights = {
        name: w.to(dtype) if w.is_floating_point() else w for name, w in model.state_dict().items()
    }
    checkpoints.save(path, weights, {**(card or {}), "network": name, "arguments": arguments})


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
            f"model_files.save_model"
        ) from error
    except (ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be built as its card says ({error})") from error
    return Model(freeze(model), card)


def build(network: str, arguments: Mapping[str, Any]) -> nn.Module:
    """The untrained network that a card describes.

    Raises:
        ValueError: `network` is not in `NETWORKS`.
        TypeError: arguments it does not take.
    """
    if network not in NETWORKS:
        raise ValueError(f"unknown network {network!r}; known are {', '.join(NETWORKS)}")
    return _class(network)(**arguments)


def _class(network: str) -> type[nn.Module]:
    """The class of a network of `NETWORKS`, imported on first use: most files need one of them."""
    module, _, name = NETWORKS[network].partition(":")
    return getattr(importlib.import_module(f"domain_translation.{module}"), name)
