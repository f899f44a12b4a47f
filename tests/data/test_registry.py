"""The registry's file: every entry parses, agrees with itself and with the papers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from datahost import entry

from domain_translation.data import registry
from domain_translation.files import data_file
from domain_translation.notebook import ledger


def test_every_entry_is_sound() -> None:
    sets = registry.datasets()
    assert {"horse2zebra", "apple2orange", "summer2winter_yosemite", "maps", "maps256"} <= set(sets)
    names = [(s.name, f.name) for s in sets.values() for f in s.files]
    assert len(set(names)) == len(names)
    for s in sets.values():
        assert s.files or s.rebuild, s.name  # a public file, or how to make it again
        assert s.title, s.name
        assert s.use, s.name
        assert s.licence, s.name
        assert s.source, s.name
        assert s.citation, s.name
        assert set(s.rows) <= set(ledger.inventory()), s.name
        for f in s.files:
            # Of News Crawl nobody published sizes.
            assert f.bytes or f.about or s.name.startswith("newscrawl_"), f.name
            # A file without an address can be told only by its checksum.
            assert f.urls or f.sha256, f.name
        for f in s.copies:
            assert f.bytes, f.name
            assert re.fullmatch("[0-9a-f]{64}", f.sha256 or ""), f.name
            assert not f.urls, f.name


def test_the_registry_names_no_machine() -> None:
    text = data_file("registry.toml").read_text(encoding="utf-8")
    assert not re.search(r"/(home|work|root|tmp|Users)/", text)


def test_citations_exist() -> None:
    bib = Path(__file__).parents[2] / "book" / "references.bib"
    known = set(re.findall(r"@\w+\{([^,]+),", bib.read_text(encoding="utf-8")))
    cited = {key for s in registry.datasets().values() for key in s.citation}
    assert cited <= known, f"add to references.bib: {sorted(cited - known)}"


def test_splits_are_those_of_the_papers() -> None:
    sets = registry.datasets()
    h2z, a2o, maps = (sets[n].pictures for n in ("horse2zebra", "apple2orange", "maps"))
    assert h2z is not None
    assert a2o is not None
    assert maps is not None
    assert (h2z.validation, h2z.test) == ((60, 70), (60, 70))
    assert list(h2z.counts.values()) == [1067, 1334, 120, 140]
    assert (a2o.validation[0], a2o.test[0]) == (133, 133)
    assert a2o.validation[1] + a2o.test[1] == 248  # 133 + 133 oranges are not there (errata)
    assert maps.counts == {"train": 1096, "val": 1098}
    assert (maps.validation[0], maps.test[0]) == (250, 848)
    assert sets["maps"].paired
    assert maps.halves is not None
    seasons = sets["summer2winter_yosemite"]
    assert not seasons.paired
    assert seasons.pictures is not None
    assert list(seasons.pictures.counts.values()) == [1231, 962, 309, 238]
    assert list(a2o.counts.values()) == [995, 1019, 266, 248]


def test_an_unknown_set_is_answered_with_near_names() -> None:
    with pytest.raises(ValueError, match="did you mean horse2zebra"):
        registry.lookup("horse2zebras")
    with pytest.raises(ValueError, match="did you mean horse2zebra, apple2orange"):
        registry.lookup("qqqq")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('layout = "flat"', 'layout = "round"', "layout is 'round'; allowed are cyclegan"),
        ('layout = "flat"', 'layout = "cyclegan"', r"\[pictures\] belongs to"),
        ('title = "Toy"', 'titel = "Toy"', "'toy' lacks or misspells a field"),
        ("verified = true", "verified = false", "verified is true exactly where"),
        ('sha256 = "', 'sha256 = "X', "64 hexadecimal digits"),
        ('sha256 = "', 'md5 = "', "an md5 has 32 hexadecimal digits"),
        ("[[toy.files]]", "[[toy.file]]", r"misspells a field: .*'file'"),
        ("citation = []", 'citation = []\nconverter = "mnist"\nfiles = []', "not valid TOML"),
        (
            "[[toy.files]]",
            '[[toy.copies]]\nname = "b"\nverified = false\n[[toy.files]]',
            "need the converter",
        ),
        ('name = "a.bin"', 'name = "../a.bin"', "not a plain file name"),
        ("http:", "ftp:", "starts with http:// or https://"),
        ("[toy]", "[toy", "not valid TOML"),
    ],
)
def test_a_wrong_entry_is_refused(old: str, new: str, message: str) -> None:
    text = (
        '[toy]\nlayout = "flat"\ntitle = "Toy"\nuse = ""\nlicence = ""\nsource = ""\ncitation = []'
        '\n[[toy.files]]\nname = "a.bin"\nverified = true\nurls = ["http://a/b"]\nsha256 = "'
        + "0" * 64
        + '"'
    )
    assert registry.parse_registry(text)["toy"].files[0].size == "of unknown size"
    with pytest.raises(ValueError, match=message):
        registry.parse_registry(text.replace(old, new))


PICTURES = """
[toy.pictures]
root = "."
domains = ["a", "b"]
train = ["train", "train"]
held_out = ["val", "val"]
halves = ["left", "right"]
counts = { train = 3, val = 5 }
validation = [2, 2]
test = [3, 3]
seed = 0
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("test = [3, 3]", "test = [3, 4]", "validation and test of b do not add up"),
        ("val = 5 }", "valid = 5 }", "counts and folders differ in val, valid"),
        ('["left", "right"]', '["left", "left"]', "give left and right"),
        ('halves = ["left", "right"]', "", "halves belong to the layout side-by-side"),
    ],
)
def test_wrong_pictures_are_refused(old: str, new: str, message: str) -> None:
    files = {"a.zip": (b"x", [])}
    assert entry(files, layout="side-by-side", pictures=PICTURES).paired
    with pytest.raises(ValueError, match=message):
        entry(files, layout="side-by-side", pictures=PICTURES.replace(old, new))
