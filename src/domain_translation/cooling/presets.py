"""Settings of cooling: the sources' and those of the quick profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Three off-manifold test points of the toy study, on three sides of the source strip: above
# its left part, below its right part, beyond its end. The sources do not give theirs
# (lcool.fig3); these lie 0.26 to 0.31 from the strip.
TOY_POINTS = ((0.2, 0.55), (0.7, 0.02), (1.25, 0.6))


@dataclass(frozen=True)
class Cooling:
    """One setting of L-Cool."""

    sigma: float  # std of the DAE's training noise, in units of the data
    step_size: float  # alpha of eq. 1
    temperature: float  # 1/beta of eq. 8
    steps: int  # N

    def chain(self) -> dict[str, Any]:
        """The arguments of `cool` that make this setting: ``cool(score, x, **setting.chain())``."""
        return {
            "step_size": self.step_size,
            "temperature": self.temperature,
            "steps": self.steps,
        }


PAPER = Cooling(sigma=0.3, step_size=0.005, temperature=0.001, steps=40)  # lcool.hyper.image
TOY = Cooling(sigma=0.1, step_size=5e-4, temperature=0.001, steps=100)  # declared here

# The grid of L-Cool section 4.3.1 (lcool.hyper.image): 60 settings.
PAPER_GRID: dict[str, Any] = {
    "step_sizes": (0.001, 0.005, 0.01),
    "temperatures": (0.0001, 0.001, 0.005, 0.01),
    "steps": (20, 40, 60, 80, 100),
}
