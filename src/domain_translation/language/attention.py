"""Attention with several heads, and a cache of keys and values for decoding token by token."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class Cache:
    """What a decoder computed for the tokens so far, so that each is computed once.

    Attributes:
        length: number of tokens of the prefix that are in it.
    """

    def __init__(self) -> None:
        self.length = 0
        self.entries: dict[nn.Module, tuple[Tensor, Tensor]] = {}  # keys, values (B, heads, n, c)

    def extend(self, attention: nn.Module, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append the keys and values of new tokens; return those of all tokens."""
        if attention in self.entries:
            before = self.entries[attention]
            k, v = torch.cat([before[0], k], 2), torch.cat([before[1], v], 2)
        self.entries[attention] = k, v
        return k, v

    def select(self, rows: Tensor) -> None:
        """Go on with these sentences of the batch, in this order."""
        self.entries = {a: (k[rows], v[rows]) for a, (k, v) in self.entries.items()}


class MultiHead(nn.Module):
    """softmax(Q K^T / sqrt(c)) V for each head, of width c = dim / heads (Vaswani et al. 2017).

    Args:
        dim: width of tokens in and out.
        heads: number of heads; divides `dim`.
        dropout: share of the attention weights that training leaves out.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(
        self,
        x: Tensor,
        code: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: Cache | None = None,
    ) -> Tensor:
        """Let the tokens x (B, m, d) attend to `code` (B, n, d), or to themselves.

        Args:
            mask: (B, n) False where there is no token to attend to.
            causal: a token sees only itself and those before it.
            cache: of the tokens before x; x is added. A `code` is read at the first call only.
        """
        q = self._split(self.query(x))
        if code is not None and cache is not None and self in cache.entries:
            k, v = cache.entries[self]
        else:
            attended = x if code is None else code
            k, v = self._split(self.key(attended)), self._split(self.value(attended))
            if cache is not None:
                k, v = cache.extend(self, k, v)
        seen = None if mask is None else mask[:, None, None, :]
        m, n = q.shape[2], k.shape[2]
        if causal and m > 1:  # a single token is the last one and sees all
            seen = torch.ones(m, n, dtype=torch.bool, device=x.device).tril(n - m)
        dropout = self.dropout if self.training else 0.0
        y = scaled_dot_product_attention(q, k, v, attn_mask=seen, dropout_p=dropout)
        return self.out(y.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        """(B, n, d) -> (B, heads, n, c)."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)
