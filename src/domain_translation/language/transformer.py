"""The layers of a transformer, with the normalisation before or after each part.

Post-norm is the original of Vaswani et al. (2017) and XLM's, x = norm(x + part(x)); pre-norm,
x = x + part(norm(x)) with one more norm at the end, learns at larger rates without a warm-up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from domain_translation.language.attention import Cache, MultiHead

Norm = Literal["pre", "post"]
EPSILON = 1e-12  # of XLM's layer norms


class _Layer(nn.Module):
    """What both kinds of layers are made of: attention to oneself, and a two-layer perceptron."""

    def __init__(self, dim: int, heads: int, dropout: float, norm: Norm) -> None:
        super().__init__()
        self.norm = norm
        self.attention = MultiHead(dim, heads, dropout)
        self.attention_norm = nn.LayerNorm(dim, EPSILON)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim)
        )
        self.feed_forward_norm = nn.LayerNorm(dim, EPSILON)
        self.dropout = nn.Dropout(dropout)

    def add(self, x: Tensor, part: Callable[[Tensor], Tensor], norm: nn.Module) -> Tensor:
        """The residual connection around `part`."""
        if self.norm == "pre":
            return x + self.dropout(part(norm(x)))
        return norm(x + self.dropout(part(x)))


class EncoderLayer(_Layer):
    """Tokens attend to each other, then each passes a perceptron dim -> 4 dim -> dim (GELU)."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x (B, n, d) -> (B, n, d), zero where `mask` (B, n) is False: there is no token."""
        x = self.add(x, lambda y: self.attention(y, mask=mask), self.attention_norm)
        x = self.add(x, self.feed_forward, self.feed_forward_norm)
        return x if mask is None else x * mask[..., None]


class DecoderLayer(_Layer):
    """Tokens attend to those before them, then to the encoder's code, then pass a perceptron."""

    def __init__(self, dim: int, heads: int, dropout: float, norm: Norm) -> None:
        super().__init__(dim, heads, dropout, norm)
        self.cross = MultiHead(dim, heads, dropout)
        self.cross_norm = nn.LayerNorm(dim, EPSILON)

    def forward(
        self, x: Tensor, code: Tensor, mask: Tensor | None = None, cache: Cache | None = None
    ) -> Tensor:
        """x (B, m, d), code (B, n, d) -> (B, m, d); `mask` (B, n) says where the code is."""
        x = self.add(x, lambda y: self.attention(y, causal=True, cache=cache), self.attention_norm)
        x = self.add(x, lambda y: self.cross(y, code, mask=mask, cache=cache), self.cross_norm)
        return self.add(x, self.feed_forward, self.feed_forward_norm)


class Encoder(nn.Module):
    """A stack of encoder layers, (B, n, d) -> (B, n, d)."""

    def __init__(
        self, dim: int, heads: int, layers: int, dropout: float = 0.0, norm: Norm = "pre"
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(dim, heads, dropout, norm) for _ in range(layers))
        self.last_norm = nn.LayerNorm(dim, EPSILON) if norm == "pre" else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Zero where `mask` (B, n) is False; None means that all are tokens."""
        for layer in self.layers:
            x = layer(x, mask)
        x = self.last_norm(x)
        return x if mask is None else x * mask[..., None]


class Decoder(nn.Module):
    """A stack of decoder layers, (B, m, d) and the encoder's code (B, n, d) -> (B, m, d)."""

    def __init__(
        self, dim: int, heads: int, layers: int, dropout: float = 0.0, norm: Norm = "pre"
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(dim, heads, dropout, norm) for _ in range(layers))
        self.last_norm = nn.LayerNorm(dim, EPSILON) if norm == "pre" else nn.Identity()

    def forward(
        self, x: Tensor, code: Tensor, mask: Tensor | None = None, cache: Cache | None = None
    ) -> Tensor:
        """With a `cache`, x holds only the tokens that are not in it; they are added."""
        for layer in self.layers:
            x = layer(x, code, mask, cache)
        if cache is not None:
            cache.length += x.shape[1]
        return self.last_norm(x)
