"""Drawing meanings from the law: the verb first, then what goes with it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from domain_translation.synthetic.grammar.laws import (
    ADJECTIVES_OF,
    FRAMES,
    SAYING,
    draw_lemma,
    draw_verb,
)
from domain_translation.synthetic.grammar.lexicon import CATEGORY, NOUNS
from domain_translation.synthetic.grammar.meaning import (
    COORDINATING,
    TEMPORAL,
    Clause,
    Meaning,
    Phrase,
)

_TENSES = {"present": 0.5, "past": 0.3, "future": 0.2}
_NOW_OR_LATER = {"present": 0.6, "future": 0.4}
_KINDS = {"saying": 0.1, "question": 0.15, "joined": 0.3, "plain": 0.45}
_FRAMES = {name: frame.weight for name, frame in FRAMES.items()}


def one_of(rng: Random, weights: dict[str, float]) -> str:
    """A key by its weight; the weights sum to 1."""
    u = rng.random()
    for key, weight in weights.items():
        u -= weight
        if u < 0:
            return key
    return next(iter(weights))  # rounding


def _phrase(rng: Random, role: str, verb: str, categories: dict[str, float]) -> Phrase:
    category = one_of(rng, categories)
    noun = draw_lemma(rng, role, verb, category)
    if category not in NOUNS:
        return Phrase(noun)
    plural = rng.random() < 0.3
    numbers = plural and rng.random() < 0.3
    determiner = draw_lemma(rng, "determiner", noun, "number" if numbers else "determiner")
    adjective = None
    if rng.random() < 0.3:
        adjective = draw_lemma(rng, "adjective", noun, one_of(rng, ADJECTIVES_OF[category]))
    relative = None
    if role == "subject" and category == "person" and rng.random() < 0.08:
        relative = draw_lemma(rng, "relative", noun, "act")
    return Phrase(noun, plural, determiner, adjective, relative)


def _negatable(thing: Phrase | None, recipient: Phrase | None) -> bool:
    """Whether "not" has one reading only, the same in all languages."""
    vague = thing is not None and not thing.definite and thing.determiner != "a"
    return not vague and (recipient is None or recipient.definite)


def _clause(
    rng: Random,
    tenses: dict[str, float],
    *,
    verb: str,
    extras: float,
    asked: str | None = None,
) -> Clause:
    """`extras`: how often there is a place, time, adverb; `asked`: the question word."""
    frame = FRAMES.get(CATEGORY[verb], SAYING)
    saying = frame is SAYING
    subject = _phrase(rng, "subject", verb, frame.subject)
    thing = _phrase(rng, "object", verb, frame.object) if frame.object else None
    recipient = _phrase(rng, "recipient", verb, frame.recipient) if frame.recipient else None
    tense = one_of(rng, tenses)
    modal = adverb = place = relation = time = None
    if tense == "present" and not saying and CATEGORY[verb] != "move" and rng.random() < 0.3:
        modal = draw_lemma(rng, "modal", verb, "modal")
    may_deny = modal is None and not saying and asked is None
    negated = may_deny and rng.random() < 0.15 and _negatable(thing, recipient)
    if not (negated or saying or asked == "how") and rng.random() < 0.5 * extras:
        adverb = draw_lemma(rng, "adverb", verb, "adverb")
    bare = thing is None and extras > 0
    if not saying and asked != "where" and (bare or rng.random() < extras):
        place = draw_lemma(rng, "place", verb, "place")
        relation = "at" if rng.random() < 0.7 else draw_lemma(rng, "relation", place, "relation")
    if asked != "at_what_time" and rng.random() < extras:
        month = rng.random() < 0.4 and tense != "present"
        time = draw_lemma(rng, "time", verb, "month" if month else f"time_{tense}")
    return Clause(
        subject, verb, thing, recipient, modal, tense, negated, adverb, place, relation, time
    )


def _verb(rng: Random) -> str:
    return draw_verb(rng, one_of(rng, _FRAMES))


def _joined(rng: Random) -> Meaning:
    verb = _verb(rng)
    conjunction = draw_lemma(rng, "conjunction", verb, "conjunction")
    conditional = conjunction in ("if", "even_if")
    temporal = conjunction in TEMPORAL
    main = _clause(rng, _NOW_OR_LATER if conditional else _TENSES, verb=verb, extras=0.2)
    tenses = {main.tense: 1.0} if temporal else {"present": 1.0} if conditional else _TENSES
    other = _clause(rng, tenses, verb=_verb(rng), extras=0 if temporal or conditional else 0.2)
    first = conjunction not in COORDINATING and rng.random() < 0.4
    return Meaning(main, None, conjunction, other, first)


def draw_meaning(rng: Random) -> Meaning:
    """One meaning."""
    kind = one_of(rng, _KINDS)
    if kind == "joined":
        return _joined(rng)
    if kind == "saying":
        main = _clause(rng, {"present": 0.7, "past": 0.3}, verb=draw_verb(rng, "say"), extras=0.15)
        tenses = {"past": 1.0} if main.tense == "past" else _TENSES  # she said that he came
        other = _clause(rng, tenses, verb=_verb(rng), extras=0.3)
        return Meaning(main, None, "that", other)
    verb = _verb(rng)
    if kind == "question":
        asked = draw_lemma(rng, "question", verb, "question")
        return Meaning(_clause(rng, _TENSES, verb=verb, extras=0.35, asked=asked), asked)
    main = _clause(rng, _TENSES, verb=verb, extras=0.5)
    if main.time is not None and rng.random() < 0.4:
        main = replace(main, time_first=True)
    return Meaning(main)


def draw(count: int, seed: int) -> list[Meaning]:
    """Meanings (count,), in order; those of a smaller count are the first of a larger one.

    Raises:
        ValueError: a negative count.
    """
    if count < 0:
        raise ValueError(f"count is {count}; give 0 or more")
    rng = Random(f"meanings {seed}")
    return [draw_meaning(rng) for _ in range(count)]
