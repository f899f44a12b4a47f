"""Trainings of a translator, at toy size: what they learn, what a stop costs, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from domain_translation.language import pretraining, unsupervised
from domain_translation.language.batches import pad
from domain_translation.language.objective import WARM_UP, schedule
from domain_translation.language.pretraining import train_mlm
from domain_translation.language.supervised import train_supervised
from domain_translation.language.unsupervised import back_translate, train_unsupervised
from domain_translation.language.vocabulary import EOS, MASK, PAD, Vocabulary
from domain_translation.language.xlm import QUICK, XLM, translation_loss
from domain_translation.runtime import seeded
from domain_translation.training import TrainingError
from domain_translation.training.checkpoints import CheckpointError

WORDS = {
    "en": ["red", "green", "blue", "small", "large"],
    "fr": ["rouge", "vert", "bleu", "petit", "grand"],
}
BOTH = [("en", "fr"), ("fr", "en")]


def sentences(language: str, count: int = 60, seed: int = 0) -> list[str]:
    """Three words each; line i says the same in both languages."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(5, (count, 3), generator=generator).tolist()
    return [" ".join(WORDS[language][i] for i in row) for row in rows]


TEXT = {language: sentences(language) for language in WORDS}
VOCABULARY = Vocabulary.train(TEXT, 300)
IDS = {language: VOCABULARY.encode(text) for language, text in TEXT.items()}
UNPAIRED = {"en": IDS["en"][:30], "fr": IDS["fr"][30:]}
PAIRS = {(s, t): (IDS[s], IDS[t]) for s, t in BOTH}


def network(seed: int = 0) -> XLM:
    config = replace(
        QUICK, vocabulary=len(VOCABULARY), languages=("en", "fr"), dim=16, heads=2, layers=1
    )
    with seeded(seed):
        return XLM(config)


Train = Callable[..., Tensor]
TRAININGS: dict[str, Train] = {
    "pretraining": lambda model, **how: train_mlm(model, VOCABULARY, UNPAIRED, tokens=60, **how),
    "supervised": lambda model, **how: train_supervised(model, VOCABULARY, PAIRS, tokens=60, **how),
    "noisy": lambda model, **how: train_supervised(
        model, VOCABULARY, PAIRS, tokens=60, noise=True, **how
    ),
    "unsupervised": lambda model, **how: train_unsupervised(
        model, VOCABULARY, UNPAIRED, directions=BOTH, tokens=60, **how
    ),
}


@pytest.mark.parametrize("train", TRAININGS.values(), ids=TRAININGS)
def test_losses_fall(train: Train) -> None:
    losses = train(network(), steps=40, learning_rate=2e-2).mean(1)
    assert losses[-10:].mean() < 0.8 * losses[:10].mean()


def test_what_is_not_denoised_costs_no_update() -> None:
    losses = train_unsupervised(
        network(), VOCABULARY, UNPAIRED, directions=BOTH, denoised=(), steps=2, tokens=60
    )
    assert losses.shape == (2, len(BOTH))


@pytest.mark.parametrize("train", TRAININGS.values(), ids=TRAININGS)
def test_a_training_that_was_stopped_ends_with_the_same_bits(train: Train, tmp_path: Path) -> None:
    whole, stopped, resumed = network(), network(), network(1)
    losses = train(whole, steps=8, seed=3)
    file = tmp_path / "run.safetensors"
    assert len(train(stopped, steps=8, seed=3, stop=3, checkpoint=file)) == 3
    again = train(resumed, steps=8, seed=3, checkpoint=file)
    assert torch.equal(losses, again)
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(CheckpointError, match="another run"):
        train(network(), steps=9, seed=3, checkpoint=file)


@pytest.mark.parametrize("train", TRAININGS.values(), ids=TRAININGS)
def test_a_network_that_is_not_finite_is_seen(train: Train) -> None:
    model = network()
    with torch.no_grad():
        next(p for p in model.parameters() if p.ndim > 1).fill_(torch.nan)
    with pytest.raises(TrainingError, match="the loss of"):
        train(model, steps=2)


def test_hidden_pieces_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all pieces masked, the first loss is that of a network that sees masks only."""
    read: list[Tensor] = []

    def all_of_them(x: Tensor, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        assert size == len(VOCABULARY)
        read.append(x)
        return torch.full_like(x, MASK), x != PAD

    monkeypatch.setattr(pretraining, "mask_tokens", all_of_them)
    model = network()
    (losses,) = train_mlm(model, VOCABULARY, {"en": UNPAIRED["en"]}, tokens=60, steps=1)
    (x,) = read
    with torch.no_grad():
        logits = network().masked_logits(torch.full_like(x, MASK), "en")
    torch.testing.assert_close(losses[0], cross_entropy(logits[x != PAD], x[x != PAD]))


def test_a_back_translation_is_what_the_network_says_without_gradients() -> None:
    model = network()
    y = pad(IDS["fr"][:5])
    x = back_translate(model, y, "fr", "en", VOCABULARY.allowed("en"))
    assert len(x) == 5
    assert not x.requires_grad
    said = x[x != PAD]
    assert VOCABULARY.allowed("en")[said].all()
    assert ((x == EOS).sum(1) == 1).all()


def test_back_translation_reads_made_sentences_and_writes_real_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sources that a direction learns from are made from its targets, by the way back."""
    asked: list[tuple[str, str]] = []
    learnt: list[tuple[str, Tensor, Tensor]] = []
    made = pad([[7, 8, EOS]])

    def fake(model: XLM, y: Tensor, target: str, source: str, allowed: Tensor) -> Tensor:
        asked.append((target, source))
        return made.expand(len(y), -1)

    def loss(
        model: XLM, code: Tensor, mask: Tensor, y: Tensor, target: str, allowed: Tensor
    ) -> Tensor:
        assert torch.equal(allowed, VOCABULARY.allowed(target))
        learnt.append((target, code.detach(), y))
        return translation_loss(model, code, mask, y, target, allowed)

    monkeypatch.setattr(unsupervised, "back_translate", fake)
    monkeypatch.setattr(unsupervised, "translation_loss", loss)
    TRAININGS["unsupervised"](network(), steps=1)
    assert asked == [("fr", "en"), ("en", "fr")]
    assert [target for target, *_ in learnt] == ["en", "fr", "fr", "en"]
    for target, code, y in learnt:
        real = {tuple(sentence) for sentence in UNPAIRED[target]}
        assert all(tuple(row[row != PAD].tolist()) in real for row in y)
        assert (code.shape[1] == 3) == (code is not learnt[0][1] and code is not learnt[1][1])


def test_pairs_teach_what_text_alone_cannot() -> None:
    model = network()
    train_supervised(model, VOCABULARY, PAIRS, steps=100, tokens=120, learning_rate=2e-2)
    x = pad(IDS["en"][:20])
    found = VOCABULARY.decode(
        [
            [piece for piece in row if piece != PAD]
            for row in back_translate(model, x, "en", "fr", VOCABULARY.allowed("fr")).tolist()
        ]
    )
    right = sum(a == b for a, b in zip(found, TEXT["fr"], strict=False))
    assert right > 10


def test_the_learning_rate_rises_stays_and_falls() -> None:
    factor = schedule(1000)
    assert factor(0) == 1 / WARM_UP
    assert factor(WARM_UP) == factor(500) == 1
    assert factor(750) == 0.5
    assert factor(999) == pytest.approx(0.002)


def test_bad_directions_are_refused() -> None:
    with pytest.raises(ValueError, match="en-fr is to be learnt without fr-en"):
        train_unsupervised(network(), VOCABULARY, UNPAIRED, directions=[("en", "fr")], steps=1)
    with pytest.raises(ValueError, match="no text in 'de'"):
        train_unsupervised(
            network(), VOCABULARY, UNPAIRED, directions=[("de", "en"), ("en", "de")], steps=1
        )
    with pytest.raises(ValueError, match="de is to be denoised, and there is text in en, fr only"):
        train_unsupervised(
            network(), VOCABULARY, UNPAIRED, directions=BOTH, denoised=["de"], steps=1
        )
    pairs = {("en", "fr"): (IDS["en"], IDS["fr"][:-1])}
    with pytest.raises(ValueError, match="have 60, 59 sentences"):
        train_supervised(network(), VOCABULARY, pairs, steps=1)
