"""``shift``: the classes of two folders, from sub-folders, a table or clusters."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import ownpictures as own
import pytest
from PIL import Image

from domain_translation import cli
from domain_translation.reweighting.masses import skewed, total_variation


def draw(path: Path, kind: int, seed: int, ground: int = 0) -> None:
    """A horizontal bar, an upright one or a disc, on a ground of a colour, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    shape = [abs(y) < 0.3, abs(x) < 0.3, np.hypot(x, y) < 0.7][kind]
    values = ground + 120 * shape[..., None] + rng.normal(0, 4, (32, 32, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(path)


A, B = (18, 6, 6), (6, 6, 18)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = []
    for folder, counts, ground in (("a", A, 0), ("b", B, 100)):
        for kind, count in enumerate(counts):
            for i in range(count):
                seed = 1000 * kind + i + 500 * (folder == "b")
                draw(Path(folder, f"{kind}-{i}.png"), kind, seed, ground)
                draw(Path(f"{folder}s", f"kind {kind}", f"{i}.png"), kind, seed, ground)
                lines.append(f"{folder}/{kind}-{i}.png,kind {kind}")
    Path("labels.csv").write_text("name,label\n" + "\n".join(lines) + "\n")


def shift(*given: str, status: int = 0) -> None:
    assert cli.main(["shift", *given]) == status


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on standard error."""
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("domain-translation: ")


@pytest.mark.parametrize(
    "given", ["as bs", "as bs --labels folders", "a b --labels labels.csv", "as/ ./bs"]
)
def test_labels_are_exact(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    shift(*given.split(), "--json")
    found = told(capsys)
    assert [row["class"] for row in found["classes"]] == ["kind 0", "kind 1", "kind 2"]
    assert [row["share_a"] for row in found["classes"]] == [0.6, 0.2, 0.2]
    assert [row["pictures_b"] for row in found["classes"]] == [6, 6, 18]
    assert [row["weight_a"] for row in found["classes"]] == pytest.approx([2 / 3, 1, 2])
    assert [row["weight_b"] for row in found["classes"]] == pytest.approx([2, 1, 2 / 3])
    assert found["shift"]["value"] == pytest.approx(0.4)
    assert found["shift"]["low"] > 0
    assert (found["skipped"], found["notes"], found["passed"]) == ({}, [], [{}, {}])


def test_clusters_find_what_labels_know(capsys: pytest.CaptureFixture[str]) -> None:
    """The folders differ in colour; the number of clusters is found."""
    shift("a", "b", "--draws", "12", "--json")
    found = told(capsys)
    assert "3, the number of 2 to 12 with the largest silhouette" in found["how"]
    assert sorted(row["pictures_a"] for row in found["classes"]) == [6, 6, 18]
    assert sorted(row["pictures_b"] for row in found["classes"]) == [6, 6, 18]
    assert found["shift"]["low"] < 0.4 < found["shift"]["high"]
    shift("a", "b", "--draws", "12", "--json")
    assert told(capsys) == found  # nothing but the seed decides


def test_a_shift_of_clusters_is_doubted(capsys: pytest.CaptureFixture[str]) -> None:
    shift("as", "bs", "--clusters", "3", "--draws", "3", "--json")
    said = capsys.readouterr()
    assert "labels decide" in said.err
    assert "labels decide" in json.loads(said.out)["notes"][0]
    shift("as", "bs")
    assert "labels decide" not in capsys.readouterr().err


def test_clusters_may_be_asked_for_beside_sub_folders(capsys: pytest.CaptureFixture[str]) -> None:
    shift("as", "bs", "--clusters", "2", "--draws", "3", "--json")
    found = told(capsys)
    assert "2 as given" in found["how"]
    assert len(found["classes"]) == 2


def test_the_table_and_the_figure(capsys: pytest.CaptureFixture[str]) -> None:
    shift("as", "bs", "--table", "out/t.csv", "--figure", "out/f.png")
    text = capsys.readouterr().out
    assert re.search(r"kind 2 +0\.200 \(0\.095 to 0\.373\) +2\.00 +0\.600", text)
    assert "must give at least 40.0%" in text
    table = Path("out/t.csv").read_text().splitlines()
    assert table[0].startswith("class,pictures_a,share_a,low_a,high_a,weight_a,pictures_b")
    assert table[1].startswith("kind 0,18,0.6,")
    with Image.open("out/f.png") as figure:
        assert min(figure.size) > 300
        assert np.asarray(figure.convert("L")).std() > 5
    assert sorted(p.name for p in Path("out").iterdir()) == ["f.png", "t.csv"]


def test_folders_given_the_other_way_about(capsys: pytest.CaptureFixture[str]) -> None:
    shift("as", "bs", "--json")
    there = told(capsys)
    shift("bs", "as", "--json")
    back = told(capsys)
    for row, other in zip(there["classes"], back["classes"], strict=True):
        assert (row["share_a"], row["weight_b"]) == (other["share_b"], other["weight_a"])
    assert there["shift"]["value"] == pytest.approx(back["shift"]["value"])


def test_no_imbalance_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(6):
        for kind in range(3):
            for folder, seed in (("c", i), ("d", 50 + i)):
                draw(Path(folder, str(kind), f"{i}.png"), kind, 100 * kind + seed)
    shift("c", "d")
    assert "No imbalance can be told from chance" in capsys.readouterr().out


def test_what_has_no_label_is_skipped_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("a/0-0.png", "as/loose.png")
    Path("as/kind 0/x.png").write_bytes(b"x")
    shift("as", "bs", "--labels", "folders", "--json", status=3)
    skipped = told(capsys)["skipped"]
    assert skipped["as/loose.png"] == "without a label: it lies in no sub-folder"
    assert "no picture" in skipped["as/kind 0/x.png"]
    Path("some.csv").write_text("0-0.png,x\n2-0.png,y\n0-1.png,x\n")
    shift("a", "b", "--labels", "some.csv", "--json", status=3)
    found = told(capsys)
    assert [row["pictures_a"] for row in found["classes"]] == [2, 1]
    assert found["skipped"]["b/1-0.png"] == "without a label: not in some.csv"


def test_a_class_of_one_folder_only_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("bs/kind 0")
    shift("as", "bs", "--json")
    out = capsys.readouterr()
    found = json.loads(out.out)
    assert found["notes"] == ["B has no picture of kind 0: no weights make up for that"]
    assert found["classes"][0]["weight_b"] is None
    assert found["classes"][0]["high_b"] > 0


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ("a a", 2, "same folder"),
        ("as as/kind\\ 0", 2, "lie in one another"),
        ("as twin", 2, "hold the same pictures"),
        ("a one", 1, "one holds 1 picture; a domain needs 2 or more"),
        ("a none", 1, "is not a folder"),
        ("single twins", 1, "all pictures are of one class, 'kind 0'"),
        ("a b --labels none.csv", 1, "cannot read the labels"),
        ("a b --labels a", 1, "cannot read the labels"),
        ("a b --labels a/0-0.png", 1, "is no CSV file"),
        ("a b --labels empty.csv", 1, "holds no labels"),
        ("a b --labels wide.csv", 1, "line 1 of wide.csv is 'x,y,z'"),
        ("a b --labels twice.csv", 1, "gives x.png the labels 1 and 2"),
        ("a b --labels labels.csv --clusters 3", 2, "labels and clusters"),
        ("a b --clusters 1", 2, "clusters is 1; give 2 to 30"),
        ("a b --clusters 31", 2, "clusters is 31"),
        ("a b --draws 1", 2, "draws is 1"),
        ("a b --seed -1", 2, "seed -1"),
        ("white whiter --clusters 2", 1, "all pictures look alike"),
        ("as bs --table file/t.csv", 1, "cannot write file/t.csv"),
    ],
)
def test_one_sentence_for_what_can_be_mended(
    given: str, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("as", "twin")
    own.folder(Path("one"), 1)
    shutil.copytree("as/kind 0", "single/kind 0")
    shutil.copytree("bs/kind 0", "twins/kind 0")
    for name, shade in (("white", 255), ("whiter", 255)):
        for i in range(3):
            Path(name).mkdir(exist_ok=True)
            kind = "PNG" if name == "white" else "BMP"
            Image.new("RGB", (32, 32), (shade,) * 3).save(f"{name}/{i}.png", kind)
    Path("file").write_text("in the way")
    for name, text in (("empty", ""), ("wide", "x,y,z\n"), ("twice", "x.png,1\nx.png,2\n")):
        Path(f"{name}.csv").write_text(text)
    words_given = [word.replace("\\ ", " ") for word in given.replace("\\ ", "\0").split()]
    shift(*(word.replace("\0", " ") for word in words_given), status=status)
    assert words in said(capsys)


def test_sr_digits_with_labels(capsys: pytest.CaptureFixture[str]) -> None:
    """Shares within 0.03 of those of SR-digits."""
    from domain_translation.cooling.pictures.codec import to_image
    from domain_translation.reweighting.domains.sr_digits import training_pair

    for folder, side in zip("xy", training_pair("digits", n=200), strict=True):
        for i, (picture, digit) in enumerate(zip(side.x, side.y.tolist(), strict=True)):
            path = Path(folder, str(digit), f"{i}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            out = io.BytesIO()
            to_image(picture).save(out, "PNG")
            path.write_bytes(out.getvalue())
    shift("x", "y", "--json")
    found = told(capsys)
    p, q = skewed(0.5), skewed(0.1)
    assert [row["share_a"] for row in found["classes"]] == pytest.approx(p.tolist(), abs=0.03)
    assert [row["share_b"] for row in found["classes"]] == pytest.approx(q.tolist(), abs=0.03)
    assert found["shift"]["low"] < total_variation(p, q) < found["shift"]["high"]
