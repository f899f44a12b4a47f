"""Sentences from files of text, one a line: what is read, what is refused, what occurs twice."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import unicodedata
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from domain_translation.data.verify import DamagedData

# Characters; the longest sentence of newstest2013 has 531. What is longer is no sentence a line.
LONGEST = 10_000

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


class Lines(NamedTuple):
    """The lines of a file.

    Attributes:
        sentences: every line, in order, so that line i is sentence i - 1; an empty line and one
            that cannot be used are empty sentences.
        reasons: why a line cannot be used, by its number from 1.
    """

    sentences: list[str]
    reasons: dict[int, str]


def read_sentences(
    path: Path | str, first: int | None = None, *, longest: int = LONGEST
) -> list[str]:
    """Read the sentences of a text file, one a line; plain or gzip, whatever its name.

    The text is UTF-8 with or without a byte order mark; lines end in LF or CRLF and nothing else;
    characters are composed (Unicode NFC). Empty lines are kept as empty sentences.

    Args:
        path: the file.
        first: read only so many lines.
        longest: characters that a line may have.

    Raises:
        DamagedData: no line, or one that cannot be used: which, and why.
        OSError: the file cannot be opened.
    """
    found = read_lines(path, first, longest=longest)
    if found.reasons:
        number, why = next(iter(found.reasons.items()))
        raise DamagedData(f"{path}, line {number}: {why}")
    return found.sentences


def read_lines(path: Path | str, first: int | None = None, *, longest: int = LONGEST) -> Lines:
    """As `read_sentences`, but a line that cannot be used is only left empty, with a reason.

    Raises:
        DamagedData: no line at all, UTF-16, a damaged archive.
        OSError: the file cannot be opened.
    """
    sentences: list[str] = []
    reasons: dict[int, str] = {}
    for number, raw in enumerate(itertools.islice(_raw_lines(Path(path)), first), 1):
        sentence, why = _sentence(raw, longest)
        sentences.append(sentence)
        if why:
            reasons[number] = why
    if not any(sentences) and not reasons:
        raise DamagedData(f"{path} holds no sentence; give a text file with one sentence a line")
    return Lines(sentences, reasons)


def read_together(
    paths: Mapping[str, Path], first: int | None = None, *, longest: int = LONGEST
) -> dict[str, list[str]]:
    """Sentences by language from files whose line i says the same in each.

    Raises:
        DamagedData: files of unequal numbers of lines, and as `read_sentences`.
    """
    texts = {name: read_sentences(path, first, longest=longest) for name, path in paths.items()}
    counts = {name: len(text) for name, text in texts.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{paths[name].name} {count}" for name, count in counts.items())
        raise DamagedData(
            f"line i of each file must say the same, but the files have unequal numbers of lines: "
            f"{told}; give files of one split"
        )
    return texts


def seen_before(sentences: Sequence[str], others: Iterable[str]) -> list[int]:
    """Places of the sentences that also occur among the others, as test ones do in training text.

    Case, spaces and the form of accents do not count, and empty sentences occur nowhere.
    """
    known = {_key(other) for other in others} - {""}
    return [i for i, sentence in enumerate(sentences) if _key(sentence) in known]


def fingerprint(sentence: str) -> int:
    """A number below 2^32 that tells a sentence from almost all others, as `seen_before` does."""
    return int.from_bytes(hashlib.sha256(_key(sentence).encode()).digest()[:4], "big")


def without(sentences: Sequence[str], places: Collection[int]) -> list[str]:
    """The sentences except those at these places."""
    left_out = set(places)
    return [sentence for i, sentence in enumerate(sentences) if i not in left_out]


def unpaired(texts: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Text without pairs from paired text: the first part of one language, the next of the next.

    Of two languages, the first half of the one and the second half of the other (Lample et al.
    2018): no sentence has its translation in the other half, unless the text repeats itself.

    Raises:
        ValueError: unequal numbers of sentences, or fewer than languages.
    """
    counts = {len(text) for text in texts.values()}
    if len(counts) != 1 or min(counts) < len(texts):
        raise ValueError(
            f"texts have {sorted(counts)} sentences in {len(texts)} languages; give as many in "
            f"each, at least one for each language"
        )
    (count,) = counts
    parts = len(texts)
    return {
        name: list(text[count * k // parts : count * (k + 1) // parts])
        for k, (name, text) in enumerate(texts.items())
    }


def _raw_lines(path: Path) -> Iterator[bytes]:
    """Lines without their ends, of a plain or a compressed file."""
    with path.open("rb") as file:
        start = file.read(2)
    if start in _UTF16:
        raise DamagedData(f"{path} is UTF-16; save it as UTF-8")
    with gzip.open(path) if start == b"\x1f\x8b" else path.open("rb") as text:
        try:
            for i, line in enumerate(text):
                raw = line.removeprefix(_UTF8_MARK) if i == 0 else line
                yield raw.removesuffix(b"\n").removesuffix(b"\r")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DamagedData(f"{path} is a damaged gzip file ({error}); replace it") from error


def _sentence(raw: bytes, longest: int) -> tuple[str, str]:
    """The sentence of a line, or an empty one and why the line cannot be used."""
    if b"\0" in raw:
        return "", "it holds a NUL byte, as no text does; give a text file with one sentence a line"
    try:
        sentence = unicodedata.normalize("NFC", raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return (
            "",
            f"byte {error.start + 1} is not UTF-8 ({raw[error.start]:#04x}); convert the file",
        )
    if len(sentence) > longest:
        return "", (
            f"it has {len(sentence)} characters, more than {longest}; put one sentence on a line"
        )
    return sentence, ""


def _key(sentence: str) -> str:
    return " ".join(unicodedata.normalize("NFC", sentence).casefold().split())
