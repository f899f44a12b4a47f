"""Cooling where words are: a chain over tokens, driven by a masked language model.

A step along a score leaves the words: no token lies between two others. The chain that L-Cool's
conjecture on its Input variant (lcool.claim.input_degrades) asks for moves from token to token. A
masked language model gives what it needs, log p(token at j | all others): at temperature 1 its
chain is Gibbs sampling, at temperature 0 iterated conditional modes (Besag 1986, On the statistical
analysis of dirty pictures), an ascent of the pseudo-likelihood sum_j log p(x_j | x_others).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from domain_translation.cooling.cool import chain_seed, sample_ids
from domain_translation.language.batches import by_length, pad
from domain_translation.language.vocabulary import MASK, SUBWORDS, Vocabulary
from domain_translation.language.xlm import XLM
from domain_translation.sampling.inputs import evaluating

MaskedLogits = Callable[[Tensor], Tensor]  # tokens (B, n) -> unnormalised log p (B, n, V)


@torch.no_grad()
def cool_tokens(
    masked_logits: MaskedLogits,
    x: Tensor,
    *,
    mask: int,
    allowed: Tensor,
    threshold: float = 0.0,
    temperature: float = 0.0,
    steps: int = 1,
    seed: int = 0,
    ids: Sequence[int] | None = None,
) -> Tensor:
    """Visit every place of a sentence, from left to right, and draw its token anew; `steps` times.

    The token at place j is drawn from p(. | all others)^(1/T), in which the present one counts
    exp(threshold) times. At T = 0 it is thus replaced where another is more than `threshold` nats
    likelier, by the likeliest; with threshold 0 and T > 0 the chain is Gibbs sampling of p^(1/T).

    Args:
        masked_logits: of a masked language model, (B, n) int64 -> (B, n, V).
        x: sentences of one exact length (B, n), int64; it is not changed.
        mask: id of the token that hides the place in question.
        allowed: boolean (V,): tokens that may be put in. Places that hold others (end marks,
            unknown signs) are left alone.
        threshold: nats in favour of the present token, finite, 0 or larger.
        temperature: T, in [0, 1).
        steps: sweeps over the sentence, at least 1; at T = 0 fewer, once nothing changes.
        seed: of the draws, 0 or larger; without effect at T = 0.
        ids: one number >= 0 per sentence, which with `seed` decides its draws; by default its
            place in the batch.

    Returns:
        the sentences after cooling (B, n).

    Raises:
        ValueError: a temperature outside [0, 1), a negative threshold, no steps, no token that is
            allowed, logits that are not finite or of another shape, ids of another length.
    """
    _check(x, allowed, threshold, temperature, steps)
    draws = _uniform(x, sample_ids(x, ids), seed, steps).to(x.device)
    x, allowed = x.clone(), allowed.to(x.device)
    movable = allowed[x]
    places = movable.any(0).nonzero().flatten().tolist()
    for sweep in range(steps):
        before, finite = x.clone(), torch.ones((), dtype=torch.bool, device=x.device)
        for j in places:
            logits = _logits(masked_logits, x, j, mask, len(allowed))
            finite &= logits.isfinite().all()
            token = _draw(logits, x[:, j], allowed, threshold, temperature, draws[:, sweep, j])
            x[:, j] = torch.where(movable[:, j], token, x[:, j])
        if not finite:
            raise ValueError("the language model gave NaN or infinite logits; check its parameters")
        if temperature == 0 and torch.equal(x, before):
            break
    return x


def _logits(masked_logits: MaskedLogits, x: Tensor, j: int, mask: int, tokens: int) -> Tensor:
    """Logits (B, V) of the token at place j, which is hidden."""
    hidden = x.clone()
    hidden[:, j] = mask
    logits = masked_logits(hidden)
    if logits.shape != (*x.shape, tokens):
        raise ValueError(
            f"the language model gave logits {tuple(logits.shape)} for tokens {tuple(x.shape)} out "
            f"of {tokens}; give (B, n, V)"
        )
    return logits[:, j]


def _draw(
    logits: Tensor,
    present: Tensor,
    allowed: Tensor,
    threshold: float,
    temperature: float,
    uniform: Tensor,
) -> Tensor:
    """A token for each sentence, (B,), from the logits (B, V) of its place."""
    log_p = logits.log_softmax(-1).masked_fill(~allowed, -math.inf)
    log_p.scatter_add_(1, present[:, None], torch.full_like(log_p[:, :1], threshold))
    if temperature == 0:
        return log_p.argmax(-1)
    below = (log_p / temperature).softmax(-1).cumsum(-1)
    goal = uniform[:, None].to(below) * below[:, -1:]
    return torch.searchsorted(below, goal, right=True).squeeze(1).clamp(max=len(allowed) - 1)


def _uniform(x: Tensor, ids: Sequence[int], seed: int, steps: int) -> Tensor:
    """U(0, 1) numbers (B, steps, n): a sentence's own, whatever the batch and the device."""
    streams = [Generator().manual_seed(chain_seed(seed, i)) for i in ids]
    shape = (steps, x.shape[1])
    return torch.stack([torch.rand(shape, generator=g) for g in streams])


def _check(x: Tensor, allowed: Tensor, threshold: float, temperature: float, steps: int) -> None:
    if x.ndim != 2 or x.dtype != torch.int64 or len(x) == 0:
        raise ValueError(
            f"tokens are {x.dtype} of shape {tuple(x.shape)}; give int64 (sentences, tokens) of "
            f"one exact length, at least one sentence"
        )
    if allowed.ndim != 1 or allowed.dtype != torch.bool or not bool(allowed.any()):
        raise ValueError("no token is allowed; give a boolean (V,) with at least one that is")
    if not 0 <= int(x.min()) <= int(x.max()) < len(allowed):
        raise ValueError(
            f"tokens go from {int(x.min())} to {int(x.max())}, but {len(allowed)} are said to be "
            f"allowed or not; give a boolean (V,) for the whole vocabulary"
        )
    if not 0 <= temperature < 1:
        raise ValueError(f"cooling at temperature {temperature}: give 0 <= temperature < 1")
    if not 0 <= threshold < math.inf or steps < 1:
        raise ValueError(
            f"threshold {threshold} nats and {steps} sweeps; give a finite threshold of 0 or "
            f"larger and at least one sweep"
        )


def cool_words(
    model: XLM,
    vocabulary: Vocabulary,
    sentences: Sequence[str],
    language: str,
    *,
    threshold: float = 0.0,
    temperature: float = 0.0,
    steps: int = 1,
    seed: int = 0,
    ids: Sequence[int] | None = None,
    batch: int = 64,
) -> list[str]:
    """`cool_tokens` of a text, with XLM's masked language model.

    Subwords of the language take each other's places; single bytes, end marks, and sentences none
    of whose subwords is replaced stay as they are.

    Args:
        model: trained by `language.pretraining.train_mlm`; in evaluation mode meanwhile.
        vocabulary: of `model`.
        sentences: a line each.
        language: theirs, one of the model's.
        threshold, temperature, steps, seed: see `cool_tokens`.
        ids: one number >= 0 per sentence; by default its place in the text.
        batch: sentences in the model at a time.

    Raises:
        ValueError: an unknown language, no sentences, and what `cool_tokens` refuses.
    """
    if not sentences or batch < 1:
        raise ValueError(
            f"{len(sentences)} sentences, {batch} at a time; give at least one of each"
        )
    device = next(model.parameters()).device
    tokens, lines = vocabulary.encode(sentences), list(sentences)
    numbers = sample_ids(torch.empty(len(tokens)), ids)
    allowed = vocabulary.allowed(language)
    allowed[:SUBWORDS] = False
    groups = [rows for _, rows in sorted(by_length(tokens).items())]
    for rows in [group[i : i + batch] for group in groups for i in range(0, len(group), batch)]:
        with evaluating(model):
            cooled = cool_tokens(
                lambda x: model.masked_logits(x, language),
                pad([tokens[row] for row in rows], device),
                mask=MASK,
                allowed=allowed,
                threshold=threshold,
                temperature=temperature,
                steps=steps,
                seed=seed,
                ids=[numbers[row] for row in rows],
            ).tolist()
        for row, found in zip(rows, cooled, strict=True):
            if found != tokens[row]:
                lines[row] = vocabulary.decode([found])[0]
    return lines
