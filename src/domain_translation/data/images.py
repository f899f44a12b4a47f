"""Picture files to tensors: (n, 3, size, size), float32 in [-1, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}


def list_images(folder: Path) -> list[Path]:
    """Picture files of a folder, not of its subfolders, in the order of their names."""
    # Names that begin with a dot are other systems' notes, e.g. macOS's "._1.jpg".
    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != ".")
    return sorted(found, key=lambda path: path.name)


def open_rgb(path: Path) -> Image.Image:
    """A picture as it is meant to be seen: turned upright by its EXIF note, RGB, 8 bits.

    Transparent parts are laid on white; 16-bit greys are scaled to 8 bits.

    Raises ValueError for a file that is not a readable picture.
    """
    try:
        with Image.open(path) as stored:
            return _rgb(ImageOps.exif_transpose(stored))
    # Pillow reports a broken file by any of these, depending on the format.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is not a readable picture ({error}); replace it") from error


def _rgb(image: Image.Image) -> Image.Image:
    image = eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def eight_bits(image: Image.Image) -> Image.Image:
    """16-bit greys scaled to 8 bits, other images as they are; Pillow's conversion would clip."""
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.float64) / 257
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8))


def square(image: Image.Image, size: int) -> Image.Image:
    """The central square of an image, resized to size x size by Lanczos (which averages)."""
    return ImageOps.fit(image, (size, size), method=Image.Resampling.LANCZOS)


def half(image: Image.Image, side: str) -> Image.Image:
    """The left or the right half of a side-by-side picture; an odd middle column is dropped."""
    width = image.width // 2
    left = 0 if side == "left" else image.width - width
    return image.crop((left, 0, left + width, image.height))


def to_tensor(image: Image.Image) -> Tensor:
    """An RGB image as (3, H, W), float32 in [-1, 1]: 0 is black's -1, 255 is white's 1."""
    pixels = torch.from_numpy(np.array(image))
    return (pixels.permute(2, 0, 1).float() / 127.5 - 1).contiguous()


def read_images(paths: Sequence[Path], size: int, side: str = "") -> Tensor:
    """Pictures as (n, 3, size, size) in [-1, 1]; of `side`, left or right, where one is named.

    Raises ValueError for a size below 1 or an unreadable picture.
    """
    if size < 1:
        raise ValueError(f"size is {size}; give the side of the square in pixels, at least 1")
    x = torch.empty(len(paths), 3, size, size)
    for row, path in zip(x, paths, strict=True):
        image = open_rgb(path)
        row.copy_(to_tensor(square(half(image, side) if side else image, size)))
    return x
