"""Read activations with a language model, protein after protein."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from bio_interp.errors import NotFoundError
from bio_interp.models import LanguageModel, ModelInfo

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
    return (rows[site] for rows in read_sites(model, sequences, [site]))


def read_sites(
    model: LanguageModel, sequences: Iterable[str], sites: Sequence[str]
) -> "Iterator[dict[str, Tensor]]":
    """Do what `read_rows` does at several sites in one pass over the model.

    Yields one tensor ``(residues, d_model)`` a site for each protein: what
    `bio_interp.sae.train_many` takes, once `shuffled_rows` has mixed it.

    Raises
    ------
    NotFoundError
        The model lacks one of the sites; raised at once, before anything is read.
    """
    check_sites(model.info, sites)
    read = model.activations(sequences, list(sites))
    return ({site: reading.rows[site] for site in sites} for reading in read)


def check_sites(info: ModelInfo, sites: Iterable[str]) -> None:
    """Refuse sites that a model does not have, with a `NotFoundError` that lists those it has."""
    for site in sites:
        if site not in info.sites:
            raise NotFoundError(
                f"a site of {info.name} ({', '.join(info.sites)})",
                repr(site),
                "Give one of its sites.",
            )
