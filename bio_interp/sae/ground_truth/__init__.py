"""Rows whose features are known, and how many of them an SAE found.

`PlantedFeatures` makes rows that are sparse sums of known directions, more of them than
dimensions; `recovery` scores an SAE against what was planted. Real activations have no such truth:
a score here says whether a way of training can find features, not that it did in a model.
"""

from bio_interp.sae.ground_truth._planted import PlantedFeatures
from bio_interp.sae.ground_truth._recovery import Recovery, recovery

__all__ = ["PlantedFeatures", "Recovery", "recovery"]
