"""Unpaired text to learn from, and pairs to judge by that the text does not contain."""

from __future__ import annotations

from collections.abc import Sequence

from domain_translation.synthetic.grammar.drawing import draw
from domain_translation.synthetic.grammar.lexicon import LANGUAGES
from domain_translation.synthetic.grammar.meaning import Meaning
from domain_translation.synthetic.grammar.text import realise


def _meanings(sentences: int, seed: int, language: str) -> list[Meaning]:
    # Each language talks about something else.
    return draw(sentences, 4 * seed + 1 + LANGUAGES.index(language))


def corpora(
    sentences: int, seed: int, languages: Sequence[str] = LANGUAGES
) -> dict[str, list[str]]:
    """Monolingual text: as many sentences a language, of meanings drawn for it alone.

    A language's text depends on the seed only, not on the other languages.

    Raises:
        ValueError: an unknown language, a negative number of sentences.
    """
    unknown = sorted(set(languages) - set(LANGUAGES))
    if unknown:
        raise ValueError(f"unknown language {unknown[0]!r}; choose of {', '.join(LANGUAGES)}")
    return {
        language: [realise(m, language) for m in _meanings(sentences, seed, language)]
        for language in languages
    }


def pairs(
    sentences: int,
    seed: int,
    *,
    without: tuple[int, int] | None = None,
    languages: Sequence[str] = LANGUAGES,
) -> dict[str, list[str]]:
    """Paired text: line i says the same in every language, and no two lines say the same.

    Args:
        sentences: lines.
        seed: pairs with different seeds are drawn apart, but may have a short sentence in common.
        without: (sentences, seed) of the `corpora` none of whose meanings may occur here.
        languages: those wanted.

    Raises:
        ValueError: an unknown language, a negative number of sentences.
    """
    known: set[Meaning] = set()
    if without is not None:
        for language in LANGUAGES:
            known.update(_meanings(*without, language))
    found: dict[Meaning, None] = {}
    count = sentences
    while len(found) < sentences:
        count += 64 + count // 4
        fresh = (m for m in draw(count, 4 * seed) if m not in known)
        found = dict.fromkeys(list(dict.fromkeys(fresh))[:sentences])
    return {language: [realise(m, language) for m in found] for language in languages}
