"""The two-layer toy CycleGAN of L-Cool section 3 and ImproveIT ("Toy Data").

The sources name two-layer feed-forward networks and CycleGAN's losses and give no further
setting (lcool.arch.toynets, improveit.arch.toy); what is missing is declared in `ToyConfig`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from domain_translation.runtime import seeded
from domain_translation.training import Batch, Losses, Player, Step, fit, linear_decay, unpaired
from domain_translation.training.perceptrons import Critic, ResidualMLP
from domain_translation.training.trained import freeze, identity
from domain_translation.translators.cyclegan.images import CycleGAN


@dataclass(frozen=True)
class ToyConfig:
    """Settings of the toy CycleGAN; none is in the sources, all are declared here."""

    width: int = 64  # hidden units of the translators
    critic_width: int = 64  # hidden units of the critics
    steps: int = 2000  # minibatches
    batch: int = 128  # samples of each domain per minibatch
    learning_rate: float = 1e-2  # Adam, all networks; linear decay over the second half
    momentum: float = 0.5  # Adam's first beta, CycleGAN's choice
    lambda_cycle: float = 10.0  # weight of the L1 cycle loss, CycleGAN's choice


TOY = ToyConfig()
# The same networks, wider, on the 64 pixels of scikit-learn's digits.
DIGITS = ToyConfig(width=256, critic_width=128, batch=64, learning_rate=3e-3)


def toy_step(networks: CycleGAN, config: ToyConfig, players: Mapping[str, Player]) -> Step:
    """One step of CycleGAN on points.

    Least-squares adversarial loss (critics: 1 for data, 0 for translations) and L1 cycle loss;
    no identity loss, which CycleGAN keeps for paintings and which would teach the round trip
    to leave off-manifold points alone. Minibatches are (source, target), unpaired.
    """
    forward, backward, critic_x, critic_y, _ = networks

    def step(batch: Batch, _: Generator) -> Losses:
        x, y = batch

        # Generators: fool both critics, and come back.
        gx, fy = forward(x), backward(y)
        fool = (critic_y(gx) - 1).square().mean() + (critic_x(fy) - 1).square().mean()
        cycle = (backward(gx) - x).abs().mean() + (forward(fy) - y).abs().mean()
        loss = fool + config.lambda_cycle * cycle
        losses = {"generators": players["generators"].descend(loss)}

        # Critics: tell data from what the generators make now.
        with torch.no_grad():
            gx, fy = forward(x), backward(y)
        real = (critic_y(y) - 1).square().mean() + (critic_x(x) - 1).square().mean()
        fake = critic_y(gx).square().mean() + critic_x(fy).square().mean()
        losses["critics"] = players["critics"].descend((real + fake) / 2)
        return losses

    return step


def train_toy_cyclegan(
    source: Tensor,
    target: Tensor,
    config: ToyConfig = TOY,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> tuple[nn.Module, nn.Module]:
    """Train G: source -> target and F: target -> source on unpaired samples of two domains.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        source, target: training samples (n, *event) and (m, *event), in one event shape.
        config: `TOY` for the strips, `DIGITS` for 8x8 images.
        seed: of the initial weights and the minibatches.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: an empty domain, or domains of different event shapes.
        CheckpointError, TrainingError: see `training.fit`.
    """
    if source.shape[1:] != target.shape[1:]:
        raise ValueError(
            f"samples have shapes {tuple(source.shape[1:])} and {tuple(target.shape[1:])}; "
            f"residual translators need one shape for both domains"
        )
    dim = source[0].numel()
    with seeded(seed):
        networks = CycleGAN(
            ResidualMLP(dim, config.width),
            ResidualMLP(dim, config.width),
            Critic(dim, config.critic_width),
            Critic(dim, config.critic_width),
        )
    for network in networks:
        network.to(source.device)
    forward, backward, critic_x, critic_y, _ = networks
    betas = (config.momentum, 0.999)
    team = {
        "generators": Player(nn.ModuleList([forward, backward]), config.learning_rate, betas),
        "critics": Player(nn.ModuleList([critic_x, critic_y]), config.learning_rate, betas),
    }
    fit(
        toy_step(networks, config, team),
        team,
        unpaired(config.batch, source, target),
        config.steps,
        seed=seed,
        schedule=linear_decay(config.steps),
        checkpoint=checkpoint,
        card=identity(config, {"source": source, "target": target}),
        label="toy CycleGAN",
    )
    return freeze((forward, backward))
