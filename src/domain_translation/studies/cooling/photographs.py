"""The commands train-denoiser and cool at their defaults, on photographs.

A denoiser learns from a folder of one side of a data set; pictures that it has not seen are then
cooled as they are, which should leave them alone, and damaged, which should bring them nearer to
what they were. Beside each damage stands the Gaussian blur that mends it best on other pictures.
The defaults were chosen on other pictures still (benchmarks/studies.md), after a look at seed 0.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from torch import Generator, Tensor

from domain_translation.cooling.pictures import cool, load_denoiser, train_denoiser_on_folder
from domain_translation.cooling.pictures.codec import to_image
from domain_translation.cooling.pictures.training import BLURS
from domain_translation.data import folders
from domain_translation.data.corruptions import blurred, noisy, salt_and_pepper, salted
from domain_translation.data.images import to_tensor
from domain_translation.denoising import ANTIALIASED
from domain_translation.studies.study import Measure, Study, measures

CLEAN = "as it is"
LEAST = 1e-9  # of a mean squared error: 96 dB, for a picture that is left alone
HARM = 0.1  # dB
Damage = Callable[[Tensor, Generator], Tensor]


@dataclass(frozen=True)
class Folder:
    """A folder of photographs, and what is tried on it.

    Attributes:
        dataset: whose source side it is.
        size: of the pictures, in pixels.
        pictures: that are cooled, of those that no training has seen.
        steps: of the denoiser's training, the command's.
    """

    dataset: str
    size: int
    pictures: int = 24
    steps: int = ANTIALIASED.steps


def as_file(x: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) as a file keeps them: in [-1, 1], in 256 levels."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def jpeg(x: Tensor, generator: Generator, quality: int = 30) -> Tensor:
    """Pictures (B, 3, H, W) through a JPEG file; nothing about it is random."""
    found = []
    for picture in x:
        with io.BytesIO() as file:
            to_image(picture).save(file, "JPEG", quality=quality)
            found.append(to_tensor(Image.open(file)))
    return torch.stack(found)


def dead(x: Tensor, generator: Generator, share: float = 0.01) -> Tensor:
    """The same pixels of every picture (B, 3, H, W) black, as on one camera."""
    broken = salt_and_pepper(torch.full_like(x[:1, :1], 0.5), share, generator) != 0.5
    return torch.where(broken, -1.0, x)


DAMAGES: Mapping[str, Damage] = {
    CLEAN: lambda x, generator: x,
    "noise": lambda x, generator: noisy(x, 0.15, generator),
    "salt and pepper": lambda x, generator: salted(x, 0.05, generator),
    "dead pixels": dead,
    "JPEG": jpeg,
    "blur": lambda x, generator: blurred(x, 1.0, generator),
}


def run(folder: Folder, seed: int, place: Path) -> dict[str, Tensor]:
    """Train as the command does, damage, cool, and compare.

    Returns:
        by damage, mean squared errors (pictures,) to the true picture "before", "after" cooling and
        after the "blur", and "moved", of the cooled picture to what it was made of; "score", its
        length after cooling over the training pictures' median.

    Raises:
        MissingData, DamagedData: see `folders.unpaired`.
    """
    pictures = folders.unpaired(folder.dataset, folder.size).source
    order = torch.randperm(len(pictures), generator=Generator().manual_seed(seed))
    held_out, train = pictures[order[: folder.pictures]], pictures[order[folder.pictures :]]
    file = place / "denoiser.safetensors"
    if not file.exists():
        _train(folder, train, file, seed)
    found: dict[str, Tensor] = {}
    for name, damage in DAMAGES.items():
        found |= {f"{name}, {what}": row for what, row in _tried(damage, file, held_out,
                  train[: folder.pictures], seed).items()}  # fmt: skip
    return found


def _train(folder: Folder, train: Tensor, file: Path, seed: int) -> None:
    with TemporaryDirectory() as examples:
        for i, picture in enumerate(train):
            to_image(picture).save(Path(examples) / f"{i:05}.png")
        train_denoiser_on_folder(
            examples, file, crop=min(64, folder.size), steps=folder.steps, seed=seed
        )


@torch.no_grad()
def _tried(damage: Damage, file: Path, x: Tensor, others: Tensor, seed: int) -> dict[str, Tensor]:
    generator = Generator().manual_seed(seed)
    seen, seen_others = (as_file(damage(side, generator)) for side in (x, others))
    denoiser = load_denoiser(file)
    parts = [cool(lambda y: y, picture[None], denoiser, seed=seed).cooled for picture in seen]
    cooled = as_file(torch.cat(parts))
    smooth = min(
        (functools.partial(blurred, size=b, generator=generator) for b in (0.0, *BLURS)),
        key=lambda blur: float(error(blur(seen_others), others).mean()),
    )
    length = denoiser.score(cooled).square().mean((1, 2, 3)).sqrt()
    return {
        "before": error(seen, x),
        "after": error(cooled, x),
        "blur": error(smooth(seen), x),
        "moved": error(cooled, seen),
        "score": length / denoiser.card["score_rms"]["50 %"],
    }


def error(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared errors (B,) of pictures in [-1, 1]."""
    return (x - y).square().mean((1, 2, 3))


def decibel(mean_square: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of mean squared errors, values ranging over 2."""
    return 10 * (4 / mean_square.clamp_min(LEAST)).log10()


def measure(folder: Folder, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Of pictures as they are, PSNR; of damaged ones, how many gain and lose, and how much."""
    numbers = {
        f"{CLEAN}: PSNR to itself": float(decibel(found[f"{CLEAN}, moved"]).median()),
        f"{CLEAN}: score over the training median": float(found[f"{CLEAN}, score"].median()),
        f"{CLEAN}: share cooled": float((found[f"{CLEAN}, moved"] > LEAST).float().mean()),
    }
    for name in DAMAGES:
        if name == CLEAN:
            continue
        before, after, blur = (found[f"{name}, {w}"] for w in ("before", "after", "blur"))
        gained = decibel(after) - decibel(before)
        numbers |= {
            f"{name}: share nearer": float((after < before).float().mean()),
            f"{name}: dB gained": float(gained.mean()),
            f"{name}: dB lost at most": -min(0.0, float(gained.min())),
            f"{name}: share harmed": float((gained < -HARM).float().mean()),
            f"{name}: dB above the best blur": float((decibel(after) - decibel(blur)).mean()),
        }
    assert all(math.isfinite(value) for value in numbers.values())
    return measures(numbers)


# None larger than the files are.
SIZES = {"mountain2glacier96": (64,), "cat2dog128": (64, 128), "maps256": (64, 128, 256)}
ARMS = {f"{name}, {size} px": Folder(name, size) for name, sizes in SIZES.items() for size in sizes}
STUDY = Study(
    "cooling/photographs", ARMS, range(4, 7), run, measure, trains=True, data=tuple(SIZES)
)
