"""Settings of an image CycleGAN: the published ones, and those for two CPU cores."""

from __future__ import annotations

from dataclasses import dataclass

from domain_translation.reweighting.config import WeightSettings


@dataclass(frozen=True)
class CycleGANConfig:
    """Settings of an image CycleGAN; the defaults are the published ones, for 256x256."""

    width: int = 64  # maps after the first convolution, generators and critics
    blocks: int = 9  # residual blocks of a generator
    critic_layers: int = 3  # 3: patches of 70x70 pixels; 2: 34x34
    size: int = 256  # side of the training crops; larger images are cropped at random
    batch: int = 1  # images of each domain per step
    steps: int = 266_800  # 200 epochs of horse2zebra's 1,334 zebras
    learning_rate: float = 2e-4  # Adam; constant for half the steps, then linearly to 0
    momentum: float = 0.5  # Adam's first beta
    lambda_cycle: float = 10.0  # weight of the L1 cycle loss
    lambda_identity: float = 0.5  # weight of the identity loss, in units of lambda_cycle
    pool: int = 50  # translations the critics remember
    mirrored: bool = True  # half of the training crops are mirror images; of digits, none is one
    decay: bool = True  # the learning rate falls over the second half of the steps
    precision: str = "float32"  # of the networks' arithmetic; or "bfloat16", "auto": see `runtime`


@dataclass(frozen=True)
class WeightedConfig(CycleGANConfig, WeightSettings):
    """CycleGAN on 16x16 images of one domain or another's digits, and its weight nets.

    There is no image pool: a past translation would need the weight that it had.
    """

    width: int = 8
    blocks: int = 2
    critic_layers: int = 1
    size: int = 16
    batch: int = 32
    steps: int = 1200
    learning_rate: float = 1e-3
    pool: int = 0
    mirrored: bool = False
    decay: bool = False
    lr_weights: float = 1e-3
    clip_first: float = 2.0
    weight_width: int = 16


PAPER = CycleGANConfig()  # lcool.arch.cyclegan
# 64x64 procedural pictures on two CPU cores in minutes: 346k parameters a generator.
QUICK = CycleGANConfig(
    width=16, blocks=4, critic_layers=2, size=64, batch=2, steps=3000, learning_rate=5e-4
)
# Real folders at 128x128, where a CPU core gets somewhere in two hours: 4.6 epochs of the maps. The
# stored run on the maps multiplied in bfloat16, as its card says: in 0.6 times the time, on
# processors that have it.
FULL = CycleGANConfig(width=16, blocks=6, size=128, steps=5000, learning_rate=4e-4)
WEIGHTED = WeightedConfig()
