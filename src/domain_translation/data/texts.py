"""Real text of the part on language: whole languages, pairs for tests, another domain.

multi30k("train", ("en", "fr"))         # captions of pictures; `sentences.unpaired` parts them
tatoeba()                               # everyday sentences, en and fr
news(2013)                              # English news, tokenised, no references
newscrawl("fr")                         # lcool.data.newscrawl: the first five million sentences
debian_reference(("en", "fr"))          # a technical manual, translated by people

None of these texts comes with the package: their registry entries say who may use them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from pathlib import Path

from domain_translation.data.fetch import MissingData, fetch
from domain_translation.data.sentences import LONGEST, read_sentences, read_together
from domain_translation.data.verify import DamagedData

LANGUAGES = ("en", "fr", "de")
SPLITS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
NEWS = (2013, 2015)
SENTENCES = 5_000_000  # N_MONO of the XLM repository, as lcool.data.newscrawl says
# Where the Debian packages debian-reference-en, -fr and -de put their pages.
DEBIAN_REFERENCE = Path("/usr/share/debian-reference")


def multi30k(
    split: str = "train",
    languages: Sequence[str] = LANGUAGES,
    *,
    cache: Path | None = None,
    offline: bool = False,
) -> dict[str, list[str]]:
    """Captions of pictures and their translations: sentence i of each language says the same.

    For non-commercial research and education only; it must not be passed on with anything.

    Args:
        split: train (29,000), validation (1,014) or test (the 1,000 of 2016).
        languages: of en, fr, de.
        cache, offline: as in `fetch.fetch`.

    Raises:
        ValueError: another split or language.
        DamagedData, MissingData, OSError: as `fetch.fetch` and `sentences.read_together`.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; allowed are {', '.join(SPLITS)}")
    _check_languages(languages, LANGUAGES)
    paths = {path.name: path for path in fetch("multi30k", cache=cache, offline=offline)}
    return read_together({name: paths[f"{SPLITS[split]}.{name}.gz"] for name in languages})


def tatoeba(*, cache: Path | None = None, offline: bool = False) -> dict[str, list[str]]:
    """18,065 short everyday sentences, English and French; one may occur with several translations.

    Raises:
        DamagedData: a line that is no pair, and as `fetch.fetch` and `sentences.read_sentences`.
        MissingData, OSError: as `fetch.fetch`.
    """
    (path,) = fetch("tatoeba", cache=cache, offline=offline)
    pairs = [line.split("\t") for line in read_sentences(path)]
    wrong = [number for number, pair in enumerate(pairs, 1) if len(pair) != 2]
    if wrong:
        raise DamagedData(f"{path}, line {wrong[0]}: give two sentences with a tab between them")
    return {"en": [pair[0] for pair in pairs], "fr": [pair[1] for pair in pairs]}


def news(year: int = 2013, *, cache: Path | None = None, offline: bool = False) -> list[str]:
    """English news sentences of newstest2013 or newstest2015.

    They are tokenised (" ," and " ."), and no translations come with them: to rank, not for BLEU.

    Raises:
        ValueError: another year.
        DamagedData, MissingData, OSError: as `fetch.fetch` and `sentences.read_sentences`.
    """
    if year not in NEWS:
        raise ValueError(f"year is {year}; allowed are {', '.join(map(str, NEWS))}")
    paths = {path.name: path for path in fetch("news", cache=cache, offline=offline)}
    return read_sentences(paths[f"newstest{year}.en.gz"])


def newscrawl(
    language: str,
    folder: Path | str | None = None,
    *,
    sentences: int = SENTENCES,
    cache: Path | None = None,
    offline: bool = False,
) -> list[str]:
    """The first sentences of the News Crawl of WMT14, files in the order of their years.

    L-Cool trains on the first five million of each language (lcool.data.newscrawl), as the script
    of the XLM repository makes them.

    Args:
        language: en, fr or de.
        folder: that holds news.YEAR.LANGUAGE.shuffled files, plain or .gz; a year that is there
            twice is read plain. None has the registry's files fetched (gigabytes).
        sentences: how many.
        cache, offline: as in `fetch.fetch`.

    Raises:
        ValueError: another language, or no sentences asked for.
        MissingData: the folder holds no such file.
        DamagedData, OSError: as `fetch.fetch` and `sentences.read_sentences`.
    """
    _check_languages([language], LANGUAGES)
    if sentences < 1:
        raise ValueError(f"sentences is {sentences}; ask for one at least")
    if folder is None:
        paths: Iterable[Path] = fetch(f"newscrawl_{language}", cache=cache, offline=offline)
    else:
        found = {p.name.removesuffix(".gz"): p for p in _newscrawl_files(Path(folder), language)}
        paths = [found[name] for name in sorted(found)]
    text: list[str] = []
    for path in paths:
        if len(text) < sentences:
            text += read_sentences(path, sentences - len(text), longest=10 * LONGEST)
    return text


def _newscrawl_files(folder: Path, language: str) -> list[Path]:
    """Compressed files first, so that a plain one of the same year takes its place."""
    paths = sorted(folder.glob(f"news.*.{language}.shuffled*"), key=lambda p: p.suffix != ".gz")
    if not paths:
        raise MissingData(
            f"{folder} holds no file news.YEAR.{language}.shuffled or .gz; download them from "
            f"statmt.org/wmt14, training-monolingual-news-crawl"
        )
    return paths


def debian_reference(
    languages: Sequence[str] = ("en", "fr"), folder: Path | str = DEBIAN_REFERENCE
) -> dict[str, list[str]]:
    """Paragraphs of the Debian Reference: technical prose, translated by people (GPL-2+).

    Paragraphs belong together by their places, in the pages that have as many in each language.
    Those that are equal in two languages, untranslated, are left out.

    Args:
        languages: of en, fr, de; the packages debian-reference-en, -fr and -de.
        folder: where they put their pages.

    Raises:
        ValueError: another language, or fewer than two.
        MissingData: a package is not there; says what to install.
    """
    _check_languages(languages, LANGUAGES)
    if len(languages) < 2:
        raise ValueError(f"languages are {list(languages)}; give two at least")
    pages = {name: _pages(Path(folder), name) for name in languages}
    texts: dict[str, list[str]] = {name: [] for name in languages}
    for page in sorted(set.intersection(*(set(each) for each in pages.values()))):
        paragraphs = [_paragraphs(pages[name][page]) for name in languages]
        if len({len(each) for each in paragraphs}) > 1:
            continue
        for row in zip(*paragraphs, strict=True):
            if all(row) and len(set(row)) == len(row):
                for name, paragraph in zip(languages, row, strict=True):
                    texts[name].append(paragraph)
    return texts


def _pages(folder: Path, language: str) -> dict[str, Path]:
    """Pages by chapter."""
    end = f".{language}.html"
    pages = {path.name.removesuffix(end): path for path in folder.glob(f"*{end}")}
    if not pages:
        raise MissingData(
            f"the Debian Reference in {language!r} is not in {folder}; install the Debian package "
            f"debian-reference-{language}, or unpack it and name the folder of its pages"
        )
    return pages


def _paragraphs(page: Path) -> list[str]:
    reader = _Paragraphs()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader.paragraphs


class _Paragraphs(HTMLParser):
    """Texts of the elements <p>, with single spaces."""

    def __init__(self) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "p":
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "p" and self._text is not None:
            self.paragraphs.append(" ".join("".join(self._text).split()))
            self._text = None


def _check_languages(languages: Sequence[str], allowed: Sequence[str]) -> None:
    unknown = [name for name in languages if name not in allowed]
    if unknown or len(set(languages)) < len(languages):
        raise ValueError(
            f"languages are {list(languages)}; allowed are {', '.join(allowed)}, each once"
        )
