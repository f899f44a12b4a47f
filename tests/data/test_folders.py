"""The two domains of a set: layouts, splits, and the real sets where they are."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
import torch
from datahost import entry, tarred, zipped
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from domain_translation.data import fetch, registry
from domain_translation.data.folders import paired, split_halves, unpaired
from domain_translation.data.registry import DataSet
from domain_translation.data.verify import DamagedData


def _encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _grey(value: int) -> bytes:
    return _encoded(Image.new("RGB", (12, 8), (value, value, value)))


def _level(x: torch.Tensor) -> list[int]:
    """The grey level, 0 to 255, of each of a batch of plain pictures."""
    return [round(float(v)) for v in (x.mean(dim=(1, 2, 3)) + 1) * 127.5]


# Splits


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(0, 2**31))
def test_parts_are_disjoint_and_complete(sizes: list[int], seed: int) -> None:
    parts = split_halves(sum(sizes), sizes, seed)
    assert [len(p) for p in parts] == sizes
    assert sorted(torch.cat(parts).tolist()) == list(range(sum(sizes)))
    assert all(p.tolist() == sorted(p.tolist()) for p in parts)
    assert all(
        torch.equal(p, q) for p, q in zip(parts, split_halves(sum(sizes), sizes, seed), strict=True)
    )


def test_the_seed_chooses_the_parts() -> None:
    a, b = (split_halves(120, (60, 60), seed)[0] for seed in (0, 1))
    assert not torch.equal(a, b)
    assert 0.3 < float((a < 60).float().mean()) < 0.7  # not simply the first half


@pytest.mark.parametrize("sizes", [(133, 133), (300, -52), ()])
def test_sizes_must_add_up(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="add up to 248"):
        split_halves(248, sizes, 0)


# Layouts: pictures are plain greys, so that a mean tells which one was read

UNPAIRED = """
[toy.pictures]
root = "toy"
domains = ["a", "b"]
train = ["trainA", "trainB"]
held_out = ["testA", "testB"]
counts = { trainA = 2, trainB = 3, testA = 5, testB = 4 }
validation = [2, 2]
test = [3, 2]
seed = 0
"""


def _placed(toy: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir(exist_ok=True)
    for name, content in toy.items():
        (own / name).write_bytes(content)
    monkeypatch.setenv(fetch.OWN, str(own))
    monkeypatch.setenv(fetch.CACHE, str(tmp_path / "cache"))


def _cyclegan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, drop: str = "") -> DataSet:
    counts = {"trainA": (10, 2), "trainB": (20, 3), "testA": (30, 5), "testB": (40, 4)}
    members = {
        f"toy/{folder}/{k:02d}.png": _grey(first + k)
        for folder, (first, n) in counts.items()
        for k in range(n)
    }
    members.pop(drop, None)
    content = zipped(members)
    _placed({"toy.zip": content}, tmp_path, monkeypatch)
    return entry({"toy.zip": (content, [])}, layout="cyclegan", pictures=UNPAIRED)


def test_cyclegan_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = _cyclegan(tmp_path, monkeypatch)
    train = unpaired(toy, 8)
    assert _level(train.source) == [10, 11]
    assert _level(train.target) == [20, 21, 22]
    whole, validation, test = (unpaired(toy, 8, s) for s in ("held-out", "validation", "test"))
    assert [len(validation.source), len(validation.target)] == [2, 2]
    assert [len(test.source), len(test.target)] == [3, 2]
    for k, expected in ((0, range(30, 35)), (1, range(40, 44))):
        assert _level(whole[k]) == list(expected)
        assert sorted(_level(validation[k]) + _level(test[k])) == list(expected)


def test_a_missing_picture_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = _cyclegan(tmp_path, monkeypatch, drop="toy/testB/01.png")
    assert len(unpaired(toy, 8).target) == 3
    with pytest.raises(DamagedData, match="toy: testB holds 3 pictures instead of 4"):
        unpaired(toy, 8, "test")


def test_what_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = _cyclegan(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match="split is 'val'; allowed are train, validation, test"):
        unpaired(toy, 8, "val")
    with pytest.raises(ValueError, match="'toy' are not paired; read them with unpaired"):
        paired(toy, 8)
    with pytest.raises(ValueError, match=r"'mnist' \(layout arrays\) is not a set of two domains"):
        unpaired("mnist", 8)
    with pytest.raises(ValueError, match="unknown data set 'horse'"):
        unpaired("horse", 8)


SIDE_BY_SIDE = """
[toy.pictures]
root = "maps"
domains = ["photo", "map"]
train = ["train", "train"]
held_out = ["val", "val"]
halves = ["left", "right"]
counts = { train = 2, val = 5 }
validation = [2, 2]
test = [3, 3]
seed = 0
"""


@pytest.mark.parametrize("source_at_left", [True, False])
def test_side_by_side_pairs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source_at_left: bool
) -> None:
    def pair(k: int) -> bytes:
        both = Image.new("RGB", (25, 12), (k, k, k))  # the odd middle column belongs to no half
        both.paste((100 + k, 100 + k, 100 + k), (13, 0, 25, 12))
        return _encoded(both)

    members = {f"maps/train/{k}.jpg": pair(k) for k in range(2)}
    members |= {f"maps/val/{k}.jpg": pair(10 + k) for k in range(5)}
    content = tarred(members, "w:gz")
    _placed({"toy.tar.gz": content}, tmp_path, monkeypatch)
    swapped = SIDE_BY_SIDE.replace('["left", "right"]', '["right", "left"]')
    toy = entry(
        {"toy.tar.gz": (content, [])},
        layout="side-by-side",
        pictures=SIDE_BY_SIDE if source_at_left else swapped,
        known=False,
    )
    train, test = paired(toy, 6), paired(toy, 6, "test")
    left, right = train if source_at_left else reversed(train)
    assert (_level(left), _level(right)) == ([0, 1], [100, 101])
    assert len(test.source) == 3
    difference = 100 if source_at_left else -100
    assert [b - a for a, b in zip(*map(_level, test), strict=True)] == [difference] * 3


PAIRS = """
[toy.pictures]
root = "."
domains = ["photo", "map"]
train = ["train/photo", "train/map"]
held_out = ["val/photo", "val/map"]
counts = { "train/photo" = 4, "train/map" = 4, "val/photo" = 6, "val/map" = 6 }
validation = [2, 2]
test = [4, 4]
seed = 0
"""


def _pairs(members: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """Two archives, the members dealt out in turn by their number."""
    files = {
        f"{k}.tar": tarred({n: c for n, c in members.items() if int(n[-5]) % 2 == k})
        for k in (0, 1)
    }
    _placed(files, tmp_path, monkeypatch)
    return entry({n: (c, []) for n, c in files.items()}, layout="pairs", pictures=PAIRS)


def _members() -> dict[str, bytes]:
    levels = {
        "train/photo": (0, 4),
        "train/map": (50, 4),
        "val/photo": (100, 6),
        "val/map": (150, 6),
    }
    return {
        f"{folder}/000{k}.png": _grey(first + k)
        for folder, (first, n) in levels.items()
        for k in range(n)
    }


def test_pairs_over_two_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = _pairs(_members(), tmp_path, monkeypatch)
    assert [_level(x) for x in paired(toy, 4)] == [[0, 1, 2, 3], [50, 51, 52, 53]]
    for split, n in (("validation", 2), ("test", 4), ("held-out", 6)):
        source, target = map(_level, paired(toy, 4, split))
        assert len(source) == n
        assert [b - a for a, b in zip(source, target, strict=True)] == [50] * n


def test_pairs_must_match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = _members()
    members["val/map/0007.png"] = members.pop("val/map/0005.png")
    toy = _pairs(members, tmp_path, monkeypatch)
    assert len(paired(toy, 4).source) == 4
    with pytest.raises(DamagedData, match="the pairs of test do not have the same file names"):
        paired(toy, 4, "test")


# The real sets

REAL = ("maps256", "cat2dog128", "mountain2glacier96")


@pytest.mark.parametrize("name", REAL)
def test_real_sets(name: str, tmp_path: Path) -> None:
    folder = os.environ.get(fetch.OWN)
    found = registry.lookup(name)
    if not folder or not fetch.own_copies(found):
        pytest.skip(f"{fetch.OWN} names no folder with {', '.join(found.known)}")
    assert found.pictures is not None
    test = unpaired(name, 16, "test", cache=tmp_path)
    validation = unpaired(name, 16, "validation", cache=tmp_path)
    assert tuple(map(len, test)) == found.pictures.test
    assert tuple(map(len, validation)) == found.pictures.validation
    everything = torch.cat([*test, *validation])
    assert everything.min() >= -1
    assert everything.max() <= 1
    assert everything.std() > 0.2
    assert len(torch.unique(everything.flatten(1), dim=0)) > 0.95 * len(everything)
    if found.paired:
        # An aerial photograph says more of its own map than of another one.
        grey = [x.mean(dim=1).flatten(1) for x in test]
        grey = [(x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 0.05) for x in grey]
        own = (grey[0] * grey[1]).mean(1).abs()
        other = (grey[0] * grey[1].roll(1, 0)).mean(1).abs()
        assert own.mean() > 1.5 * other.mean()


def test_every_file_of_the_local_sets(tmp_path: Path) -> None:
    folder = os.environ.get(fetch.OWN)
    here = [
        s
        for s in registry.datasets().values()
        if folder
        and all(
            (Path(folder) / f.name).exists() or (Path(folder) / s.name / f.name).exists()
            for f in s.copies or s.files
        )
    ]
    if not here:
        pytest.skip(f"{fetch.OWN} names no folder with data sets of the registry")
    for s in here:
        found = fetch.own_copies(s) or fetch.fetch(s, cache=tmp_path, offline=True)
        assert len(found) == len(s.copies or s.files)
