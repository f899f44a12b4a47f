"""The networks of language on another device: the bits of the CPU, and no wait in a training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from elsewhere import Run, To, assert_same_bits, assert_stays_there, here, place, pretend, there
from torch import Generator
from torch.nn.attention import SDPBackend, sdpa_kernel

from domain_translation import runtime
from domain_translation.language.batches import pad, token_batches
from domain_translation.language.corruption import mask_tokens, word_noise
from domain_translation.language.search import beam, greedy
from domain_translation.language.vocabulary import EOS, PAD, SPECIAL
from domain_translation.language.xlm import XLM, XLMConfig, decoder_from_encoder, translation_loss
from domain_translation.training import Batch, Losses, Player, fit

SIZE = SPECIAL + 15
TEXTS = [
    [[SPECIAL + (i * k) % 15 for k in range(i % 5 + s)] + [EOS] for i in range(20)] for s in (1, 2)
]
ALLOWED = torch.arange(SIZE) >= EOS


def model(to: To) -> XLM:
    with runtime.seeded(0):
        made = XLM(XLMConfig(SIZE, ("en", "fr"), dim=8, heads=2, layers=1, positions=30))
    return made.to(place(to))


def training(steps: int, to: To) -> Any:
    """Masked words, then denoising and translation of pairs."""
    network, allowed = model(to), to(ALLOWED)
    player = Player(network, 1e-2)

    def step(batch: Batch, generator: Generator) -> Losses:
        x, y = batch
        read, chosen = mask_tokens(x, SIZE, generator)
        wanted = x.masked_fill(~chosen, -100).flatten()
        logits = network.masked_logits(read, "en").flatten(0, 1)
        words = player.descend(torch.nn.functional.cross_entropy(logits, wanted, reduction="sum"))
        noisy = word_noise(y, generator)
        code = network.encode(noisy, "fr")
        mended = translation_loss(network, code, noisy != PAD, y, "fr", allowed)
        mended = player.descend(mended)
        loss = translation_loss(network, network.encode(x, "en"), x != PAD, y, "fr", allowed)
        return {"words": words, "mended": mended, "pairs": player.descend(loss)}

    draw = token_batches(*TEXTS, tokens=30, paired=True)
    losses = fit(step, {"model": player}, draw, steps)
    return losses[:2], [p.detach() for p in network.parameters()] if steps == 2 else []


def test_training_neither_waits_nor_uploads() -> None:
    # The CPU's own kernel of attention, which the other device has not, sums in another order.
    with sdpa_kernel(SDPBackend.MATH):
        assert_stays_there(Run(training, (2, 4), waits=0, uploads=0))


def written(search: Any) -> Any:
    def run(limit: int, to: To) -> Any:
        network, ids = model(to), to(pad(TEXTS[0][:6]))
        with torch.no_grad():
            network.target.bias[EOS] = -1e9  # nothing ends before its limit
            code = network.encode(ids, "en")
        return search(network, code, ids != PAD, "fr", to(ALLOWED), limit)

    return run


@pytest.mark.parametrize(
    "search", [greedy, lambda *given: beam(*given[:-1], 3, limit=given[-1])], ids=["greedy", "beam"]
)
def test_a_search_looks_at_the_device_once_a_token(search: Any) -> None:
    assert_stays_there(Run(written(search), (5, 25), waits=1, uploads=0))


def test_a_decoder_starts_anywhere() -> None:
    def started(to: To) -> Any:
        network = model(to)
        decoder_from_encoder(network)
        return [p.detach() for p in network.parameters()]

    with pretend.accelerator(float64=False):
        found = started(there)
    assert_same_bits(found, started(here))
