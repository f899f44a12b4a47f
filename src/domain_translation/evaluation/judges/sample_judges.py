"""Judges of generated images: small classifiers of real images, one for each set.

A judge says which class a sample looks like and how surely; its last hidden layer is the feature
space in which samples are compared with real images where the weights of Inception-v3 are not at
hand (cfebm.metric.fid). A distance in it is a "Fréchet distance on the features of our judge",
never an FID. A judge is trained on real labelled images only and sees no sample of any model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from domain_translation.data.augment import flip_and_move
from domain_translation.runtime import in_parts, seeded
from domain_translation.sampling.inputs import FAR, asking, labels, pictures
from domain_translation.training import Batch, Batches, unpaired
from domain_translation.training.model_files import Storable
from domain_translation.training.trained import identity, train_alone

FEATURES = 64  # numbers per image in the last hidden layer
_SMALLEST = 4  # side in pixels at which the convolutions stop


class SampleJudge(Storable):
    """Convolutions down to 4x4 pixels, one hidden layer, logits: (B, C, S, S) -> (B, classes).

    Each halving of the side doubles the maps, from `width` on. Inputs in [-1, 1].

    Raises:
        ValueError: `size` is no power of two of at least 8.
    """

    def __init__(self, size: int, channels: int = 1, width: int = 16, classes: int = 10) -> None:
        super().__init__()
        if size < 8 or size & (size - 1):
            raise ValueError(f"size is {size}; give a power of two, at least 8")
        layers, maps = [_convolution(channels, width)], width
        while size > _SMALLEST:
            layers += [_convolution(maps, 2 * maps, stride=2)]
            size, maps = size // 2, 2 * maps
        self.body = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(maps * _SMALLEST**2, FEATURES), nn.ReLU()
        )
        self.answer = nn.Linear(FEATURES, classes)

    def features(self, x: Tensor) -> Tensor:
        """The last hidden layer, (B, FEATURES), not negative."""
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.features(x))


def _convolution(inside: int, out: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()
    )


@dataclass(frozen=True)
class SampleJudgeConfig:
    """Settings of a judge's training; no source has them, all are declared here."""

    steps: int = 1500  # minibatches
    batch: int = 64  # real images per minibatch
    learning_rate: float = 2e-3  # Adam; constant for half the steps, then linearly to 0
    width: int = 16  # maps of the first layer
    smoothing: float = 0.02  # share of the label that is spread over all classes
    shift: int = 1  # largest displacement in pixels, each way
    noise: float = 0.1  # largest standard deviation of pixel noise; [-1, 1] is two units wide
    mirrored: float = 0.0  # share of images seen in the mirror


DIGITS = SampleJudgeConfig()
GLYPHS = SampleJudgeConfig(steps=2000)
TWO_CLASSES = SampleJudgeConfig(steps=1000, width=8)  # less of everything than ten digits need
MNIST = SampleJudgeConfig(steps=4000, width=8, shift=2)
FASHION = SampleJudgeConfig(steps=4000, width=8, shift=2, mirrored=0.5)
CIFAR = SampleJudgeConfig(steps=8000, shift=3, mirrored=0.5)


def train_sample_judge(
    x: Tensor,
    y: Tensor,
    config: SampleJudgeConfig = DIGITS,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> SampleJudge:
    """Train a judge on real images; ready to judge (evaluation mode, frozen).

    Images are moved a little and get a little pixel noise, so that a sample is judged by what it
    shows and not by the noise that a short Langevin chain leaves. The same arguments give the
    same weights, bit for bit on a CPU.

    Args:
        x: real training images (n, C, S, S) in [-1, 1], S a power of two of at least 8.
        y: their classes (n,), int64, 0..classes-1.
        config: length and pace of the training.
        seed: of the initial weights, the minibatches and their augmentation.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: other shapes, or values outside [-1, 1].
        CheckpointError, TrainingError: see `training.fit`.
    """
    x = pictures(x, "images").float()
    y = labels(y, x, "classes")
    if x.shape[2] != x.shape[3]:
        raise ValueError(f"images have shape {tuple(x.shape)}; give (n, C, S, S)")
    with seeded(seed):
        judge = SampleJudge(x.shape[-1], x.shape[1], config.width, int(y.max()) + 1)
    judge.to(x.device)

    def loss(batch: Batch, _: Generator) -> Tensor:
        images, labels = batch
        return cross_entropy(judge(images), labels, label_smoothing=config.smoothing)

    return train_alone(
        "judge",
        judge,
        loss,
        _augmented(x, y, config),
        config.steps,
        config.learning_rate,
        seed=seed,
        checkpoint=checkpoint,
        card=identity(config, {"x": x, "y": y}),
    )


def probabilities(judge: nn.Module, x: Tensor) -> Tensor:
    """Probability of each class for images (B, C, S, S) in [-1, 1]: (B, classes)."""
    x = pictures(x, "images", like=judge, within=FAR)
    with asking("the judge", x):
        return in_parts(lambda part: judge(part).softmax(1), x)


def _augmented(x: Tensor, y: Tensor, config: SampleJudgeConfig) -> Batches:
    """Minibatches of real images, augmented, and their classes."""
    rows = torch.arange(len(x), device=x.device)
    draw = unpaired(config.batch, rows)

    def batches(generator: Generator) -> Batch:
        (chosen,) = draw(generator)
        return _augment(x[chosen], config, generator), y[chosen]

    return batches


def _augment(x: Tensor, config: SampleJudgeConfig, generator: Generator) -> Tensor:
    """Mirror some images (B, C, S, S), move each, add noise of a random strength."""
    b, shift = len(x), config.shift

    def offsets() -> Tensor:
        return torch.randint(-shift, shift + 1, (b, 1), generator=generator, device=x.device)

    up, left = offsets(), offsets()
    mirrored = torch.rand(b, 1, generator=generator, device=x.device) < config.mirrored
    x = flip_and_move(x, up, left, mirrored)
    strength = config.noise * torch.rand(b, 1, 1, 1, generator=generator, device=x.device)
    noise = torch.randn(x.shape, generator=generator, device=x.device)
    return (x + strength * noise).clamp(-1, 1)
