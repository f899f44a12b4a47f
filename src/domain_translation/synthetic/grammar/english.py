"""English: word order, do-support, and forms by rule.

`words` writes a meaning from left to right; the parser reads the same lines backwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from domain_translation.synthetic.grammar.lexicon import NOUNS, VERBS, entries, of
from domain_translation.synthetic.grammar.meaning import (
    TEMPORAL,
    Clause,
    Meaning,
    Phrase,
    person,
)

WORDS = entries("en")
BEFORE_QUESTION_MARK = ""
_CONSONANT_SOUND = ("uni", "use")  # a university, a useful lamp


def _s(word: str) -> str:
    """The form with s: plurals, third persons."""
    if word.endswith(("s", "sh", "ch", "x")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeou" else word + "s"


def _ed(word: str) -> str:
    if word.endswith("e"):
        return word + "d"
    return word[:-1] + "ied" if word.endswith("y") and word[-2] not in "aeou" else word + "ed"


def forms(lemma: str) -> dict[str, str]:
    """Feature -> word form, of nouns, verbs and adjectives."""
    entry = WORDS[lemma]
    if of(lemma, *NOUNS):
        return {"singular": entry[0], "plural": entry[1] if len(entry) > 1 else _s(entry[0])}
    if of(lemma, *VERBS):
        base, past = entry[0], entry[1] if len(entry) > 1 else _ed(entry[0])
        present = {f"present {i}": _s(base) if i == 2 else base for i in range(5)}
        return {"infinitive": base, **present, "participle": past}
    return {"singular": entry[0]}


FORMS = {lemma: forms(lemma) for lemma in WORDS}


def determiners(lemma: str) -> set[str]:
    """All forms of a determiner."""
    return set(WORDS[lemma])


def noun_phrase(phrase: Phrase) -> Iterator[str]:
    noun = phrase.noun
    if of(noun, "name"):
        yield noun
        return
    if of(noun, "pronoun"):
        yield WORDS[noun][0]
        return
    number = WORDS[phrase.determiner or ""]
    determiner = number[-1 if phrase.plural else 0]
    if determiner:
        yield determiner
    if phrase.adjective is not None:
        yield WORDS[phrase.adjective][0]
    yield FORMS[noun]["plural" if phrase.plural else "singular"]
    if phrase.relative is not None:
        yield "who"
        yield FORMS[phrase.relative][f"present {person(phrase)}"]


def _verb(clause: Clause, inverted: bool, tense: str) -> tuple[str, list[str]]:
    """The finite verb and the rest of the group."""
    who = person(clause.subject)
    third = who == 2
    if clause.modal is not None:
        first, *to = WORDS[clause.modal][0 if third else 1].split("_")
        base = FORMS[clause.verb]["infinitive"]
        if inverted and first in ("want", "wants"):
            return "does" if third else "do", ["want", *to, base]
        return first, [*to, base]
    if tense == "future":
        finite = "will"
    elif clause.negated or inverted:
        finite = "did" if tense == "past" else "does" if third else "do"
    else:
        form = "participle" if tense == "past" else f"present {who}"
        return FORMS[clause.verb][form], []
    return finite, [*(["not"] if clause.negated else []), FORMS[clause.verb]["infinitive"]]


def clause_words(clause: Clause, inverted: bool = False, temporal: bool = False) -> Iterator[str]:
    if clause.time_first and clause.time is not None:
        yield from WORDS[clause.time]
        yield ","
    subject = list(noun_phrase(clause.subject)) if inverted else noun_phrase(clause.subject)
    if not inverted:
        yield from subject
    # "when Anna sings", not "will sing"
    tense = "present" if temporal and clause.tense == "future" else clause.tense
    finite, rest = _verb(clause, inverted, tense)
    yield finite
    if inverted:
        yield from subject
    yield from rest
    if clause.object is not None:
        yield from noun_phrase(clause.object)
    if clause.recipient is not None:
        yield "to"
        yield from noun_phrase(clause.recipient)
    if clause.adverb is not None:
        yield WORDS[clause.adverb][0]
    if clause.place is not None:
        preposition, place = WORDS[clause.place]
        yield from [preposition] if clause.relation == "at" else WORDS[clause.relation or ""]
        yield from ("the", place)
    if not clause.time_first and clause.time is not None:
        yield from WORDS[clause.time]


def words(meaning: Meaning) -> Iterator[str]:
    """The sentence's words, before `surface` makes "an" of "a"."""
    if meaning.question is not None:
        yield from filter(None, WORDS[meaning.question])
        yield from clause_words(meaning.main, inverted=True)
        yield "?"
        return
    if meaning.conjunction is None or meaning.other is None:
        yield from clause_words(meaning.main)
        yield "."
        return
    joined = chain(
        WORDS[meaning.conjunction],
        clause_words(meaning.other, temporal=meaning.conjunction in TEMPORAL),
    )
    if meaning.first:
        yield from joined
        yield ","
        yield from clause_words(meaning.main)
    else:
        yield from clause_words(meaning.main)
        if meaning.conjunction in ("and", "but"):
            yield ","
        yield from joined
    yield "."


def surface(stream: Iterator[str]) -> Iterator[str]:
    """a -> an before a vowel."""
    last = next(stream)
    for word in stream:
        vowel = word[0] in "aeiou" and not word.startswith(_CONSONANT_SOUND)
        yield "an" if last == "a" and vowel else last
        last = word
    yield last
