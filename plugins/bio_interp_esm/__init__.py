"""ESM-2 through fair-esm: all published sizes, by fair-esm's names.

Weights are read from `LoadOptions.weights`, else from ``$TORCH_HOME/hub/checkpoints`` where
fair-esm and torch.hub keep them, else, if downloads are allowed, fetched into that folder.
"""

from bio_interp_esm._source import SOURCE, Esm2Source

__all__ = ["SOURCE", "Esm2Source"]
