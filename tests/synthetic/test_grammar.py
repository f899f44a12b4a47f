"""The world of text: sentences and meanings are one to one, and its words can be told apart."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.synthetic import grammar
from domain_translation.synthetic.grammar import Clause, Meaning, Phrase
from domain_translation.synthetic.grammar.laws import affinity, pairs, table, zipf
from domain_translation.synthetic.grammar.parser import MODULES

SHORT = 4


def say(meaning: Meaning) -> list[str]:
    return [grammar.realise(meaning, language) for language in grammar.LANGUAGES]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from(grammar.LANGUAGES))
def test_a_sentence_parses_back_to_its_meaning(seed: int, language: str) -> None:
    (meaning,) = grammar.draw(1, seed)
    assert grammar.parse(grammar.realise(meaning, language), language) == meaning


def test_thousands_of_meanings_have_as_many_sentences() -> None:
    meanings = set(grammar.draw(5000, 1))
    assert len(meanings) > 4900
    for language in grammar.LANGUAGES:
        assert len({grammar.realise(m, language) for m in meanings}) == len(meanings)


WOMAN = Phrase("woman", False, "the")
EXAMPLES = [
    (
        Meaning(Clause(WOMAN, "give_", Phrase("apple", True, "a", "red"), Phrase("Anna"))),
        "The woman gives red apples to Anna.",
        "La femme donne des pommes rouges à Anna.",
        "Die Frau gibt Anna rote Äpfel.",
    ),
    (
        Meaning(Clause(WOMAN, "eat_", Phrase("apple", False, "a", "good"), negated=True)),
        "The woman does not eat a good apple.",
        "La femme ne mange pas de bonne pomme.",
        "Die Frau isst keinen guten Apfel.",
    ),
    (
        Meaning(
            Clause(Phrase("I"), "love", Phrase("friend", False, "this", "old")),
            None,
            "because",
            Clause(Phrase("she"), "arrive", tense="past", place="hotel", relation="next_to"),
        ),
        "I love this old friend because she arrived next to the hotel.",
        "J'aime ce vieil ami parce qu'elle est arrivée à côté de l'hôtel.",
        "Ich liebe diesen alten Freund, weil sie neben dem Hotel angekommen ist.",
    ),
    (
        Meaning(
            Clause(
                Phrase("student", True, "my"), "sing", tense="future", place="hotel", relation="at"
            ),
            None,
            "when",
            Clause(Phrase("Anna"), "call", Phrase("student", False, "the"), tense="future"),
            True,
        ),
        "When Anna calls the student, my students will sing at the hotel.",
        "Quand Anna appellera l'étudiant, mes étudiants chanteront à l'hôtel.",
        "Wenn Anna den Studenten anrufen wird, werden meine Studenten im Hotel singen.",
    ),
    (
        Meaning(
            Clause(Phrase("child", True, "many"), "invite", Phrase("Paul"), time="today"), "why"
        ),
        "Why do many children invite Paul today?",
        "Pourquoi est-ce que beaucoup d'enfants invitent Paul aujourd'hui ?",
        "Warum laden viele Kinder Paul heute ein?",
    ),
    (
        Meaning(
            Clause(
                Phrase("doctor", False, "the", None, "laugh"),
                "drive_",
                Phrase("car", False, "your", "new"),
                modal="want",
                place="station",
                relation="at",
                time="today",
                time_first=True,
            )
        ),
        "Today, the doctor who laughs wants to drive your new car at the station.",
        "Aujourd'hui, le docteur qui rit veut conduire ta nouvelle voiture à la gare.",
        "Heute will der Doktor, der lacht, dein neues Auto am Bahnhof fahren.",
    ),
    (
        Meaning(
            Clause(Phrase("we"), "say_", tense="past"),
            None,
            "that",
            Clause(
                Phrase("teacher", True, "our", "tired"),
                "show",
                Phrase("letter", True, "three", "long"),
                Phrase("child", True, "the", "sad"),
                tense="past",
            ),
        ),
        "We said that our tired teachers showed three long letters to the sad children.",
        "Nous avons dit que nos professeurs fatigués ont montré trois longues lettres "
        "aux enfants tristes.",
        "Wir haben gesagt, dass unsere müden Lehrer den traurigen Kindern drei lange Briefe "
        "gezeigt haben.",
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e[1][:20])
def test_sentences_that_a_native_wrote(example: tuple[Meaning, str, str, str]) -> None:
    meaning, *sentences = example
    assert say(meaning) == sentences
    for language, sentence in zip(grammar.LANGUAGES, sentences, strict=True):
        assert grammar.parse(sentence, language) == meaning


def test_spelling_holds_in_all_sentences() -> None:
    text = grammar.corpora(3000, 2)
    for sentences in text.values():
        for sentence in sentences:
            assert sentence[0].isupper()
            assert sentence[-1] in ".?"
            assert "  " not in sentence
            assert not re.search(r"[_<|=]|,,|, ?[.?]", sentence)
    french = "\n".join(text["fr"])
    assert not re.search(r"\b(le|la|je|ne|que|de|ma|ta|ce) [aeiouéèêâôœ]", french, re.IGNORECASE)
    assert not re.search(r"\b(à|de) les?\b", french)
    assert "l'hamster" not in french
    assert not re.search(r"\b[aA] [aeio]", "\n".join(text["en"]))
    assert not re.search(r"\b(in|an) dem\b", "\n".join(text["de"]))
    assert all(re.search(rf", {c} .*[a-zäöüß]", s) for s in text["de"] for c in ("dass",) if c in s)


def test_frequencies_are_distinct_in_every_category() -> None:
    for category in grammar.CATEGORIES:
        p = zipf(category)
        assert p.sum() == pytest.approx(1)
        assert all(a / b >= 1.05 - 1e-9 for a, b in pairwise(p))
        found = [grammar.law(lemma).probability for lemma in grammar.lemmas(category)]
        assert found == pytest.approx(p)


def test_margins_of_every_table_are_the_frequencies() -> None:
    """So a permutation of a category that keeps the law keeps distinct numbers: it is none."""
    for role, head, dependent in pairs():
        conditional = table(role, head, dependent)
        assert conditional.sum(1) == pytest.approx(1)
        assert zipf(head) @ conditional == pytest.approx(zipf(dependent), abs=1e-9)


def test_preferences_alone_tell_lemmas_apart() -> None:
    """Also without frequencies: no two lemmas have the same odds in any table they are in."""
    for role, head, dependent in pairs():
        lift = np.log(table(role, head, dependent) / zipf(dependent))
        for rows in (lift, lift.T):
            if rows.shape[1] >= SHORT:
                gaps = np.abs(rows[:, None] - rows[None]).max(-1)
                assert gaps[~np.eye(len(rows), dtype=bool)].min(initial=1) > 0.05


def test_every_preference_is_sharp() -> None:
    for role, head, dependent in pairs():
        if len(grammar.lemmas(dependent)) >= SHORT:
            kernel = [affinity(role, lemma, dependent) for lemma in grammar.lemmas(head)]
            assert max(max(row) / min(row) for row in kernel) > 2


def test_drawn_lemmas_have_their_frequencies() -> None:
    count = Counter(m.main.verb for m in grammar.draw(6000, 3))
    for category in ("act", "meet", "say"):
        names = grammar.lemmas(category)
        total = sum(count[v] for v in names)
        for verb, p in zip(names, zipf(category), strict=True):
            assert abs(count[verb] - total * p) <= 4.5 * np.sqrt(total * p * (1 - p)) + 1


def test_every_lemma_has_its_forms() -> None:
    for module in MODULES.values():
        for lemma, forms in module.FORMS.items():
            assert all(forms.values()) or not all(module.WORDS[lemma]), lemma
    assert 400 <= len(grammar.lemmas()) <= 500
    english = MODULES["en"].FORMS
    same = [v for v, f in english.items() if f.get("participle") == f.get("infinitive", "no")]
    assert not same, "past and present must differ"


def test_every_category_of_content_words_has_cognates() -> None:
    rows = {row.category: row for row in grammar.describe()}
    assert sum(row.lemmas for row in rows.values()) == len(grammar.lemmas())
    assert rows["name"].cognates == 1
    content = set(rows) - {"pronoun", "relation", "complementizer", "determiner", "time_past"}
    poor = {c for c in content if rows[c].cognates == 0}
    assert poor <= {"conjunction", "question", "modal", "time_future"}
    assert rows["food"].forms["fr"] == 2 * rows["food"].lemmas


def test_pairs_are_new_and_distinct() -> None:
    found = grammar.pairs(1500, 5, without=(3000, 5))
    text = grammar.corpora(3000, 5)
    free = grammar.pairs(1500, 5)
    for language in grammar.LANGUAGES:
        assert len(set(found[language])) == len(found[language]) == 1500
        assert not set(text[language]) & set(found[language])
    assert any(set(text[language]) & set(free[language]) for language in grammar.LANGUAGES)
    one = {grammar.parse(found[language][7], language) for language in grammar.LANGUAGES}
    assert len(one) == 1


def test_text_of_a_language_stands_alone() -> None:
    alone = grammar.corpora(50, 6, ["de"])["de"]
    assert alone == grammar.corpora(80, 6)["de"][:50]
    assert alone != grammar.corpora(50, 7, ["de"])["de"]
    meanings = [
        {grammar.parse(s, language) for s in grammar.corpora(12, 6)[language]}
        for language in ("en", "fr")
    ]
    assert len(meanings[0] & meanings[1]) < SHORT


@pytest.mark.parametrize("source", grammar.LANGUAGES)
@pytest.mark.parametrize("target", grammar.LANGUAGES)
def test_the_dictionary_is_complete(source: str, target: str) -> None:
    if source == target:
        return
    words = grammar.dictionary(source, target)
    known = {word.lower() for word in words}
    text = grammar.corpora(2000, 8, [source])[source]
    assert {w for s in text for w in grammar.tokens(s) if w.lower() not in known} == set()
    part = grammar.dictionary(source, target, share=0.25)
    assert part.items() <= grammar.dictionary(source, target, share=0.5).items() or source != "en"
    assert 0.15 * len(words) < len(part) < 0.35 * len(words)
    assert "the" not in part


def test_dictionary_keeps_number_and_person() -> None:
    words = grammar.dictionary("en", "fr")
    assert words["women"] == "femmes"
    assert words["sang"] == "chanté"
    assert grammar.dictionary("fr", "de")["chanteront"] == "singen"
    assert grammar.dictionary("de", "en")["Studenten"] == "students"


def test_bad_input_gets_one_sentence() -> None:
    (meaning,) = grammar.draw(1, 0)
    for wrong in (
        lambda: grammar.realise(meaning, "it"),
        lambda: grammar.parse("The woman sings", "en"),
        lambda: grammar.parse("The women sings.", "en"),
        lambda: grammar.parse("", "fr"),
        lambda: grammar.draw(-1, 0),
        lambda: grammar.corpora(3, 0, ["it"]),
        lambda: grammar.dictionary("en", "en"),
        lambda: grammar.dictionary("en", "fr", share=0),
        lambda: grammar.law("xyzzy"),
        lambda: grammar.lemmas("xyzzy"),
    ):
        with pytest.raises(ValueError, match=r"give|choose|lemmas"):
            wrong()
