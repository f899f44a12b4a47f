"""Watching an energy's training: what is recorded, and when it is called off.

An energy-based training rarely fails by NaN first. The sampler loses the energy (the gap between
data and samples grows without bound), or its samples leave the range of images, or they all
become one picture. A run is stopped when one of these has plainly happened.
"""

from __future__ import annotations

import torch
from torch import Tensor

from domain_translation.training.trained import State

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
        remedy = (
            "train with half the learning rate (`rescued(config)`), with spectral normalisation, "
            "or with more Langevin steps"
        )
        if update == 1:  # its samples are those of the untrained network
            remedy = (
                "nothing had been learnt yet, so the chains are at fault: give a smaller "
                "`step_size` or `variance`, or data in [-1, 1]"
            )
        super().__init__(f"update {update}: {what} ({values}); {remedy}")


class Trace(State):
    """What happened at every update, kept in the checkpoint of the training.

    The loss is not among the signs of progress: the gap of a good model hovers around 0.

    Args:
        updates: of the stage.
        device: of the training, where the numbers stay until they are looked at.
    """

    fields = ("values", "done")

    def __init__(self, updates: int, device: torch.device | str = "cpu") -> None:
        self.values = torch.full((updates, len(FIELDS)), torch.nan, device=device)
        self.done = 0

    def __len__(self) -> int:
        return self.done

    def __getitem__(self, field: str) -> Tensor:
        """One of `FIELDS` at every update so far, (updates,)."""
        return self.values[: self.done, FIELDS.index(field)]

    def add(self, low: Tensor, high: Tensor, samples: Tensor, score: Tensor, fade: float) -> None:
        """Write down one update.

        Args:
            low, high: energies of data and of samples, (B,).
            samples: ends of the chains, (B, C, S, S).
            score: the score there.
            fade: b.
        """
        row = self.values[self.done]
        row[:-1] = torch.stack(
            [
                low.mean() - high.mean(),
                low.mean(),
                high.mean(),
                score.flatten(1).norm(dim=1).mean(),
                samples.std(),
                samples.std(0).mean(),
            ]
        )
        row[-1] = fade
        self.done += 1

    def check(self) -> None:
        """Stop a run that is lost.

        Raises:
            DivergedError: of the first update at which it was; see the module.
        """
        seen = self.values[: self.done].cpu()
        now = dict(zip(FIELDS, seen.T, strict=True))
        apart = ~now["gap"].isfinite()
        if self.done >= WINDOW:
            recent = now["gap"].abs().unfold(0, WINDOW, 1).median(1).values
            apart[WINDOW - 1 :] |= recent > GAP
        signs = {
            "the energies of data and samples have come apart": apart,
            "the energy is too steep for any step size": ~(now["gradient_norm"] < STEEP),
            "the chains leave the range of images": ~(now["sample_std"] < SPREAD),
            "all chains end at the same image": now["diversity"] < SAME,
        }
        lost = torch.stack(list(signs.values())).nonzero()
        if len(lost):
            sign, update = min(lost.tolist(), key=lambda at: at[::-1])
            measured = dict(zip(FIELDS, seen[update].tolist(), strict=True))
            raise DivergedError(update + 1, list(signs)[sign], measured)
