"""The commands at their defaults on photographs, at toy size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.data.folders import Domains
from domain_translation.studies.cooling import photographs as study


def pictures(count: int = 12, size: int = 16) -> Tensor:
    """Smooth ones: low frequencies at random."""
    coarse = torch.rand(count, 3, 4, 4, generator=Generator().manual_seed(0)) * 1.6 - 0.8
    return torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")


def test_a_run_compares_every_damage_with_a_blur(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study.folders, "unpaired", lambda name, size: Domains(pictures(), None))
    folder = study.Folder("smooth", 16, pictures=4, steps=20)
    found = study.run(folder, 0, tmp_path)
    assert all(row.shape == (4,) for row in found.values())
    assert (found["noise, after"] < found["noise, before"]).all()  # by a linear filter alone
    assert found["as it is, before"].min() > 0  # files have 256 levels
    assert found["as it is, before"].max() < 1e-4
    numbers = {m.name: m.value for m in study.measure(folder, 0, found)}
    assert numbers["noise: share nearer"] == 1
    assert numbers["noise: dB gained"] > 1
    assert numbers["as it is: PSNR to itself"] > 25
    again = study.run(folder, 0, tmp_path)  # its denoiser is at hand
    assert all(torch.equal(found[k], again[k]) for k in found)


def test_damages_do_what_they_say() -> None:
    x, generator = pictures(3), Generator().manual_seed(0)
    broken = study.dead(x, generator, share=0.1) == -1
    assert broken.float().mean() == pytest.approx(26 / 256)
    assert (broken == broken[:1, :1]).all()  # the same pixels of all pictures
    assert 0 < study.error(study.jpeg(x, generator), x).max() < 0.02
    assert set(study.as_file(x * 3).mul(127.5).add(127.5).round().unique().tolist()) <= set(
        range(256)
    )
    assert study.decibel(torch.tensor([4.0, 0.04])).tolist() == pytest.approx([0.0, 20.0])


def test_an_error_that_grows_is_no_gain() -> None:
    row = torch.tensor([1e-2, 1e-2])
    found = {f"{d}, {w}": row for d in study.DAMAGES for w in ("before", "blur", "moved", "score")}
    found |= {f"{d}, after": torch.tensor([1e-3, 2e-2]) for d in study.DAMAGES}
    numbers = {m.name: m.value for m in study.measure(study.ARMS["maps256, 64 px"], 0, found)}
    assert numbers["blur: share nearer"] == numbers["blur: share harmed"] == 0.5
    assert numbers["as it is: share cooled"] == 1
    assert numbers["blur: dB lost at most"] == pytest.approx(3.01, abs=0.01)
    assert numbers["blur: dB above the best blur"] == pytest.approx((10 - 3.01) / 2, abs=0.01)
