"""Read activations with a language model, protein after protein."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bio_interp.errors import NotFoundError
from bio_interp.models import LanguageModel

if TYPE_CHECKING:
    from torch import Tensor


def read_rows(model: LanguageModel, sequences: Iterable[str], site: str) -> "Iterator[Tensor]":
    """Yield the activations of each protein at a site, ``(residues, d_model)``, in input order.

    Nothing is kept: memory is what the model needs for its own batches.

    Raises
    ------
    NotFoundError
        The model has no such site; raised at once, before anything is read.
    """
    if site not in model.info.sites:
        raise NotFoundError(
            f"a site of {model.info.name} ({', '.join(model.info.sites)})",
            repr(site),
            "Give one of its sites.",
        )
    return (reading.rows[site] for reading in model.activations(sequences, [site]))
