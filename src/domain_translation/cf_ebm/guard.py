"""Watching an energy's training: what is recorded, and when it is called off.

An energy-based training rarely fails by NaN first. The sampler loses the energy (the gap between
data and samples grows without bound), or its samples leave the range of images, or they all
become one picture. A run is stopped when one of these has plainly happened.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

# Single gaps of nearly 50 were seen in runs that recovered; a run whose gaps stayed at 50 did not.
# A penalty w on energies holds the gap of a lost run at 1/w, so a limit on single gaps is blind.
GAP = 20.0  # median of |mean E(x) - mean E(x~)| over the last `WINDOW` updates
WINDOW = 50
SPREAD = 10.0  # standard deviation of the samples' pixels
SAME = 1e-3  # mean standard deviation of a pixel across the samples of a batch
STEEP = 1e3  # length of the energy's gradient

FIELDS = (
    "gap",  # mean E(x) - mean E(x~)
    "data_energy",  # mean E(x)
    "sample_energy",  # mean E(x~)
    "gradient_norm",  # mean length of grad E at the ends of the chains
    "sample_std",  # standard deviation of all pixels
    "diversity",  # mean standard deviation of a pixel across the batch
    "fade",  # b
)


class DivergedError(RuntimeError):
    """Training ran away.

    Attributes:
        update: number of updates after which it was seen (from 1).
        measured: the last values of `FIELDS`.
    """

    def __init__(self, update: int, what: str, measured: dict[str, float]) -> None:
        self.update, self.measured = update, measured
        values = ", ".join(f"{k} {v:.4g}" for k, v in measured.items())
        super().__init__(
            f"update {update}: {what} ({values}); train with half the learning rate "
            "(`rescued(config)`), with spectral normalisation, or with more Langevin steps"
        )


class Trace(nn.Module):
    """What happened at every update, in buffers so that checkpoints carry it.

    The loss is not among the signs of progress: the gap of a good model hovers around 0.
    """

    values: Tensor
    done: Tensor

    def __init__(self, updates: int) -> None:
        super().__init__()
        self.register_buffer("values", torch.full((updates, len(FIELDS)), torch.nan))
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))

    def __len__(self) -> int:
        return int(self.done)

    def __getitem__(self, field: str) -> Tensor:
        """One of `FIELDS` at every update so far, (updates,)."""
        return self.values[: len(self), FIELDS.index(field)]

    def add(self, low: Tensor, high: Tensor, samples: Tensor, score: Tensor, fade: float) -> None:
        """Record one update and stop a run that is lost.

        Args:
            low, high: energies of data and of samples, (B,).
            samples: ends of the chains, (B, C, S, S).
            score: the score there.
            fade: b.

        Raises:
            DivergedError: see the module.
        """
        row = torch.stack(
            [
                low.mean() - high.mean(),
                low.mean(),
                high.mean(),
                score.flatten(1).norm(dim=1).mean(),
                samples.std(),
                samples.std(0).mean(),
                samples.new_tensor(fade),
            ]
        )
        self.values[len(self)] = row
        self.done += 1
        recent = self["gap"][-WINDOW:].abs()
        lost = len(recent) == WINDOW and bool(recent.median() > GAP)
        self._check(dict(zip(FIELDS, row.tolist(), strict=True)), lost)

    def _check(self, now: dict[str, float], lost: bool) -> None:
        if lost or not math.isfinite(now["gap"]):
            what = "the energies of data and samples have come apart"
        elif not now["gradient_norm"] < STEEP:
            what = "the energy is too steep for any step size"
        elif not now["sample_std"] < SPREAD:
            what = "the chains leave the range of images"
        elif now["diversity"] < SAME:
            what = "all chains end at the same image"
        else:
            return
        raise DivergedError(len(self), what, now)
