"""Settings of CF-EBM: the paper's schedules (A.2, A.8, A.9) and those that fit two CPU cores."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain_translation.energies.sampling import ShortRun


@dataclass(frozen=True)
class CFEBMConfig:
    """Settings of Algorithm 1; tuples hold one value per stage, coarse to fine."""

    sizes: tuple[int, ...] = (8, 16, 32)  # pixels; each stage doubles the one before
    images: tuple[int, ...] = (50_000, 75_000, 100_000)  # N, training images fed to a stage
    steps: tuple[int, ...] = (15, 30, 50)  # T^(s), Langevin steps of a chain
    learning_rates: tuple[float, ...] = (1e-3, 1e-3, 1e-3)  # Adam
    final: float = 1.0  # factor on the last stage's rate at its end, linear from its middle on
    momentum: float = 0.5  # Adam's beta_1; beta_2 = 0.999
    batch: int = 64  # n^(s), images and chains of one update; not in the paper
    c: int = 32  # channel multiplier of the network
    activation: str = "swish"
    residual_kernel: int = 1  # side of the residual convolution; 0: none
    spectral: bool = True  # spectral normalisation, Table 9 (b)
    step_size: float = 1.0  # alpha of the chain
    variance: float = 0.02  # eta_0 of the chain
    penalty: float = 0.0  # weight of the mean squared energies in the loss; the paper: none
    data_noise: float = 0.0  # std of Gaussian noise on the training images (A.5: none)
    average: float = 0.999  # decay of the moving average of the weights; not in the paper
    precision: str = "float32"  # of the sampler's network; or "bfloat16", "auto": see `runtime`

    def __post_init__(self) -> None:
        lengths = {len(v) for v in (self.sizes, self.images, self.steps, self.learning_rates)}
        if lengths != {len(self.sizes)} or not self.sizes:
            raise ValueError(
                "sizes, images, steps and learning_rates have different lengths; give one value "
                "per stage in each"
            )
        if any(b != 2 * a for a, b in zip(self.sizes, self.sizes[1:], strict=False)):
            raise ValueError(f"sizes are {self.sizes}; every stage doubles the side of the last")
        if self.batch < 1 or min(self.images) < self.batch:
            raise ValueError(
                f"batch is {self.batch} and the shortest stage sees {min(self.images)} images; a "
                "stage needs at least one batch"
            )

    def run(self, stage: int = -1) -> ShortRun:
        """The chain of a stage; of the last one when none is named."""
        return ShortRun(self.steps[stage], self.step_size, self.variance)

    def updates(self, stage: int) -> int:
        """Minibatches of a stage, N / n rounded up."""
        return -(-self.images[stage] // self.batch)


# cfebm.train.schedule and cfebm.train.noise; the batch is a choice, the paper gives none.
PAPER = CFEBMConfig()  # CIFAR-10
PAPER_IMAGENET = replace(PAPER, c=48)  # Table 7
PAPER_64 = CFEBMConfig(
    sizes=(8, 16, 32, 64),
    images=(50_000, 75_000, 100_000, 125_000),
    steps=(15, 30, 50, 50),
    learning_rates=(1e-3, 1e-3, 1e-3, 1.2e-3),
)
PAPER_128 = CFEBMConfig(
    sizes=(8, 16, 32, 64, 128),
    images=(50_000, 75_000, 100_000, 125_000, 150_000),
    steps=(15, 30, 50, 50, 60),
    learning_rates=(1e-3, 1e-3, 1e-3, 1.2e-3, 1.5e-3),
)
# A.8 (cfebm.train.highres): fixed coarse models, 15 steps per scale, eta_0 = 0.03, trained by
# `train_cascade`. Rates and image counts above 128 pixels are not in the paper: those of 128.
PAPER_256 = CFEBMConfig(
    sizes=(8, 16, 32, 64, 128, 256),
    images=(50_000, 75_000, 100_000, 125_000, 150_000, 150_000),
    steps=(15,) * 6,
    learning_rates=(1e-3, 1e-3, 1e-3, 1.2e-3, 1.5e-3, 1.5e-3),
    variance=0.03,
)
PAPER_512 = replace(
    PAPER_256,
    sizes=(*PAPER_256.sizes, 512),
    images=(*PAPER_256.images, 150_000),
    steps=(15,) * 7,
    learning_rates=(*PAPER_256.learning_rates, 1.5e-3),
    c=48,
)
# A.9.2 (cfebm.train.translation): as generation, c = 16; steps at 256 pixels as at 128.
PAPER_TRANSLATION = replace(
    PAPER_128,
    sizes=(*PAPER_128.sizes, 256),
    images=(*PAPER_128.images, 150_000),
    steps=(*PAPER_128.steps, 60),
    learning_rates=(*PAPER_128.learning_rates, 1.5e-3),
    c=16,
)
PAPER_DOG_TO_CAT = replace(
    PAPER_TRANSLATION, learning_rates=tuple(10 * r for r in PAPER_TRANSLATION.learning_rates)
)

# Two CPU cores. Without spectral normalisation a small network learns several times as fast: see
# the chapter on ablations. Smaller noise and the penalty make little difference to its short runs;
# three long trainings of several stages diverged without the penalty.
QUICK_DIGITS = CFEBMConfig(
    sizes=(8,),
    images=(160_000,),
    steps=(20,),
    learning_rates=(1e-3,),
    final=0.0,
    c=8,
    spectral=False,
    variance=4e-4,
    penalty=0.01,
)
QUICK_GLYPHS = replace(
    QUICK_DIGITS,
    sizes=(8, 16),
    images=(40_000, 160_000),
    steps=(15, 50),
    learning_rates=(1e-3, 2e-4),
)
# Translators: chains start near their end, fewer and shorter ones do.
QUICK_OUTLINE = replace(
    QUICK_GLYPHS,
    batch=32,
    images=(9_600, 9_600),
    steps=(12, 20),
    learning_rates=(7e-4, 3e-4),
    penalty=0.03,
)
QUICK_PAINTED = replace(
    QUICK_OUTLINE,
    sizes=(8, 16, 32),
    images=(9_600, 6_400, 3_200),
    steps=(12, 15, 15),
    learning_rates=(7e-4, 3e-4, 2e-4),
)
# Summer and winter differ everywhere, apples and oranges in one place: farther to go.
QUICK_SEASONS = replace(
    QUICK_PAINTED, images=(9_600, 9_600, 8_000), steps=(15, 25, 30), penalty=0.002
)
# Cats to dogs at 64x64.
FULL_TRANSLATION = replace(
    QUICK_PAINTED,
    sizes=(8, 16, 32, 64),
    images=(16_000, 12_800, 9_600, 4_800),
    steps=(15, 20, 25, 25),
    learning_rates=(7e-4, 3e-4, 2e-4, 2e-4),
    penalty=0.003,
)
# 32x32 at a quarter of the paper's width and about two thirds of its images and steps. Twice the
# images at the last size, with 50 steps and two thirds of the rate, diverged at update 1155.
FULL_GREY = replace(
    QUICK_GLYPHS,
    sizes=(8, 16, 32),
    images=(40_000, 60_000, 60_000),
    steps=(15, 30, 40),
    learning_rates=(1e-3, 4e-4, 3e-4),
    penalty=0.01,
)
FULL_FASHION = replace(FULL_GREY, images=(30_000, 40_000, 30_000))
FULL_COLOUR = replace(FULL_GREY, images=(30_000, 40_000, 26_000))


def rescued(config: CFEBMConfig) -> CFEBMConfig:
    """The same settings with half the learning rate: what to try after a `DivergedError`."""
    return replace(config, learning_rates=tuple(rate / 2 for rate in config.learning_rates))
