"""Translators of sentences, and the files they are stored in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from domain_translation import runtime
from domain_translation.language import model_file
from domain_translation.language.batches import pad
from domain_translation.language.search import beam, greedy
from domain_translation.language.translator import Points, TextTranslator
from domain_translation.language.vocabulary import PAD, Vocabulary
from domain_translation.language.xlm import XLM, XLMConfig, translation_loss
from domain_translation.training import Batch, Losses, Player, checkpoints, fit
from domain_translation.training.checkpoints import CheckpointError

TEXT = {
    "en": [
        "Anna reads.",
        "The dog sleeps.",
        "The dog reads the book.",
        "Anna sleeps in the house.",
    ],
    "fr": ["Anna lit.", "Le chien dort.", "Le chien lit le livre.", "Anna dort dans la maison."],
}
WORDS = Vocabulary.train(TEXT, 320)
CONFIG = XLMConfig(len(WORDS), WORDS.languages, dim=32, heads=4, layers=1, positions=40)
LINES = [TEXT["en"][2], "", TEXT["en"][0], TEXT["en"][1], "Anna reads!"]


@pytest.fixture(scope="module")
def model() -> XLM:
    """A network that knows its four sentence pairs by heart."""
    with runtime.seeded(0):
        model = XLM(CONFIG)
    player, allowed = Player(model, 5e-3), WORDS.allowed("fr")
    x, y = (pad(WORDS.encode(TEXT[language])) for language in ("en", "fr"))

    def step(batch: Batch, generator: torch.Generator) -> Losses:
        x, y = batch
        loss = translation_loss(model, model.encode(x, "en"), x != PAD, y, "fr", allowed)
        return {"model": player.descend(loss)}

    fit(step, {"model": player}, lambda generator: (x, y), 60)
    return model.requires_grad_(False).eval()


@pytest.mark.parametrize("width", [1, 4])
def test_pairs_that_were_learned_are_translated(model: XLM, width: int) -> None:
    translator = TextTranslator(model, WORDS, "en", "fr", beam=width)
    assert translator.translate(TEXT["en"]) == TEXT["fr"]
    assert translator.translate(["", *TEXT["en"][::-1], ""]) == ["", *TEXT["fr"][::-1], ""]
    assert translator.translate([]) == []


@pytest.mark.parametrize("width", [1, 3])
def test_a_translation_is_that_of_the_search(model: XLM, width: int) -> None:
    ids = pad(WORDS.encode(LINES))
    code, mask, allowed = model.encode(ids, "en"), ids != PAD, WORDS.allowed("fr")
    found = (
        greedy(model, code, mask, "fr", allowed)
        if width == 1
        else beam(model, code, mask, "fr", allowed, width)
    )
    wanted = WORDS.decode(found)
    wanted[1] = ""
    for batch in (2, 64):
        translator = TextTranslator(model, WORDS, "en", "fr", width, batch=batch)
        assert translator.translate(LINES) == wanted


def test_points_are_grouped_by_exact_length(model: XLM) -> None:
    translator = TextTranslator(model, WORDS, "en", "fr")
    ids, groups = WORDS.encode(LINES), translator.embed(LINES)
    assert sorted(row for group in groups for row in group.rows) == list(range(len(LINES)))
    for group in groups:
        assert {len(ids[row]) for row in group.rows} == {group.x.shape[1]}
        for x, row in zip(group.x, group.rows, strict=True):
            assert torch.equal(x, model.source.words.weight[ids[row]])
            code = translator.code(Points(x[None], [row])).x[0]
            alone = model.encode(torch.tensor([ids[row]]), "en")[0]
            torch.testing.assert_close(code, alone, rtol=0, atol=1e-5)


def test_the_code_decides_what_is_written(model: XLM) -> None:
    translator = TextTranslator(model, WORDS, "en", "fr")
    first, second = (translator.code(translator.embed([TEXT["en"][i]])[0]) for i in (0, 1))
    assert translator.decode([Points(second.x, [0])]) == TEXT["fr"][1:2]
    assert translator.decode([Points(second.x, [1]), Points(first.x, [0])]) == TEXT["fr"][:2]


def test_bad_translators_and_sentences_are_refused(model: XLM) -> None:
    with pytest.raises(ValueError, match="unknown language 'de'; this model has en, fr"):
        TextTranslator(model, WORDS, "en", "de")
    with pytest.raises(ValueError, match="source and target are both 'en'"):
        TextTranslator(model, WORDS, "en", "en")
    with pytest.raises(ValueError, match="use the vocabulary that the model was trained with"):
        TextTranslator(model, Vocabulary.train(TEXT, 310), "en", "fr")
    translator = TextTranslator(model, WORDS, "en", "fr")
    with pytest.raises(ValueError, match=r"sentence 2 has \d+ tokens; this model takes at most 40"):
        translator.translate(["Anna reads.", "Anna reads. " * 40])


# Files


def test_a_translator_comes_back_from_its_file(model: XLM, tmp_path: Path) -> None:
    model_file.save(tmp_path / "m", model, WORDS, {"trained": "by heart"})
    stored = model_file.load(tmp_path / "m", WORDS)
    assert stored.card["trained"] == "by heart"
    assert stored.card["vocabulary_sha256"] == stored.vocabulary.digest() == WORDS.digest()
    assert stored.model.config == CONFIG
    assert not stored.model.training
    for name, value in model.state_dict().items():
        assert torch.equal(stored.model.state_dict()[name], value)
    assert TextTranslator(*stored[:2], "en", "fr").translate(TEXT["en"]) == TEXT["fr"]


def test_half_precision_takes_half_the_room_and_translates_alike(
    model: XLM, tmp_path: Path
) -> None:
    model_file.save(tmp_path / "full", model, WORDS)
    model_file.save(tmp_path / "half", model, WORDS, dtype=torch.float16)
    full, half = (
        (tmp_path / name).stat().st_size - len(WORDS.to_bytes()) for name in ("full", "half")
    )
    assert half < 0.6 * full
    stored = model_file.load(tmp_path / "half")
    assert {p.dtype for p in stored.model.parameters()} == {torch.float32}
    assert TextTranslator(*stored[:2], "en", "fr").translate(TEXT["en"]) == TEXT["fr"]


def test_vocabulary_and_network_are_not_mixed_up(model: XLM, tmp_path: Path) -> None:
    other = Vocabulary.train({"en": TEXT["fr"], "fr": TEXT["en"]}, len(WORDS))
    model_file.save(tmp_path / "m", model, WORDS)
    with pytest.raises(CheckpointError, match="was trained with another vocabulary"):
        model_file.load(tmp_path / "m", other)
    with pytest.raises(ValueError, match="as many tokens as the model, but others"):
        TextTranslator(model_file.load(tmp_path / "m").model, other, "en", "fr")
    with pytest.raises(ValueError, match="the model has 320 tokens of en, fr, the vocabulary 310"):
        model_file.save(tmp_path / "n", model, Vocabulary.train(TEXT, 310))
    assert not (tmp_path / "n").exists()


def test_files_of_other_things_are_refused(model: XLM, tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "other", {"w": torch.zeros(2)}, {"network": "ConvDenoiser"})
    with pytest.raises(CheckpointError, match="holds no translator of sentences"):
        model_file.load(tmp_path / "other")
    model_file.save(tmp_path / "m", model, WORDS)
    tensors, card = checkpoints.load(tmp_path / "m")
    card["arguments"]["layers"] = 2
    checkpoints.save(tmp_path / "altered", tensors, card)
    with pytest.raises(CheckpointError, match="cannot be built as its card says"):
        model_file.load(tmp_path / "altered")


def test_encoder_and_decoder_apart_are_stored_too(tmp_path: Path) -> None:
    with runtime.seeded(1):
        apart = XLM(replace(CONFIG, shared=False, norm="post"))
    model_file.save(tmp_path / "m", apart, WORDS)
    back = model_file.load(tmp_path / "m").model
    assert back.config == apart.config
    assert back.state_dict().keys() == apart.state_dict().keys()
