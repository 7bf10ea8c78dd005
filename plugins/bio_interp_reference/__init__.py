"""A small protein language model of our own.

The weights ship in this package, so nothing is fetched: tests, notebooks and offline users work
with it. What it learned, and what it did not, is in ``MODEL_CARD.md`` beside this file.
"""

from collections.abc import Sequence
from pathlib import Path

from bio_interp.errors import NotFoundError
from bio_interp.models import LanguageModel, LoadOptions

__all__ = ["ATLAS", "SOURCE", "ReferenceAtlas", "ReferenceSource"]

NAME = "reference"


class ReferenceSource:
    """The `ModelSource` of the reference model."""

    api_version = 1

    def names(self) -> Sequence[str]:
        """Name the one model of this plugin."""
        return (NAME,)

    def load(self, name: str, options: LoadOptions) -> LanguageModel:
        """Build the model from the weights in this package, or from ``options.weights``.

        Raises
        ------
        NotFoundError
            The name is not ``"reference"``.
        NotCachedError
            ``options.weights`` does not exist.
        MismatchError
            ``options.weights`` are the weights of another network.
        """
        if name != NAME:
            raise NotFoundError(
                f"the name of a model of this plugin ({NAME})", repr(name), f"Write {NAME}."
            )
        from bio_interp_reference._network import load_reference

        return load_reference(options)


class ReferenceAtlas:
    """The atlas of the reference model's features; its calls are few and weak."""

    api_version = 1

    def path(self) -> Path:
        """Folder of the atlas."""
        return Path(__file__).parent / "atlas"


SOURCE = ReferenceSource()
ATLAS = ReferenceAtlas()
