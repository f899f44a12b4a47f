"""Sentences back to meanings: the lines that write a sentence, run with a meaning yet unknown.

A `Guess` stands for a meaning. Whenever the writer looks at one of its features, one of the
possible values is taken, the others are tried later; a branch ends at the first word that is not
the sentence's. So what is parsed is what would have been written: there is no second grammar.
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
    "tense": ("present", "past", "future"),
    "negated": _BOTH,
    "time_first": _BOTH,
    "first": _BOTH,
}


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
            case "time" if vars(self).get("time_first"):
                return oracle.choose("first time")
            case "tense" if self.modal is not None:
                return "present"
            case "determiner" if of(self.noun, "name", "pronoun"):
                return None
            case "plural" if of(self.noun, "name", "pronoun"):
                return False
            case "plural":
                numbers = oracle.candidates.numbers(self.noun, oracle.position)
                return oracle.choose(name, numbers)
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
    **{
        "l'": ("le", "la"),
        "d'": ("de",),
        "du": ("de", "le"),
        "des": ("de", "les"),
        "au": ("le",),
        "aux": ("les",),
        "s'": ("si",),
    },
    **{"qu'": ("que",), "puisqu'": ("puisque",), "j'": ("je",)},
}
# These stand at most so many words behind the last word that was compared.
_NEAR, _REACH = ("noun", "determiner", "adjective"), 8
_PHRASES = (*TIMES, "relation", "complementizer", "question", "number")


def _written_as(module: ModuleType, lemma: str) -> list[set[str]]:
    """The sets of words one of which stands in a sentence with this lemma; none if unknown."""
    entry = module.WORDS[lemma]
    if of(lemma, "name"):
        return [{lemma.lower()}]
    if lemma == "a" or entry == [""] or "" in entry:
        return [set()]  # may be silent
    if of(lemma, "determiner"):
        return [{form} for form in module.determiners(lemma)]
    if of(lemma, *_PHRASES) or (of(lemma, "conjunction") and lemma != "when"):
        return [{word.lower() for word in entry if not word.endswith("-")}]
    if of(lemma, "modal"):
        return [set(form.split("_")) for form in entry] + [{"want"}] * ("wants_to" in entry)
    if of(lemma, *VERBS, *NOUNS, *ADJECTIVES):
        return [{form.lower()} for form in module.FORMS[lemma].values()]
    return [{word.lower()} for word in entry]


def _whole(tokens: Sequence[str]) -> set[str]:
    """The words, also those inside elided and contracted ones."""
    return set(tokens).union(*(_WHOLE.get(token, ()) for token in tokens))


@lru_cache(maxsize=3)
def _index(language: str) -> list[tuple[str, list[set[str]]]]:
    return [(lemma, _written_as(MODULES[language], lemma)) for lemma in CATEGORY]


class Candidates:
    """The lemmas that the words from a position on allow."""

    def __init__(self, tokens: Sequence[str], language: str) -> None:
        self.tokens = [token.lower() for token in tokens]
        self.forms: dict[str, dict[str, str]] = MODULES[language].FORMS
        here = _whole(self.tokens)
        self.index = [
            (lemma, sets)
            for lemma, sets in _index(language)
            if any(words <= here for words in sets)
        ]
        self.found: dict[tuple[str, int], tuple[str | None, ...]] = {}

    def __call__(self, name: str, position: int) -> tuple[str | None, ...]:
        """Values of a feature, for a writer whose next word is that of `position`."""
        if (name, position) not in self.found:
            categories, absent = _LEMMAS[name]
            end = position + _REACH if name in _NEAR else len(self.tokens)
            here = _whole(self.tokens[position:end])
            lemmas = (
                lemma
                for lemma, sets in self.index
                if of(lemma, *categories) and any(words <= here for words in sets)
            )
            self.found[name, position] = (*((None,) if absent else ()), *lemmas)
        return self.found[name, position]

    def numbers(self, noun: str, position: int) -> tuple[bool, ...]:
        """The numbers of a noun, plural or not, one of whose forms is near."""
        here = self.tokens[position : position + _REACH]
        found = {
            feature.startswith("plural")
            for feature, form in self.forms[noun].items()
            if form.lower() in here
        }
        return tuple(sorted(found))


class Oracle:
    """The choices of one branch: those of `path`, then always the first one."""

    def __init__(self, path: list[int], candidates: Candidates) -> None:
        self.path, self.candidates = path, candidates
        self.taken = self.position = 0
        self.others: list[list[int]] = []

    def choose(self, name: str, values: tuple[Any, ...] | None = None) -> Any:
        if values is None:
            values = _VALUES.get(name) or self.candidates(name, self.position)
        if self.taken == len(self.path):
            self.others += [[*self.path, i] for i in range(len(values) - 1, 0, -1)]
            self.path.append(0)
        if not values:
            raise LookupError(name)
        choice = values[self.path[self.taken]]
        self.taken += 1
        return choice


def meanings(tokens: Sequence[str], language: str) -> Iterator[Meaning]:
    """All meanings that are written so."""
    module = MODULES[language]
    candidates = Candidates(tokens, language)
    paths: list[list[int]] = [[]]
    while paths:
        oracle = Oracle(paths.pop(), candidates)
        guess = Guess(Meaning, oracle)
        if _written(module, guess, oracle, tokens):
            yield guess.settled()
        paths += oracle.others


def _written(module: ModuleType, guess: Guess, oracle: Oracle, tokens: Sequence[str]) -> bool:
    expected = iter(tokens)
    try:
        for i, word in enumerate(module.surface(module.words(guess))):
            token = next(expected, None)
            if word != token and (i or word[:1].upper() + word[1:] != token):
                return False
            oracle.position = i + 1
    except LookupError:  # the writer has no such form
        return False
    return next(expected, None) is None
