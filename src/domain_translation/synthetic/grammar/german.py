"""German: cases, adjective endings, verb second and verb last, separable verbs, nicht and kein.

`words` writes a meaning from left to right; the parser reads the same lines backwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from domain_translation.synthetic.grammar.lexicon import (
    ADJECTIVES,
    NOUNS,
    VERBS,
    entries,
    of,
)
from domain_translation.synthetic.grammar.meaning import (
    COORDINATING,
    Clause,
    Meaning,
    Phrase,
    person,
)

WORDS = entries("de")
BEFORE_QUESTION_MARK = ""
_HAVE = ("habe", "hast", "hat", "haben", "haben")
_BE = ("bin", "bist", "ist", "sind", "sind")
_WILL = ("werde", "wirst", "wird", "werden", "werden")
# Case -> endings of masculine, feminine, neuter, plural.
_GENDERS = "mfnp"
_THE = {
    "nominative": ("der", "die", "das", "die"),
    "accusative": ("den", "die", "das", "die"),
    "dative": ("dem", "der", "dem", "den"),
}
_STRONG = {
    "nominative": ("er", "e", "es", "e"),
    "accusative": ("en", "e", "es", "e"),
    "dative": ("em", "er", "em", "en"),
}
_WEAK = {
    "nominative": ("e", "e", "e", "en"),
    "accusative": ("en", "e", "e", "en"),
    "dative": ("en", "en", "en", "en"),
}
_MIXED = {
    "nominative": ("er", "e", "es", "en"),
    "accusative": ("en", "e", "es", "en"),
    "dative": ("en", "en", "en", "en"),
}
_CONTRACTED = {("in", "dem"): "im", ("an", "dem"): "am"}


def _you(stem: str, third: str) -> str:
    """Second person singular, from the third."""
    if third == stem + "et":
        return stem + "est"
    return third if third[:-1].endswith(("s", "ß", "z", "x")) else third[:-1] + "st"


def _verb_forms(entry: list[str]) -> dict[str, str]:
    prefix, _, infinitive = entry[0].rpartition("|")
    third, participle = entry[1:3]
    stem = infinitive[: -2 if infinitive.endswith("en") else -1]
    i = stem[:-2] + "l" if stem.endswith("el") else stem
    present = [i + "e", _you(stem, third), third, infinitive, infinitive]
    found = {"infinitive": prefix + infinitive, "participle": participle}
    for who, form in enumerate(present):
        found[f"present {who}"] = form
        found[f"last {who}"] = prefix + form  # where the verb stands last
    return found | ({"prefix": prefix} if prefix else {})


def forms(lemma: str) -> dict[str, str]:
    """Feature -> word form, of nouns, verbs and adjectives."""
    entry = WORDS[lemma]
    if of(lemma, *NOUNS):
        singular, _, plural = entry[:3]
        return {
            "singular": singular,
            "plural": plural,
            "singular oblique": plural if "weak" in entry else singular,
            "plural dative": plural if plural.endswith(("n", "s")) else plural + "n",
        }
    if of(lemma, *VERBS):
        return _verb_forms(entry)
    if of(lemma, *ADJECTIVES):
        return {"singular": entry[0]} | {e: entry[-1] + e for e in ("e", "er", "es", "en", "em")}
    return {"singular": entry[0]}


FORMS = {lemma: forms(lemma) for lemma in WORDS}


def _determiner(lemma: str, case: str, column: int, negated: bool) -> tuple[str, str]:
    """The determiner ("" for none) and the ending of an adjective after it."""
    stem = WORDS[lemma][0]
    if lemma == "the":
        return _THE[case][column], _WEAK[case][column]
    if lemma == "this":
        return stem + _STRONG[case][column], _WEAK[case][column]
    if of(lemma, "number"):
        many = stem.endswith("-")
        return stem.rstrip("-") + (_STRONG[case][column] if many else ""), _STRONG[case][column]
    if lemma == "a" and not negated and _GENDERS[column] == "p":
        return "", _STRONG[case][column]
    bare = case != "dative" and _GENDERS[column] in ("mn" if case == "nominative" else "n")
    ending = "" if bare else _STRONG[case][column]
    return ("k" if negated and lemma == "a" else "") + stem + ending, _MIXED[case][column]


def determiners(lemma: str) -> set[str]:
    """All forms of a determiner."""
    return {_determiner(lemma, case, i, False)[0] for case in _THE for i in range(len(_GENDERS))}


def noun_phrase(phrase: Phrase, case: str, negated: bool = False) -> Iterator[str]:
    """`negated`: the object of a negated verb, where ein becomes kein."""
    noun = phrase.noun
    if of(noun, "name"):
        yield noun
        return
    if of(noun, "pronoun"):
        yield WORDS[noun][0]
        return
    column = _GENDERS.index("p" if phrase.plural else WORDS[noun][1])
    determiner, ending = _determiner(phrase.determiner or "", case, column, negated)
    if determiner:
        yield determiner
    if phrase.adjective is not None:
        yield FORMS[phrase.adjective][ending]
    if phrase.plural:
        yield FORMS[noun]["plural dative" if case == "dative" else "plural"]
    else:
        yield FORMS[noun]["singular" if case == "nominative" else "singular oblique"]
    if phrase.relative is not None:
        yield from (",", _THE["nominative"][column])
        yield FORMS[phrase.relative][f"last {person(phrase)}"]
        yield ","


def _verb(clause: Clause, last: bool) -> tuple[str, list[str]]:
    """The finite verb and what closes the clause."""
    who, verb = person(clause.subject), FORMS[clause.verb]
    if clause.modal is not None:
        return WORDS[clause.modal][min(who, 3)], [verb["infinitive"]]
    if clause.tense == "future":
        return _WILL[who], [verb["infinitive"]]
    if clause.tense == "past":
        return (_BE if "sein" in WORDS[clause.verb] else _HAVE)[who], [verb["participle"]]
    if last:
        return verb[f"last {who}"], []
    return verb[f"present {who}"], [verb["prefix"]] if "prefix" in verb else []


def _middle(clause: Clause, fronted: bool) -> Iterator[str]:
    """Between the finite verb and the end: what is known stands before what is new."""
    negated = clause.modal is None and clause.negated
    if clause.recipient is not None:
        yield from noun_phrase(clause.recipient, "dative")
    thing = clause.object
    known = thing is not None and thing.definite
    if thing is not None and known:
        yield from noun_phrase(thing, "accusative")
    if not fronted and clause.time is not None:
        yield from WORDS[clause.time]
    none = thing is not None and thing.determiner == "a"
    if negated and not none:
        yield "nicht"
    if clause.adverb is not None:
        yield WORDS[clause.adverb][0]
    if thing is not None and not known:
        yield from noun_phrase(thing, "accusative", negated)
    if clause.place is not None:
        preposition, place, sex = WORDS[clause.place]
        yield from [preposition] if clause.relation == "at" else WORDS[clause.relation or ""]
        yield from (_THE["dative"][_GENDERS.index(sex)], place)


def clause_words(clause: Clause, order: str = "second") -> Iterator[str]:
    """`order`: where the finite verb stands, "first", "second" or "last"."""
    fronted = order == "second" and clause.time_first
    if fronted:
        yield from WORDS[clause.time or ""]
    finite_first = fronted or order == "first"
    if not finite_first:
        yield from noun_phrase(clause.subject, "nominative")
    finite, end = _verb(clause, order == "last")
    if order != "last":
        yield finite
    if finite_first:
        yield from noun_phrase(clause.subject, "nominative")
    yield from _middle(clause, fronted)
    yield from end
    if order == "last":
        yield finite


def words(meaning: Meaning) -> Iterator[str]:
    """The sentence's words, before `surface` contracts them."""
    if meaning.question is not None:
        yield from filter(None, WORDS[meaning.question])
        yield from clause_words(meaning.main, "first")
        yield "?"
        return
    if meaning.conjunction is None or meaning.other is None:
        yield from clause_words(meaning.main)
        yield "."
        return
    conjunction = WORDS[meaning.conjunction]
    if meaning.conjunction == "when":  # wenn, of what is past als
        conjunction = conjunction[1:] if meaning.main.tense == "past" else conjunction[:1]
    order = "second" if meaning.conjunction in COORDINATING else "last"
    joined = chain(conjunction, clause_words(meaning.other, order))
    if meaning.first:
        yield from joined
        yield ","
        yield from clause_words(meaning.main, "first")
    else:
        yield from clause_words(meaning.main)
        if meaning.conjunction != "and":
            yield ","
        yield from joined
    yield "."


def surface(stream: Iterator[str]) -> Iterator[str]:
    """in + dem -> im, an + dem -> am; one comma where two meet."""
    held = ""
    for word in stream:
        if (held, word) in _CONTRACTED:
            held = _CONTRACTED[held, word]
            continue
        if held and not (held == "," and word in ",.?"):
            yield held
        held = word
    yield held
