"""Readers of real text: what is read, aligned, refused, and what occurs twice."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from domain_translation.data import fetch, sentences, texts
from domain_translation.data.fetch import MissingData
from domain_translation.data.verify import DamagedData


def written(path: Path, content: bytes | str) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


# One file


@pytest.mark.parametrize("name", ["a.txt", "a.gz", "a"])
def test_what_is_read(name: str, tmp_path: Path) -> None:
    """A byte order mark, both ends of lines, empty lines, a last line without end."""
    path = written(tmp_path / name, "\ufeffEin Hund.\r\n\r\n E\u0301te\u0301 \x85\u2028x\ty\n\nEnd")
    assert sentences.read_sentences(path) == ["Ein Hund.", "", " Été \x85\u2028x\ty", "", "End"]
    assert sentences.read_sentences(path, 2) == ["Ein Hund.", ""]


def test_compression_is_seen_in_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(gzip.compress(b"a\nb\n"))
    assert sentences.read_sentences(path) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no sentence; give a text file"),
        (b"\n\r\n", "holds no sentence"),
        (b"a\nb\0c\n", "line 2: it holds a NUL byte"),
        (b"a\nb\n\xe9t\xe9\n", "line 3: byte 1 is not UTF-8 .0xe9.; convert the file"),
        ("a\nb".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b"a\n" + b"b" * 10_001, "line 2: it has 10001 characters, more than 10000"),
    ],
)
def test_what_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", content)
    with pytest.raises(DamagedData, match=message) as caught:
        sentences.read_sentences(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_and_no_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gz", "many words\n" * 1000)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(DamagedData, match="is a damaged gzip file"):
        sentences.read_sentences(path)
    path.write_bytes(whole[:40] + bytes(10) + whole[50:])
    with pytest.raises(DamagedData, match="is a damaged gzip file"):
        sentences.read_sentences(path)
    with pytest.raises(FileNotFoundError):
        sentences.read_sentences(tmp_path / "none")


def test_lines_that_cannot_be_used_stop_nothing_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", b"a\n\0\n\nlong one\n\xff\nb")
    found = sentences.read_lines(path, longest=5)
    assert found.sentences == ["a", "", "", "", "", "b"]
    assert list(found.reasons) == [2, 4, 5]
    assert "8 characters, more than 5" in found.reasons[4]


# Several texts


def test_together_only_with_equal_counts(tmp_path: Path) -> None:
    paths = {k: written(tmp_path / f"a.{k}", t) for k, t in (("en", "a\n\nb"), ("fr", "c\nd\ne\n"))}
    assert sentences.read_together(paths) == {"en": ["a", "", "b"], "fr": ["c", "d", "e"]}
    written(paths["fr"], "c\nd\n")
    with pytest.raises(DamagedData, match=r"unequal numbers of lines: a\.en 3, a\.fr 2"):
        sentences.read_together(paths)


def test_sentences_that_were_seen_before() -> None:
    training = ["Un chien  noir.", "e\u0301te\u0301", "", "x"]
    test = ["", "un chien noir.", "Été", "y", "X", "x "]
    places = sentences.seen_before(test, training)
    assert places == [1, 2, 4, 5]
    assert sentences.without(test, places) == ["", "y"]
    assert sentences.seen_before(test, sentences.without(training, [0, 1, 3])) == []


@pytest.mark.parametrize("languages", [("en", "fr"), ("en", "fr", "de")])
def test_unpaired_parts_share_no_line(languages: tuple[str, ...]) -> None:
    paired = {name: [f"{name} {i}" for i in range(20)] for name in languages}
    parts = sentences.unpaired(paired)
    lines = [{int(text.split()[1]) for text in parts[name]} for name in languages]
    assert sorted(i for part in lines for i in part) == list(range(20))
    assert min(map(len, lines)) == 20 // len(languages)
    assert max(lines[0]) < min(lines[1])
    with pytest.raises(ValueError, match=r"texts have \[19, 20\] sentences"):
        sentences.unpaired(paired | {"en": paired["en"][1:]})
    with pytest.raises(ValueError, match="at least one for each language"):
        sentences.unpaired({name: ["a"] for name in languages})


# Sets


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """The next fetch finds these files."""

    def register(**files: str) -> None:
        paths = tuple(written(tmp_path / name, content) for name, content in files.items())
        monkeypatch.setattr(texts, "fetch", lambda name, **_: paths)

    return register


def test_multi30k(registered: Callable[..., None]) -> None:
    parts, languages = ("train", "val", "test_2016_flickr"), ("en", "fr", "de")
    registered(**{f"{p}.{name}.gz": f"{p} {name}\n2\n" for p in parts for name in languages})
    assert texts.multi30k("validation", ("fr", "en")) == {
        "fr": ["val fr", "2"],
        "en": ["val en", "2"],
    }
    assert list(texts.multi30k()) == ["en", "fr", "de"]
    with pytest.raises(ValueError, match="split is 'val'; allowed are train, validation, test"):
        texts.multi30k("val")
    for wrong in (("en", "es"), ("en", "en")):
        with pytest.raises(ValueError, match="allowed are en, fr, de, each once"):
            texts.multi30k("test", wrong)


def test_tatoeba_and_news(registered: Callable[..., None]) -> None:
    registered(**{"t.tsv.gz": "Run!\tCours !\nRun!\tCourez !\n"})
    assert texts.tatoeba() == {"en": ["Run!", "Run!"], "fr": ["Cours !", "Courez !"]}
    registered(**{"t.tsv.gz": "Run!\tCours !\nRun!\n"})
    with pytest.raises(DamagedData, match="line 2: give two sentences with a tab"):
        texts.tatoeba()
    registered(**{"newstest2013.en.gz": "a , b .\n", "newstest2015.en.gz": "c .\n"})
    assert texts.news() == ["a , b ."]
    assert texts.news(2015) == ["c ."]
    with pytest.raises(ValueError, match="year is 2014; allowed are 2013, 2015"):
        texts.news(2014)


def test_newscrawl_takes_the_first_sentences_of_the_years(tmp_path: Path) -> None:
    written(tmp_path / "news.2008.fr.shuffled", "c\nd\n")
    written(tmp_path / "news.2007.fr.shuffled.gz", "a\nb\n")
    written(tmp_path / "news.2008.fr.shuffled.gz", "not\nread\n")
    written(tmp_path / "news.2009.fr.shuffled.gz", b"\0 reading stops before\n")
    written(tmp_path / "news.2006.de.shuffled", "x\n")
    assert texts.newscrawl("fr", tmp_path, sentences=3) == ["a", "b", "c"]
    assert texts.newscrawl("fr", tmp_path, sentences=4) == ["a", "b", "c", "d"]
    assert texts.newscrawl("de", tmp_path) == ["x"]
    with pytest.raises(MissingData, match=r"holds no file news\.YEAR\.en\.shuffled"):
        texts.newscrawl("en", tmp_path)
    with pytest.raises(ValueError, match="ask for one at least"):
        texts.newscrawl("fr", tmp_path, sentences=0)
    assert texts.SENTENCES == 5_000_000


def test_newscrawl_of_the_registry(registered: Callable[..., None]) -> None:
    registered(**{"news.2007.en.shuffled.gz": "a\n", "news.2008.en.shuffled.gz": "b\nc\n"})
    assert texts.newscrawl("en", sentences=2) == ["a", "b"]


PAGE = (
    "<html><body><div><p>{0}</p><pre>code</pre></div><p>Use <code>ls&#160;-l</code>\n of {1}.</p>"
)


def test_the_debian_reference(tmp_path: Path) -> None:
    """Paragraphs of pages with equal counts, without those that nobody translated."""
    for name, words in (
        ("en", ("Shell", "it")),
        ("fr", ("Shell", "lui")),
        ("de", ("Hülle", "ihm")),
    ):
        written(tmp_path / f"ch01.{name}.html", PAGE.format(*words))
        written(tmp_path / f"ch02.{name}.html", f"<p>{name}</p>" * (2 if name == "fr" else 1))
    written(tmp_path / "ch03.en.html", "<p>only here</p>")
    found = texts.debian_reference(("en", "fr"), tmp_path)
    assert found == {"en": ["Use ls -l of it."], "fr": ["Use ls -l of lui."]}
    german = texts.debian_reference(("de", "en"), tmp_path)
    assert german == {
        "de": ["Hülle", "Use ls -l of ihm.", "de"],
        "en": ["Shell", "Use ls -l of it.", "en"],
    }
    for path in tmp_path.glob("*.fr.html"):
        path.unlink()
    with pytest.raises(MissingData, match="install the Debian package debian-reference-fr"):
        texts.debian_reference(("en", "fr"), tmp_path)
    with pytest.raises(ValueError, match="give two at least"):
        texts.debian_reference(("en",), tmp_path)
    with pytest.raises(ValueError, match="allowed are en, fr, de"):
        texts.debian_reference(("en", "es"), tmp_path)


def test_the_real_texts() -> None:
    folder = os.environ.get(fetch.OWN)
    if not folder or not (Path(folder) / "multi30k").is_dir():
        pytest.skip(f"{fetch.OWN} names no folder with the texts")
    training, test = texts.multi30k("train"), texts.multi30k("test")
    assert {len(text) for text in training.values()} == {29_000}
    assert {len(text) for text in test.values()} == {1000}
    assert len(texts.tatoeba()["fr"]) == 18_065
    assert len(texts.news(2013)) == 3000
    assert len(sentences.seen_before(test["en"], training["en"])) == 0
