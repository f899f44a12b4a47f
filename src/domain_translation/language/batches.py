"""Minibatches of sentences: of one length each, more or less, and of about equally many tokens."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from domain_translation.language.vocabulary import PAD
from domain_translation.training import Batch, Batches

Ids = Sequence[Sequence[int]]


def pad(ids: Ids, device: torch.device | str = "cpu") -> Tensor:
    """Token ids of sentences as a tensor (B, n): PAD after those that are shorter than the longest.

    Raises ValueError without a sentence.
    """
    if not ids:
        raise ValueError("there are no sentences to put into a batch; give at least one")
    n = max(len(row) for row in ids)
    return torch.tensor([[*row, *[PAD] * (n - len(row))] for row in ids], device=device)


def by_length(ids: Ids) -> dict[int, list[int]]:
    """Number of tokens -> the sentences (rows of `ids`) that have as many."""
    groups: dict[int, list[int]] = {}
    for i, row in enumerate(ids):
        groups.setdefault(len(row), []).append(i)
    return groups


def token_batches(*texts: Ids, tokens: int = 600, paired: bool = False) -> Batches:
    """Draws sentences of each text, of about `tokens` tokens, for `training.fit`.

    Small batches learn faster here than large ones, because updates count more than their noise.
    A sentence is as likely in a batch as any other one of its text. The texts go to the device of
    the generator at the first draw; a draw does not wait for it.

    Args:
        texts: token ids of sentences; a batch holds a LongTensor (B_i, n_i) for each text.
        tokens: of a text in a batch at most, padding counted; one longer sentence comes alone.
        paired: lines i of all texts say the same: draw the same lines of each. Else the texts are
            drawn from independently.

    Raises:
        ValueError: a text without sentences, fewer than one token, or paired texts of different
            numbers of sentences.
    """
    if tokens < 1:
        raise ValueError(f"a batch of {tokens} tokens; ask for at least 1")
    if not texts or not all(texts):
        raise ValueError("cannot draw minibatches from a text without sentences; give at least one")
    if paired and len({len(text) for text in texts}) != 1:
        raise ValueError(
            f"paired texts have {', '.join(str(len(text)) for text in texts)} sentences; "
            f"give equally many, line by line"
        )
    pools = [_Pools(t, tokens) for t in ([texts] if paired else [[text] for text in texts])]
    return lambda generator: tuple(x for pool in pools for x in pool.draw(generator))


class _Pools:
    """Sentences sorted by length and cut into pools, from one of which a batch is drawn."""

    def __init__(self, texts: Sequence[Ids], tokens: int) -> None:
        lengths = [max(len(row) for row in rows) for rows in zip(*texts, strict=True)]
        cut = _cut(lengths, tokens)
        self.pools: list[Batch] = [tuple(pad([t[i] for i in rows]) for t in texts) for rows in cut]
        longest = [max(lengths[i] for i in rows) for rows in cut]
        # Sentences in a batch, and then how many batches a pool fills: drawn in this proportion,
        # its sentences are as likely as those of other pools.
        self.sizes = [
            max(1, min(tokens // n, len(rows))) for n, rows in zip(longest, cut, strict=True)
        ]
        self.rates = [len(rows) / size for rows, size in zip(cut, self.sizes, strict=True)]

    def draw(self, generator: Generator) -> Batch:
        """A batch: the pool is chosen on the host, the sentences on the device."""
        if self.pools[0][0].device != generator.device:
            self.pools = [tuple(x.to(generator.device) for x in pool) for pool in self.pools]
        (which,) = _host(generator).choices(range(len(self.pools)), self.rates)
        pool, size = self.pools[which], self.sizes[which]
        rows = torch.randint(len(pool[0]), (size,), generator=generator, device=generator.device)
        return tuple(x[rows] for x in pool)


def _cut(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Rows by length: those of one length together, with the next ones if they fill no batch."""
    groups: list[list[int]] = []
    full = True
    for length, rows in sorted(by_length([range(n) for n in lengths]).items()):
        if full:
            groups.append([])
        groups[-1] += rows
        full = len(groups[-1]) * length >= tokens
    return groups


def _host(generator: Generator) -> random.Random:
    """Random numbers of the host that follow from the generator's state.

    A number that was drawn on the device would have to be waited for.
    """
    return random.Random(generator.get_state().numpy().tobytes())
