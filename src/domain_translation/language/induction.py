"""A dictionary from text without pairs: words are known by the company they keep.

Words that are written alike in both languages, as names and cognates are, translate each other.
How much more often than by chance a word stands in a sentence with each of them is its profile,
which needs no rotation to be compared between languages. The surest matches join the known words,
and so on: bootstrapping in the manner of Haghighi et al. (2008), with the hubs taken away (CSLS).
It works where words differ in what they are said of, and nowhere else.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from domain_translation.language.lexicon import csls

LETTERS = 4  # words alike with fewer are often no translations: "a", "as"
FREQUENCY = 0.05  # price of a factor e between the frequencies of two words, in cosines
COMMON = 30  # sentences a word stands in before its match counts as sure
_WORD = re.compile(r"\w+(?:-\w+)*['’]?")


class Company(NamedTuple):
    """Which words stand together in a sentence."""

    words: list[str]  # as they are mostly written within a sentence, the commonest first
    often: Tensor  # (n,) sentences with a word
    together: Tensor  # (n, n) sentences with both words
    sentences: int


def company(sentences: Sequence[str], rarest: int = 5) -> Company:
    """Count the words of a text, and their pairs.

    Args:
        sentences: of one language.
        rarest: words in fewer sentences are left out.

    Raises ValueError: no word is so common.
    """
    text, written = [], defaultdict[str, Counter[str]](Counter)
    for sentence in sentences:
        found = _WORD.findall(sentence)
        text.append({word.lower() for word in found})
        for word in found[1:]:  # the first one has its capital from there
            written[word.lower()][word] += 1
    counts = Counter(word for held in text for word in held)
    words = sorted((w for w in counts if counts[w] >= rarest), key=lambda w: (-counts[w], w))
    if not words:
        raise ValueError(f"no word stands in {rarest} of {len(text)} sentences; give more text")
    index = {word: i for i, word in enumerate(words)}
    together = torch.zeros(len(words), len(words))
    for start in range(0, len(text), 4096):
        part = text[start : start + 4096]
        held = torch.zeros(len(part), len(words))
        where = [(k, index[w]) for k, words_of in enumerate(part) for w in words_of if w in index]
        held[tuple(torch.tensor(where).T)] = 1.0
        together += held.T @ held
    forms = [written[w].most_common(1)[0][0] if w in written else w for w in words]
    return Company(forms, together.diagonal().clone(), together, len(text))


def profiles(x: Company, anchors: Tensor) -> Tensor:
    """Unit vectors of words by their company (n, k): what stands with each of the anchors (k,).

    The logarithm of how often over how often by chance, both plus one, less its mean.
    """
    chance = x.often[:, None] * x.often[anchors] / x.sentences
    ratio = ((x.together[:, anchors] + 1) / (chance + 1)).log()
    return normalize(ratio - ratio.mean(1, keepdim=True), dim=1)


def alike(x: Company, y: Company) -> Tensor:
    """Words of both texts that are written alike (k, 2): row of x, row of y."""
    index = {word.lower(): i for i, word in enumerate(y.words) if len(word) >= LETTERS}
    pairs = [(i, index[w.lower()]) for i, w in enumerate(x.words) if w.lower() in index]
    return torch.tensor(pairs, dtype=torch.long).reshape(-1, 2)


def dictionary_of_text(
    x: Company, y: Company, *, rounds: int = 12, growth: int = 60
) -> dict[str, str]:
    """For every word of x its likeliest translation among those of y.

    Args:
        x, y: the two texts, which need not say the same.
        rounds: of matching.
        growth: so many more of the surest matches count as known in each round.

    Raises ValueError: no word is written alike in both texts.
    """
    known = alike(x, y)
    if len(known) == 0:
        raise ValueError(
            "no word is written alike in the two texts; there is nothing to begin with"
        )
    share_x, share_y = (text.often.div(text.sentences).log() for text in (x, y))
    rarer = (share_x[:, None] - share_y).abs()
    anchors = known
    for k in range(rounds):
        likeness = csls(profiles(x, anchors[:, 0]), profiles(y, anchors[:, 1])) - FREQUENCY * rarer
        there, back = likeness.argmax(1), likeness.argmax(0)
        best, second = likeness.topk(2, dim=1).values.T
        mutual = (back[there] == torch.arange(len(there))) & (x.often >= COMMON)
        sure = (best - second).masked_fill(~mutual, -torch.inf)
        found = sure.topk(min(growth * (k + 1), int(mutual.sum()))).indices
        joined = torch.cat([known, torch.stack([found, there[found]], dim=1)])
        anchors = torch.unique(joined, dim=0)
    certain = dict(known.tolist())
    return {w: y.words[certain.get(i, int(there[i]))] for i, w in enumerate(x.words)}
