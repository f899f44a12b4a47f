"""XLM (Lample and Conneau 2019): one transformer that reads and writes several languages.

What L-Cool cools (section 5.1, figure 11): `embed` gives the points of L-Cool-Input, the word
embeddings; `encode_embeddings` turns them into the points of L-Cool-Feature, the encoder's code;
`decode` writes a translation from a code. Source and target differ only in the embedding of their
language, which is added to every token.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from domain_translation.language.attention import Cache
from domain_translation.language.transformer import EPSILON, Decoder, Encoder, Norm
from domain_translation.language.vocabulary import BOS, PAD


@dataclass(frozen=True)
class XLMConfig:
    """Shape of the network; a perceptron's hidden layer has 4 `dim`."""

    vocabulary: int  # number of tokens, all languages together
    languages: tuple[str, ...]
    dim: int = 128
    heads: int = 4
    layers: int = 2  # of the encoder, and again of the decoder
    positions: int = 128  # the longest sentence, in tokens
    dropout: float = 0.0
    norm: Norm = "pre"
    shared: bool = True  # whether encoder and decoder have their embeddings in common

    def __post_init__(self) -> None:
        if self.norm not in ("pre", "post"):
            raise ValueError(f"norm is {self.norm!r}; it stands 'pre' or 'post' of each part")
        if self.dim % self.heads:
            raise ValueError(f"{self.heads} heads do not divide the width {self.dim}")
        if len(set(self.languages)) < max(1, len(self.languages)):
            raise ValueError(f"the languages are {self.languages}; give one or more, each once")


QUICK = XLMConfig(vocabulary=500, languages=("en", "fr", "de"))  # 1 M parameters
# For Multi30k.
FULL = XLMConfig(8000, ("en", "fr", "de"), dim=256, heads=8, layers=3, positions=256, dropout=0.1)
# lcool.arch.xlm. Heads, positions, dropout, norm, and the 60,000 subwords are the repository's: the
# seed gives none of them.
PAPER = XLMConfig(
    vocabulary=60_000,
    languages=("en", "fr"),
    dim=1024,
    heads=8,
    layers=6,
    positions=512,
    dropout=0.1,
    norm="post",
    shared=False,
)


class Embedding(nn.Module):
    """Tokens as vectors: word + position + language, normalised; and back, as a tied softmax."""

    def __init__(self, config: XLMConfig) -> None:
        super().__init__()
        self.names = config.languages
        self.words = nn.Embedding(config.vocabulary, config.dim, padding_idx=PAD)
        self.positions = nn.Embedding(config.positions, config.dim)
        self.languages = nn.Embedding(len(config.languages), config.dim)
        for table in (self.words, self.positions, self.languages):
            nn.init.normal_(table.weight, std=config.dim**-0.5)
        nn.init.zeros_(self.words.weight[PAD])
        self.norm = nn.LayerNorm(config.dim, EPSILON)
        self.dropout = nn.Dropout(config.dropout)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))

    def forward(self, w: Tensor, language: str, past: int = 0) -> Tensor:
        """Word embeddings (B, n, d) at the positions from `past` on -> input of the layers."""
        end, most = past + w.shape[1], len(self.positions.weight)
        if end > most:
            raise ValueError(
                f"a sentence has {end} tokens; this model takes at most {most}: split it"
            )
        known = ", ".join(self.names)
        if language not in self.names:
            raise ValueError(f"unknown language {language!r}; this model has {known}")
        place = self.positions.weight[past:end] + self.languages.weight[self.names.index(language)]
        return self.dropout(self.norm(w + place))

    def logits(self, x: Tensor) -> Tensor:
        """(..., d) -> (..., V), by the word embeddings themselves."""
        return linear(x, self.words.weight, self.bias)


class XLM(nn.Module):
    """Encoder, decoder and their embeddings.

    Token ids are padded with `PAD` at the end. The encoder reads sentences as
    `Vocabulary.encode` gives them, EOS last; the decoder's prefix starts with BOS.

    Attributes:
        vocabulary_sha256: which vocabulary its tokens are of, where that is known.
    """

    def __init__(self, config: XLMConfig) -> None:
        super().__init__()
        self.config = config
        self.vocabulary_sha256: str | None = None
        shape = (config.dim, config.heads, config.layers, config.dropout, config.norm)
        self.source = Embedding(config)
        self.own_target = None if config.shared else Embedding(config)
        self.encoder, self.decoder = Encoder(*shape), Decoder(*shape)

    @property
    def target(self) -> Embedding:
        """The decoder's embeddings."""
        return self.own_target or self.source

    def embed(self, ids: Tensor) -> Tensor:
        """Word embeddings (B, n, d) of token ids (B, n): the space of L-Cool-Input."""
        return self.source.words(ids)

    def encode_embeddings(self, w: Tensor, language: str, mask: Tensor | None = None) -> Tensor:
        """Word embeddings (B, n, d) -> code (B, n, d), zero where `mask` (B, n) is False.

        A mask of None means sentences of one length. Raises ValueError for an unknown language or
        sentences that are too long.
        """
        x = self.source(w, language)
        return self.encoder(x if mask is None else x * mask[..., None], mask)

    def encode(self, ids: Tensor, language: str) -> Tensor:
        """Token ids (B, n) -> code (B, n, d): the space of L-Cool-Feature."""
        return self.encode_embeddings(self.embed(ids), language, ids != PAD)

    def decode(
        self,
        code: Tensor,
        mask: Tensor | None,
        prefix: Tensor,
        language: str,
        cache: Cache | None = None,
    ) -> Tensor:
        """Logits (B, m, V) of the token after each token of `prefix` (B, m).

        With a `cache`, the tokens that it holds are skipped: logits of the others come back.

        Args:
            code: of the encoder (B, n, d); `mask` (B, n) is False where it is padding.
            prefix: token ids, BOS first.
            language: to write.
        """
        past = 0 if cache is None else cache.length
        x = self.target(self.target.words(prefix[:, past:]), language, past)
        return self.target.logits(self.decoder(x, code, mask, cache))

    def masked_logits(self, ids: Tensor, language: str) -> Tensor:
        """Logits (B, n, V) of the encoder for the token at each place, for masked words."""
        return self.source.logits(self.encode(ids, language))


def translation_loss(
    model: XLM,
    code: Tensor,
    mask: Tensor | None,
    ids: Tensor,
    language: str,
    allowed: Tensor | None = None,
) -> Tensor:
    """Mean of -log p(token | tokens before it, code), in nats, over the tokens of `ids` (B, m).

    Args:
        code: of the sentences to translate (B, n, d), with `mask` (B, n).
        ids: what they shall become, EOS last, padded with PAD.
        allowed: (V,) the tokens of `language`; the softmax is over these only.
    """
    first = ids.new_full((len(ids), 1), BOS)
    logits = model.decode(code, mask, torch.cat([first, ids[:, :-1]], 1), language)
    if allowed is not None:
        logits = logits.masked_fill(~allowed.to(logits.device), -torch.inf)
    return cross_entropy(logits.flatten(0, 1), ids.flatten(), ignore_index=PAD)


@torch.no_grad()
def decoder_from_encoder(model: XLM) -> None:
    """Start the decoder at the encoder's weights (lcool.train.xlm), after masked words.

    The attention to the code, which the encoder does not have, stays as it is.
    """
    parts = [(model.decoder, model.encoder), (model.target, model.source)]
    for to, of in parts if model.target is not model.source else parts[:1]:
        known = dict(of.named_parameters())
        for name, parameter in to.named_parameters():
            if name in known:
                parameter.copy_(known[name])
