"""Labelled pictures: array files and class folders, made here and real ones where they are."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from datahost import entry, tarred, zipped
from PIL import Image

from domain_translation.data import fetch, registry
from domain_translation.data.arrays import load
from domain_translation.data.registry import DataSet
from domain_translation.data.verify import DamagedData


def _npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _plain(red: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), (red, 0, 255)).save(out, kind)
    return out.getvalue()


def _placed(files: dict[str, bytes], layout: str, own: Path, monkeypatch: object) -> DataSet:
    own.mkdir()
    for name, content in files.items():
        (own / name).write_bytes(content)
    monkeypatch.setenv(fetch.OWN, str(own))
    monkeypatch.setenv(fetch.CACHE, str(own.parent / "cache"))
    return entry({name: (content, []) for name, content in files.items()}, layout=layout)


def _arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **other: np.ndarray) -> DataSet:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 28, 28), dtype=np.uint8)
    labels = np.array([3, 1, 4, 1, 5, 9, 2], np.uint8)
    files = {
        "toy_train_a.npz": _npz(images=images[:3], labels=labels[:3]),
        "toy_train_b.npz": _npz(**({"images": images[3:5], "labels": labels[3:5]} | other)),
        "toy_test_public.npz": _npz(images=images[5:], labels=labels[5:]),
    }
    return _placed(files, "arrays", tmp_path / "own", monkeypatch)


def test_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = _arrays(tmp_path, monkeypatch)
    expected = np.random.default_rng(0).integers(0, 256, (7, 28, 28), dtype=np.uint8)
    train, test = load(toy, "train"), load(toy, "test")
    assert train.x.shape == (5, 1, 32, 32)
    assert (train.x.dtype, train.y.dtype) == (torch.float32, torch.int64)
    assert (train.y.tolist(), test.y.tolist()) == ([3, 1, 4, 1, 5], [9, 2])
    x = torch.cat([train.x, test.x])[:, 0]
    assert np.array_equal(((x[:, 2:30, 2:30] + 1) * 127.5).round().numpy(), expected)
    rim = torch.ones(32, 32, dtype=torch.bool)
    rim[2:30, 2:30] = False
    assert (x[:, rim] == -1).all()
    small = load(toy, "train", 8).x
    assert torch.allclose(small, train.x.reshape(5, 1, 8, 4, 8, 4).mean((3, 5)), atol=1e-6)


@pytest.mark.parametrize(
    "other",
    [
        {"images": np.zeros((2, 28, 28), np.float32)},
        {"images": np.zeros((2, 27, 27), np.uint8)},
        {"images": np.zeros((2, 64, 64), np.uint8)},
        {"labels": np.zeros(3, np.uint8)},
        {"images": np.array([None, None])},
    ],
)
def test_damaged_arrays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, np.ndarray]
) -> None:
    toy = _arrays(tmp_path, monkeypatch, **other)
    assert len(load(toy, "test").y) == 2
    with pytest.raises(DamagedData, match=r"toy_train_b\.npz"):
        load(toy, "train")


@pytest.mark.parametrize("content", [b"nothing", _npz(pictures=np.zeros(3))])
def test_no_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    toy = _placed({"toy_train.npz": content}, "arrays", tmp_path / "own", monkeypatch)
    with pytest.raises(DamagedData, match="does not hold images and labels"):
        load(toy, "train")
    with pytest.raises(DamagedData, match="no file of the split test"):
        load(toy, "test")


def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archives: int) -> DataSet:
    """Class "b" holds reds 10, 11, ...; the folders are stored in no good order."""
    reds = {"train": {"b": [11, 10], "c": [20], "a": [2, 0, 1]}, "test": {"c": [21], "a": [3]}}
    members = {
        split: {
            f"{split}/{name}/{red:03d}.png": _plain(red)
            for name, some in classes.items()
            for red in some
        }
        for split, classes in reds.items()
    }
    if archives == 1:
        files = {"toy.zip": zipped(members["train"] | members["test"])}
    else:
        files = {f"toy_{s}.tar.gz": tarred(m, "w:gz") for s, m in members.items()}
    return _placed(files, "classes", tmp_path / "own", monkeypatch)


@pytest.mark.parametrize("archives", [1, 2])
def test_class_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archives: int) -> None:
    toy = _folders(tmp_path, monkeypatch, archives)
    x, y = load(toy, "train")
    assert x.shape == (6, 3, 32, 32)
    assert y.tolist() == [0, 0, 0, 1, 1, 2]
    assert y.dtype == torch.int64
    assert ((x[:, 0].mean((1, 2)) + 1) * 127.5).round().tolist() == [0, 1, 2, 10, 11, 20]
    assert (x[:, 1] == -1).all()
    assert (x[:, 2] == 1).all()
    assert load(toy, "test", 4).x.shape == (2, 3, 4, 4)


def test_a_missing_split_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"toy.zip": zipped({"train/a/0.png": _plain(0), "test/readme.txt": b"none"})}
    toy = _placed(files, "classes", tmp_path / "own", monkeypatch)
    assert len(load(toy, "train").y) == 1
    with pytest.raises(DamagedData, match="toy: no folder test with a folder per class; delete"):
        load(toy, "test")


def test_what_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="unknown data set 'cifar'; did you mean cifar10"):
        load("cifar", "train")
    with pytest.raises(ValueError, match="'maps256' has layout pairs; give a set of layout arrays"):
        load("maps256", "train")
    with pytest.raises(ValueError, match="split is 'val'; allowed are train, test"):
        load("mnist", "val")
    with pytest.raises(ValueError, match="size is 12 pixels; give a power of two up to 32"):
        load("mnist", "train", 12)


REAL = {"mnist": (1, 5000), "fashion": (1, 5000), "cifar10_jpeg": (3, 5000), "mnistm": (3, 1000)}


@pytest.mark.parametrize("name", REAL)
def test_real_sets(name: str, tmp_path: Path) -> None:
    found = registry.lookup(name)
    if not os.environ.get(fetch.OWN) or not fetch.own_copies(found):
        pytest.skip(f"{fetch.OWN} names no folder with {', '.join(found.known)}")
    channels, n = REAL[name]
    x, y = load(name, "test", cache=tmp_path)
    assert x.shape == (n, channels, 32, 32)
    assert y.unique().tolist() == list(range(10))
    assert x.min() == -1
    assert x.max() == 1
    assert len(torch.unique(x.flatten(1), dim=0)) > 0.99 * n
    # Class means differ by more than chance: the labels belong to the pictures.
    means = torch.stack([x[y == k].mean(0).flatten() for k in range(10)])
    shuffled = y[torch.randperm(n, generator=torch.Generator().manual_seed(0))]
    chance = torch.stack([x[shuffled == k].mean(0).flatten() for k in range(10)])
    assert means.var(0).mean() > 1.3 * chance.var(0).mean()
