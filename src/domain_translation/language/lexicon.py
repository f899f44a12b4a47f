"""Words by words: what a dictionary alone translates, and how one is found without pairs.

`word_by_word` is the floor that every translator must beat, and `dictionary_sentences` makes of it
the first training pairs of a translator: weak supervision, to be declared as such. `induce` finds
a dictionary in two clouds of word vectors, which words of like use place alike (Mikolov et al.
2013; Lample et al. 2018, "Word translation without parallel data").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from domain_translation.language.objective import Direction

Dictionary = Mapping[str, str]
PART = re.compile(r"\w+(?:-\w+)*['’]?|[^\w\s]")  # "l'" is a word


def word_by_word(dictionary: Dictionary, sentence: str) -> str:
    """Each word for itself, in the order of the source; what has no entry stays as it is.

    A word is looked up as it is written, then in lower case, as at the beginning of a sentence,
    whose translation begins with a capital letter. Entries without text leave a word out.
    """
    words = [_translated(dictionary, part) for part in PART.findall(sentence)]
    text = " ".join(word for word in words if word)
    text = re.sub(r" ([.,!?;:])", r"\1", re.sub(r"(['’]) ", r"\1", text))
    return text[:1].upper() + text[1:] if sentence[:1].isupper() else text


def _translated(dictionary: Dictionary, word: str) -> str:
    return dictionary.get(word, dictionary.get(word.lower(), word))


def dictionary_sentences(
    dictionaries: Mapping[Direction, Dictionary],
    sentences: Mapping[str, Sequence[str]],
    directions: Sequence[Direction],
) -> dict[Direction, tuple[list[str], list[str]]]:
    """Training pairs of a dictionary: sources word by word, targets as they were written.

    Args:
        dictionaries: by (from, to). That of English to French makes the English-looking sources'
            way back, so that of (target, source) serves the direction (source, target).
        sentences: monolingual, by language.
        directions: of the pairs.

    Raises:
        ValueError: no dictionary for a direction.
    """
    pairs = {}
    for source, target in directions:
        if (target, source) not in dictionaries:
            raise ValueError(
                f"{source}-{target} takes a dictionary from {target} to {source}, since its "
                f"sources are made of {target} sentences; give one"
            )
        table = dictionaries[target, source]
        real = list(sentences[target])
        pairs[source, target] = [word_by_word(table, sentence) for sentence in real], real
    return pairs


def csls(x: Tensor, y: Tensor, neighbours: int = 10) -> Tensor:
    """Cross-domain similarity local scaling: 2 cos(x, y) - r(x) - r(y), (n, m).

    r is the mean cosine with the nearest neighbours in the other language. It takes away from
    words in the middle of everything, which would be everybody's nearest (Lample et al. 2018).
    """
    cosine = normalize(x, dim=1) @ normalize(y, dim=1).T
    near_x = cosine.topk(min(neighbours, len(y)), dim=1).values.mean(1, keepdim=True)
    near_y = cosine.topk(min(neighbours, len(x)), dim=0).values.mean(0, keepdim=True)
    return 2 * cosine - near_x - near_y


def procrustes(x: Tensor, y: Tensor) -> Tensor:
    """The rotation W (d, d) with the least sum of ||x_i W - y_i||^2 over pairs (n, d)."""
    u, _, v = torch.linalg.svd(x.T @ y)
    return u @ v


def induce(
    x: Tensor, y: Tensor, seeds: Tensor, *, rounds: int = 5, neighbours: int = 10
) -> tuple[Tensor, Tensor]:
    """Find for each word of one language its translation, from a few known ones.

    A rotation is fitted to the known pairs; words that are each other's nearest then join them;
    and so on.

    Args:
        x, y: word vectors of the two languages (n, d) and (m, d), commonest words first.
        seeds: known pairs (k, 2): row of x, row of y. Words that look the same will do.
        rounds: of fitting.
        neighbours: of `csls`.

    Returns:
        For each row of x the row of y (n,), and how sure that is: the CSLS margin over the second
        best (n,).

    Raises:
        ValueError: no pair to begin with, or vectors of two widths.
    """
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"word vectors have {x.shape[1]} and {y.shape[1]} coordinates; give equally many"
        )
    if len(seeds) == 0:
        raise ValueError("there is no pair of words to begin with; give at least one")
    x, y = normalize(x, dim=1), normalize(y, dim=1)
    pairs = seeds
    for _ in range(rounds):
        rotation = procrustes(x[pairs[:, 0]], y[pairs[:, 1]])
        likeness = csls(x @ rotation, y, neighbours)
        there, back = likeness.argmax(1), likeness.argmax(0)
        mutual = (back[there] == torch.arange(len(x), device=x.device)).nonzero().squeeze(1)
        pairs = torch.cat([seeds, torch.stack([mutual, there[mutual]], dim=1)])
    best = likeness.topk(2, dim=1).values
    return there, best[:, 0] - best[:, 1]


def word_vectors(
    sentences: Sequence[str], dim: int = 100, window: int = 3
) -> tuple[list[str], Tensor]:
    """Words by falling frequency, and for each what stands around it: PPMI, factorised (n, dim).

    Positive pointwise mutual information max(0, log p(w, c) / p(w) p(c)) of words and their
    neighbours, and its singular vectors, each times the root of its value (Levy and Goldberg 2014).

    Args:
        sentences: of one language.
        dim: coordinates; at most the number of words.
        window: how far a neighbour may stand.
    """
    text = [PART.findall(sentence.lower()) for sentence in sentences]
    counts = Counter(word for sentence in text for word in sentence)
    words = sorted(counts, key=lambda word: (-counts[word], word))
    index = {word: i for i, word in enumerate(words)}
    flat = torch.tensor([index[word] for sentence in text for word in sentence])
    line = torch.tensor([i for i, sentence in enumerate(text) for _ in sentence])
    joint = torch.zeros(len(words) ** 2)
    for k in range(1, window + 1):
        near = line[k:] == line[:-k]
        joint += torch.bincount((flat[:-k] * len(words) + flat[k:])[near], minlength=len(joint))
    joint = joint.reshape(len(words), len(words))
    joint = (joint + joint.T) / (2 * joint.sum())
    alone = joint.sum(1)
    ppmi = (joint / (alone[:, None] * alone)).nan_to_num(0.0).log().clamp(min=0)
    u, values, _ = torch.linalg.svd(ppmi)
    return words, u[:, :dim] * values[:dim].sqrt()
