"""A denoiser of sentences: shaped like a transformer's encoder, in the space of its words or codes.

L-Cool section 5.1 (lcool.arch.langdae) denoises word embeddings (Input) or the encoder's output
(Feature) with "the same architecture as the transformer encoder". Sentences of one exact length
make a batch: nothing is padded, and so nothing depends on a sentence's neighbours.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import linear

from domain_translation.denoising.linear import fit_filter
from domain_translation.runtime import seeded
from domain_translation.sampling.scores import Denoiser, dae_score
from domain_translation.training import Batch, Batches
from domain_translation.training.checkpoints import digest
from domain_translation.training.model_files import Storable
from domain_translation.training.trained import train_alone

Points = Mapping[int, Tensor]  # length n -> sentences of that length, (B_n, n, d)
SPACES = ("feature", "input")  # the encoder's output; the word embeddings before it


class SequenceDenoiser(Storable):
    """r(x) = x + s f(x / s): pre-norm encoder layers with learned positions and a linear output.

    The output starts at zero, and so r as the identity. It is not normalised before, so that every
    linear filter is among the functions r. No language is named: a denoiser belongs to the points
    of one language.

    Args:
        dim: d, of a token's point.
        sigma: standard deviation of the noise it is trained with, in units of the points.
        space: "feature" or "input": what points they are.
        layers, heads: of the encoder; its feed-forward layers have 4 d units.
        longest: tokens of the longest sentence, each with a position of its own.
        scale: s, the typical size of a noisy coordinate, in units of the points.

    Raises:
        ValueError: sigma or scale not positive and finite, another space, heads that do not
            divide dim.
    """

    def __init__(
        self,
        dim: int,
        sigma: float,
        space: str = "feature",
        layers: int = 1,
        heads: int = 4,
        longest: int = 256,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        if not (0 < sigma < math.inf and 0 < scale < math.inf):
            raise ValueError(f"sigma {sigma} and scale {scale}; both are positive and finite")
        if space not in SPACES:
            raise ValueError(f"the space is {space!r}; choose one of {', '.join(SPACES)}")
        if dim % heads:
            raise ValueError(f"{heads} heads for {dim} dimensions; give a divisor of {dim}")
        self.dim, self.sigma, self.space = dim, sigma, space
        self.longest, self.scale = longest, scale
        self.positions = nn.Parameter(0.02 * torch.randn(longest, dim))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                dim, heads, 4 * dim, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.step = nn.Linear(dim, dim)
        nn.init.zeros_(self.step.weight)
        nn.init.zeros_(self.step.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Denoised sentences (B, n, d).

        Raises:
            ValueError: points of another width, or sentences longer than the positions.
        """
        if x.ndim != 3 or x.shape[2] != self.dim or x.shape[1] > self.longest:
            raise ValueError(
                f"points have shape {tuple(x.shape)}; this denoiser takes (sentences, at most "
                f"{self.longest} tokens, {self.dim}): use one trained on this translator's points"
            )
        h = x / self.scale + self.positions[: x.shape[1]]
        for layer in self.layers:
            h = layer(h)
        return x + self.scale * self.step(h)


@dataclass(frozen=True, eq=False)
class SequenceScore:
    """The score (r(x) - x) / sigma^2 of L-Cool eq. 4 (lcool.eq4), and the space it is a score in.

    Attributes:
        denoiser: r, sentences (B, n, d) of one length -> the like.
        sigma: standard deviation of its training noise.
        space: "feature" or "input"; `cooling.text` refuses the other.
    """

    denoiser: Denoiser
    sigma: float
    space: str

    def __call__(self, x: Tensor) -> Tensor:
        return dae_score(self.denoiser, self.sigma)(x)


def sequence_score(denoiser: SequenceDenoiser) -> SequenceScore:
    """The score of a trained denoiser."""
    return SequenceScore(denoiser, denoiser.sigma, denoiser.space)


def token_batches(points: Points, tokens: int) -> Batches:
    """Minibatches of about `tokens` tokens: sentences of one length, drawn with replacement.

    A length is drawn by its share of the tokens, so that every sentence comes as often as any.
    """
    lengths = sorted(points)
    shares = [n * len(points[n]) for n in lengths]

    def draw(generator: Generator) -> Batch:
        # The length is drawn on the host, for a number from the device would be waited for; it
        # follows from the state of the generator.
        host = random.Random(generator.get_state().numpy().tobytes())
        (n,) = host.choices(lengths, shares)
        size = (max(1, tokens // n),)
        rows = torch.randint(len(points[n]), size, generator=generator, device=generator.device)
        return (points[n][rows],)

    return draw


def train_sequence_denoiser(
    points: Points,
    sigma: float,
    *,
    steps: int,
    space: str = "feature",
    layers: int = 1,
    heads: int = 4,
    longest: int = 256,
    tokens: int = 600,
    learning_rate: float = 3e-3,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> SequenceDenoiser:
    """Train a denoiser of sentences by L-Cool eq. 2 (lcool.eq2, lcool.train.dae_lang).

    The same arguments give the same parameters, bit for bit on a CPU.

    Args:
        points: clean training sentences by their length, e.g. the codes of a monolingual text.
        sigma: standard deviation of the noise, in units of the points. L-Cool's are variances:
            sigma^2 = 1 (Feature) and 0.1 (Input).
        steps: minibatches of about `tokens` tokens.
        space, layers, heads, longest: see `SequenceDenoiser`.
        learning_rate: Adam's; constant for half the steps, then linearly to 0.
        seed: of the parameters at the start, the minibatches and the noise.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: no sentences, points of several widths or not finite, and what
            `SequenceDenoiser` refuses.
        CheckpointError, TrainingError: see `training.fit`.
    """
    dim, variance = _width(points), _moments(points)[1]
    scale = math.sqrt(variance + sigma**2)
    with seeded(seed):
        model = SequenceDenoiser(dim, sigma, space, layers, heads, longest, scale)
    model.to(next(iter(points.values())).device)

    def loss(batch: Batch, generator: Generator) -> Tensor:
        (x,) = batch
        noise = torch.empty_like(x).normal_(0.0, sigma, generator=generator)
        return (model(x + noise) - x).square().sum(-1).mean()  # L-Cool eq. 2, token by token

    return train_alone(
        "denoiser",
        model,
        loss,
        token_batches(points, tokens),
        steps,
        learning_rate,
        seed=seed,
        checkpoint=checkpoint,
        card={
            "model": model.arguments(),
            "training": {"steps": steps, "tokens": tokens, "learning_rate": learning_rate},
            "data_sha256": digest({str(n): x for n, x in points.items()}),
        },
    )


def wiener_filter(points: Points, sigma: float, seed: int = 0) -> Denoiser:
    """The best linear denoiser of single tokens, sentences (B, n, d) -> the like.

    To `linear.fit_filter`, the tokens are the pixels of one tall picture with d channels.

    Args:
        points: sentences to fit it on, by length.
        sigma: standard deviation of the noise.
        seed: of the noise it is fitted with.

    Raises:
        ValueError: see `train_sequence_denoiser`.
    """
    width = _width(points)
    mean, variance = _moments(points)
    scale = math.sqrt(variance)  # the filter's ridge is meant for coordinates of variance 1
    tokens = torch.cat([x.reshape(-1, width) for x in points.values()])
    picture = ((tokens - mean) / scale).T[None, :, :, None].cpu()
    kernel, bias = fit_filter(picture, sigma / scale, size=1, stride=1, seed=seed)
    weight, bias = kernel[..., 0, 0].to(mean), mean + scale * bias.to(mean)
    return lambda x: linear(x - mean, weight, bias)


def mean_filter(points: Points) -> Denoiser:
    """The denoiser that answers with the mean token: what is left of Wiener's at very much noise.

    Args:
        points: sentences, by length.
    """
    _width(points)
    mean, _ = _moments(points)
    return lambda x: mean.expand_as(x)


def residual_share(denoiser: Denoiser, points: Points, sigma: float, seed: int = 0) -> float:
    """What a denoiser leaves of the noise: E|r(x + noise) - x|^2 / (d variance of a coordinate).

    The mean token, whatever it sees, leaves 1; `wiener_filter` is what a learned one has to beat.

    Args:
        denoiser: r, (B, n, d) -> (B, n, d).
        points: sentences that it was not trained on, by length.
        sigma: standard deviation of the noise.
        seed: of the noise.

    Raises:
        ValueError: see `train_sequence_denoiser`.
    """
    _width(points)
    generator = Generator().manual_seed(seed)
    left, numbers = 0.0, 0
    with torch.no_grad():
        for x in points.values():
            noise = sigma * torch.randn(x.shape, generator=generator).to(x)
            left += float((denoiser(x + noise) - x).square().sum())
            numbers += x.numel()
    return left / numbers / _moments(points)[1]


def _width(points: Points) -> int:
    """d, after a look at all points."""
    shapes = {n: tuple(x.shape) for n, x in points.items()}
    widths = {s[-1] for s in shapes.values()}
    if len(widths) != 1 or any(len(s) != 3 or s[0] < 1 or s[1] != n for n, s in shapes.items()):
        raise ValueError(
            f"points have shapes {shapes}; give length n -> (sentences, n, d) with one d for all "
            f"and at least one sentence"
        )
    if not all(bool(x.isfinite().all()) for x in points.values()):
        raise ValueError("the training points hold NaN or infinite values; remove them first")
    return widths.pop()


def _moments(points: Points) -> tuple[Tensor, float]:
    """The mean token (d,), and the variance of a coordinate about it, averaged over coordinates."""
    tokens = torch.cat([x.flatten(0, 1) for x in points.values()])
    mean = tokens.mean(0)
    return mean, float((tokens - mean).square().mean())
