"""How generated images are compared with real ones: every choice that moves the numbers.

Published FIDs of the same samples differ by several points with the number of images, the split,
the resizing and the file format, and CF-EBM does not give all of these (cfebm.metric.fid). The
choices of this book are frozen here, and every result carries the digests of the two sets of
images it was computed from.

Images are brought to 256 levels, as if written to a file and read back: a chain's values leave
[-1, 1] a little, and real images do not. Nothing is resized.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from domain_translation.evaluation.distances.features import Features
from domain_translation.evaluation.distances.frechet import frechet_distance
from domain_translation.evaluation.distances.kernel_distance import KernelDistance, kernel_distance
from domain_translation.sampling.inputs import FAR, pictures
from domain_translation.training.checkpoints import digest


@dataclass(frozen=True)
class Protocol:
    """One comparison.

    Attributes:
        split: which real images stand on the other side: all of them.
        n: number of samples; the Fréchet distance depends on it.
        size: side of the images in pixels.
        channels: of the images.
        subsets, subset: how often the kernel distance draws how many images of each side.
        seed: of the samples and of the subsets.
    """

    split: str
    n: int
    size: int
    channels: int
    subsets: int = 100
    subset: int = 300
    seed: int = 0


# The feature space of each is the last hidden layer of the shipped `energies/judge_NAME`.
PROTOCOLS: Mapping[str, Protocol] = {
    "digits": Protocol("load_digits().test, 360 images", 360, 8, 1),
    "glyphs": Protocol("glyphs.sample(1000, 2_000_000)", 1000, 16, 1),
    "mnist": Protocol("test, the first 5000", 1000, 32, 1),
    "fashion": Protocol("test, the first 5000", 1000, 32, 1),
    "cifar": Protocol("test, 500 JPEGs per class", 1000, 32, 3),
}


class Measured(NamedTuple):
    """Distances of samples from real images, and from which images they were computed."""

    frechet: float
    kernel: KernelDistance
    samples_sha256: str
    real_sha256: str


def measure(samples: Tensor, real: Tensor, features: Features, protocol: Protocol) -> Measured:
    """Both distances in a feature space. With a judge's features they are no FID and no KID.

    Args:
        samples: `protocol.n` generated images (n, C, S, S), about [-1, 1].
        real: the real images of `protocol.split`, in [-1, 1].
        features: of the protocol's judge (`judge_features`), or a space of one's own: with
            `inception_features` the distances are FID and KID.

    Raises:
        ValueError: another number or shape of images than the protocol's.
    """
    samples = pictures(samples, "samples", within=FAR)
    real = pictures(real, "real", like=samples, within=FAR)
    _check(samples, real, protocol)
    samples, real = as_images(samples), as_images(real)
    a, b = features(samples), features(real)
    return Measured(
        frechet_distance(a, b),
        kernel_distance(a, b, subsets=protocol.subsets, size=protocol.subset, seed=protocol.seed),
        digest(samples),
        digest(real),
    )


def as_images(x: Tensor) -> Tensor:
    """Values as image files hold them: within [-1, 1], 256 levels."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def _check(samples: Tensor, real: Tensor, protocol: Protocol) -> None:
    event = (protocol.channels, protocol.size, protocol.size)
    if tuple(samples.shape) != (protocol.n, *event) or tuple(real.shape[1:]) != event:
        raise ValueError(
            f"samples have shape {tuple(samples.shape)} and real images {tuple(real.shape)}; the "
            f"protocol compares {(protocol.n, *event)} with (m, {', '.join(map(str, event))})"
        )
