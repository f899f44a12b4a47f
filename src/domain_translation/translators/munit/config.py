"""Settings of MUNIT: the published ones as JD-BW uses them (4.4), and those for two CPU cores."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from domain_translation.reweighting.config import WeightSettings


@dataclass(frozen=True)
class MUNITConfig:
    """Networks, loss weights and length of a training (Huang et al. 2018; jdbw.train.32).

    The published code also decays the weights by 1e-4; neither paper mentions it, and neither
    does this.
    """

    size: int = 32  # side of the images
    width: int = 64  # maps of the encoders' first convolution, doubled by each halving
    halvings: int = 2  # convolutions of stride 2 of the content encoder
    blocks: int = 4  # residual blocks of the content encoder, and of the decoder
    style: int = 8  # length of a style code
    hidden: int = 256  # units of the perceptron from style to AdaIN moments
    critic_width: int = 64  # maps of a critic's first convolution
    critic_layers: int = 4  # convolutions of stride 2 of a critic
    scales: int = 2  # of a critic; the published 3 need 64 pixels, declared here
    batch: int = 128  # m, images of each domain per step; jdbw.train.32
    steps: int = 150_000  # three times as many as JD-BW's; jdbw.train.32
    learning_rate: float = 1e-4  # Adam, all players
    momentum: float = 0.5  # Adam's beta_1; beta_2 = 0.999; jdbw.train.32
    halve_every: int = 100_000  # steps after which the learning rate is halved
    lambda_image: float = 10.0  # weight of |D(E(x)) - x|, both domains
    lambda_content: float = 1.0  # weight of the content found again after translation
    lambda_style: float = 1.0  # weight of the style code found again after translation
    lambda_cycle: float = 0.0  # weight of |x - there and back|; 10 in some published settings
    lambda_gan: float = 1.0  # weight of LSGAN's loss in the generators'

    def __post_init__(self) -> None:
        if self.size < 16 or self.size & (self.size - 1):
            raise ValueError(f"size is {self.size}; give a power of two, at least 16")
        most = self.size.bit_length() - 2  # reflection padding needs content of 2x2
        if not 1 <= self.halvings <= most:
            raise ValueError(
                f"halvings is {self.halvings}; give 1 to {most}, so that the content of "
                f"{self.size}x{self.size} images is 2x2 at least"
            )
        coarsest = self.size >> (self.scales - 1)
        if coarsest < 2**self.critic_layers:
            raise ValueError(
                f"{self.scales} scales of {self.size}x{self.size} images end at {coarsest} pixels, "
                f"and {self.critic_layers} critic layers need {2**self.critic_layers}; take fewer "
                "scales or fewer layers"
            )


@dataclass(frozen=True)
class WeightedConfig(MUNITConfig, WeightSettings):
    """MUNIT with batch weights (JD-BW 4.2, jdbw.concept.baselines)."""

    def __post_init__(self) -> None:
        MUNITConfig.__post_init__(self)
        WeightSettings.__post_init__(self)


PAPER = MUNITConfig()  # MNIST and SR-MNIST
PAPER_SVHN = replace(PAPER, steps=750_000)  # MNIST and SVHN
PAPER_128 = replace(  # edges and photographs, faces and portraits; jdbw.train.128
    PAPER, size=128, scales=3, batch=6, steps=300_000
)
PAPER_WEIGHTED = WeightedConfig()
# 16x16 digits on one CPU core: a twelfth of a second a step. Chosen on validation digits whose
# classes are in balance: of these nine in ten are kept, and their distance to the other domain is
# 4 to 6; with content of 4x4 (two halvings) a quarter is kept, whatever the cycle weight.
QUICK = MUNITConfig(
    size=16,
    width=8,
    halvings=1,
    blocks=2,
    hidden=32,
    critic_width=8,
    critic_layers=3,
    scales=2,
    batch=32,
    steps=600,
    learning_rate=1e-3,
    lambda_cycle=10.0,
)
QUICK_WEIGHTED = WeightedConfig(
    **asdict(QUICK), weight_width=16, lr_weights=1e-3, clip_first=2.0, clip_last=3.0
)
# MNIST at 32x32 on one CPU core, in about the processor time of `reweighting.config.FULL_DIGITS`.
# As the stored runs have it: content of 8x8 here too, without the way back.
FULL = replace(
    QUICK,
    size=32,
    halvings=2,
    critic_width=16,
    steps=1_800,
    learning_rate=3e-4,
    lambda_cycle=0.0,
)
FULL_WEIGHTED = replace(QUICK_WEIGHTED, **asdict(FULL))
