"""Folders of pictures: what goes in comes out, and a picture's result is its own."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import ownpictures as own
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from torch import Tensor, nn

import domain_translation
from domain_translation import cooling
from domain_translation.cooling import pictures
from domain_translation.cooling.pictures import (
    RequestError,
    UserError,
    cool_folder,
    load_denoiser,
    noise_id,
    score_rms,
    train_denoiser_on_folder,
)
from domain_translation.cooling.pictures.chain import chain
from domain_translation.cooling.pictures.codec import decode, encode, to_image
from domain_translation.cooling.pictures.denoisers import doubt
from domain_translation.cooling.pictures.folders import find_pictures
from domain_translation.cooling.pictures.sheet import COLUMNS
from domain_translation.cooling.pictures.view import View
from domain_translation.data.images import to_tensor
from domain_translation.runtime import seeded
from domain_translation.sampling.langevin import DivergenceError
from domain_translation.training.model_files import load_model

QUICK: dict[str, Any] = {"steps": 3, "step_size": 0.02}


def negative(x: Tensor) -> Tensor:
    return -x


def rows(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "scores.csv").open()))


@pytest.fixture(scope="module")
def denoiser(tmp_path_factory: pytest.TempPathFactory) -> pictures.Denoiser:
    return load_denoiser(own.denoiser_file(tmp_path_factory.mktemp("d") / "denoiser.safetensors"))


# Files to pixels and back


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def reread(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
def test_eight_bit_pixels_survive_the_way_there_and_back(w: int, h: int, seed: int) -> None:
    values = own.pixels(w, h, seed)
    picture = decode(saved(Image.fromarray(values)))
    assert picture.size == (w, h)
    assert -1 <= picture.pixels.min() <= picture.pixels.max() <= 1
    assert np.array_equal(np.asarray(reread(encode(picture.pixels, picture))), values)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_orientation_is_applied_once(kind: str, orientation: int) -> None:
    image = Image.fromarray(own.pixels(12, 7))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(image, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
    upright = ImageOps.exif_transpose(reread(content))
    picture = decode(content)
    assert picture.size == upright.size == ((7, 12) if orientation > 4 else (12, 7))
    assert np.array_equal(np.asarray(to_image(picture.pixels)), np.asarray(upright))
    out = reread(encode(picture.pixels, picture))
    assert out.getexif().get(0x0112, 1) == 1
    assert ImageOps.exif_transpose(out).size == upright.size


def test_grey_is_shown_in_three_channels_and_can_be_written_in_one() -> None:
    values = own.pixels(9, 5)[..., 0]
    picture = decode(saved(Image.fromarray(values)))
    assert picture.grey
    assert picture.pixels.shape == (3, 5, 9)
    assert (picture.pixels == picture.pixels[:1]).all()
    out = reread(encode(picture.pixels.mean(0, keepdim=True), picture))
    assert out.mode == "L"
    assert np.array_equal(np.asarray(out), values)
    assert reread(encode(picture.pixels, picture)).mode == "RGB"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_kept_aside_and_put_back(mode: str) -> None:
    alpha = Image.fromarray(own.pixels(9, 5, 1)[..., 0])
    image = Image.fromarray(own.pixels(9, 5)).convert("RGB")
    if mode == "P":
        image = image.quantize(16)
        content = saved(image, transparency=3)
        wanted = np.where(np.asarray(image) == 3, 0, 255)
    else:
        image = image.convert(mode.rstrip("A") + "A" if mode == "LA" else "RGBA")
        image.putalpha(alpha)
        content, wanted = saved(image), np.asarray(alpha)
    picture = decode(content)
    assert picture.pixels.shape == (3, 5, 9)
    out = reread(encode(-picture.pixels, picture))
    assert out.mode == "RGBA"
    assert np.array_equal(np.asarray(out.getchannel("A")), wanted)


def test_sixteen_bit_greys_are_scaled_not_clipped() -> None:
    values = np.array([[0, 257, 514, 257 * 200, 65535]], np.uint16)
    picture = decode(saved(Image.fromarray(values)))
    assert picture.grey
    assert np.asarray(to_image(picture.pixels))[0, :, 0].tolist() == [0, 1, 2, 200, 255]


@pytest.mark.parametrize("mode", ["1", "P", "CMYK"])
def test_unusual_modes_are_read_as_colours(mode: str) -> None:
    image = Image.fromarray(own.pixels(8, 8)).convert(mode)
    picture = decode(saved(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert picture.pixels.shape == (3, 8, 8)
    assert picture.grey == (mode == "1")
    assert reread(encode(picture.pixels, picture)).mode == "RGB"


def test_a_colour_profile_stays_with_colours() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colour = decode(saved(Image.fromarray(own.pixels(6, 6)), icc_profile=profile))
    assert reread(encode(colour.pixels, colour)).info["icc_profile"] == profile
    grey = decode(saved(Image.fromarray(own.pixels(6, 6)[..., 0]), icc_profile=profile))
    assert "icc_profile" not in reread(encode(grey.pixels, grey)).info


def test_values_beyond_the_range_are_clipped() -> None:
    picture = decode(saved(Image.fromarray(own.pixels(4, 4))))
    out = np.asarray(reread(encode(torch.full((3, 4, 4), 1.7), picture)))
    assert (out == 255).all()
    assert torch.equal(to_tensor(Image.new("RGB", (2, 1), (0, 51, 255)))[:, 0, 0] * 5 + 0.0,
                       torch.tensor([-5.0, -3.0, 5.0]))  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.data(), st.sampled_from(["PNG", "JPEG"]))
def test_damaged_files_are_one_sentence(data: st.DataObject, kind: str) -> None:
    content = bytearray(saved(Image.fromarray(own.pixels(20, 20)), kind))
    cut = data.draw(st.integers(0, len(content)))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode(bytes(content[:cut]))
    except UserError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert picture.pixels.isfinite().all()


# What the networks see


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 4, 32]))
def test_pictures_are_continued_to_multiples_and_cut_again(h: int, w: int, multiple: int) -> None:
    x = torch.rand(3, h, w) * 2 - 1
    view = View(None, multiple)
    seen = view.show(x)
    assert seen.shape[2] % multiple == seen.shape[3] % multiple == 0
    assert min(seen.shape[2:]) >= 16
    assert torch.equal(view.back(seen, h, w), x)
    assert seen.shape[2] - h < max(16, multiple)
    assert torch.equal(seen[0, :, h:], seen[0, :, h - 1 : h].expand(-1, seen.shape[2] - h, -1))


def test_a_given_size_scales_there_and_back() -> None:
    x = to_tensor(Image.fromarray(own.pixels(61, 47)))
    view = View(size=64)
    seen = view.show(x)
    assert seen.shape == (1, 3, 64, 64)
    assert seen.abs().max() <= 1
    assert view.back(seen, 47, 61).shape == x.shape
    assert (view.back(seen, 47, 61) - x).abs().mean() < 0.02
    same = torch.rand(3, 64, 64)
    assert torch.equal(view.back(view.show(same), 64, 64), same)


# A folder


def test_names_formats_and_sizes_are_kept(tmp_path: Path, denoiser: pictures.Denoiser) -> None:
    source = tmp_path / "in"
    sizes = {"a.png": (61, 47), "a.jpg": (30, 22), "sub/Ünïcode ☂ 狐.JPEG": (1, 1)}
    sizes |= {"sub/a.png": (400, 3), "sub/deeper/b c.PNG": (5, 90)}
    for i, (name, size) in enumerate(sizes.items()):
        own.draw(source / name, *size, seed=i)
    (source / "notes.txt").write_text("not a picture")
    own.draw(source / ".hidden" / "x.png", 9, 9)
    told: list[str] = []
    report = cool_folder(
        own.generator(), denoiser, source, tmp_path / "out", **QUICK, tell=told.append
    )
    assert not report.skipped
    assert report.passed == {".txt": 1}
    assert told[0] == "passed over: 1 .txt"
    assert told[1].startswith("5 pictures: at most ")
    for kind in ("cooled", "translated"):
        below = tmp_path / "out" / kind
        assert {p.as_posix() for p in find_pictures(below).pictures} == set(sizes)
        for name, size in sizes.items():
            with Image.open(below / name) as image:
                assert image.size == size
                assert image.format == ("PNG" if name.lower().endswith("png") else "JPEG")
    table = rows(tmp_path / "out")
    assert [r["file"] for r in table] == sorted(sizes)
    assert {(int(r["width"]), int(r["height"])) for r in table} == set(sizes.values())
    assert {r["status"] for r in table} == {"done"}
    sheet = Image.open(tmp_path / "out" / "contact_sheet.png")
    assert sheet.width > 4 * 190
    assert sheet.height > 5 * 190


def test_a_picture_is_cooled_and_translated_as_in_memory(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.draw(tmp_path / "in" / "p.png", 24, 20)
    translator = own.generator()
    cool_folder(translator, denoiser, tmp_path / "in", tmp_path / "out", seed=5, **QUICK)
    x = to_tensor(Image.open(tmp_path / "in" / "p.png"))
    both = domain_translation.cool(translator, x[None], denoiser, seed=5, **QUICK)
    direct = cooling.cool(denoiser.score, x[None], seed=5, ids=[noise_id(x)], temperature=1e-3,
                          **QUICK).x  # fmt: skip
    assert torch.equal(both.cooled, direct)
    assert not torch.equal(both.cooled[0], x)
    for kind, wanted in zip(("cooled", "translated"), both, strict=True):
        written = np.asarray(Image.open(tmp_path / "out" / kind / "p.png"))
        assert np.array_equal(written, np.asarray(to_image(wanted[0])))
    (row,) = rows(tmp_path / "out")
    norm = float(cooling.score_norms(denoiser.score, x[None]))
    assert float(row["score_norm"]) == pytest.approx(norm, rel=1e-4)
    assert float(row["score_rms"]) == pytest.approx(norm / (3 * 24 * 20) ** 0.5, rel=1e-4)


def test_a_result_depends_on_its_picture_alone(tmp_path: Path, denoiser: pictures.Denoiser) -> None:
    """Other names, another order, other neighbours: the same bytes."""
    own.folder(tmp_path / "in", 4)
    alone = tmp_path / "alone" / "sub"
    alone.mkdir(parents=True)
    shutil.copy(tmp_path / "in" / "1.png", alone / "zz.png")
    shutil.copy(tmp_path / "in" / "3.png", alone / "aa.png")
    own.draw(alone / "mm.png", 61, 47, seed=99)
    translator = own.generator()
    cool_folder(translator, denoiser, tmp_path / "in", tmp_path / "out1", **QUICK)
    cool_folder(translator, denoiser, alone.parent, tmp_path / "out2", **QUICK)
    one, two = own.bytes_below(tmp_path / "out1"), own.bytes_below(tmp_path / "out2")
    for kind in ("cooled", "translated"):
        assert one[f"{kind}/1.png"] == two[f"{kind}/sub/zz.png"]
        assert one[f"{kind}/3.png"] == two[f"{kind}/sub/aa.png"]
    assert one["cooled/1.png"] != one["cooled/3.png"]


def test_the_seed_decides_the_noise(tmp_path: Path, denoiser: pictures.Denoiser) -> None:
    own.folder(tmp_path / "in", 1)
    for seed in (0, 1):
        cool_folder(negative, denoiser, tmp_path / "in", tmp_path / f"out{seed}", steps=3,
                    step_size=0.02, temperature=0.1, seed=seed)  # fmt: skip
    assert (tmp_path / "out0/cooled/0.png").read_bytes() != (
        tmp_path / "out1/cooled/0.png"
    ).read_bytes()


@pytest.mark.parametrize("how", ["share", "threshold"])
def test_only_the_fringe_is_cooled(how: str, tmp_path: Path, denoiser: pictures.Denoiser) -> None:
    own.folder(tmp_path / "in", 4)
    first = cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "all", **QUICK)
    lengths = sorted(float(r.score_rms) for r in first.rows)
    limit = {"share": 0.5, "threshold": (lengths[1] + lengths[2]) / 2}[how]
    report = cool_folder(
        negative, denoiser, tmp_path / "in", tmp_path / "out", **{how: limit}, **QUICK
    )
    for row in report.rows:
        assert row.fringe == ("yes" if float(row.score_rms) > lengths[1] else "no")
        before = np.asarray(Image.open(tmp_path / "in" / row.file))
        cooled = np.asarray(Image.open(tmp_path / "out/cooled" / row.file))
        translated = np.asarray(Image.open(tmp_path / "out/translated" / row.file))
        assert np.array_equal(before, cooled) == (row.fringe == "no")
        if row.fringe == "no":
            assert np.array_equal(translated, 255 - before)


def test_grey_pictures_are_cooled_grey_and_translated_in_colour(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(own.pixels(24, 24)).convert("L").save(tmp_path / "in/g.png")
    cool_folder(own.generator(), denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    assert Image.open(tmp_path / "out/cooled/g.png").mode == "L"
    assert Image.open(tmp_path / "out/translated/g.png").mode == "RGB"


def test_one_broken_picture_among_good_ones_is_skipped(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 3)
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "good", **QUICK)
    own.draw(tmp_path / "in/1b.jpg", 50, 50)
    content = (tmp_path / "in/1b.jpg").read_bytes()
    (tmp_path / "in/1b.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "in/0a.png").write_text("a text")
    report = cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", share=1.0, **QUICK)
    assert [(r.file, r.status) for r in report.skipped] == [
        ("0a.png", "broken"),
        ("1b.jpg", "broken"),
    ]
    assert "no picture in a format" in report.skipped[0].reason
    assert "cut short" in report.skipped[1].reason
    assert [r["reason"] for r in rows(tmp_path / "out")] == [r.reason for r in report.rows]
    good, out = own.bytes_below(tmp_path / "good"), own.bytes_below(tmp_path / "out")
    assert {k: v for k, v in out.items() if k.startswith(("cooled", "translated"))} == {
        k: v for k, v in good.items() if k.startswith(("cooled", "translated"))
    }


def test_a_folder_of_broken_pictures_is_reported_whole(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"")
    report = cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", share=0.5, **QUICK)
    assert [r.status for r in report.rows] == ["broken"]
    assert not (tmp_path / "out/contact_sheet.png").exists()


# Running again


def test_a_second_run_does_only_what_is_missing(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 3)
    out = tmp_path / "out"
    cool_folder(negative, denoiser, tmp_path / "in", out, **QUICK)
    before = own.bytes_below(out)
    times = {p: p.stat().st_mtime_ns for p in (out / "cooled").iterdir()}
    (out / "translated/1.png").unlink()
    (out / "translated/.1.png.abc.tmp").write_text("left by a killed process")
    own.draw(tmp_path / "in/new.png", 16, 16)
    report = cool_folder(negative, denoiser, tmp_path / "in", out, **QUICK)
    assert report.kept == 2
    after = own.bytes_below(out)
    assert {k: after[k] for k in before if k.endswith("png") and "sheet" not in k} == {
        k: v for k, v in before.items() if k.endswith("png") and "sheet" not in k
    }
    assert set(after) - set(before) == {"cooled/new.png", "translated/new.png"}
    assert (out / "cooled/0.png").stat().st_mtime_ns == times[out / "cooled/0.png"]


@pytest.mark.parametrize(
    "changed",
    [{"seed": 1}, {"steps": 4}, {"step_size": 0.01}, {"temperature": 0.1}, {"size": 32},
     {"multiple": 8}, {"share": 0.5}, {"threshold": 1.0}],
)  # fmt: skip
def test_other_settings_in_the_same_folder_are_refused(
    changed: dict[str, Any], tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 1)
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    before = own.bytes_below(tmp_path / "out")
    with pytest.raises(RequestError, match=f"other settings .*{next(iter(changed))} .*now") as said:
        cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **{**QUICK, **changed})
    assert "\n" not in str(said.value)
    assert own.bytes_below(tmp_path / "out") == before


def test_other_networks_in_the_same_folder_are_refused(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 1)
    cool_folder(own.generator(), denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    other = own.generator()
    next(other.parameters()).data.add_(0.1)
    with pytest.raises(RequestError, match=r"translator .*now"):
        cool_folder(other, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    other_file = own.denoiser_file(tmp_path / "other.safetensors", sigma=0.2)
    with pytest.raises(RequestError, match=r"denoiser .*sigma 0.3, now 0.2"):
        cool_folder(own.generator(), load_denoiser(other_file), tmp_path / "in",
                    tmp_path / "out", **QUICK)  # fmt: skip


def test_a_share_belongs_to_its_folder(tmp_path: Path, denoiser: pictures.Denoiser) -> None:
    own.folder(tmp_path / "in", 2)
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", share=0.5, **QUICK)
    own.draw(tmp_path / "in/new.png", 16, 16)
    with pytest.raises(RequestError, match="share_of"):
        cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", share=0.5, **QUICK)


def test_results_of_another_version_of_a_picture_are_left_alone(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 2)
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    before = own.bytes_below(tmp_path / "out")
    own.draw(tmp_path / "in/0.png", 24, 24, seed=77)
    report = cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    assert [(r.file, r.status) for r in report.skipped] == [("0.png", "changed")]
    after = own.bytes_below(tmp_path / "out")
    assert after["cooled/0.png"] == before["cooled/0.png"]
    for kind in ("cooled", "translated"):
        (tmp_path / "out" / kind / "0.png").unlink()
    assert not cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK).skipped


def test_files_of_another_origin_are_never_overwritten(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 2)
    own.draw(tmp_path / "mine/cooled/0.png", 9, 9)
    with pytest.raises(RequestError, match=r"not empty and holds no run\.json"):
        cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "mine", **QUICK)
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    own.draw(tmp_path / "out/translated/1.png", 9, 9)
    mine = (tmp_path / "out/translated/1.png").read_bytes()
    report = cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    assert [r.file for r in report.skipped] == ["1.png"]
    assert (tmp_path / "out/translated/1.png").read_bytes() == mine


def test_networks_that_fail_at_once_leave_the_folder_free(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.draw(tmp_path / "in/a.png", 24, 24)
    own.draw(tmp_path / "in/b.png", 28, 24)
    whole = load_denoiser(own.denoiser_file(tmp_path / "d.safetensors", size=24))
    with pytest.raises(RequestError, match="would see one of 28x24"):
        cool_folder(negative, whole, tmp_path / "in", tmp_path / "out", **QUICK)

    def broken(x: Tensor) -> Tensor:
        raise RuntimeError("abc")

    with pytest.raises(UserError, match="abc"):
        cool_folder(broken, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


def test_one_picture_that_fails_does_not_cost_the_others(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    """field-cases D3: a translator that returns NaN for one picture, the first in the folder."""
    own.folder(tmp_path / "in", 4)
    own.draw(tmp_path / "in/-odd.png", 28, 24)

    def picky(x: Tensor) -> Tensor:
        return -x if x.shape[3] == 24 else x * torch.nan

    report = cool_folder(picky, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    (row,) = report.skipped
    assert (row.file, row.status) == ("-odd.png", "failed")
    assert "NaN or infinite" in row.reason
    assert [r["status"] for r in rows(tmp_path / "out")] == ["failed", *["done"] * 4]
    again = cool_folder(picky, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    assert again.kept == 4


def test_too_little_memory_for_one_picture_names_the_remedy(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 2)
    own.draw(tmp_path / "in/1 huge.png", 48, 24)

    def small_memory(x: Tensor) -> Tensor:
        if x.shape[3] == 48:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: 9 GB")
        return x

    report = cool_folder(small_memory, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    (row,) = report.skipped
    assert row.file == "1 huge.png"
    assert "give --size" in row.reason


def test_the_table_is_true_after_a_stop(tmp_path: Path, denoiser: pictures.Denoiser) -> None:
    own.folder(tmp_path / "in", 3)
    calls = 0

    def stopped(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 4:  # one for the trial
            raise KeyboardInterrupt
        return -x

    with pytest.raises(KeyboardInterrupt):
        cool_folder(stopped, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    assert [r["status"] for r in rows(tmp_path / "out")] == ["done", "done", "waiting"]
    cool_folder(stopped, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    cool_folder(stopped, denoiser, tmp_path / "in", tmp_path / "whole", **QUICK)
    assert own.bytes_below(tmp_path / "out") == own.bytes_below(tmp_path / "whole")


@pytest.mark.parametrize("kind", ["webp", "tif", "bmp", "gif"])
def test_what_pillow_decodes_is_read(
    kind: str, tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    for i in range(3):
        own.draw(tmp_path / f"in/{i}.{kind}", 24, 24, seed=i)
    own.draw(tmp_path / "in/4.png", 24, 24)
    report = cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    assert [row.status for row in report.rows] == ["done"] * 4
    with Image.open(tmp_path / f"out/cooled/0.{kind}.png") as image:
        assert (image.format, image.size) == ("PNG", (24, 24))


def test_results_that_would_share_a_name_are_refused(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.draw(tmp_path / "in/a.webp", 24, 24)
    own.draw(tmp_path / "in/a.webp.png", 24, 24)
    with pytest.raises(RequestError, match="would both become"):
        cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)


def test_linked_folders_and_other_files_are_counted(
    tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 1)
    own.folder(tmp_path / "other", 1)
    (tmp_path / "in/linked").symlink_to(tmp_path / "other")
    (tmp_path / "in/a.heic").write_text("")
    found = find_pictures(tmp_path / "in")
    assert found.passed == {".heic": 1, "linked folder": 1}
    (tmp_path / "none").mkdir()
    (tmp_path / "none/a.heic").write_text("")
    with pytest.raises(UserError, match=r"there are 1 \.heic"):
        find_pictures(tmp_path / "none")


# How far a picture is cooled


def cleaner(level: float) -> pictures.Denoiser:
    """A denoiser towards black whose card says at which score to stop; its score is -x/sigma^2."""
    card = {"sigma": 0.3, "score_rms": {"50 %": level, "80 %": 1.5 * level}}
    return pictures.Denoiser(lambda x: 0.0 * x, 0.3, card, "")


def test_a_picture_is_cooled_until_its_score_is_as_short_as_in_training(tmp_path: Path) -> None:
    """The score is |x|/sigma^2 here, and a step at T = 0 divides it by 1 - alpha/sigma^2."""
    bright = Image.new("RGB", (24, 24), (192, 192, 192))  # x = 0.506
    dark = Image.new("RGB", (24, 24), (140, 140, 140))  # x = 0.098
    (tmp_path / "in").mkdir()
    bright.save(tmp_path / "in/bright.png")
    dark.save(tmp_path / "in/dark.png")
    level = 0.3 / 0.09
    report = cool_folder(
        negative, cleaner(level), tmp_path / "in", tmp_path / "out", temperature=0.0
    )
    first, second = report.rows
    x, factor = 2 * 192 / 255 - 1, 1 - 1 / 18
    wanted = math.ceil(math.log(0.3 / x) / math.log(factor))
    assert (first.steps, second.steps) == (str(wanted), "0")
    assert float(first.score_after) == pytest.approx(x * factor**wanted / 0.09, abs=0.03)
    change = x * (1 - factor**wanted)
    assert float(first.psnr) == pytest.approx(10 * math.log10(4 / change**2), abs=0.1)
    assert second.psnr == "inf"
    assert "spared" in second.reason
    assert report.summary.startswith("1 of 2 cooled, 1 spared; median score")
    fixed = cool_folder(
        negative, cleaner(level), tmp_path / "in", tmp_path / "fixed", temperature=0.0, steps=2
    )
    assert [row.steps for row in fixed.rows] == ["2", "2"]


def test_by_default_four_of_five_ordinary_pictures_are_left_alone(tmp_path: Path) -> None:
    """Scores of 1.27 and 1.69 training medians, where four of five do not reach 1.5 of them."""
    (tmp_path / "in").mkdir()
    for grey in (176, 192):
        Image.new("RGB", (24, 24), (grey, grey, grey)).save(tmp_path / f"in/{grey}.png")
    given = (negative, cleaner(0.3 / 0.09), tmp_path / "in")
    for name, asked, cooled in (
        ("usual", {}, "no yes"),
        ("all", {"threshold": 0.0}, "yes yes"),
        ("fixed", {"steps": 3}, "yes yes"),
        ("half", {"share": 1.0}, "yes yes"),
    ):
        report = cool_folder(*given, tmp_path / name, **asked)
        assert [row.fringe for row in report.rows] == cooled.split()
    x = torch.stack([torch.full((3, 24, 24), 2 * grey / 255 - 1) for grey in (176, 192)])
    moved = [domain_translation.cool(negative, x, given[1], **asked).cooled != x
             for asked in ({}, {"threshold": 0.0}, {"threshold": 99.0})]  # fmt: skip
    assert [m.flatten(1).any(1).tolist() for m in moved] == [
        [False, True], [True, True], [False, False],
    ]  # fmt: skip


def test_threshold_auto_spares_what_training_pictures_look_like(tmp_path: Path) -> None:
    own.folder(tmp_path / "in", 2)
    report = cool_folder(
        negative, cleaner(1e3), tmp_path / "in", tmp_path / "out", threshold="auto", steps=1
    )
    assert [row.fringe for row in report.rows] == ["no", "no"]
    bare = pictures.Denoiser(lambda x: 0.9 * x, 0.3, {}, "")
    with pytest.raises(RequestError, match="give the threshold as a number"):
        cool_folder(negative, bare, tmp_path / "in", tmp_path / "out2", threshold="auto")


@pytest.mark.parametrize("step_size", [0.0004, 0.005])
def test_a_step_that_overshoots_is_refused(step_size: float, tmp_path: Path) -> None:
    own.folder(tmp_path / "in", 1)
    with pytest.raises(RequestError, match=r"below sigma\^2 = 0.0004 .*for 2.2e-05"):
        cool_folder(negative, lambda x: 0.9 * x, tmp_path / "in", tmp_path / "out", sigma=0.02,
                    step_size=step_size)  # fmt: skip
    with pytest.raises(RequestError, match="overshoots"):
        domain_translation.cool(negative, batch_of(1), lambda x: x, sigma=0.02, step_size=step_size)


def test_the_paper_s_step_at_the_paper_s_noise() -> None:
    bare = pictures.Denoiser(lambda x: x, 0.3, {}, "")
    how = chain(bare, step_size=None, temperature=0.001, steps=None, seed=0)
    assert how.step_size == pytest.approx(cooling.PAPER.step_size, rel=1e-12)
    assert how.steps == cooling.PAPER.steps


def test_a_chain_that_runs_away_is_a_divergence(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError, match="ran away"):
        domain_translation.cool(negative, batch_of(1), lambda x: 3 * x, sigma=0.3, steps=40)


def test_an_unreadable_card_is_one_sentence(tmp_path: Path, denoiser: pictures.Denoiser) -> None:
    own.folder(tmp_path / "in", 1)
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    card = json.loads((tmp_path / "out/run.json").read_text())
    assert card["settings"]["steps"] == 3
    assert set(card["versions"]) >= {"python", "torch"}
    (tmp_path / "out/run.json").write_text("{")
    with pytest.raises(UserError, match=r"run.json cannot be read"):
        cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)


# Requests that cannot be met


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": 0}, "steps"),
        ({"step_size": -1.0}, "step"),
        ({"temperature": 1.0}, "temperature"),
        ({"share": 0.0}, "share"),
        ({"threshold": -1.0}, "threshold"),
        ({"share": 0.5, "threshold": 1.0}, "either"),
        ({"size": 0}, "at least 1"),
        ({"multiple": 0}, "at least 1"),
        ({"seed": -1}, "seed"),
        ({"sigma": 0.5}, "trained with sigma 0.3, not 0.5"),
        ({"device": "abacus"}, "device"),
        ({"in_dir": "nowhere"}, "not a folder"),
        ({"in_dir": "empty"}, "holds no picture"),
        ({"out_dir": "in"}, "lies in the input folder"),
        ({"out_dir": "in/results"}, "lies in the input folder"),
        ({"out_dir": "file/out"}, "cannot write"),
        ({"translator": lambda x: x[..., ::2]}, "1x3x24x12"),
        ({"translator": lambda x: x[:, :2]}, "one or three channels"),
        ({"size": 10**9}, "at most 16384"),
        ({"multiple": 10**9}, "at most 16384"),
        ({"translator": lambda x: x.mean()}, "three channels"),
        ({"translator": lambda x: x / 0}, "NaN or infinite"),
        ({"translator": lambda x: nn.Conv2d(2, 1, 1)(x)}, "the translator failed on a picture"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_written(
    changed: dict[str, Any], message: str, tmp_path: Path, denoiser: pictures.Denoiser
) -> None:
    own.folder(tmp_path / "in", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("in the way")
    before = own.bytes_below(tmp_path)
    request = {"translator": negative, "in_dir": "in", "out_dir": "out", **QUICK, **changed}
    for key in ("in_dir", "out_dir"):
        request[key] = tmp_path / request[key]
    with pytest.raises(UserError, match=message) as caught:
        cool_folder(denoiser=denoiser, **request)
    assert "\n" not in str(caught.value)
    assert own.bytes_below(tmp_path) == before


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"size": 64}, r"trained on pictures of 64x64 and would see one of 24x24; give size 64"),
        ({"range": "[0, 1]"}, r"trained on values in \[0, 1\]"),
        ({"channels": 1}, "trained on 1 channels and would see 3"),
        ({"sigma": None}, "give sigma"),
    ],
)
def test_a_denoiser_for_other_pictures_is_refused(
    card: dict[str, Any], message: str, tmp_path: Path
) -> None:
    own.folder(tmp_path / "in", 1)
    file = own.denoiser_file(tmp_path / "d.safetensors", **card)
    with pytest.raises(RequestError, match=message):
        cool_folder(negative, load_denoiser(file), tmp_path / "in", tmp_path / "out", **QUICK)
    assert not (tmp_path / "out").exists()


def test_a_diverging_chain_is_a_failed_picture(tmp_path: Path) -> None:
    own.folder(tmp_path / "in", 1)
    report = cool_folder(negative, lambda x: 1e9 * x, tmp_path / "in", tmp_path / "out",
                         sigma=0.1, steps=20)  # fmt: skip
    (row,) = report.skipped
    assert row.status == "failed"
    assert "no longer finite" in row.reason


def test_a_disk_that_fills_up_leaves_whole_files(
    tmp_path: Path, denoiser: pictures.Denoiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.folder(tmp_path / "in", 3)
    from domain_translation.cooling.pictures import folders

    real, count = folders.write_atomically, 0

    def filling(path: Path, content: bytes) -> None:
        nonlocal count
        count += 1
        if count > 6:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(folders, "write_atomically", filling)
    with pytest.raises(UserError, match=r"cannot write .*No space left on device"):
        cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    monkeypatch.undo()
    for name in find_pictures(tmp_path / "out").pictures:
        Image.open(tmp_path / "out" / name).load()
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "whole", **QUICK)
    assert own.bytes_below(tmp_path / "out") == own.bytes_below(tmp_path / "whole")


# In memory


def batch_of(n: int = 5) -> Tensor:
    return torch.stack([to_tensor(Image.fromarray(own.pixels(16, 16, i))) for i in range(n)])


@settings(deadline=None, max_examples=10)
@given(st.permutations(range(5)), st.integers(1, 6))
def test_in_memory_order_and_batch_do_not_matter(order: list[int], batch: int) -> None:
    x, G = batch_of(), own.generator()
    with seeded(1):
        r = domain_translation.cooling.pictures.Denoiser(nn.Conv2d(3, 3, 3, padding=1), 0.3, {}, "")
    whole = domain_translation.cool(G, x, r, batch=5, **QUICK)
    other = domain_translation.cool(G, x[order], r, batch=batch, **QUICK)
    torch.testing.assert_close(other.cooled, whole.cooled[order], rtol=0, atol=1e-5)
    torch.testing.assert_close(other.translated, whole.translated[order], rtol=0, atol=1e-4)
    assert not whole.translated.requires_grad


def test_the_noise_level_comes_from_the_card(tmp_path: Path) -> None:
    file = own.denoiser_file(tmp_path / "d.safetensors", sigma=0.3)
    model = load_model(file)
    x = batch_of(2)
    known = domain_translation.cool(negative, x, model, **QUICK).cooled
    given_ = domain_translation.cool(negative, x, model.network, sigma=0.3, **QUICK).cooled
    assert torch.equal(known, given_)
    other = domain_translation.cool(negative, x, model.network, sigma=0.2, **QUICK).cooled
    assert not torch.equal(known, other)


def test_the_fringe_in_memory(tmp_path: Path) -> None:
    denoiser = load_denoiser(own.denoiser_file(tmp_path / "d.safetensors"))
    x = batch_of(4)
    lengths = score_rms(denoiser.score, x)
    median = float(lengths.sort().values[1:3].mean())
    for how in ({"share": 0.5}, {"threshold": median}):
        out = domain_translation.cool(negative, x, denoiser, batch=3, **how, **QUICK).cooled
        assert [torch.equal(a, b) for a, b in zip(out, x, strict=True)] == (
            lengths <= median
        ).tolist()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": torch.zeros(3, 8, 8)}, r"images: shape \(3, 8, 8\); give \(n, C, H, W\)"),
        ({"images": torch.zeros(0, 3, 8, 8)}, "n at least 1"),
        ({"images": torch.zeros(1, 3, 8, 8, dtype=torch.uint8)}, "uint8"),
        ({"images": 255 * torch.ones(1, 3, 8, 8)}, r"scale them to \[-1, 1\]"),
        ({"images": torch.full((1, 3, 8, 8), torch.nan)}, "nan"),
        ({"sigma": None}, "give sigma"),
        ({"sigma": -1.0}, "above 0"),
        ({"sigma": 25.0}, r"255ths is divided by 127.5 \(0.196\)"),
        ({"batch": 0}, "at least 1"),
        ({"translator": lambda x: x[:1]}, "one translation an image"),
        ({"temperature": 1.5}, "temperature"),
        ({"share": 2.0}, "share"),
    ],
)
def test_bad_arrays_are_one_sentence(changed: dict[str, Any], message: str) -> None:
    request: dict[str, Any] = {"translator": negative, "images": batch_of(2),
                               "denoiser": lambda x: 0.9 * x, "sigma": 0.3}  # fmt: skip
    with pytest.raises(ValueError, match=message) as caught:
        domain_translation.cool(**{**request, **changed})
    assert "\n" not in str(caught.value)


def test_pictures_from_zero_to_one_are_doubted() -> None:
    with pytest.warns(UserWarning, match="give 2 x - 1"):
        domain_translation.cool(negative, batch_of(1) / 2 + 0.5, lambda x: x, sigma=0.3, **QUICK)


def test_the_defaults_are_the_papers() -> None:
    for function in (domain_translation.cool, cool_folder):
        assert (function.__kwdefaults__ or {})["temperature"] == cooling.PAPER.temperature
    assert (train_denoiser_on_folder.__kwdefaults__ or {})["sigma"] == cooling.PAPER.sigma


def test_the_package_loads_without_torch() -> None:
    code = "import sys, domain_translation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'heat'"):
        domain_translation.heat  # noqa: B018


# Training on a folder

TINY: dict[str, Any] = {"steps": 6, "batch": 4, "crops": 24, "crop": 16, "width": 8}


def test_a_denoiser_is_trained_on_a_folder_and_used_at_once(tmp_path: Path) -> None:
    own.folder(tmp_path / "in", 5)
    own.draw(tmp_path / "in/small.png", 9, 40)
    (tmp_path / "in/broken.jpg").write_bytes(b"\xff\xd8")
    longer = {**TINY, "steps": 200, "learning_rate": 0.01}
    card, skipped, _ = train_denoiser_on_folder(
        tmp_path / "in", tmp_path / "d.safetensors", **longer
    )
    assert list(skipped) == ["broken.jpg"]
    assert card["pictures"] == 6
    assert card["noise_left"] < 0.9
    assert 0 < card["blur_left"] < 1
    assert card["noise_left"] < card["linear_left"] < 1
    assert card["held_out"] == 3  # crops of the last picture, as there are fewer than ten
    assert card["sides"] == (24, 24)
    assert 0 < card["score_rms"]["50 %"] < card["score_rms"]["95 %"]
    denoiser = load_denoiser(tmp_path / "d.safetensors")
    assert (denoiser.sigma, denoiser.card["size"], denoiser.card["crop"]) == (0.3, None, 16)
    x = batch_of(3)
    noisy = x + 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        left = (denoiser.network(noisy) - x).square().mean() / (noisy - x).square().mean()
    assert left < 0.7
    assert not list(tmp_path.glob("*.part"))
    assert not cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out",
                           **QUICK).skipped[1:]  # fmt: skip


def test_training_is_reproducible_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.folder(tmp_path / "in", 3)
    train_denoiser_on_folder(tmp_path / "in", tmp_path / "whole.safetensors", **TINY)
    from domain_translation import denoising, training

    calls = 0
    real_fit = training.fit

    def every_step(*a: Any, **k: Any) -> Tensor:
        return real_fit(*a, **{**k, "every_minutes": 0})

    real_loss = denoising.training.denoising_loss

    def stopped(*a: Any) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return real_loss(*a)

    monkeypatch.setattr(training.trained, "fit", every_step)
    monkeypatch.setattr(denoising.training, "denoising_loss", stopped)
    with pytest.raises(KeyboardInterrupt):
        train_denoiser_on_folder(tmp_path / "in", tmp_path / "d.safetensors", **TINY)
    assert (tmp_path / "d.safetensors.part").exists()
    assert not (tmp_path / "d.safetensors").exists()
    train_denoiser_on_folder(tmp_path / "in", tmp_path / "d.safetensors", **TINY)
    assert calls == 4 + 3  # three steps were done before
    assert (tmp_path / "d.safetensors").read_bytes() == (
        tmp_path / "whole.safetensors"
    ).read_bytes()


def test_training_on_scaled_pictures_says_so(tmp_path: Path) -> None:
    own.draw(tmp_path / "in/wide.png", 90, 30)
    card, *_ = train_denoiser_on_folder(
        tmp_path / "in", tmp_path / "d.safetensors", size=32, **TINY
    )
    assert card["size"] == 32
    denoiser = load_denoiser(tmp_path / "d.safetensors")
    with pytest.raises(RequestError, match="trained on pictures of 32x32"):
        cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK)
    cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", size=32, **QUICK)


def test_crops_are_counted_once(tmp_path: Path) -> None:
    """A picture as large as a crop has two: itself and its mirror image."""
    for i in range(4):
        own.draw(tmp_path / f"in/{i}.png", 16, 16, seed=i)
    card, *_ = train_denoiser_on_folder(tmp_path / "in", tmp_path / "d.safetensors", **TINY)
    assert (card["crops"], card["held_out"]) == (6, 2)


def test_a_denoiser_worse_than_a_blur_says_so(tmp_path: Path) -> None:
    own.folder(tmp_path / "in", 2)
    card, *_ = train_denoiser_on_folder(tmp_path / "in", tmp_path / "d.safetensors", **TINY)
    assert "a plain blur" in doubt(card)  # six steps teach nothing
    told: list[str] = []
    cool_folder(negative, load_denoiser(tmp_path / "d.safetensors"), tmp_path / "in",
                tmp_path / "out", steps=1, tell=told.append)  # fmt: skip
    assert doubt(card) in told
    assert doubt({"noise_left": 0.1, "blur_left": 0.2}) == ""
    assert doubt({"noise_left": 0.1, "blur_left": 0.2, "linear_left": 0.125}) == ""
    hardly = doubt({"noise_left": 0.1, "blur_left": 0.2, "linear_left": 0.12})
    assert "leaves 10% of the noise and the best linear filter 12%" in hardly


def test_a_denoiser_of_the_command_weaves_no_grid(tmp_path: Path) -> None:
    own.folder(tmp_path / "in", 3)
    train_denoiser_on_folder(tmp_path / "in", tmp_path / "d.safetensors", **TINY)
    flat = torch.full((1, 3, 24, 24), 0.2)
    found = load_denoiser(tmp_path / "d.safetensors").network(flat)[0, :, 8:16, 8:16]
    assert (found.amax((1, 2)) - found.amin((1, 2))).max() < 1e-5


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sigma": 25.0}, "255ths"),
        ({"sigma": 0.0}, "sigma"),
        ({"steps": 0}, "from 1 on"),
        ({"crop": 5}, "6 pixels or more"),
        ({"crop": 0}, "from 1 on"),
        ({"learning_rate": 0.0}, "positive rate"),
        ({"size": 8}, "smaller than the crop"),
        ({"width": 10**6}, "no memory holds"),
        ({"seed": -1}, "seed is -1"),
        ({"folder": "empty"}, "holds no picture"),
        ({"folder": "broken"}, "none of the 1 pictures"),
        ({"out_file": "there"}, "exists and is not overwritten"),
        ({"out_file": "there/d"}, "cannot write"),
    ],
)
def test_bad_trainings_are_one_sentence(
    changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    own.folder(tmp_path / "in", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/b.png").write_text("")
    (tmp_path / "there").write_text("")
    request = {"folder": "in", "out_file": "out", **TINY, **changed}
    for key in ("folder", "out_file"):
        request[key] = tmp_path / request[key]
    with pytest.raises(UserError, match=message) as caught:
        train_denoiser_on_folder(**request)
    assert "\n" not in str(caught.value)


def test_a_name_with_a_line_feed(tmp_path: Path, denoiser: pictures.Denoiser) -> None:
    own.draw(tmp_path / "in/new\nline.png", 24, 24)
    assert not cool_folder(negative, denoiser, tmp_path / "in", tmp_path / "out", **QUICK).skipped


def test_the_sheet_has_a_column_for_each_stage() -> None:
    assert COLUMNS == ("before", "cooled", "translation, plain", "translation, cooled")
