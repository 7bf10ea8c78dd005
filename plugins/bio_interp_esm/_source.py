"""The plugin object: names of models, and how to load one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bio_interp.errors import NotFoundError
from bio_interp.models import LoadOptions

if TYPE_CHECKING:
    from bio_interp.models import LanguageModel

NAMES = (
    "esm2_t6_8M_UR50D",
    "esm2_t12_35M_UR50D",
    "esm2_t30_150M_UR50D",
    "esm2_t33_650M_UR50D",
    "esm2_t36_3B_UR50D",
    "esm2_t48_15B_UR50D",
)
LICENCE = "MIT"
CITATION = (
    "Lin Z. et al. (2023) Evolutionary-scale prediction of atomic-level protein structure with a "
    "language model. Science 379:1123-1130. doi:10.1126/science.ade2574"
)


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
        from bio_interp_esm._weights import find_weights

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


SOURCE = Esm2Source()
