"""Layers and network: the source's counts, PyTorch's own layers, padding, cache, what is tied."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from domain_translation import runtime
from domain_translation.language import xlm
from domain_translation.language.attention import Cache, MultiHead
from domain_translation.language.batches import pad
from domain_translation.language.transformer import DecoderLayer, EncoderLayer
from domain_translation.language.vocabulary import BOS, EOS, PAD
from domain_translation.language.xlm import XLM, XLMConfig

TINY = XLMConfig(40, ("en", "fr"), dim=16, heads=4, positions=12)
IDS = pad([[9, 8, 7, 6, EOS], [5, EOS], [11, 12, 13, EOS]])
WRITTEN = pad([[BOS, 30, 31, 32], [BOS, 33], [BOS, 34, 35]])


def made(config: XLMConfig = TINY) -> XLM:
    with runtime.seeded(0):
        return XLM(config).eval()


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_counts_of_the_source() -> None:
    with torch.device("meta"):
        model = XLM(xlm.PAPER)
    assert {count(layer) for layer in model.encoder.layers} == {12_596_224}
    assert {count(layer) for layer in model.decoder.layers} == {16_796_672}
    assert count(model.encoder) == 75_577_344
    assert count(model.decoder) == 100_780_032
    assert count(model.encoder) + count(model.decoder) == 176_357_376
    assert (model.encoder.layers[0].attention.heads, len(model.source.positions.weight)) == (8, 512)


def test_shared_embeddings_are_counted_once() -> None:
    words = 40 * 16 + 40 + 12 * 16 + 2 * 16 + 2 * 16  # with bias, positions, languages, norm
    apart = replace(TINY, shared=False)
    assert count(made(apart)) - count(made()) == words
    assert count(made()) == count(made().encoder) + count(made().decoder) + words


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_layers_are_those_of_pytorch(norm: xlm.Norm) -> None:
    shape = {"dim_feedforward": 64, "dropout": 0.0, "activation": "gelu", "batch_first": True}
    x, code = torch.randn(2, 3, 5, 16, generator=torch.Generator().manual_seed(1))
    mask = torch.arange(5) < torch.tensor([[5], [2], [4]])
    causal = nn.Transformer.generate_square_subsequent_mask(5)
    with runtime.seeded(0):
        encoder = nn.TransformerEncoderLayer(16, 4, norm_first=norm == "pre", **shape)
        decoder = nn.TransformerDecoderLayer(16, 4, norm_first=norm == "pre", **shape)
    ours = EncoderLayer(16, 4, 0.0, norm), DecoderLayer(16, 4, 0.0, norm)
    for own, theirs in zip(ours, (encoder, decoder), strict=True):
        for norms in theirs.modules():
            if isinstance(norms, nn.LayerNorm):
                norms.eps = 1e-12
        own.load_state_dict(translated(theirs))
    wanted = encoder(x, src_key_padding_mask=~mask)
    torch.testing.assert_close(ours[0](x, mask)[mask], wanted[mask], rtol=1e-4, atol=1e-5)
    wanted = decoder(x, code, causal, memory_key_padding_mask=~mask)
    torch.testing.assert_close(ours[1](x, code, mask), wanted, rtol=1e-4, atol=1e-5)


def translated(theirs: nn.Module) -> dict[str, Tensor]:
    """Parameters of a layer of PyTorch under our names."""
    known = dict(theirs.named_parameters())
    decoder = "norm3.weight" in known
    names = {
        "self_attn.out_proj": "attention.out",
        "multihead_attn.out_proj": "cross.out",
        "linear1": "feed_forward.0",
        "linear2": "feed_forward.2",
        "norm1": "attention_norm",
        "norm2": "cross_norm" if decoder else "feed_forward_norm",
        "norm3": "feed_forward_norm",
    }
    found = {}
    for name, value in known.items():
        layer, _, kind = name.rpartition(".")
        if kind.startswith("in_proj_"):
            own = "attention" if layer == "self_attn" else "cross"
            for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                found[f"{own}.{part}.{kind.removeprefix('in_proj_')}"] = third
        else:
            found[f"{names[layer]}.{kind}"] = value
    return found


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("shared", [True, False])
def test_padding_changes_nothing(norm: xlm.Norm, shared: bool) -> None:
    model = made(replace(TINY, norm=norm, shared=shared))
    code, mask = model.encode(IDS, "en"), IDS != PAD
    assert (code[~mask] == 0).all()
    logits = model.decode(code, mask, WRITTEN, "fr")
    for i, n in enumerate(mask.sum(1).tolist()):
        alone = model.encode(IDS[i : i + 1, :n], "en")
        torch.testing.assert_close(code[i : i + 1, :n], alone, rtol=0, atol=1e-5)
        m = int((WRITTEN[i] != PAD).sum())
        wanted = model.decode(alone, None, WRITTEN[i : i + 1, :m], "fr")
        torch.testing.assert_close(logits[i : i + 1, :m], wanted, rtol=0, atol=1e-5)


def test_the_cache_changes_nothing() -> None:
    model, mask = made(), IDS != PAD
    code = model.encode(IDS, "en")
    wanted = model.decode(code, mask, WRITTEN, "fr")
    for cuts in ([1, 2, 3, 4], [2, 4], [1, 4]):
        cache = Cache()
        found = [model.decode(code, mask, WRITTEN[:, :end], "fr", cache) for end in cuts]
        torch.testing.assert_close(torch.cat(found, 1), wanted, rtol=0, atol=1e-5)
        assert cache.length == 4


def test_a_cache_goes_on_with_the_sentences_that_are_chosen() -> None:
    model, mask, rows = made(), IDS != PAD, torch.tensor([2, 0, 2])
    code, cache = model.encode(IDS, "en"), Cache()
    model.decode(code, mask, WRITTEN[:, :2], "fr", cache)
    cache.select(rows)
    found = model.decode(code[rows], mask[rows], WRITTEN[rows, :3], "fr", cache)
    wanted = model.decode(code[rows], mask[rows], WRITTEN[rows, :3], "fr")[:, 2:]
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


def test_the_decoder_sees_the_past_the_code_and_the_language() -> None:
    model = made()
    code = model.encode(IDS[:1], "en")
    logits = model.decode(code, None, WRITTEN[:1], "fr")
    later = WRITTEN[:1].clone()
    later[0, 3] = 38
    torch.testing.assert_close(model.decode(code, None, later, "fr")[:, :3], logits[:, :3])
    for other in (
        model.decode(code, None, later, "fr")[:, 3],
        model.decode(code, None, WRITTEN[:1], "en")[:, 3],
        model.decode(model.encode(IDS[:1].flip(1), "en"), None, WRITTEN[:1], "fr")[:, 3],
    ):
        assert (other - logits[:, 3]).abs().max() > 1e-3
    assert (model.encode(IDS[:1], "fr") - code).abs().max() > 1e-3


def test_embedding_and_code_are_the_encoders_two_halves() -> None:
    model = made()
    w = model.embed(IDS)
    assert torch.equal(w[0, 0], model.source.words.weight[9])
    found = model.encode_embeddings(w, "en", IDS != PAD)
    assert torch.equal(found, model.encode(IDS, "en"))
    # Positions are no part of what is cooled: the same words elsewhere are the same points.
    assert torch.equal(model.embed(IDS.flip(1)), w.flip(1))


def test_the_softmax_is_tied_to_the_words() -> None:
    model = made()
    logits = model.masked_logits(IDS, "en")
    code = model.encode(IDS, "en")
    wanted = code @ model.source.words.weight.T + model.source.bias
    torch.testing.assert_close(logits, wanted)


def test_attention_to_equal_keys_is_a_mean() -> None:
    """Queries of zero attend equally to all tokens that the mask leaves."""
    with runtime.seeded(0):
        attention = MultiHead(8, 2)
    x, mask = torch.randn(1, 4, 8), torch.tensor([[True, True, False, True]])
    nn.init.zeros_(attention.query.weight)
    nn.init.zeros_(attention.query.bias)
    wanted = attention.out(attention.value(x[:, mask[0]]).mean(1, keepdim=True)).expand(1, 4, 8)
    torch.testing.assert_close(attention(x, mask=mask), wanted)


def test_a_network_that_knows_nothing_loses_the_log_of_its_choices() -> None:
    model, mask = made(), IDS != PAD
    nn.init.zeros_(model.source.words.weight)
    code = model.encode(IDS, "en")
    loss = xlm.translation_loss(model, code, mask, IDS, "fr")
    assert loss.item() == pytest.approx(math.log(40), rel=1e-5)
    allowed = torch.arange(40) < 20
    loss = xlm.translation_loss(model, code, mask, IDS, "fr", allowed)
    assert loss.item() == pytest.approx(math.log(20), rel=1e-5)


def test_the_loss_is_that_of_every_token_after_those_before_it() -> None:
    model, mask = made(), IDS != PAD
    code, y = model.encode(IDS, "en"), pad([[30, 31, EOS], [32, EOS], [33, 34, EOS]])
    logs = []
    for i, row in enumerate(y.tolist()):
        real = [token for token in row if token != PAD]
        for t, token in enumerate(real):
            prefix = torch.tensor([[BOS, *real[:t]]])
            logits = model.decode(code[i : i + 1], mask[i : i + 1], prefix, "fr")[0, -1]
            logs.append(-logits.log_softmax(0)[token].item())
    found = xlm.translation_loss(model, code, mask, y, "fr").item()
    assert found == pytest.approx(sum(logs) / len(logs), rel=1e-5)


@pytest.mark.parametrize("shared", [True, False])
def test_the_decoder_starts_at_the_encoder(shared: bool) -> None:
    model = made(replace(TINY, shared=shared))
    before = {name: p.clone() for name, p in model.named_parameters()}
    xlm.decoder_from_encoder(model)
    after = dict(model.named_parameters())
    for name, value in after.items():
        if name.startswith("own_target"):
            assert torch.equal(value, after[name.replace("own_target", "source")])
        elif name.startswith("decoder") and "cross" not in name:
            assert torch.equal(value, after[name.replace("decoder", "encoder")])
        else:
            assert torch.equal(value, before[name])
    assert model.decoder.layers[0].attention is not model.encoder.layers[0].attention


def test_bad_networks_and_sentences_are_refused() -> None:
    model = made()
    with pytest.raises(ValueError, match="has 13 tokens; this model takes at most 12"):
        model.encode(torch.full((1, 13), 7), "en")
    with pytest.raises(ValueError, match="unknown language 'de'; this model has en, fr"):
        model.encode(IDS, "de")
    with pytest.raises(ValueError, match="3 heads do not divide the width 16"):
        replace(TINY, heads=3)
    with pytest.raises(ValueError, match="norm is 'both'"):
        replace(TINY, norm="both")
    for languages in ((), ("en", "en")):
        with pytest.raises(ValueError, match="give one or more, each once"):
            replace(TINY, languages=languages)
