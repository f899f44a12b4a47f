"""Settings of JD-BW: the paper's (4.3, 4.4) where it has them, and those that fit two CPU cores."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain_translation.reweighting.weighting import check_settings


@dataclass(frozen=True)
class Schedule:
    """What Algorithms 1 and 2 need to know, whatever the networks.

    The defaults are the paper's where it gives a value; learning rates, the weight of the
    gradient penalty and the clipping of the weight nets appear nowhere in it and are declared.
    """

    steps: int = 50_000  # generator steps; jdbw.train.32
    batch: int = 128  # m, examples of each domain in a minibatch
    critic_steps: int = 5  # d, discriminator steps per generator step
    lr_generator: float = 2e-4  # Adam; declared
    lr_critic: float = 2e-4  # Adam; declared
    lr_weights: float = 2e-4  # Adam; declared
    momentum: float = 0.5  # Adam's beta_1; beta_2 = 0.999
    penalty: float = (
        1.0  # weight of the squared gradient norm of D at the training points; declared
    )
    clip_first: float = 0.5  # bound on |W| at the beginning; declared
    clip_last: float = 3.0  # bound on |W| at the end, reached linearly; declared
    noise: int = 8  # d, length of the noise vector; 16 for all tasks but MNIST and SR-MNIST

    def __post_init__(self) -> None:
        check_settings(self.batch, self.clip_first, self.clip_last)


@dataclass(frozen=True)
class WeightSettings:
    """What training the weight nets of another translator of images needs to know.

    No source has such a thing but for its name (JD-BW 4.2, jdbw.concept.baselines): declared, the
    defaults as for JD-BW.
    """

    size: int = 32  # side of the images
    batch: int = 128  # images of each domain in a minibatch
    weight_width: int = 64  # maps of a weight net's first convolution; jdbw.arch.weightnet
    lr_weights: float = 2e-4  # Adam
    clip_first: float = 0.5  # bound on |W| at the beginning
    clip_last: float = 3.0  # bound on |W| at the end, reached linearly

    def __post_init__(self) -> None:
        check_settings(self.batch, self.clip_first, self.clip_last)


@dataclass(frozen=True)
class ImageConfig(Schedule):
    """Networks of 32x32 images (jdbw.tab1, jdbw.arch.gen32, jdbw.arch.weightnet)."""

    size: int = 32  # side of the images
    width: int = 64  # maps of a generator's first convolution; twice as many inside
    blocks: int = 4  # residual blocks of a generator; declared
    kernel: int = 4  # of a generator's second convolution; 1 for MNIST and SVHN
    skip: bool = True  # the input is added to a generator's output; declared, not in the paper
    critic_width: int = 32  # maps of the joint discriminator's outer branches
    weight_width: int = 64  # maps of a weight net's first convolution
    spectral: bool = True  # spectral normalisation of generators and discriminator


PAPER = ImageConfig(skip=False)  # MNIST and SR-MNIST
PAPER_SVHN = replace(PAPER, steps=250_000, noise=16, kernel=1)  # MNIST and SVHN
PAPER_128 = replace(  # edges and photographs, faces and portraits; jdbw.train.128
    PAPER, steps=300_000, batch=6, critic_steps=2, noise=16, size=128
)
# 16x16 digits on two CPU cores: a quarter of a second a step.
QUICK_DIGITS = ImageConfig(
    steps=400,
    batch=32,
    lr_generator=1e-3,
    lr_critic=1e-3,
    lr_weights=1e-3,
    clip_first=2.0,
    size=16,
    width=8,
    blocks=2,
    critic_width=8,
    weight_width=16,
)
# MNIST at 32x32 on one CPU core, a quarter of the paper's width: half a second a step.
FULL_DIGITS = replace(QUICK_DIGITS, size=32, width=16, steps=1_200)
# 16x16 pictures of which only the classes are alike: noise of length 16, as everywhere but between
# MNIST and SR-MNIST (4.3), and half as many steps more: about the time of 1,200 of MUNIT.
# MNIST and SVHN have a 1x1 second convolution (4.3, jdbw.tab2), as in PAPER_SVHN.
QUICK_PLATES = replace(QUICK_DIGITS, noise=16, kernel=1, steps=600)
# Chosen on validation images, seed 7 of `even`: with maps of 8x8 pixels inside, where the other
# kernel has 4x4, and ten times the gradient penalty, both changed at once, heads leave fewer wrong
# pixels and the noise colours the wares. Without the skip fewer wares keep their class.
QUICK_WARES = replace(QUICK_DIGITS, noise=16, kernel=1, penalty=10.0, steps=600)
