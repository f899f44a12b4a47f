"""French: agreement, place of the adjective, ne ... pas, elision and contraction.

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
from domain_translation.synthetic.grammar.meaning import Clause, Meaning, Phrase, person

WORDS = entries("fr")
BEFORE_QUESTION_MARK = " "
_HAVE = ("ai", "as", "a", "avons", "ont")
_BE = ("suis", "es", "est", "sommes", "sont")
_ASPIRATED = ("hamster", "harpe")  # no elision before these
_ELIDED = {w: w[:-1] + "'" for w in ("le", "la", "je", "ne", "que", "de", "puisque")}
_LINKED = {"ma": "mon", "ta": "ton", "ce": "cet"}
_CONTRACTED = {
    ("à", "le"): "au",
    ("à", "les"): "aux",
    ("de", "le"): "du",
    ("de", "les"): "des",
}


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "z")):
        return word
    if word.endswith("al"):
        return word[:-1] + "ux"
    return word + ("x" if word.endswith("eau") else "s")


def _feminine(word: str) -> str:
    if word.endswith("eux"):
        return word[:-1] + "se"
    if word.endswith("if"):
        return word[:-1] + "ve"
    return word if word.endswith("e") else word + "e"


def _verb_forms(entry: list[str]) -> dict[str, str]:
    infinitive, *irregular = (part for part in entry if part != "être")
    if irregular:
        je, il, nous, ils, participle, stem = irregular
        present = [je, je + "s" if je.endswith("e") else je, il, nous, ils]
    elif infinitive.endswith("er"):
        root, participle, stem = infinitive[:-2], infinitive[:-2] + "é", infinitive
        soft = root + "e" if root.endswith("g") else root
        present = [root + "e", root + "es", root + "e", soft + "ons", root + "ent"]
    else:  # finir
        root, participle, stem = infinitive[:-1], infinitive[:-1], infinitive
        present = [root + ending for ending in ("s", "s", "t", "ssons", "ssent")]
    future = [stem + ending for ending in ("ai", "as", "a", "ons", "ont")]
    return {
        "infinitive": infinitive,
        **{f"present {i}": form for i, form in enumerate(present)},
        "participle": participle,
        **{f"participle {a}": participle + a for a in ("e", "s", "es") if "être" in entry},
        **{f"future {i}": form for i, form in enumerate(future)},
    }


def forms(lemma: str) -> dict[str, str]:
    """Feature -> word form, of nouns, verbs and adjectives."""
    entry = WORDS[lemma]
    if of(lemma, *NOUNS):
        return {
            "singular": entry[0],
            "plural": entry[2] if len(entry) > 2 else _plural(entry[0]),
        }
    if of(lemma, *VERBS):
        return _verb_forms(entry)
    if of(lemma, *ADJECTIVES):
        masculine = entry[0].lstrip("<")
        feminine = entry[1] if len(entry) > 1 else _feminine(masculine)
        return {
            "singular": masculine,
            "m": masculine,
            "f": feminine,
            "m plural": _plural(masculine),
            "f plural": _plural(feminine),
            "m vowel": entry[2] if len(entry) > 2 else masculine,
        }
    return {"singular": entry[0]}


FORMS = {lemma: forms(lemma) for lemma in WORDS}


def _vowel(word: str) -> bool:
    if word[0] == "h":
        return not word.startswith(_ASPIRATED)
    return word[0].lower() in "aeiouâàéèêîôûœ"


def gender(phrase: Phrase) -> str:
    """m or f; I, you and we are taken as men."""
    if of(phrase.noun, "pronoun"):
        return "f" if phrase.noun == "she" else "m"
    return WORDS[phrase.noun][0 if of(phrase.noun, "name") else 1]


def determiners(lemma: str) -> set[str]:
    """All forms of a determiner."""
    return {form for word in WORDS[lemma] for form in (word, _LINKED.get(word, word))}


def noun_phrase(phrase: Phrase, negated: bool = False) -> Iterator[str]:
    """`negated`: the object of a negated verb, where un and des become de."""
    lemma = phrase.noun
    if of(lemma, "name"):
        yield lemma
        return
    if of(lemma, "pronoun"):
        yield WORDS[lemma][0]
        return
    plural, sex = phrase.plural, WORDS[lemma][1]
    noun = FORMS[lemma]["plural" if plural else "singular"]
    before = None if phrase.adjective is None else WORDS[phrase.adjective][0].startswith("<")
    if of(phrase.determiner, "number"):
        yield from WORDS[phrase.determiner or ""]
    elif phrase.determiner == "a" and (negated or (plural and before)):
        yield "de"
    else:
        yield WORDS[phrase.determiner or ""][2 if plural else sex == "f"]
    adjective = ""
    if phrase.adjective is not None:
        linked = before and sex == "m" and not plural and _vowel(noun)
        key = "m vowel" if linked else f"{sex} plural" if plural else sex
        adjective = FORMS[phrase.adjective][key]
    if before:
        yield adjective
    yield noun
    if adjective and not before:
        yield adjective
    if phrase.relative is not None:
        yield "qui"
        yield FORMS[phrase.relative][f"present {person(phrase)}"]


def _verb(clause: Clause) -> tuple[str, str]:
    """The finite verb and the infinitive or participle after it ("" without)."""
    who = person(clause.subject)
    if clause.modal is not None:
        return WORDS[clause.modal][who], FORMS[clause.verb]["infinitive"]
    if clause.tense != "past":
        return FORMS[clause.verb][f"{clause.tense} {who}"], ""
    participle = FORMS[clause.verb]["participle"]
    if "être" not in WORDS[clause.verb]:
        return _HAVE[who], participle
    agreement = ("e" if gender(clause.subject) == "f" else "") + ("s" if who > 2 else "")
    return _BE[who], participle + agreement


def clause_words(clause: Clause) -> Iterator[str]:
    if clause.time_first and clause.time is not None:
        yield from WORDS[clause.time]
        yield ","
    yield from noun_phrase(clause.subject)
    negated = clause.modal is None and clause.negated
    finite, rest = _verb(clause)
    yield from ("ne", finite, "pas") if negated else (finite,)
    if rest:
        yield rest
    if clause.adverb is not None:
        yield WORDS[clause.adverb][0]
    if clause.object is not None:
        yield from noun_phrase(clause.object, negated)
    if clause.recipient is not None:
        yield "à"
        yield from noun_phrase(clause.recipient)
    if clause.place is not None:
        preposition, place, sex = WORDS[clause.place]
        yield from [preposition] if clause.relation == "at" else WORDS[clause.relation or ""]
        yield from ("la" if sex == "f" else "le", place)
    if not clause.time_first and clause.time is not None:
        yield from WORDS[clause.time]


def words(meaning: Meaning) -> Iterator[str]:
    """The sentence's words, before `surface` elides and contracts them."""
    if meaning.question is not None:
        yield from filter(None, WORDS[meaning.question])
        yield from ("est-ce", "que")
        yield from clause_words(meaning.main)
        yield "?"
        return
    if meaning.conjunction is None or meaning.other is None:
        yield from clause_words(meaning.main)
        yield "."
        return
    joined = chain(WORDS[meaning.conjunction], clause_words(meaning.other))
    if meaning.first:
        yield from joined
        yield ","
        yield from clause_words(meaning.main)
    else:
        yield from clause_words(meaning.main)
        if meaning.conjunction == "but":
            yield ","
        yield from joined
    yield "."


def _elided(stream: Iterator[str]) -> Iterator[str]:
    last = next(stream)
    for word in stream:
        if last == "si" and word in ("il", "ils"):
            last = "s'"
        elif _vowel(word):
            last = _ELIDED.get(last) or _LINKED.get(last, last)
        yield last
        last = word
    yield last


def surface(stream: Iterator[str]) -> Iterator[str]:
    """le + ami -> l'ami, ma + amie -> mon amie; then à + le -> au, de + les -> des."""
    held = ""
    for word in _elided(stream):
        if (held, word) in _CONTRACTED:
            held = _CONTRACTED[held, word]
            continue
        if held:
            yield held
        held = word
    yield held
