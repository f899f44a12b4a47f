"""The README's code runs as printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from domain_translation import denoising

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS, ids=[b.splitlines()[0] for b in BLOCKS])
def test_code_runs_as_printed(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short = denoising.DenoiserConfig(steps=2, batch=4)
    train = denoising.train_denoiser
    monkeypatch.setattr(denoising, "train_denoiser", lambda *a, **k: train(*a, config=short, **k))
    names: dict[str, Any] = {
        "source_images": torch.rand(8, 3, 16, 16),
        "test_images": torch.rand(4, 3, 16, 16),
        "translator": lambda x: 1 - x,
    }
    exec(code, names)
    if "result" in names:
        assert names["result"].translated.shape == (4, 3, 16, 16)
        assert not torch.equal(names["result"].cooled, names["test_images"])
    else:
        assert names["chain"].x.shape == (1_000, 2)


def test_there_is_code() -> None:
    assert len(BLOCKS) == 2
