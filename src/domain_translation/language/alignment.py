"""A dictionary from sentence pairs: which word of a translation comes from which (IBM model 1).

A translator that learns from it has seen no sentence pair, but others have, for it: this is weak
supervision, to be declared as such. A few hundred pairs give the common words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from domain_translation.language.lexicon import PART

Text = Sequence[Sequence[str]]


def dictionary_of_pairs(x: Sequence[str], y: Sequence[str], rounds: int = 5) -> dict[str, str]:
    """For every word and sign of x the likeliest of y, as it is mostly written within a sentence.

    p(w | v) is fitted by expectation and maximisation (Brown et al. 1993, model 1): each word w of
    a translation comes from one of the words v of its sentence, more likely from one that has often
    stood beside it.

    Args:
        x, y: sentences, of which those in one place say the same.
        rounds: of fitting.

    Raises ValueError: no pairs, or unequal numbers of sentences.
    """
    if not x or len(x) != len(y):
        raise ValueError(f"{len(x)} and {len(y)} sentences are no pairs; give as many of each")
    source, target = ([[w.lower() for w in PART.findall(s)] for s in text] for text in (x, y))
    words, others = _numbers(source), _numbers(target)
    pairs, link, token = _links(source, target, words, others)
    if len(pairs) == 0:
        return {}
    of = pairs[:, 0]
    likely = torch.ones(len(pairs), dtype=torch.float64)
    for _ in range(rounds):
        share = likely[link] / _sums(likely[link], token)[token]  # of a token's sources
        likely = _sums(share, link)
        likely = likely / _sums(likely, of)[of]
    forms, written = _forms(y), list(others)
    best = dict(pairs[likely.argsort(stable=True)].tolist())  # the last of a word is its likeliest
    return {word: forms[written[best[i]]] for word, i in words.items() if i in best}


def _numbers(text: Text) -> dict[str, int]:
    """The words, numbered from the rarest: of equally likely ones the commonest comes last."""
    counts = Counter(word for line in text for word in line)
    ordered = sorted(counts, key=lambda word: (counts[word], word))
    return {word: i for i, word in enumerate(ordered)}


def _links(
    x: Text, y: Text, words: dict[str, int], others: dict[str, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Every token of y beside every token of its x.

    Returns:
        The pairs of words (n, 2) that occur; for each meeting of tokens, which of the pairs it is
        (m,), and which token of y takes part (m,).
    """
    meetings = [(words[v], others[w]) for a, b in zip(x, y, strict=True) for w in b for v in a]
    lengths = [len(a) for a, b in zip(x, y, strict=True) for _ in b]
    token = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths, dtype=torch.long))
    both = torch.tensor(meetings, dtype=torch.long).reshape(-1, 2)
    key, link = torch.unique(both[:, 0] * len(others) + both[:, 1], return_inverse=True)
    return torch.stack([key // len(others), key % len(others)], dim=1), link, token


def _sums(values: Tensor, group: Tensor) -> Tensor:
    return values.new_zeros(int(group.max()) + 1).index_add_(0, group, values)


def _forms(sentences: Sequence[str]) -> dict[str, str]:
    """How a word is mostly written; a sentence's first one has its capital from there."""
    written, first = defaultdict[str, Counter[str]](Counter), dict[str, str]()
    for sentence in sentences:
        found = PART.findall(sentence)
        first |= {word.lower(): word.lower() for word in found[:1]}
        for word in found[1:]:
            written[word.lower()][word] += 1
    return first | {word: counts.most_common(1)[0][0] for word, counts in written.items()}
