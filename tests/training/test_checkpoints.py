"""Checkpoints: whole or not at all, and never silently wrong."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from domain_translation.training import checkpoints
from domain_translation.training.checkpoints import CheckpointError

CARD = {"seed": 3, "config": {"width": 64, "rate": 0.1}, "note": "σ = 0.1"}


def some_tensors() -> dict[str, Tensor]:
    weight = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    return {
        "weight": weight,
        "tied": weight,
        "view": weight.T,
        "double": torch.tensor([0.1], dtype=torch.float64),
        "step": torch.tensor(7.0),
        "bytes": torch.arange(256, dtype=torch.uint8),
        "flags": torch.tensor([True, False]),
        "none": torch.empty(0, 4),
    }


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    tensors = some_tensors()
    checkpoints.save(tmp_path / "a.safetensors", tensors, CARD)
    back = checkpoints.load(tmp_path / "a.safetensors")
    assert back.card == CARD
    assert set(back.tensors) == set(tensors)
    for name, tensor in tensors.items():
        assert back.tensors[name].dtype == tensor.dtype
        assert torch.equal(back.tensors[name], tensor)
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_the_same_content_gives_the_same_file(tmp_path: Path) -> None:
    for name in "ab":
        checkpoints.save(tmp_path / name, some_tensors(), CARD)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_flipped_bit_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    checkpoints.save(path, {"w": torch.arange(6.0)}, CARD)
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        try:
            back = checkpoints.load(path)
        except CheckpointError:
            continue
        # Only the padding of the header carries nothing.
        assert back.card == CARD
        assert torch.equal(back.tensors["w"], torch.arange(6.0))


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.safetensors"
    checkpoints.save(path, some_tensors(), CARD)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(
        CheckpointError, match=r"no checkpoint of this package|take it from its source"
    ):
        checkpoints.load(path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"w": torch.ones(2)}, tmp_path / "bare")
    with pytest.raises(CheckpointError, match="no checkpoint of this package"):
        checkpoints.load(tmp_path / "bare")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        checkpoints.load(tmp_path / "nowhere")


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def half_written(open_file: Any) -> Any:
    """`os.fdopen` whose files accept ten bytes and then find the disk full."""

    def opener(*args: Any) -> Any:
        file = open_file(*args)
        write = file.write

        class Full:
            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def write(self, content: bytes) -> None:
                write(content[:10])
                full_disk()

        return Full()

    return opener


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
@pytest.mark.parametrize("older", [True, False])
def test_a_full_disk_leaves_things_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, older: bool
) -> None:
    path = tmp_path / "a.safetensors"
    if older:
        checkpoints.save(path, {"w": torch.zeros(3)}, {"step": 1})
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    if where == "write":
        monkeypatch.setattr(os, "fdopen", half_written(os.fdopen))
    else:
        monkeypatch.setattr(os, where, full_disk)
    with pytest.raises(CheckpointError, match="No space left on device") as caught:
        checkpoints.save(path, {"w": torch.ones(3)}, {"step": 2})
    assert ("previous checkpoint is intact" in str(caught.value)) == older
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    checkpoints.save(path, {"w": torch.ones(3)}, {"step": 2})
    assert checkpoints.load(path).card == {"step": 2}


def test_an_interrupt_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(tmp_path / "a", {"w": torch.ones(3)}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="could not be written"):
        checkpoints.save(tmp_path / "no" / "a", {"w": torch.ones(3)}, {})


def test_the_digest_sees_names_types_shapes_and_values() -> None:
    a = torch.zeros(4)
    seen = [
        checkpoints.digest(content)
        for content in (a, {"a": a}, {"b": a}, a.double(), a.reshape(2, 2), a + 1, -a)
    ]
    assert len(set(seen)) == len(seen)
    assert checkpoints.digest(a) == checkpoints.digest(a.clone())
