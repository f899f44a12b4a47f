"""Search for a translation: the likeliest token at every step, or a beam of several prefixes.

Both write token by token with a cache, look at the device once a token, leave out tokens that the
target language does not have, and spend nothing on sentences that are finished. They give token
ids that end with EOS, as `Vocabulary.encode` does.
"""

from __future__ import annotations

import torch
from torch import Tensor

from domain_translation.language.attention import Cache
from domain_translation.language.vocabulary import BOS, EOS, PAD
from domain_translation.language.xlm import XLM
from domain_translation.sampling.inputs import evaluating


@torch.no_grad()
def greedy(
    model: XLM,
    code: Tensor,
    mask: Tensor | None,
    language: str,
    allowed: Tensor,
    limit: int | None = None,
) -> list[list[int]]:
    """Token ids of a translation of every sentence, the likeliest token at each step.

    Args:
        code: of the encoder (B, n, d).
        mask: (B, n) False where the code is padding; None if it is nowhere.
        language: to write.
        allowed: (V,) tokens that may be written, of `Vocabulary.allowed`.
        limit: most tokens of a translation, EOS included; None is 10 + 1.5 times its sentence.
    """
    code, mask, most, allowed = _start(model, code, mask, allowed, limit)
    found = mask.new_full((len(code), int(most.max())), PAD, dtype=torch.long)
    rows = torch.arange(len(code), device=code.device)  # the sentences that are not finished
    prefix, cache = found.new_full((len(code), 1), BOS), Cache()
    with evaluating(model):
        for t in range(found.shape[1]):
            logits = model.decode(code, mask, prefix, language, cache)[:, -1]
            token = logits.masked_fill(~allowed, -torch.inf).argmax(1)
            token = token.where(most > t + 1, EOS)
            found[rows, t] = token
            going = (token != EOS).nonzero()[:, 0]
            if len(going) == 0:
                break
            prefix = torch.cat([prefix, token[:, None]], 1)
            if len(going) < len(rows):
                rows, prefix, most = rows[going], prefix[going], most[going]
                code, mask = code[going], mask[going]
                cache.select(going)
    return _lists(found)


@torch.no_grad()
def beam(
    model: XLM,
    code: Tensor,
    mask: Tensor | None,
    language: str,
    allowed: Tensor,
    width: int,
    length_penalty: float = 1.0,
    limit: int | None = None,
) -> list[list[int]]:
    """Token ids of a translation of every sentence, the best of `width` prefixes kept at each step.

    Prefixes y are compared by log p(y | code) / len(y)^length_penalty, EOS counted; one that ends
    keeps its place until `width` better ones push it out. A width of 1 is `greedy`.

    Args: as for `greedy`, and
        width: prefixes of each sentence, >= 1.
        length_penalty: >= 0; 0 prefers short translations, 1 compares means over tokens.

    Raises:
        ValueError: a width below 1 or a negative penalty.
    """
    _check(width, length_penalty)
    code, mask, most, allowed = _start(model, code, mask, allowed, limit)
    found = mask.new_full((len(code), int(most.max())), PAD, dtype=torch.long)
    rows = torch.arange(len(code), device=code.device)
    code, mask = code.repeat_interleave(width, 0), mask.repeat_interleave(width, 0)
    prefix, cache = found.new_full((len(rows), width, 1), BOS), Cache()
    total = code.new_full((len(rows), width), -torch.inf)  # log p of every prefix
    total[:, 0] = 0.0  # one prefix to begin with
    length, ended = torch.zeros_like(total), torch.zeros_like(total, dtype=torch.bool)
    with evaluating(model):
        for t in range(found.shape[1]):
            logits = model.decode(code, mask, prefix.flatten(0, 1), language, cache)[:, -1]
            steps = _log_p(logits.view(*total.shape, -1), allowed, ended, most <= t + 1)
            length = length + ~ended
            candidates = total[..., None] + steps  # (sentences, width, V)
            score = candidates / length[..., None] ** length_penalty
            best, where = score.flatten(1).topk(width)
            parent, token = where // steps.shape[-1], where % steps.shape[-1]
            total = candidates.flatten(1).gather(1, where)
            length = length.gather(1, parent)
            ended = ended.gather(1, parent) | (token == EOS)
            prefix = prefix.gather(1, parent[..., None].expand(-1, -1, t + 1))
            prefix = torch.cat([prefix, token[..., None]], 2)

            # A prefix only loses probability; the longest would divide it by most.
            hope = (total / most[:, None] ** length_penalty).masked_fill(ended, -torch.inf).amax(1)
            done = ended[:, 0] & (hope <= best[:, 0])
            found[rows, : t + 1] = prefix[:, 0, 1:]  # final where done
            going = (~done).nonzero()[:, 0]
            if len(going) == 0:
                break
            flat = torch.arange(len(rows) * width, device=code.device).view(-1, width)
            chosen = flat.gather(1, parent)[going].flatten()
            cache.select(chosen)
            code, mask = code[chosen], mask[chosen]
            rows, most, prefix = rows[going], most[going], prefix[going]
            total, length, ended = total[going], length[going], ended[going]
    return _lists(found)


def _check(width: int, length_penalty: float) -> None:
    if width < 1 or length_penalty < 0:
        raise ValueError(
            f"a beam of width {width} with length penalty {length_penalty}; "
            f"the width is at least 1, the penalty at least 0"
        )


def _start(
    model: XLM, code: Tensor, mask: Tensor | None, allowed: Tensor, limit: int | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Code, its mask, the most tokens of each translation (B,), and the tokens allowed."""
    if mask is None:
        mask = torch.ones(code.shape[:2], dtype=torch.bool, device=code.device)
    lengths = mask.sum(1)
    most = 10 + lengths + lengths // 2 if limit is None else torch.full_like(lengths, limit)
    return code, mask, most.clamp(1, model.config.positions), allowed.to(code.device)


def _log_p(logits: Tensor, allowed: Tensor, ended: Tensor, last: Tensor) -> Tensor:
    """log p (sentences, width, V) of the next token: PAD after an end, EOS if it is the last."""
    log_p = logits.masked_fill(~allowed, -torch.inf).log_softmax(-1)
    tokens = torch.arange(log_p.shape[-1], device=log_p.device)
    log_p = log_p.masked_fill(last[:, None, None] & (tokens != EOS), -torch.inf)
    after = torch.zeros_like(log_p).masked_fill(tokens != PAD, -torch.inf)
    return torch.where(ended[..., None], after, log_p)


def _lists(found: Tensor) -> list[list[int]]:
    return [[i for i in row if i != PAD] for row in found.tolist()]
