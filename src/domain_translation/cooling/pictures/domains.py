"""Two folders of pictures, one a domain, read as squares of one size."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation import runtime
from domain_translation.cooling.errors import RequestError, UserError, out_of_memory
from domain_translation.cooling.pictures.codec import open_picture, to_image
from domain_translation.cooling.pictures.folders import Found, find_pictures
from domain_translation.data.images import square, to_tensor

LEAST = 2  # pictures of a domain: one tells nothing of how pictures differ


class Domain(NamedTuple):
    """The pictures of one folder that can be read.

    Attributes:
        pixels: (n, 3, size, size) in [-1, 1], the middle square of each.
        names: paths below the folder, with slashes.
        digests: hex sha256 of the files.
        skipped: path of a picture that cannot be read, and why.
        passed: how many files of which suffix were passed over.
    """

    pixels: Tensor
    names: list[str]
    digests: list[str]
    skipped: dict[str, str]
    passed: dict[str, int]


def find_domains(a: Path | str, b: Path | str) -> tuple[Found, Found]:
    """The pictures of both folders.

    Raises:
        RequestError: both are one folder, or one lies in the other.
        UserError: see `find_pictures`; or a folder with one picture.
    """
    places = [Path(a).resolve(), Path(b).resolve()]
    if places[0] == places[1]:
        raise RequestError(f"{a} and {b} are the same folder; give a folder for each domain")
    for inner, outer in (places, places[::-1]):
        if outer in inner.parents:
            raise RequestError(
                f"{a} and {b} lie in one another, so that some pictures would be in both domains; "
                f"give two folders side by side"
            )
    found = find_pictures(a), find_pictures(b)
    for folder, one in zip((a, b), found, strict=True):
        _enough(folder, len(one.pictures))
    return found


def read_domains(
    a: Path | str, b: Path | str, found: tuple[Found, Found], size: int
) -> tuple[Domain, Domain]:
    """The pictures of both folders as squares of `size`; those that cannot be read are skipped.

    Raises:
        RequestError: both hold the same pictures.
        UserError: fewer than two pictures of a folder can be read.
    """
    domains = _read(Path(a), found[0], size), _read(Path(b), found[1], size)
    for folder, domain in zip((a, b), domains, strict=True):
        _enough(folder, len(domain.names), len(domain.skipped))
    if set(domains[0].digests) == set(domains[1].digests):
        raise RequestError(
            f"{a} and {b} hold the same pictures; give pictures of another domain for one of them"
        )
    return domains


def _read(folder: Path, found: Found, size: int) -> Domain:
    try:
        pixels = torch.empty(len(found.pictures), 3, size, size)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise UserError(
            f"not enough memory for the {len(found.pictures)} pictures of {folder} at {size}x{size}"
            f"; give a smaller --size or fewer pictures"
        ) from error
    names: list[str] = []
    digests: list[str] = []
    skipped: dict[str, str] = {}
    for name in runtime.progress(found.pictures, desc=f"reading {folder.name}"):
        try:
            picture = open_picture(folder / name)
        except UserError as error:
            skipped[str(folder / name)] = str(error)
            continue
        pixels[len(names)] = to_tensor(square(to_image(picture.pixels), size))
        names.append(name.as_posix())
        digests.append(picture.digest)
    return Domain(pixels[: len(names)], names, digests, skipped, found.passed)


def _enough(folder: Path | str, count: int, broken: int = 0) -> None:
    if count < LEAST:
        what = f"{count or 'no'} picture{'' if count == 1 else 's'}"
        of = f" that can be read ({broken} cannot)" if broken else ""
        raise UserError(f"{folder} holds {what}{of}; a domain needs {LEAST} or more")
