"""Likeness under torchvision's two small classifiers, which anybody can get (lcool.tab2).

As `likeness`, whose two classifiers nobody publishes as files.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from domain_translation.evaluation.judges import imagenet
from domain_translation.studies.cooling import likeness
from domain_translation.studies.cooling.likeness import Scenes
from domain_translation.studies.study import Study


def run(of: Scenes, seed: int, folder: Path) -> dict[str, Tensor]:
    """Procedural pictures before the classifiers; errors as in `imagenet.paper_judges`."""
    return likeness.before(imagenet.paper_judges(imagenet.SMALL), of, seed)


STUDY = Study(
    "cooling/likeness_public",
    likeness.STUDY.arms,
    likeness.STUDY.seeds,
    run,
    likeness.measure,
    trains=False,
    data=tuple(imagenet.CLASSIFIERS[name][0] for name in imagenet.SMALL),
)
