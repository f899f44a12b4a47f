"""The two-layer toy CycleGAN of L-Cool section 3 and ImproveIT ("Toy Data").

The sources name two-layer feed-forward networks and CycleGAN's losses and give no further
setting (lcool.arch.toynets, improveit.arch.toy); what is missing is declared in `ToyConfig`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Generator, Tensor, nn

from domain_translation.checkpoints import digest
from domain_translation.networks import Critic, ResidualMLP
from domain_translation.runtime import seeded
from domain_translation.training import Player, adam, fit, linear_decay, unpaired


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


def cyclegan_players(
    forward: nn.Module,
    backward: nn.Module,
    source_critic: nn.Module,
    target_critic: nn.Module,
    config: ToyConfig,
) -> list[Player]:
    """Generators and critics as two players with CycleGAN's losses.

    Least-squares adversarial loss (critics: 1 for data, 0 for translations) and L1 cycle loss;
    no identity loss, which CycleGAN keeps for paintings and which would teach the round trip
    to leave off-manifold points alone. Minibatches are (source, target), unpaired.

    Args:
        forward: G, source -> target.
        backward: F, target -> source.
        source_critic, target_critic: sample -> (B, 1) score of being real.
        config: weights, learning rate and momentum.
    """

    def generator_loss(batch: tuple[Tensor, ...], _: Generator) -> Tensor:
        x, y = batch
        fake_y, fake_x = forward(x), backward(y)
        fool = (target_critic(fake_y) - 1).square().mean()
        fool = fool + (source_critic(fake_x) - 1).square().mean()
        cycle = (backward(fake_y) - x).abs().mean() + (forward(fake_x) - y).abs().mean()
        loss: Tensor = fool + config.lambda_cycle * cycle
        return loss

    def critic_loss(batch: tuple[Tensor, ...], _: Generator) -> Tensor:
        x, y = batch
        fake_y, fake_x = forward(x).detach(), backward(y).detach()
        real = (target_critic(y) - 1).square().mean() + (source_critic(x) - 1).square().mean()
        fake = target_critic(fake_y).square().mean() + source_critic(fake_x).square().mean()
        loss: Tensor = (real + fake) / 2
        return loss

    generators = nn.ModuleList([forward, backward])
    critics = nn.ModuleList([source_critic, target_critic])
    betas = (config.momentum, 0.999)
    return [
        Player(
            "generators", generators, generator_loss, adam(generators, config.learning_rate, betas)
        ),
        Player("critics", critics, critic_loss, adam(critics, config.learning_rate, betas)),
    ]


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
        forward, backward = ResidualMLP(dim, config.width), ResidualMLP(dim, config.width)
        critics = Critic(dim, config.critic_width), Critic(dim, config.critic_width)
    for network in (forward, backward, *critics):
        network.to(source.device)
    fit(
        cyclegan_players(forward, backward, *critics, config),
        unpaired(config.batch, source, target),
        config.steps,
        seed=seed,
        schedule=linear_decay(config.steps),
        checkpoint=checkpoint,
        card={
            "config": asdict(config),
            "data_sha256": digest({"source": source, "target": target}),
        },
        label="toy CycleGAN",
    )
    return forward.requires_grad_(False).eval(), backward.requires_grad_(False).eval()
