"""The plugin object: names of models, and how to load one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bio_interp.errors import NotFoundError
from bio_interp.models import LoadOptions

if TYPE_CHECKING:
    from bio_interp.cache import DataSet, Progress
    from bio_interp.models import LanguageModel

# megabytes of the published files; those of the two largest models hold 16-bit numbers
_MEGABYTES = {
    "esm2_t6_8M_UR50D": 30,
    "esm2_t12_35M_UR50D": 134,
    "esm2_t30_150M_UR50D": 595,
    "esm2_t33_650M_UR50D": 2_600,
    "esm2_t36_3B_UR50D": 5_700,
    "esm2_t48_15B_UR50D": 30_300,
}
NAMES = tuple(_MEGABYTES)


class Esm2Source:
    """A `bio_interp.models.ModelSource` of the published ESM-2 models."""

    api_version = 1

    def names(self) -> Sequence[str]:
        """Names of the models, smallest first, as in fair-esm."""
        return NAMES

    def load(self, name: str, options: LoadOptions) -> "LanguageModel":
        """Load one of `names`.

        Raises
        ------
        NotFoundError
            The name is none of them.
        NotCachedError
            The weights are not on this machine and may not be fetched.
        InputError
            The weights file is no checkpoint of this model.
        """
        if name not in NAMES:
            raise NotFoundError(
                f"the name of an ESM-2 model ({', '.join(NAMES)})",
                repr(name),
                "Name one of these.",
            )
        # torch is imported here, not when plugins are listed
        from bio_interp.models import Esm2Engine
        from bio_interp_esm._checkpoint import read_checkpoint
        from bio_interp_esm._weights import CITATION, LICENCE, find_weights

        path, sha256 = find_weights(name, options)
        module = read_checkpoint(path, name)
        return Esm2Engine(
            module,
            name=name,
            licence=LICENCE,
            citation=CITATION,
            options=options,
            weights_sha256=sha256,
        )

    def data_sets(self) -> "Sequence[DataSet]":
        """List the weights as data sets, one a model."""
        from bio_interp.cache import DataSet
        from bio_interp_esm._weights import CITATION, LICENCE

        sizes = _MEGABYTES.items()
        return [
            DataSet(name=name, megabytes=size, licence=LICENCE, citation=CITATION)
            for name, size in sizes
        ]

    def data_path(self, name: str) -> Path:
        """Give the place of a model's weights, among torch.hub's."""
        from bio_interp_esm._weights import weights_path

        return weights_path(name)

    def get_data(
        self, name: str, *, offline: bool = False, progress: "Progress | None" = None
    ) -> Path:
        """Fetch a model's weights, unless they are there.

        Raises
        ------
        NotCachedError
            They may not be, or could not be, fetched.
        """
        from bio_interp_esm._weights import get_weights

        return get_weights(name, offline=offline, progress=progress)


SOURCE = Esm2Source()
