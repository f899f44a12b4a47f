"""CF-EBM's ablations (Tables 8 and 9, A.5, A.6.3) on digits of 8x8, which a processor can learn.

Activations are compared in the setting of the paper, with spectral normalisation, and without it,
where kinks may cost runs. Every arm has the rate at which pilots with another seed went well: 1e-3,
with spectral normalisation 1e-2 (3e-3 is slower), and half of it for the basic model, of which a
run was lost. Three hours on one core.

Said before these runs: an arm is compared with the one before it in the paper's table, seed by
seed; the better of the two must be nearer to real digits than one Gaussian is, or nothing is
decided. ReLU does not train if its samples are no nearer than one Gaussian's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from domain_translation.energies.config import QUICK_DIGITS
from domain_translation.energies.guard import DivergedError
from domain_translation.notebook import evidence
from domain_translation.notebook.cards import Card
from domain_translation.notebook.evidence import Estimate
from domain_translation.studies.energies.grid import Arm, excerpt, measure, run
from domain_translation.studies.study import LOST, Study

# The shipped settings at half the width and with a shorter chain; 2,500 updates.
DIGITS = replace(QUICK_DIGITS, steps=(15,), c=4)
SPECTRAL = replace(DIGITS, spectral=True, learning_rates=(1e-2,))
BASIC = replace(DIGITS, residual_kernel=0, learning_rates=(5e-4,))
ACTIVATIONS = ("relu", "leaky_relu", "celu", "gelu")

ARMS: Mapping[str, Arm] = {
    "digits": Arm("digits", DIGITS),
    **{name: Arm("digits", replace(DIGITS, activation=name)) for name in ACTIVATIONS},
    "spectral": Arm("digits", SPECTRAL),
    **{
        f"{name}, spectral": Arm("digits", replace(SPECTRAL, activation=name))
        for name in ACTIVATIONS
    },
    "no residual": Arm("digits", BASIC),
    "no residual, spectral": Arm("digits", replace(SPECTRAL, residual_kernel=0)),
    **{
        f"noise {sigma:g}": Arm("digits", replace(DIGITS, data_noise=sigma))
        for sigma in (0.01, 0.1, 0.3)
    },
    "no penalty": Arm("digits", replace(DIGITS, penalty=0.0)),
    "variance 0.02": Arm("digits", replace(DIGITS, variance=0.02)),
}

STUDY = Study(
    "energies/ablations",
    ARMS,
    range(5),
    run,
    measure,
    trains=True,
    excerpt=excerpt,
    lost=(*LOST, DivergedError),
)


def share_lost(card: Card, *arms: str) -> Estimate:
    """The share of lost runs among all of several arms; unmeasured of an empty card."""
    if card.empty:
        return evidence.unmeasured(card.study)
    lived = {(r.arm, r.seed) for r in card.rows if r.arm in arms}
    lost = sum(card.lost_of(arm) for arm in arms)
    runs = len(lived) + lost
    return replace(evidence.share(lost, runs, seeds=runs), card=card.study)


def as_text(card: Card, arm: str, name: str) -> str:
    """The mean over an arm's runs that lived, for a table; its interval where there are two."""
    values = [r.value for r in card.rows if (r.arm, r.name) == (arm, name)]
    if len(values) > 1:
        return str(card[arm, name])
    return f"{values[0]:.3g}, one run" if values else "none lived"


def lost_as_text(card: Card, arm: str) -> str:
    """How many of an arm's runs are lost, for a table."""
    lost, lived = card.lost_of(arm), len({r.seed for r in card.rows if r.arm == arm})
    return f"{lost} of {lost + lived}"
