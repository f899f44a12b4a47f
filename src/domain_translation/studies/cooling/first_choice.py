"""A classifier of photographs as witness and as rater: ImproveIT's Tables 1 and 3.

The small judges know two classes: they call nearly every translation a zebra before the first step,
and prefer it to the true one. MobileNet knows a thousand, so that its first choice has room.
Painted horses, clean and with some of their pixels salted or peppered, are cooled by the score of
the round trip, as in the source. At every tenth step the translations are asked for their first
choice (improveit.tab1), and whether a zebra has become likelier than in the plain translation of
the same horse, which is what a rater is asked (improveit.tab3).

Said beforehand. The source's rise is found if, after 100 steps, more is called zebra than before,
at 95 % over the trainings of translators and denoisers, on clean and on damaged horses; if
MobileNet calls half of the true zebras so, and a tenth of the plain translations not. Its raters'
taste is found if most cooled translations are likelier zebras after 50 steps, if most true zebras
are. It is the score's doing if a blur as long and the chain's noise alone do less.

Three trainings left it open by a hair whether a tenth of the plain translations fail on clean
horses (0.56 are called zebras, up to 0.93); so there are five.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Generator, Tensor

from domain_translation import cooling
from domain_translation.cooling import Cooling
from domain_translation.cooling.strips import strip
from domain_translation.data.corruptions import salted
from domain_translation.data.fetch import fetch
from domain_translation.evaluation.judges import imagenet
from domain_translation.evaluation.pictures.controls import blurred_as_far
from domain_translation.notebook.cards import fingerprint
from domain_translation.pretrained import directions
from domain_translation.studies.cooling.scenes import round_trip_score
from domain_translation.studies.study import Measure, Study, measures

IMPROVEIT = Cooling(0.3, 0.01, 5e-5, 50)
CHOSEN_BY = 8  # validation scenes that set the scale of the cycle score
EVERY = 10  # steps from frame to frame
RATED = 50  # steps before the raters' table, ImproveIT's


@dataclass(frozen=True)
class Horses:
    """Horses before a chain.

    Attributes:
        noise: share of salted or peppered pixels.
        setting: ImproveIT's; 50 of its steps set the scale of the cycle score.
        steps: of the chain, a multiple of `EVERY`.
        scenes: test scenes.
    """

    noise: float = 0.0
    setting: Cooling = IMPROVEIT
    steps: int = 100
    scenes: int = 40


def run(of: Horses, seed: int, folder: Path) -> dict[str, Tensor]:
    """Probabilities of a zebra and first choices, frame by frame, of the truth and of controls.

    Raises: as `fetch.fetch`.
    """
    mobilenet = imagenet.full_judges(fetch("mobilenet")[0].parent)["MobileNet"]
    d = directions.load("horse2zebra", seed=seed, validation=CHOSEN_BY, test=of.scenes)
    score = round_trip_score(d, d.validation.source, of.setting.chain())
    x = salted(d.test.source, of.noise, Generator().manual_seed(seed))
    long = replace(of.setting, steps=of.steps).chain()
    frames = strip(d.translator, score, x, frames=of.steps // EVERY, seed=seed, **long)
    cooled = frames.inputs[RATED // EVERY], frames.inputs[-1]
    noise = cooling.cool(torch.zeros_like, x, seed=seed, **long).x
    controls = [d.translator(blurred_as_far(x, z)) for z in cooled] + [d.translator(noise)]
    said = torch.stack([mobilenet(y) for y in (*frames.outputs, d.test.target, *controls)])
    return {"zebra": said[..., imagenet.ZEBRA], "first": said.argmax(2) == imagenet.ZEBRA}


def measure(of: Horses, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Shares called zebra and mean likeness after each frame's steps, and votes; of controls, too.

    The controls: inputs blurred as far as the rated and the last frame's, and the noise alone of
    the whole chain.
    """
    d = directions.load("horse2zebra", seed=seed, validation=1, test=1)
    numbers: dict[str, float] = {}
    for kind, values in (("called zebra", found["first"]), ("likeness", found["zebra"])):
        *frames, truth, _, blurred, noise = values.double().mean(1).tolist()
        numbers |= {f"{kind} after {EVERY * k} steps": v for k, v in enumerate(frames)}
        numbers |= {f"{kind}, truth": truth, f"{kind}, rise": frames[-1] - frames[0]}
        numbers |= {f"{kind}, blurred as far": blurred, f"{kind}, noise alone": noise}
        numbers[f"{kind}, rise beyond the blur's"] = frames[-1] - blurred
        numbers[f"{kind}, rise beyond the noise's"] = frames[-1] - noise
    plain, cooled, truth, blurred = (found["zebra"][k] for k in (0, RATED // EVERY, -4, -3))
    for name, other in (("cooled", cooled), ("truth", truth), ("blurred", blurred)):
        numbers[f"{name} preferred"] = float((other > plain).double().mean())
    return measures(numbers, [fingerprint(network) for network in (d.translator, d.inverse)])


STUDY = Study(
    "cooling/first_choice",
    {
        "clean horses": Horses(),
        "horses, 5 % noise": Horses(0.05, steps=RATED),
        "horses, 10 % noise": Horses(0.1, steps=RATED),
        "horses, 25 % noise": Horses(0.25),
    },
    range(5),
    run,
    measure,
    trains=False,
    data=("mobilenet",),
)
