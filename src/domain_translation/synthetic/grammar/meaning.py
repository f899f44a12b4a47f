"""What a sentence says, the same for all languages: nested tuples of lemmas and features."""

from __future__ import annotations

from dataclasses import dataclass

from domain_translation.synthetic.grammar.lexicon import NOUNS, of

# Subordinate clauses of time have the tense of the main clause.
TEMPORAL = ("when", "while", "as_soon_as")
COORDINATING = ("and", "but")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun with what belongs to it, a name or a pronoun (the last two have nothing else).

    Attributes:
        noun: a noun, name or pronoun.
        plural: more than one; nouns only.
        determiner: a determiner or, in the plural, a number.
        adjective: at most one.
        relative: an intransitive verb, "the doctor who laughs".
    """

    noun: str
    plural: bool = False
    determiner: str | None = None
    adjective: str | None = None
    relative: str | None = None

    @property
    def definite(self) -> bool:
        return self.determiner != "a" and not of(self.determiner, "number")


@dataclass(frozen=True, slots=True)
class Clause:
    """A verb with its subject and, as the verb demands, object and recipient.

    Attributes:
        tense: "past", "present" or "future"; with a modal always "present".
        negated: only without modal.
        relation: how something lies to the place ("at" is the place's own preposition).
        time_first: the time opens the clause.
    """

    subject: Phrase
    verb: str
    object: Phrase | None = None
    recipient: Phrase | None = None
    modal: str | None = None
    tense: str = "present"
    negated: bool = False
    adverb: str | None = None
    place: str | None = None
    relation: str | None = None
    time: str | None = None
    time_first: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """A sentence: a statement, a question, or two clauses joined by a conjunction.

    Attributes:
        question: a question word, "whether" for yes or no; None for a statement.
        conjunction: what joins `other`; "that" after verbs of saying.
        first: `other` opens the sentence.
    """

    main: Clause
    question: str | None = None
    conjunction: str | None = None
    other: Clause | None = None
    first: bool = False


def person(phrase: Phrase) -> int:
    """0 I, 1 you, 2 he, 3 we, 4 they."""
    if of(phrase.noun, "pronoun"):
        return {"I": 0, "you": 1, "he": 2, "she": 2, "we": 3, "they": 4}[phrase.noun]
    return 4 if of(phrase.noun, *NOUNS) and phrase.plural else 2


def sound(meaning: Meaning) -> bool:
    """Whether a meaning keeps the agreements that no single word shows."""
    clauses = [meaning.main] + ([meaning.other] if meaning.other is not None else [])
    if meaning.conjunction in TEMPORAL and len({c.tense for c in clauses}) > 1:
        return False
    if of(meaning.main.verb, "say") != (meaning.conjunction == "that"):
        return False
    phrases = [p for c in clauses for p in (c.subject, c.object, c.recipient) if p is not None]
    return all(p.plural or not of(p.determiner, "number") for p in phrases)
