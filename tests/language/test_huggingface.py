"""Encoder-decoders of Hugging Face, tiny and random: what nobody moved is translated as ever."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from domain_translation.cooling.text import cool_text, move_text, text_points
from domain_translation.cooling.text_fringe import Likely, nll
from domain_translation.denoising.sequences import SequenceDenoiser, sequence_score
from domain_translation.language.huggingface import HuggingFaceTranslator, load_huggingface
from domain_translation.language.translator import Points, Translates
from domain_translation.runtime import seeded

transformers = pytest.importorskip("transformers")

SENTENCES = ["the cat", "dog", "a cat eats", "the dog"]
EOS, FIRST, LETTERS = 2, 8, "abcdefghijklmnopqrstuvwxyz "
SHAPE = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
HEADS = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "d_model": 16}
COMMON = {"vocab_size": FIRST + len(LETTERS), "eos_token_id": EOS, "dropout": 0.3}
SMALL = {**SHAPE, **HEADS, **COMMON, "max_position_embeddings": 40, "pad_token_id": 1}


class Letters:
    """A tokenizer of letters; unlike real ones, it is built in a line and knows two languages."""

    src_lang: str | None = None
    unk_token_id = 3

    def __call__(self, lines: Sequence[str]) -> dict[str, list[list[int]]]:
        return {"input_ids": [[*(FIRST + LETTERS.index(c) for c in line), EOS] for line in lines]}

    def batch_decode(self, ids: Any, skip_special_tokens: bool) -> list[str]:
        assert skip_special_tokens
        return ["".join(LETTERS[i - FIRST] for i in row if i >= FIRST) for row in ids.tolist()]

    def convert_tokens_to_ids(self, language: str) -> int:
        return {"eng": 4, "fra": 5}.get(language, self.unk_token_id)


def make(architecture: str) -> Any:
    """A random model of an architecture; `scale_embedding` as in the published models."""
    t = transformers
    with seeded(3):
        if architecture == "marian":
            start = {"decoder_start_token_id": 1, "forced_eos_token_id": None}
            model = t.MarianMTModel(t.MarianConfig(**SMALL, **start, scale_embedding=True))
        elif architecture == "m2m100":
            start = {"decoder_start_token_id": EOS}
            model = t.M2M100ForConditionalGeneration(
                t.M2M100Config(**SMALL, **start, scale_embedding=True)
            )
        elif architecture == "bart":
            start = {"decoder_start_token_id": EOS, "forced_eos_token_id": None}
            model = t.BartForConditionalGeneration(t.BartConfig(**SMALL, **start))
        else:
            sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
            start = {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": EOS}
            size = {"vocab_size": COMMON["vocab_size"], "dropout_rate": 0.3}
            model = t.T5ForConditionalGeneration(t.T5Config(**sizes, **start, **size))
        for name, p in model.named_parameters():  # or all translations would be alike
            if p.ndim > 1:
                reading = "encoder_attn" in name or "EncDec" in name
                torch.nn.init.normal_(p, std=1.0 if reading else 0.4)
    return model


MODELS = ["marian", "m2m100", "bart", "t5"]


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    return make(request.param)


def inputs(sentences: Sequence[str]) -> dict[str, torch.Tensor]:
    ids = torch.tensor(Letters()(sentences)["input_ids"])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def encoded(model: Any, sentences: Sequence[str]) -> torch.Tensor:
    """What the model itself makes of sentences of one length."""
    model.eval()
    with torch.no_grad():
        return model.get_encoder()(**inputs(sentences)).last_hidden_state


@pytest.mark.parametrize("beam", [1, 3])
def test_what_nobody_moved_is_translated_as_by_the_model_itself(model: Any, beam: int) -> None:
    translator: Translates = HuggingFaceTranslator(model, Letters(), beam=beam, limit=6)
    found = translator.translate(SENTENCES)
    assert len(set(found)) > 1
    model.eval()
    for sentence, line in zip(SENTENCES, found, strict=True):
        ids = model.generate(
            **inputs([sentence]), num_beams=beam, do_sample=False, max_new_tokens=6
        )
        assert line == Letters().batch_decode(ids, skip_special_tokens=True)[0]


def test_the_way_over_the_embeddings_is_the_way_of_the_ids(model: Any) -> None:
    translator = HuggingFaceTranslator(model, Letters())
    groups = [translator.code(points) for points in translator.embed(SENTENCES)]
    assert sorted(row for group in groups for row in group.rows) == list(range(len(SENTENCES)))
    for group in groups:
        assert torch.equal(group.x, encoded(model, [SENTENCES[row] for row in group.rows]))


def test_generate_writes_the_same_tokens_from_the_code(model: Any) -> None:
    sentences = ["the dog", "the cat"]
    for beam in (1, 3):
        translator = HuggingFaceTranslator(model, Letters(), beam=beam, limit=6)
        codes = Points(encoded(model, sentences), [0, 1])
        ids = model.generate(**inputs(sentences), num_beams=beam, do_sample=False, max_new_tokens=6)
        assert torch.equal(translator._generate(codes), ids)


def test_moved_points_reach_the_translation(model: Any) -> None:
    translator = HuggingFaceTranslator(model, Letters(), limit=6)
    for space in ("feature", "input"):
        (away,) = text_points(translator, ["the dog"], space)

        def to_another(x: torch.Tensor, _: Any, goal: Any = away) -> torch.Tensor:
            return goal.x.expand_as(x) if x.shape[1] == goal.x.shape[1] else x

        result = move_text(translator, to_another, ["the cat", "the dog"], space=space)
        assert result.cooled == [result.plain[1]] * 2
        assert result.plain[0] != result.plain[1]


def test_the_model_stays_as_it_was(model: Any) -> None:
    model.train()
    next(model.get_encoder().children()).eval()  # a part that its owner holds still
    modes = [module.training for module in model.modules()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    translator = HuggingFaceTranslator(model, Letters(), limit=6)
    first = translator.translate(SENTENCES)
    assert translator.translate(SENTENCES) == first  # without dropout
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    words = model.get_encoder().get_input_embeddings()
    assert not words._forward_hooks
    model.eval()


def test_a_text_is_cooled_in_both_spaces(model: Any) -> None:
    translator = HuggingFaceTranslator(model, Letters(), limit=4)
    for space in ("feature", "input"):
        denoiser = SequenceDenoiser(16, 1.0, space)
        torch.nn.init.normal_(denoiser.step.weight, generator=torch.Generator().manual_seed(0))
        lines = [*SENTENCES[:2], " "]
        result = cool_text(
            translator, sequence_score(denoiser), lines, space=space, step_size=0.2,
            temperature=0.5, steps=3,
        )  # fmt: skip
        assert result.plain == translator.translate(lines)
        assert (result.moved > 0).tolist() == [True, True, False]
        assert result.plain[-1] == result.cooled[-1] == ""


def test_the_likelihood_is_that_of_the_written_tokens(model: Any) -> None:
    translator = HuggingFaceTranslator(model, Letters(), limit=9)
    assert isinstance(translator, Likely)
    (codes,) = text_points(translator, ["the dog", "the cat"])
    found = nll(translator, codes)
    for i, sentence in enumerate(("the dog", "the cat")):
        out = model.generate(
            **inputs([sentence]), num_beams=1, do_sample=False, max_new_tokens=9,
            output_scores=True, return_dict_in_generate=True,
        )  # fmt: skip
        log_p = [s.log_softmax(-1).max() for s in out.scores]
        assert found[i].item() == pytest.approx(-float(sum(log_p)) / len(log_p), rel=1e-4)


def test_the_likelihood_stops_at_the_end_mark() -> None:
    model = make("bart").eval()
    translator = HuggingFaceTranslator(model, Letters(), limit=9)
    (codes,) = text_points(translator, ["the dog"])
    starts = model.config.decoder_start_token_id
    ended = torch.tensor([[starts, FIRST, EOS, 1, 1]])
    translator._generate = lambda _: ended  # type: ignore[method-assign]
    with torch.no_grad():
        log_p = model(**inputs(["the dog"]), decoder_input_ids=ended[:, :2]).logits.log_softmax(-1)
    wanted = -(log_p[0, 0, FIRST] + log_p[0, 1, EOS]) / 2
    assert translator.nll(codes).item() == pytest.approx(wanted.item(), rel=1e-4)


def test_half_precision_is_cooled_in_single() -> None:
    translator = HuggingFaceTranslator(make("bart").bfloat16(), Letters(), limit=6)
    (points,) = translator.embed(["the dog"])
    code = translator.code(points)
    assert points.x.dtype == code.x.dtype == torch.float32
    assert len(translator.decode([code])) == 1


def test_languages_reach_tokenizer_and_search() -> None:
    heard = []

    class Listening(Letters):
        def __call__(self, lines: Sequence[str]) -> dict[str, list[list[int]]]:
            heard.append(self.src_lang)
            return super().__call__(lines)

    tokenizer = Listening()
    translator = HuggingFaceTranslator(make("m2m100"), tokenizer, "eng", "fra", limit=6)
    (points,) = translator.embed(["the dog"])
    assert translator._generate(translator.code(points))[0, 1] == 5
    assert heard == ["eng"]
    assert tokenizer.src_lang is None


def test_a_prefix_belongs_to_every_sentence() -> None:
    plain, told = (HuggingFaceTranslator(make("t5"), Letters(), prefix=p) for p in ("", "to fr "))
    assert torch.equal(plain.embed(["to fr dog"])[0].x, told.embed(["dog"])[0].x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beam": 0}, "give 1 or more"),
        ({"limit": 0}, "give 1 or more"),
        ({"source": "deu"}, "does not know the language 'deu'"),
        ({"target": "deu"}, "does not know the language 'deu'"),
    ],
)
def test_bad_settings_get_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HuggingFaceTranslator(make("t5"), Letters(), **arguments)


def test_other_models_and_longer_sentences_are_refused() -> None:
    config = transformers.GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2)
    with pytest.raises(ValueError, match="no encoder to cool after"):
        HuggingFaceTranslator(transformers.GPT2LMHeadModel(config), Letters())
    translator = HuggingFaceTranslator(make("bart"), Letters())
    with pytest.raises(ValueError, match="sentence 2 has 41 tokens; this model takes at most 40"):
        translator.embed(["a", "a" * 40])


def test_a_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = {"<s>": 0, "<pad>": 1, "</s>": EOS, "<unk>": 3, "the": 8, "cat": 9, "dog": 10}
    raw = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", EOS)]
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
    model = make("bart")
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    read = load_huggingface(tmp_path, beam=2, limit=7)
    here = HuggingFaceTranslator(model, tokenizer, beam=2, limit=7)
    assert read.translate(["the cat", "", "dog"]) == here.translate(["the cat", "", "dog"])
    for (x, rows), (y, others) in zip(
        read.embed(["the cat", "dog"]), here.embed(["the cat", "dog"]), strict=True
    ):
        assert torch.equal(x, y)
        assert rows == others


def test_only_folders_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"is no folder.*never downloaded"):
        load_huggingface("Helsinki-NLP/opus-mt-en-fr")
    with pytest.raises(ValueError, match="holds no encoder-decoder") as caught:
        load_huggingface(tmp_path)
    assert "\n" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'domain-translation\[hf\]'"):
        load_huggingface(tmp_path)
