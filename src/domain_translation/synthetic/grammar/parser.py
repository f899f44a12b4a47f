"""Sentences back to meanings: the lines that write a sentence, run with a meaning yet unknown.

A `Guess` stands for a meaning. Whenever the writer looks at one of its features, one of the
possible values is taken, the others are tried later; a branch ends at the first word that is not the
sentence's. So what is parsed is what would have been written, and there is no second grammar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any

from domain_translation.synthetic.grammar import english, french, german
from domain_translation.synthetic.grammar.lexicon import (
    ADJECTIVES,
    CATEGORY,
    INTRANSITIVE,
    LANGUAGES,
    NOUNS,
    TIMES,
    VERBS,
    of,
)
from domain_translation.synthetic.grammar.meaning import COORDINATING, Clause, Meaning, Phrase

MODULES: dict[str, ModuleType] = dict(zip(LANGUAGES, (english, french, german), strict=True))
_BOTH = (False, True)
# Feature -> the categories of its lemmas, and whether it may be absent.
_LEMMAS: dict[str, tuple[tuple[str, ...], bool]] = {
    "noun": ((*NOUNS, "name", "pronoun"), False),
    "determiner": (("determiner", "number"), False),
    "adjective": (ADJECTIVES, True),
    "relative": (("act",), True),
    "verb": (VERBS, False),
    "modal": (("modal",), True),
    "adverb": (("adverb",), True),
    "place": (("place",), True),
    "relation": (("relation",), False),
    "time": (TIMES, True),
    "first time": (TIMES, False),
    "question": (("question",), True),
    "conjunction": (("conjunction", "complementizer"), True),
}
_VALUES: dict[str, tuple[Any, ...]] = {
    "plural": _BOTH,
    "tense": ("present", "past", "future"),
    "negated": _BOTH,
    "time_first": _BOTH,
    "first": _BOTH,
}


class Oracle:
    """The choices of one branch: those of `path`, then always the first one."""

    def __init__(self, path: list[int], lemmas: dict[str, tuple[str | None, ...]]) -> None:
        self.path, self.lemmas = path, lemmas
        self.taken = 0
        self.others: list[list[int]] = []

    def choose(self, name: str) -> Any:
        values = _VALUES[name] if name in _VALUES else self.lemmas[name]
        if self.taken == len(self.path):
            self.others += [[*self.path, i] for i in range(len(values) - 1, 0, -1)]
            self.path.append(0)
        choice = self.path[self.taken]
        self.taken += 1
        if not values:
            raise LookupError(name)
        return values[choice]


class Guess:
    """A phrase, clause or meaning whose features are chosen when they are first looked at."""

    def __init__(self, kind: type, oracle: Oracle) -> None:
        self._kind, self._oracle = kind, oracle

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = self._value(name)
        setattr(self, name, value)
        return value

    def _value(self, name: str) -> Any:
        oracle = self._oracle
        match name:
            case "definite":
                return Phrase.definite.fget(self)  # type: ignore[attr-defined]
            case "main":
                return Guess(Clause, oracle)
            case "other":
                return None if self.conjunction is None else Guess(Clause, oracle)
            case "subject":
                return Guess(Phrase, oracle)
            case "object":
                return None if of(self.verb, *INTRANSITIVE) else Guess(Phrase, oracle)
            case "recipient":
                return Guess(Phrase, oracle) if of(self.verb, "give") else None
            case "first" if self.conjunction in (*COORDINATING, "that"):
                return False
            case "time" if self.time_first:
                return oracle.choose("first time")
            case "tense" if self.modal is not None:
                return "present"
            case "determiner" if of(self.noun, "name", "pronoun"):
                return None
            case "plural" if of(self.noun, "name", "pronoun"):
                return False
            case "relative" if not of(self.noun, "person"):
                return None
        return oracle.choose(name)

    def settled(self) -> Any:
        """What was guessed; features that no word depended on keep their defaults."""
        found = {
            name: value.settled() if isinstance(value, Guess) else value
            for name, value in vars(self).items()
            if not name.startswith("_") and name != "definite"
        }
        return self._kind(**found)


# Elided and contracted words -> what they were.
_WHOLE = {
    **{"l'": ("le", "la"), "d'": ("de",), "du": ("de",), "des": ("de",), "s'": ("si",)},
    **{"qu'": ("que",), "puisqu'": ("puisque",), "j'": ("je",)},
}
_PHRASES = (*TIMES, "relation", "complementizer", "question", "number")


def _written_as(module: ModuleType, lemma: str) -> list[set[str]]:
    """The sets of words one of which stands in a sentence with this lemma; none if unknown."""
    entry = module.WORDS[lemma]
    if of(lemma, "name"):
        return [{lemma.lower()}]
    if of(lemma, "determiner") or entry == [""]:
        return [set()]
    if of(lemma, *_PHRASES) or (of(lemma, "conjunction") and lemma != "when"):
        return [{word.lower() for word in entry if not word.endswith("-")}]
    if of(lemma, "modal"):
        return [set(form.split("_")) for form in entry] + [{"want"}] * ("wants_to" in entry)
    if of(lemma, *VERBS, *NOUNS, *ADJECTIVES):
        return [{form.lower()} for form in module.FORMS[lemma].values()]
    return [{word.lower()} for word in entry]


@lru_cache(maxsize=3)
def _index(language: str) -> list[tuple[str, list[set[str]]]]:
    return [(lemma, _written_as(MODULES[language], lemma)) for lemma in CATEGORY]


def _candidates(tokens: Sequence[str], language: str) -> dict[str, tuple[str | None, ...]]:
    """Feature -> the lemmas that the sentence's words allow."""
    here = {token.lower() for token in tokens}
    here = here.union(*(_WHOLE.get(token, ()) for token in here))
    possible = [lemma for lemma, sets in _index(language) if any(words <= here for words in sets)]
    return {
        name: (*((None,) if absent else ()), *(m for m in possible if of(m, *c)))
        for name, (c, absent) in _LEMMAS.items()
    }


def meanings(tokens: Sequence[str], language: str) -> Iterator[Meaning]:
    """All meanings that are written so."""
    module = MODULES[language]
    lemmas = _candidates(tokens, language)
    paths: list[list[int]] = [[]]
    while paths:
        oracle = Oracle(paths.pop(), lemmas)
        guess = Guess(Meaning, oracle)
        if _written(module, guess, tokens):
            yield guess.settled()
        paths += oracle.others


def _written(module: ModuleType, guess: Guess, tokens: Sequence[str]) -> bool:
    expected = iter(tokens)
    try:
        for i, word in enumerate(module.surface(module.words(guess))):
            token = next(expected, None)
            if word != token and (i or word[:1].upper() + word[1:] != token):
                return False
    except LookupError:  # the writer has no such form
        return False
    return next(expected, None) is None
