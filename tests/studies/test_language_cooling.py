"""The study of cooled text: its cases, and a run of it in miniature."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from domain_translation.evaluation.text import bleu
from domain_translation.language import search
from domain_translation.language import translator as translators
from domain_translation.pretrained.recipes import language as recipe
from domain_translation.studies.language import cooling, cooling_cases, cooling_measures
from domain_translation.studies.language.cooling_cases import BEST_INPUT, Case, Setting
from domain_translation.studies.language.grammar import as_text
from domain_translation.studies.registry import find

SMALL = Setting(
    replace(recipe.SUPERVISED, sentences=200, pieces=600, masked=1, steps=1, tokens=100),
    text=40,
    steps=2,
    tokens=100,
    sentences=6,
)
PLAIN = Case().before
CHOSEN = (
    PLAIN,
    Case(tau=1e-12, temperature=0.0, steps=2),
    Case(tau=1.0),
    Case(pull="random", tau=1.0),
    replace(BEST_INPUT, steps=2),
    Case(pull="words", tau=50.0, steps=1, temperature=0.0),
)


def test_every_case_is_named_once_and_comes_after_its_baseline():
    cases = cooling_cases.cases()
    assert len({case.name for case in cases}) == len(cases) > 50
    for place, case in enumerate(cases):
        if case.pull != "nothing":
            assert case.before in cases[:place]
            assert case.before.before == case.before
    assert {case.direction for case in cases} == set(cooling_cases.DIRECTIONS)


def test_settings_of_the_paper():
    feature, best = cooling_cases.BEST_FEATURE, cooling_cases.BEST_INPUT
    assert feature.tau * 1.0 / feature.steps == pytest.approx(0.01)  # alpha
    assert best.tau * 0.1 / best.steps == pytest.approx(1e-5)
    assert (feature.temperature, best.temperature) == (1e-3, 1e-4)


def test_random_moves_and_their_like_have_the_same_denoiser():
    wanted = cooling_cases.needed(cooling_cases.cases())
    assert len(wanted) == len(set(wanted))
    assert Case().sigma_of == Case(pull="random").sigma_of
    assert Case(direction="de-en").sigma_of[0] == "de"


def test_the_chain_of_a_case():
    """Towards 0 by r(x) = 0: each step keeps 1 - tau/N, a random move goes as far elsewhere."""
    key, sigma = ("en", "feature", cooling_cases.PAPER), 3.0
    pulls = {(*key, "denoiser"): torch.zeros_like}
    bench = cooling.Bench({}, None, None, {}, {}, {}, {key: sigma}, pulls)
    x = torch.randn(4, 5, 16, generator=torch.Generator().manual_seed(0))
    case = Case(tau=0.5, steps=2, temperature=0.0)
    pulled = cooling.chain(bench, case, 0)(x, range(4))
    assert torch.allclose(pulled, 0.75**2 * x, atol=1e-6)
    beside = cooling.chain(bench, replace(case, pull="random"), 0)(x, range(4))
    assert torch.allclose((beside - x).norm(dim=-1), (pulled - x).norm(dim=-1), rtol=1e-4)
    assert not torch.allclose(beside, pulled, atol=0.1)


@pytest.fixture
def short(monkeypatch):
    """Few cases, few test pairs, and translations of a few tokens."""

    def greedy(model, code, mask, language, allowed, limit=None):
        return search.greedy(model, code, mask, language, allowed, 6)

    class Search:
        beam = staticmethod(search.beam)

    Search.greedy = staticmethod(greedy)
    monkeypatch.setattr(translators, "search", Search)
    monkeypatch.setattr(recipe, "HELD_OUT", 6)
    monkeypatch.setattr(cooling, "cases", lambda: CHOSEN)
    monkeypatch.setattr(cooling_measures, "cases", lambda: CHOSEN)


def test_a_run_stores_translations_and_distances(short, tmp_path, monkeypatch):
    monkeypatch.setattr(cooling, "_fringe", lambda bench: {})
    found = cooling.run(SMALL, 0, tmp_path)
    lines = {case: as_text(found[f"lines, {case.name}"]) for case in CHOSEN}
    assert all(len(text) == SMALL.sentences for text in lines.values())
    assert lines[CHOSEN[1]] == lines[PLAIN]  # hardly moved
    assert lines[CHOSEN[5]] == lines[PLAIN]  # no word is 50 nats likelier
    cooled, random = (found[f"moved, {case.name}"] for case in CHOSEN[2:4])
    assert torch.allclose(cooled, random, rtol=1e-4)
    assert 0 < float(found[f"own word, {BEST_INPUT.name}".replace("N 25", "N 2")]) <= 1
    rows = {
        m.name: m for m in cooling_measures._changes(CHOSEN, cooling_measures.asked(SMALL), found)
    }
    test = recipe.held_out(6, recipe.TEST, SMALL.translator)["fr"]
    assert rows[f"BLEU, {PLAIN.name}"].value == pytest.approx(bleu(lines[PLAIN], test).value)
    assert rows[f"change, {CHOSEN[1].name}"].value == rows[f"change, {CHOSEN[1].name}"].error == 0
    assert rows[f"less random, {CHOSEN[2].name}"].value == pytest.approx(
        rows[f"change, {CHOSEN[2].name}"].value - rows[f"change, {CHOSEN[3].name}"].value
    )


def test_sizes_of_spaces_are_told_in_units_of_the_noise():
    found = {"variance, en, input, paper": 0.025}
    found |= {
        f"residual, en, input, paper, {p}": v for p, v in (("denoiser", 0.2), ("Wiener", 0.5))
    }
    rows = {m.name: m.value for m in cooling_measures._spaces(found)}
    assert rows["signal to noise, en, input, paper"] == pytest.approx(0.25)
    assert rows["noise to spread, en, input, paper"] == pytest.approx(2)
    assert rows["left of what Wiener leaves, en, input, paper"] == pytest.approx(0.4)


def test_the_study_is_found():
    study = find("language/cooling")
    assert study.trains
    assert len(study.seeds) == 5
