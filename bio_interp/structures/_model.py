"""Which model of a structure a chain belongs to."""

from bio_interp.errors import NotFoundError
from bio_interp.structures._structure import Chain, Model, Structure


def model_of(structure: Structure, chain: Chain) -> Model:
    """Give the model of a chain.

    Raises
    ------
    NotFoundError
        The chain is none of the structure.
    """
    for model in structure.models:
        if any(each is chain for each in model.chains):
            return model
    raise NotFoundError(
        f"a chain of structure {structure.name}",
        f"chain {chain.name!r} of another one",
        "Take it from `structure.chains`.",
    )
