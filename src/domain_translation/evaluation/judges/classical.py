"""Judges: classifiers that never saw a cooled sample.

They stand in for the ImageNet classifiers and the human judges of the sources: the likeness of
an image to a class is the probability they give it (L-Cool section 4.3.1, lcool.metric.likeness).
Two families that err differently, both with calibrated probabilities. Pixels are not standardised:
the border of the digits hardly varies, and dividing by its spread would make one corrupted pixel
there outweigh the whole digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from sklearn.calibration import CalibratedClassifierCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import Tensor

from domain_translation.sampling.inputs import events, labels

Judge = Callable[[Tensor], Tensor]


def train_judges(x: Tensor, y: Tensor) -> dict[str, Judge]:
    """Train the judges on clean samples x (n, *event) with classes y (n,), 0..C-1, all present.

    Returns a support vector machine with Gaussian kernel and a nearest-neighbour vote, each a
    callable (B, *event) -> (B, C) of probabilities, on the CPU, calibrated by isotonic regression
    within five folds. Nothing is random in them.
    """
    x = events(x, "x")
    y = labels(y, x, "y")
    families = {
        "SVM": SVC(C=10.0, gamma="scale"),
        "neighbours": KNeighborsClassifier(n_neighbors=5, weights="distance"),
    }
    return {name: _judge(family, x, y) for name, family in families.items()}


def _judge(family: object, x: Tensor, y: Tensor) -> Judge:
    model = CalibratedClassifierCV(family, method="isotonic", cv=5, ensemble=False)
    model.fit(x.flatten(1).cpu().numpy(), y.cpu().numpy())

    def probabilities(samples: Tensor) -> Tensor:
        return torch.from_numpy(model.predict_proba(samples.flatten(1).cpu().numpy()))

    return probabilities


def accuracy(judges: Mapping[str, Judge], x: Tensor, y: Tensor) -> Tensor:
    """Share of the judges that name the true class of each sample: (B,) in [0, 1]."""
    given = torch.stack(_answers(judges, x))
    return (given.argmax(2) == labels(y, x, "y").cpu()).double().mean(0)


def likeness(judges: Mapping[str, Judge], x: Tensor, y: Tensor) -> Tensor:
    """Probability of the true class of each sample, averaged over the judges: (B,) in [0, 1]."""
    given = torch.stack(_answers(judges, x)).mean(0)
    return given[torch.arange(len(x)), labels(y, x, "y").cpu()]


def _answers(judges: Mapping[str, Judge], x: Tensor) -> list[Tensor]:
    """What each judge says of the samples, after a look at them."""
    x, found = events(x, "x"), []
    for name, judge in judges.items():
        try:
            found.append(judge(x))
        except ValueError as error:  # scikit-learn's, of another number of features
            raise ValueError(f"judge {name!r} does not take {tuple(x.shape)}: {error}") from error
    return found
