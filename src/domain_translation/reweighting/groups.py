"""Groups of pictures found without labels, alike in two domains that look different.

Clusters of all pictures would be the domains themselves wherever these differ in style. So each
domain is moved and scaled onto the other first, feature by feature, and counted as it would be
where both meet half-way (JD-BW eq. 10): moments of domains out of balance differ although their
classes look alike. Weights need groups and groups need weights, so that both are found in turns.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from skimage.feature import hog
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from domain_translation.reweighting.balance import Labels

Features = NDArray[np.float64]
SIDE = 32  # of the pictures that features are taken of
KEPT = 20  # principal components
MOST = 12  # groups to choose from
CELLS = 4  # of the coarse colours, along a side
COLOUR = 0.5  # of the contours' spread
_ROUNDS = 4  # of weights and groups in turns
_LIGHTEST, _HEAVIEST = 0.5, 2.5  # weights: a group that one domain lacks must not rule the other
_SEEN = 3000  # pictures whose silhouette is taken


def features(pixels: Tensor, each: Callable[[], object] = lambda: None) -> Features:
    """Contours and coarse colours (n, d) of pictures (n, 3, 32, 32) in [-1, 1], uncentred.

    Args:
        pixels: of both domains.
        each: called after every picture.
    """
    contours = []
    for grey in pixels.mean(1).numpy():
        contours.append(hog(grey, orientations=8, pixels_per_cell=(8, 8), cells_per_block=(2, 2)))
        each()
    colours = adaptive_avg_pool2d(pixels, CELLS).flatten(1).numpy()
    parts = [(np.stack(contours), 1.0), (colours.astype(np.float64), COLOUR)]
    return np.hstack([weight * _unit(part) for part, weight in parts])


def _unit(values: Features) -> Features:
    """Centred, with a mean squared length of one."""
    centred = values - values.mean(0)
    return centred / max(float(np.sqrt(np.square(centred).sum(1).mean())), 1e-12)


def reduced(values: Features, seed: int = 0) -> Features:
    """The principal components (n, at most 20) of features."""
    kept = min(KEPT, *(side - 1 for side in values.shape))
    if not np.ptp(values, axis=0).any():  # all are alike, which sklearn divides by
        return np.zeros((len(values), kept))
    found: Features = PCA(kept, random_state=seed).fit_transform(values)
    return found


def groups(x: Features, y: Features, count: int, seed: int = 0) -> tuple[Labels, Labels]:
    """Groups 0..count-1 of the pictures of two domains, from features (n, d) and (m, d)."""
    found = _in_turns(x, y, count, seed)[0]
    return found[: len(x)], found[len(x) :]


def _in_turns(x: Features, y: Features, count: int, seed: int) -> tuple[Labels, Features]:
    """Groups of the pictures of both domains, and the aligned features they were found on."""
    weights = [np.ones(len(x)), np.ones(len(y))]
    for turn in range(_ROUNDS):
        both = np.vstack(aligned(x, y, weights))
        means = KMeans(count, n_init=2, random_state=seed + turn)
        with warnings.catch_warnings():  # of fewer different pictures than groups in a draw
            warnings.simplefilter("ignore", ConvergenceWarning)
            found: Labels = means.fit_predict(both, None, np.concatenate(weights)).astype(np.int64)
        sides = found[: len(x)], found[len(x) :]
        shares = [np.bincount(side, minlength=count) / len(side) for side in sides]
        half = (shares[0] + shares[1]) / 2
        of_groups = [np.clip(half / np.maximum(s, 1e-9), _LIGHTEST, _HEAVIEST) for s in shares]
        weights = [w[side] for w, side in zip(of_groups, sides, strict=True)]
    return found, both


def aligned(x: Features, y: Features, weights: list[NDArray[np.float64]]) -> list[Features]:
    """Both domains with mean 0 and one spread in every feature, their pictures so weighted."""
    pairs = list(zip((x, y), weights, strict=True))
    means = [np.average(v, axis=0, weights=w) for v, w in pairs]
    spreads = [
        np.sqrt(np.average(np.square(v - mean), axis=0, weights=w)).clip(1e-12)
        for (v, w), mean in zip(pairs, means, strict=True)
    ]
    common = (spreads[0] + spreads[1]) / 2
    return [
        (v - mean) / spread * common
        for (v, _), mean, spread in zip(pairs, means, spreads, strict=True)
    ]


def choose_count(
    x: Features, y: Features, seed: int = 0, each: Callable[[], object] = lambda: None
) -> int:
    """The number of groups, 2 to 12 and 5 pictures a group at least, of the largest silhouette."""

    def silhouette(count: int) -> float:
        found, both = _in_turns(x, y, count, seed)
        each()
        if not 1 < len(set(found.tolist())) < len(both):
            return -1.0
        size = min(len(both), _SEEN)
        return float(silhouette_score(both, found, sample_size=size, random_state=seed))

    return max(range(2, max(2, min(MOST, (len(x) + len(y)) // 5)) + 1), key=silhouette)
