"""The picture of the landing page: Langevin chains while their temperature falls."""

from __future__ import annotations

import importlib.util
import io
import math
from pathlib import Path

CHAINS, STEPS, SEED = 18, 900, 3
HOT, COLD = 16.0, 1 / 64
# Means, standard deviations and shares of the five Gaussians on the line that are cooled.
MEANS, WIDTHS, SHARES = (-5.4, -2.6, 0.3, 2.5, 5.6), (0.5, 0.7, 0.55, 0.6, 0.8), (2, 4, 5, 3, 3)
USED = ("langevin", "kernels", "noise", "densities.gaussian", "plots")


def ingredients() -> bytes:
    """What the picture is made from: this module and those of the package that it uses."""
    names = [__name__, *(f"domain_translation.{used}" for used in USED)]
    specs = [importlib.util.find_spec(name) for name in names]
    return b"".join(Path(s.origin).read_bytes() for s in specs if s is not None and s.origin)


def draw() -> bytes:
    """A PNG: position against falling temperature, the chains over the density p^(1/T)."""
    import matplotlib as mpl
    import numpy as np
    import torch
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from PIL import Image

    from domain_translation import densities, langevin, plots

    target = densities.GaussianMixture([[m] for m in MEANS], list(WIDTHS), list(SHARES))
    temperatures = torch.logspace(math.log2(HOT), math.log2(COLD), STEPS, 2, dtype=torch.float64)
    # The noise of a step, 2 alpha T, falls only with the data's own temperature: no wild jumps.
    step_size = 0.04 / temperatures.clamp_min(1)
    kernel = langevin.mala(target.energy_and_score, step_size, temperatures)
    start = torch.linspace(-7.5, 7.5, CHAINS)[:, None]
    chain = langevin.sample(kernel, start, STEPS, seed=SEED, thin=1)
    assert chain.trajectory is not None
    paths = chain.trajectory[..., 0].numpy()  # (steps, chains)
    coldness = -np.log2(temperatures.numpy())

    # Each column is p^(1/T), scaled to its own top: exact, no chain is needed for it.
    places = torch.linspace(-9, 9, 600)[:, None]
    energy = target.energy_and_score(places.double())[0][:, None].numpy()
    energy = energy - energy.min()
    columns = np.linspace(coldness[0], coldness[-1], 500)
    shade = np.exp(-energy * 2.0**columns)

    colours = LinearSegmentedColormap.from_list(
        "cooling", [plots.RED, plots.ORANGE, plots.SKY, plots.BLUE]
    )
    # Larger letters than in a chapter's figure: a phone shows the picture whole.
    with mpl.rc_context({**plots.STYLE, "font.size": 11.5, "axes.labelsize": 11.5}):
        figure = Figure(figsize=(5.6, 3.9))
        FigureCanvasAgg(figure)
        ax = figure.subplots()
        ax.imshow(
            shade, origin="lower", aspect="auto", cmap="Greys", vmax=2.3, interpolation="bilinear",
            extent=(columns[0], columns[-1], -9, 9),
        )  # fmt: skip
        for path in paths.T:
            points = np.stack([coldness, path], 1)
            ax.add_collection(
                LineCollection(
                    list(np.stack([points[:-1], points[1:]], 1)), array=coldness[1:], cmap=colours,
                    linewidths=0.9, alpha=0.9, capstyle="round",
                )
            )  # fmt: skip
        ax.axvline(0, color=plots.INK, lw=0.9, ls=(0, (4, 3)))
        ax.text(0.12, 8.6, "$T = 1$: the data's law", va="top")
        ax.set(xlim=(columns[0], columns[-1]), ylim=(-9, 9), yticks=[], ylabel="position")
        ticks = (16, 4, 1, 1 / 4, 1 / 16, 1 / 64)
        ax.set_xticks([-np.log2(t) for t in ticks], ["16", "4", "1", "1/4", "1/16", "1/64"])
        ax.set_xlabel("temperature $T$, falling")
        ax.grid(False)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=240)
    out = io.BytesIO()
    Image.open(drawn).convert("RGB").quantize(256).save(out, "PNG", optimize=True)
    return out.getvalue()
