"""Public files as publishers offer them, written by the tests, and registry entries for them."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from domain_translation.data import registry
from domain_translation.data.registry import DataSet, parse_registry

SETS = registry.datasets()  # as they are, whatever a test puts in their place


def digest(content: bytes, algorithm: str = "md5") -> str:
    return hashlib.new(algorithm, content).hexdigest()


def pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def jpeg(image: np.ndarray | Image.Image) -> bytes:
    out = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(out, "JPEG", quality=95)
    return out.getvalue()


def plain(*colours: int, size: tuple[int, int]) -> bytes:
    """Equal upright stripes of the grey levels."""
    row = np.repeat(np.array(colours, np.uint8), size[0] // len(colours))
    return jpeg(np.stack([np.tile(row, (size[1], 1))] * 3, 2))


def idx(array: np.ndarray) -> bytes:
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.tobytes(), mtime=0)


def published(
    name: str,
    files: dict[str, bytes],
    own: Path | None,
    *,
    copies: bool = True,
    url: str = "http://a/b",
    **other: str,
) -> DataSet:
    """The entry of that name for other files, which lie in the reader's `own` folder, if any."""
    like = SETS[name]
    lines = [
        "[toy]",
        f'layout = "{like.layout}"\nconverter = "{like.converter}"',
        'title = "Toy"\nuse = "tests"\nlicence = "none"\nsource = "made here"\ncitation = []',
        *(f"{key} = {value}" for key, value in other.items()),
    ]
    for file, content in files.items():
        if own is not None:
            (own / file).write_bytes(content)
        lines += [f'[[toy.files]]\nname = "{file}"\nbytes = {len(content)}\nverified = true']
        lines += [f'sha256 = "{digest(content, "sha256")}"\nurls = ["{url}"]']
    if copies:
        lines += ['[[toy.copies]]\nname = "toy.tar"\nverified = false']
    return parse_registry("\n".join(lines))["toy"]


def inside(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
