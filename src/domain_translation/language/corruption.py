"""What training does to sentences: masked words for XLM, and noise for denoising."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from domain_translation.language.vocabulary import EOS, MASK, PAD, SPECIAL


def mask_tokens(
    x: Tensor, vocabulary_size: int, generator: Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Choose tokens to be predicted, and hide most of them (lcool.train.xlm).

    Of the chosen ones 80 % become MASK, 10 % any token of text, perhaps the same, and 10 % stay,
    so that the network cannot tell which tokens it will be asked for. EOS is never chosen.

    Args:
        x: token ids (B, n), padded with PAD.
        vocabulary_size: tokens in all.
        generator: on the device of `x`.
        share: of the tokens of text that are chosen.

    Returns:
        What the network reads (B, n), and which tokens it shall predict: a mask (B, n).
    """
    where, how = (torch.rand(x.shape, generator=generator, device=x.device) for _ in range(2))
    other = torch.randint(SPECIAL, vocabulary_size, x.shape, generator=generator, device=x.device)
    chosen = (where < share) & (x >= SPECIAL)
    noisy = torch.where(how < 0.8, MASK, torch.where(how < 0.9, other, x))
    return torch.where(chosen, noisy, x), chosen


def word_noise(
    x: Tensor,
    generator: Generator,
    drop: float = 0.1,
    blank: float = 0.1,
    shuffle: int = 3,
    starts: Tensor | None = None,
) -> Tensor:
    """Drop, blank and shuffle words (Lample et al. 2018, section 2.3), for denoising.

    EOS stays last, and one word at least is left.

    Args:
        x: token ids (B, n), EOS last, padded with PAD.
        generator: on the device of `x`.
        drop, blank: probabilities that a word is left out, or each of its tokens becomes MASK.
        shuffle: most places that a word moves, before words are dropped; 0 keeps the order.
        starts: tokens (V,) that begin a word (`Vocabulary.starts`), whose pieces then stay
            together; None makes each token a word.

    Returns:
        Token ids (B, n), with more padding where words were dropped.
    """
    text = (x != PAD) & (x != EOS)
    begins = text if starts is None else text & starts[x]
    word = begins.cumsum(1)  # (B, n) which word a token belongs to
    shape, device = (len(x), x.shape[1] + 1), x.device
    left_out, blanked, moved = (
        torch.rand(shape, generator=generator, device=device).gather(1, word) for _ in range(3)
    )
    most = left_out.masked_fill(~text, 0.0).amax(1, keepdim=True)
    dropped = text & (left_out < drop) & (left_out < most)
    y = torch.where(text & (blanked < blank), MASK, x)
    # Word i moves to the rank of i + u, u uniform on [0, shuffle + 1): it meets no farther word.
    place = word + (shuffle + 1) * moved
    place = torch.where(x == EOS, x.shape[1] + shuffle + 2.0, place)
    gone = dropped | (x == PAD)
    order = place.masked_fill(gone, torch.inf).argsort(dim=1, stable=True)
    return y.masked_fill(gone, PAD).gather(1, order)
