"""Picture files to pixels and back, with what the networks must not see kept aside.

Every format that Pillow decodes is read, of moving pictures the first frame; a JPEG is written as
a JPEG, all else as PNG.

Networks get RGB in [-1, 1], upright. Transparency is kept aside and put back. A greyscale picture
is shown as three equal channels; cooled, it is written in greyscale again, because cooling stays
in its domain, while its translation is written in colour. EXIF orientation is applied to the
pixels and not written, so that no viewer turns the result a second time; no other EXIF entry is
copied. A colour profile is kept where it still describes the result. 16-bit greys become 8-bit.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError
from torch import Tensor

from domain_translation.cooling.errors import UserError
from domain_translation.data.images import eight_bits, to_tensor

# What Pillow names but leaves to other programs, or decodes to a drawing of no fixed size.
_NOT_DECODED = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
Image.init()
FORMATS = tuple(sorted(set(Image.OPEN) - _NOT_DECODED))
SUFFIXES = tuple(sorted(e for e, kind in Image.registered_extensions().items() if kind in FORMATS))
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B")
_ORIENTATION = 0x0112  # EXIF's tag
_TEXT = "Source"  # the entry of a written PNG that names the bytes it was made from
_TWELVE_BITS = 4096
# What Pillow's decoders raise on damaged files.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError)


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture."""

    pixels: Tensor  # (3, H, W) float32 in [-1, 1], upright
    grey: bool  # whether the file was greyscale
    alpha: Image.Image | None  # 8-bit, upright
    profile: bytes | None  # ICC, when it describes RGB or grey pixels
    format: str  # "PNG" or "JPEG", of the file that is written
    digest: str  # hex sha256 of the file
    note: str = ""  # what is odd about it, for whoever gave it

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[2], self.pixels.shape[1]


def open_picture(path: Path) -> Picture:
    """Read and decode a file.

    Raises:
        UserError: it cannot be read; see also `decode`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})") from error
    return decode(content)


def decode(content: bytes) -> Picture:
    """The picture in the bytes of a file.

    Raises:
        UserError: no picture, damaged, cut short, or more pixels than Pillow takes.
    """
    try:
        with _quiet(), Image.open(io.BytesIO(content), formats=FORMATS) as file:
            file.load()
            kind = "JPEG" if file.format in ("JPEG", "MPO") else "PNG"  # phones write MPO
            profile = file.info.get("icc_profile")
            image = ImageOps.exif_transpose(file)
    except UnidentifiedImageError:
        raise UserError("no picture in a format that Pillow reads") from None
    except Image.DecompressionBombError as error:
        raise UserError(f"too many pixels ({_line(error)}); scale it down first") from error
    except _DAMAGE as error:
        raise UserError(f"damaged or cut short ({_line(error)})") from error
    dark = image.mode.startswith("I") and 0 < np.asarray(image).max() < _TWELVE_BITS
    grey = image.mode in _GREY
    if image.mode in ("CMYK", "YCbCr", "LAB"):
        profile = None  # it describes inks, not the RGB written later
    with _quiet():
        alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
        pixels = to_tensor(eight_bits(image).convert("RGB"))
    return Picture(
        pixels=pixels,
        grey=grey,
        alpha=alpha,
        profile=profile,
        format=kind,
        digest=hashlib.sha256(content).hexdigest(),
        note="16-bit greys below 4096: 12 bits, which come out nearly black" if dark else "",
    )


def encode(pixels: Tensor, like: Picture, steps: int = 0) -> bytes:
    """A file in the format of `like` with its transparency; its digest and `steps` stand inside.

    Args:
        pixels: (3, H, W), or (1, H, W) for greyscale, of the size of `like`; values beyond
            [-1, 1] are clipped.
        like: the picture these pixels were made from.
    """
    image = to_image(pixels)
    if like.alpha is not None:
        image.putalpha(like.alpha)
    profile = like.profile if like.grey == (len(pixels) == 1) else None
    out, origin = io.BytesIO(), f"{like.digest} {steps}"
    if like.format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text(_TEXT, origin)
        image.save(out, "PNG", pnginfo=text, icc_profile=profile)
    else:
        image.save(
            out,
            "JPEG",
            quality=95,
            subsampling=0,
            comment=origin.encode(),
            icc_profile=profile,
        )
    return out.getvalue()


class Origin(NamedTuple):
    """What a written picture says of itself: the file it was made from, the steps of cooling."""

    digest: str = ""
    steps: str = ""


def made_from(path: Path) -> Origin | None:
    """The origin of a written picture, empty when it does not say; None: there is no such file."""
    if not path.exists():
        return None
    try:
        with _quiet(), Image.open(path, formats=FORMATS) as file:
            note = file.info.get(_TEXT) or file.info.get("comment") or ""
    except _DAMAGE:
        return Origin()
    text = note.decode(errors="replace") if isinstance(note, bytes) else str(note)
    digest, _, steps = text.partition(" ")
    return Origin(digest, steps)


def upright_size(path: Path) -> tuple[int, int] | None:
    """Width and height from the head of a file alone; None where that cannot be read."""
    try:
        with _quiet(), Image.open(path, formats=FORMATS) as file:
            turned = file.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
            width, height = file.size
            return (height, width) if turned else (width, height)
    except _DAMAGE:
        return None


def to_image(pixels: Tensor) -> Image.Image:
    """(3, H, W) or (1, H, W) in [-1, 1], clipped, to an 8-bit image; the inverse of `to_tensor`."""
    values = pixels.detach().cpu().float().add(1).mul(127.5).round().clamp(0, 255).byte()
    array = values.permute(1, 2, 0).numpy()
    return Image.fromarray(array[..., 0] if len(pixels) == 1 else array)


@contextmanager
def _quiet() -> Iterator[None]:
    """A block without Pillow's warnings, of odd EXIF entries and palettes, with paths of its own.

    That a picture has very many pixels is said where it is too many.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _line(error: BaseException) -> str:
    """The first line of an error's text, or its kind."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
