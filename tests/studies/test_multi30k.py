"""The studies of Multi30k, on toy files of a few drawn sentences."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from domain_translation.data import texts
from domain_translation.data.fetch import CACHE, OFFLINE, OWN, MissingData
from domain_translation.evaluation.text import bleu
from domain_translation.language import search
from domain_translation.language import translator as translators
from domain_translation.studies.language import (
    cooling,
    cooling_measures,
    multi30k_cooling,
    multi30k_text,
)
from domain_translation.studies.language import multi30k as study
from domain_translation.studies.language.cooling_cases import PULLS, TAUS, Case, Setting
from domain_translation.studies.language.grammar import as_bytes, as_text
from domain_translation.studies.language.multi30k_text import Multi30kConfig
from domain_translation.studies.registry import find
from domain_translation.synthetic import grammar

TOY = Multi30kConfig(
    pieces=500, dim=16, heads=2, layers=1, masked=1, word_pairs=1, steps=2, tokens=60
)
EN_FR = ("en", "fr")
CACHED = (
    multi30k_text.held_out,
    multi30k_text.training_pairs,
    multi30k_text._text_of,
    multi30k_text._dictionaries,
)


def write(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files as the data sets have them; the first test sentence is among those to learn from."""
    train, other = grammar.pairs(160, 11), grammar.pairs(21, 12)
    found = {
        "multi30k": [
            write(tmp_path, f"{name}.{language}.gz", lines)
            for language in texts.LANGUAGES
            for name, lines in (
                ("train", [other[language][0], *train[language]]),
                ("val", other[language][9:]),
                ("test_2016_flickr", other[language][:9]),
            )
        ],
        "tatoeba": [
            write(
                tmp_path,
                "pairs.tsv.gz",
                [f"{a}\t{b}" for a, b in zip(other["en"][::-1], other["fr"][::-1], strict=True)],
            )
        ],
    }

    def limited(model, code, mask, language, allowed, limit=None):  # type: ignore[no-untyped-def]
        return search.greedy(model, code, mask, language, allowed, 6)

    class Search:
        beam, greedy = map(staticmethod, (search.beam, limited))

    monkeypatch.setattr(texts, "fetch", lambda name, **_: found[name])
    monkeypatch.setattr(translators, "search", Search)
    monkeypatch.setattr(study, "LOOKS", 2)
    monkeypatch.setattr(study, "RESAMPLES", 10)
    for function in CACHED:
        function.cache_clear()
    yield
    for function in CACHED:
        function.cache_clear()


def test_nothing_that_is_asked_is_learnt_and_halves_say_different_things() -> None:
    pairs, test = (multi30k_text.training_pairs(EN_FR), multi30k_text.held_out("test", EN_FR))
    assert not set(pairs["en"]) & set(test["en"])
    assert len(pairs["en"]) == len(pairs["fr"]) >= 150
    meaning = dict(zip(pairs["fr"], pairs["en"], strict=True))
    halves, vocabulary = multi30k_text.text_of(TOY)
    assert not {meaning[line] for line in halves["fr"]} & set(halves["en"])
    assert vocabulary.languages == EN_FR
    text, _ = multi30k_text.text_of(replace(TOY, supervised=True))
    assert text == pairs
    sources, targets = multi30k_text.true_pairs(replace(TOY, supervised=True))["fr", "en"]
    assert len(sources) == len(targets) == len(pairs["en"])


def test_dictionaries_are_counted_found_or_unknown() -> None:
    assert multi30k_text.dictionaries(TOY) == {}
    counted = multi30k_text.dictionaries(replace(TOY, known=100))
    assert set(counted) == {("en", "fr"), ("fr", "en")}
    few = multi30k_text.dictionaries(replace(TOY, known=10))
    assert len(few["en", "fr"]) < len(counted["en", "fr"])
    found = multi30k_text.dictionaries(replace(TOY, found=True))
    assert found["en", "fr"] != counted["en", "fr"]


@pytest.mark.parametrize(
    ("config", "stages"),
    [
        (replace(TOY, supervised=True, masked=0), [[1, 1], [1, 2]]),
        (replace(TOY, known=60), [[0, 1], [1, 1], [1, 2]]),
        (TOY, [[1, 1], [1, 2]]),
    ],
)
def test_a_run_gives_its_numbers_and_curves(
    config: Multi30kConfig, stages: list[list[int]], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    found = study.run(config, 0, tmp_path / "run")
    assert found[study.LOOK][:, :2].tolist() == stages
    assert set(study.excerpt(config, 0, found)) == {study.LOOK}
    numbers = {m.name: m for m in study.measure(config, 0, found)}
    test = multi30k_text.held_out("test", EN_FR)
    made = as_text(found["en-fr"])
    assert numbers["BLEU en-fr"].value == pytest.approx(bleu(made, test["fr"]).value)
    assert numbers["BLEU en-fr, source as it is"].networks == ()
    assert numbers["gain over source as it is fr-en"].value == pytest.approx(
        numbers["BLEU fr-en"].value - numbers["BLEU fr-en, source as it is"].value
    )
    assert numbers["BLEU fr-en, source as it is"].error > 0
    assert ("BLEU en-fr, word by word" in numbers) == (config.known > 0)
    assert (tmp_path / "masked-en-fr-0.safetensors").exists() == (config.masked > 0)


def test_without_the_files_a_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    (tmp_path / "empty").mkdir()
    for name, value in (
        (OWN, str(tmp_path / "empty")),
        (CACHE, str(tmp_path / "c")),
        (OFFLINE, "1"),
    ):
        monkeypatch.setenv(name, value)
    with pytest.raises(
        MissingData, match=r"multi30k.*name its folder in DOMAIN_TRANSLATION_DATA"
    ) as e:
        study.run(TOY, 0, tmp_path)
    assert "\n" not in str(e.value)


def test_arms_say_what_they_know() -> None:
    assert find("language/multi30k") is study.STUDY
    assert find("language/multi30k_cooling").data == ("multi30k", "tatoeba")
    knows = {name: (c.supervised, c.known, c.found) for name, c in study.ARMS.items()}
    assert knows["supervised"] == (True, 0, False)
    assert knows["unsupervised"] == (False, 1000, False)
    assert knows["dictionary found in text"] == (False, 0, True)
    assert knows["pure"] == (False, 0, False)


def test_cases_of_cooling() -> None:
    cases = multi30k_cooling.cases()
    assert len({case.name for case in cases}) == len(cases) < 140
    for place, case in enumerate(cases):
        assert case.pull == "nothing" or case.before in cases[:place]
    for space, pull in ((s, p) for s in ("feature", "input") for p in PULLS):
        assert {Case(space=space, pull=pull, tau=tau) for tau in TAUS} <= set(cases)


def test_sentences_of_the_other_domain_are_spread_out() -> None:
    pairs = {"en": ["a", "a", "b", "c", "d", "e"], "fr": ["1", "2", "3", "4", "5", "6"]}
    assert multi30k_cooling.spread_out(pairs, 9) == {"en": list("abcde"), "fr": list("13456")}
    assert multi30k_cooling.spread_out(pairs, 2) == {"en": ["a", "c"], "fr": ["1", "4"]}


def test_a_run_of_cooling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, other = Case().before, Case(text="elsewhere").before
    chosen = (plain, other, Case(tau=1.0), Case(pull="random", tau=1.0), Case(text="elsewhere"))
    monkeypatch.setattr(multi30k_cooling, "cases", lambda: chosen)
    monkeypatch.setattr(cooling, "_fringe", lambda bench: {})
    config = replace(TOY, supervised=True)
    setting = Setting(config, text=20, steps=2, tokens=60, sentences=5)
    found = multi30k_cooling.run(setting, 0, tmp_path)
    truth = multi30k_cooling.asked(setting)
    assert truth["fr", "elsewhere"] != truth["fr", "clean"]
    rows = {m.name: m.value for m in cooling_measures._changes(chosen, truth, found)}
    for case, text in ((plain, "clean"), (other, "elsewhere")):
        made = as_text(found[f"lines, {case.name}"])
        assert len(made) == 5
        assert rows[f"BLEU, {case.name}"] == pytest.approx(bleu(made, truth["fr", text]).value)
    cooled, random = (found[f"moved, {case.name}"] for case in chosen[2:4])
    assert torch.allclose(cooled, random, rtol=1e-4)


def test_each_text_is_held_against_its_own_references() -> None:
    truth = {
        ("fr", kind): [f"Le {kind} est ici.", "Un autre jour encore."]
        for kind in ("clean", "elsewhere")
    }
    chosen = [Case(text=text).before for text in ("clean", "typos", "elsewhere")]
    found = {
        f"lines, {case.name}": as_bytes(truth.get(("fr", case.text), truth["fr", "clean"]))
        for case in chosen
    }
    rows = cooling_measures._changes(chosen, truth, found)
    assert [m.value for m in rows] == pytest.approx([100, 100, 100])
