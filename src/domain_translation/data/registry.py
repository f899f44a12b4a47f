"""The registry of data sets, `data/registry.toml`: what each set is and how to know it again.

Reading the registry touches no network and no picture; `fetch.fetch` finds the published files,
and `prepare.prepare` makes of them what the readers read.
"""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain_translation.files import data_file

LAYOUTS = (
    "cyclegan",
    "side-by-side",
    "pairs",
    "classes",
    "flat",
    "arrays",
    "weights",
    "text",
    "torchvision",
)
# The layouts of two domains; the first has no pairs.
PICTURE_LAYOUTS = LAYOUTS[:3]


@dataclass(frozen=True)
class DataFile:
    """One file of a set.

    `bytes`, `sha256` and `md5` are None where nobody published them; `about` is a size in round
    numbers, e.g. ``111 MB``. A `sha256` of eight digits
    is the beginning of one, as torchvision publishes it. `urls` is empty for a file that is found
    only in the folder that DOMAIN_TRANSLATION_DATA names.
    """

    name: str
    verified: bool
    bytes: int | None = None
    about: str = ""
    sha256: str | None = None
    md5: str | None = None
    urls: tuple[str, ...] = ()

    @property
    def checksums(self) -> Mapping[str, str]:
        """The published checksums by algorithm."""
        both = {"sha256": self.sha256, "md5": self.md5}
        return {algorithm: digest for algorithm, digest in both.items() if digest is not None}

    @property
    def size(self) -> str:
        """The size in words, e.g. ``116.9 MB``."""
        rounded = f"about {self.about}" if self.about else "of unknown size"
        return rounded if self.bytes is None else f"{self.bytes / 1e6:.1f} MB"


@dataclass(frozen=True)
class Pictures:
    """Where a set of two domains keeps its pictures; each pair is (source, target).

    `root` is the folder inside the archive. `validation` and `test` are how many of the
    held-out pictures each split gets, drawn by `seed`. `halves` says which half of a
    side-by-side picture belongs to which domain and is None for the other layouts.
    """

    root: str
    domains: tuple[str, str]
    train: tuple[str, str]
    held_out: tuple[str, str]
    counts: Mapping[str, int]
    validation: tuple[int, int]
    test: tuple[int, int]
    seed: int
    halves: tuple[str, str] | None = None


@dataclass(frozen=True)
class DataSet:
    """One set: see the head of `data/registry.toml` for the meaning of the fields."""

    name: str
    title: str
    layout: str
    use: str
    licence: str
    source: str
    citation: tuple[str, ...]
    files: tuple[DataFile, ...] = ()
    copies: tuple[DataFile, ...] = ()
    rows: tuple[str, ...] = ()
    pictures: Pictures | None = None
    converter: str = ""
    rebuild: str = ""
    each_class: int | None = None
    decoded: str = ""
    canonical: bool = False

    @property
    def paired(self) -> bool:
        """Whether picture i of the source and picture i of the target show the same scene."""
        return self.layout in ("side-by-side", "pairs")

    @property
    def known(self) -> Mapping[str, str]:
        """Checksums by file name of what the results of the book were computed on."""
        return {f.name: f.sha256 or f.md5 or "" for f in self.copies or self.files}


@functools.cache
def datasets() -> Mapping[str, DataSet]:
    """All sets by name, in the order of the file."""
    return parse_registry(data_file("registry.toml").read_text(encoding="utf-8"))


def lookup(dataset: str | DataSet) -> DataSet:
    """The set of that name; a `DataSet` of one's own passes through.

    Raises ValueError for an unknown name, with the nearest known ones.
    """
    if isinstance(dataset, DataSet):
        return dataset
    if dataset not in datasets():
        near = difflib.get_close_matches(dataset, datasets(), n=3) or list(datasets())
        raise ValueError(f"unknown data set {dataset!r}; did you mean {', '.join(near)}?")
    return datasets()[dataset]


def parse_registry(text: str) -> Mapping[str, DataSet]:
    """Sets by name from the text of a registry.

    Raises:
        ValueError: not TOML, a missing, unknown or misspelt field, or fields that contradict
            each other; the message names the set.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"the registry is not valid TOML: {error}") from error
    return {name: _dataset(name, table) for name, table in tables.items()}


def _dataset(name: str, table: Mapping[str, Any]) -> DataSet:
    try:
        files, copies = (
            tuple(DataFile(**_frozen(f)) for f in table.get(key, ())) for key in ("files", "copies")
        )
        rest = {k: v for k, v in table.items() if k not in ("files", "copies", "pictures")}
        held = table.get("pictures")
        pictures = None if held is None else Pictures(**_frozen(held))
        found = DataSet(name=name, files=files, copies=copies, pictures=pictures, **_frozen(rest))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"registry entry {name!r} lacks or misspells a field: {error}") from error
    wrong = _contradiction(found)
    if wrong:
        raise ValueError(f"registry entry {name!r}: {wrong}")
    return found


def _frozen(table: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}


def _contradiction(s: DataSet) -> str:
    """What is wrong with an entry, in words; empty where nothing is."""
    if s.layout not in LAYOUTS:
        return f"layout is {s.layout!r}; allowed are {', '.join(LAYOUTS)}"
    if (s.pictures is not None) != (s.layout in PICTURE_LAYOUTS):
        return f"[pictures] belongs to the layouts {', '.join(PICTURE_LAYOUTS)} and to no other"
    if not s.files + s.copies:
        return "give [[files]], as their publisher offers them, or [[copies]]"
    if s.files and s.copies and not s.converter:
        return "published files beside copies need the converter that makes the one of the other"
    if s.converter and not s.files:
        return "a converter needs published [[files]]"
    for f in s.files + s.copies:
        if not re.fullmatch(r"[\w.-]+", f.name) or f.name.startswith("."):
            return f"file name {f.name!r} is not a plain file name"
        if f.verified != bool(f.checksums):
            return f"{f.name}: verified is true exactly where a checksum is given"
        if f.sha256 is not None and not re.fullmatch("[0-9a-f]{8}|[0-9a-f]{64}", f.sha256):
            return f"{f.name}: a sha256 has 64 hexadecimal digits in lower case, or its first 8"
        if f.md5 is not None and not re.fullmatch("[0-9a-f]{32}", f.md5):
            return f"{f.name}: an md5 has 32 hexadecimal digits in lower case"
        if any(not re.match("https?://", url) for url in f.urls):
            return f"{f.name}: an address starts with http:// or https://"
    return "" if s.pictures is None else _wrong_pictures(s.pictures, s.layout, s.paired)


def _wrong_pictures(p: Pictures, layout: str, paired: bool) -> str:
    if (p.halves is not None) != (layout == "side-by-side"):
        return "halves belong to the layout side-by-side and to no other"
    if p.halves is not None and set(p.halves) != {"left", "right"}:
        return f"halves are {p.halves}; give left and right, the source's half first"
    unknown = set(p.train + p.held_out) ^ set(p.counts)
    if unknown:
        return f"counts and folders differ in {', '.join(sorted(unknown))}"
    for k in (0, 1):
        if p.validation[k] + p.test[k] != p.counts[p.held_out[k]]:
            return f"validation and test of {p.domains[k]} do not add up to the held-out pictures"
        if paired and p.counts[p.train[k]] != p.counts[p.train[0]]:
            return "a paired set has as many targets as sources"
    return ""
