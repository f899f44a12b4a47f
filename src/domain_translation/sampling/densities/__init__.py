"""Targets whose log-density, score and sampler are known exactly.

Every class has ``log_prob(x)``, ``energy(x) = -log_prob(x)``, ``score(x)``,
``energy_and_score(x)`` and ``sample(n, generator)``; what is known beyond that (moments, the
density smoothed by Gaussian noise, the tempered density) is a method of the class. Points are
batches ``(B, d)``; results have the dtype and the device of the points.
"""

from domain_translation.sampling.densities.curved import Banana, SmoothedStrip, Strip
from domain_translation.sampling.densities.gaussian import Gaussian, GaussianMixture

__all__ = ["Banana", "Gaussian", "GaussianMixture", "SmoothedStrip", "Strip"]
