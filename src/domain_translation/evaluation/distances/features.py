"""Feature spaces in which generated and real images are compared.

A feature space is a function from images (B, C, S, S) in [-1, 1] to features (B, d). There are
two: the last hidden layer of a `SampleJudge`, small enough to ship, and Inception-v3's pooled
layer, which alone makes a Fréchet distance an FID.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.evaluation.judges.sample_judges import SampleJudge
from domain_translation.runtime import in_parts
from domain_translation.sampling.inputs import FAR, asking, pictures

Features = Callable[[Tensor], Tensor]

# The weights that every published FID rests on, as torch-fidelity and torchmetrics name them; the
# last part of the name begins the file's SHA-256.
INCEPTION = "weights-inception-2015-12-05-6726825d.pth"
_INCEPTION_SHA = "6726825d"


def judge_features(judge: SampleJudge) -> Features:
    """The last hidden layer of a judge: 64 numbers per image."""

    def features(x: Tensor) -> Tensor:
        x = pictures(x, "images", like=judge, within=FAR)
        with asking("the judge", x):
            return in_parts(judge.features, x)

    return features


def pixels(x: Tensor) -> Tensor:
    """The pixels themselves: (B, C, S, S) -> (B, C S S)."""
    return x.flatten(1)


def inception_features(weights: Path | str) -> Features:
    """Inception-v3's 2048 pooled features, as every published FID uses them, by torch-fidelity.

    Images (B, 3, H, W) in [-1, 1] of any size; grey images (B, 1, H, W) are repeated. Pixels are
    rounded to 256 levels, as images in files are, and resized to 299x299 by torch-fidelity's
    copy of TensorFlow's resizing.

    Args:
        weights: the file `INCEPTION` of torch-fidelity's releases, about 96 MB. It does not come
            with any Python package.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another file.
        ModuleNotFoundError: torch-fidelity is not installed.
    """
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            f"no Inception weights at {path}; download {INCEPTION} from torch-fidelity's releases "
            f"on GitHub, or use judge_features, whose distances are not FIDs"
        )
    # A pickle of tensors: only the very file that everybody uses is opened.
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(_INCEPTION_SHA):
        raise ValueError(
            f"{path} is not {INCEPTION} (its SHA-256 does not begin with {_INCEPTION_SHA}); "
            f"download it again"
        )
    try:
        fidelity = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Inception features need torch-fidelity; install the package with its extra 'full'"
        ) from error
    network = fidelity.FeatureExtractorInceptionV3(
        "inception", ["2048"], feature_extractor_weights_path=str(path)
    )

    def features(x: Tensor) -> Tensor:
        return network.to(x.device)(eight_bit(x))[0]

    return lambda x: in_parts(features, x, size=32)


def eight_bit(x: Tensor) -> Tensor:
    """Images (B, C, H, W) in [-1, 1] as colour images of 256 levels, (B, 3, H, W) uint8."""
    levels = ((pictures(x, "images", within=FAR).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return levels.expand(-1, 3, -1, -1)
