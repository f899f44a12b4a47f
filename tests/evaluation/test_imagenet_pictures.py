"""The two ImageNet classifiers on photographs of cats and dogs, where those are at hand."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
import torch
from torch import Tensor

from domain_translation.evaluation.judges import imagenet

FOLDER = Path(os.environ.get("DOMAIN_TRANSLATION_DATA", "does not name a folder"))
NEEDED = ("cat2dog128.tar", imagenet.MOBILENET, imagenet.SQUEEZENET)
MISSING = [name for name in NEEDED if not (FOLDER / name).is_file()]

pytestmark = [
    pytest.mark.skipif(
        bool(MISSING), reason=f"DOMAIN_TRANSLATION_DATA names no folder with {', '.join(MISSING)}"
    ),
    pytest.mark.slow,
]


def pictures(part: str, n: int) -> Tensor:
    """The first n pictures of one folder of cat2dog, (n, 3, 128, 128) in [-1, 1]."""
    image = pytest.importorskip("PIL.Image")
    numpy = pytest.importorskip("numpy")
    found: list[Tensor] = []
    with tarfile.open(FOLDER / "cat2dog128.tar") as archive:
        for member in archive:
            if member.name.startswith(f"{part}/") and member.isfile() and len(found) < n:
                content = archive.extractfile(member)
                assert content is not None
                pixels = numpy.array(image.open(io.BytesIO(content.read())).convert("RGB"))
                found.append(torch.from_numpy(pixels).permute(2, 0, 1) / 127.5 - 1)
    return torch.stack(found)


def called_dogs(judge: imagenet.Judge, x: Tensor) -> float:
    """Share of pictures to which the judge gives more dog than cat."""
    cat = imagenet.class_likeness(judge, x, *imagenet.CATS)
    dog = imagenet.class_likeness(judge, x, *imagenet.DOGS)
    return (dog > cat).double().mean().item()


def test_mobilenet_tells_cats_from_dogs_as_well_as_is_known() -> None:
    """26 % of the 1000 cats of trainA are called dogs and no dog of trainB a cat.

    Two standard errors of a share of 26 % in 200 are 6 points.
    """
    judge = imagenet.full_judges(FOLDER)["MobileNet"]
    assert called_dogs(judge, pictures("trainA", 200)) == pytest.approx(0.26, abs=0.06)
    assert called_dogs(judge, pictures("testB", 50)) == 1.0


def test_squeezenet_tells_cats_from_dogs() -> None:
    judge = imagenet.full_judges(FOLDER)["SqueezeNet"]
    assert called_dogs(judge, pictures("testA", 30)) < 0.7
    assert called_dogs(judge, pictures("testB", 30)) > 0.9
