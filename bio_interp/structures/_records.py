"""Records of a file, put onto the chains that they speak of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bio_interp.structures._structure import (
    Chain,
    Difference,
    Model,
    Reference,
    ResidueId,
    Site,
)


@dataclass(frozen=True, slots=True)
class ChainRecords:
    """What the file says of one chain.

    Attributes
    ----------
    authors
        Author's number and insertion code by label, for residues that were not resolved.
    """

    references: Sequence[Reference] = ()
    differences: Sequence[Difference] = ()
    authors: Mapping[int, tuple[int, str]] = field(default_factory=dict[int, tuple[int, str]])


class Records(Protocol):
    """What the file says beside coordinates."""

    def of(self, chain: Chain) -> ChainRecords:
        """Give the records of one chain."""
        ...


def attach(models: Sequence[Model], records: Records) -> tuple[Model, ...]:
    """Put records onto the chains of all models."""
    return tuple(
        replace(model, chains=tuple(_attach(chain, records.of(chain)) for chain in model.chains))
        for model in models
    )


def _attach(chain: Chain, records: ChainRecords) -> Chain:
    residues = tuple(
        replace(residue, author=records.authors[label][0], insertion=records.authors[label][1])
        if residue.author is None and (label := residue.label_seq) in records.authors
        else residue
        for residue in chain.residues
    )
    return replace(
        chain,
        residues=residues,
        references=tuple(records.references),
        differences=tuple(records.differences),
    )


def gather_sites(
    residues: Sequence[tuple[str, ResidueId]], descriptions: Mapping[str, str]
) -> tuple[Site, ...]:
    """Make sites of rows of site and residue."""
    found: dict[str, list[ResidueId]] = {name: [] for name in descriptions}
    for name, residue in residues:
        found.setdefault(name, []).append(residue)
    return tuple(
        Site(name, descriptions.get(name, ""), tuple(dict.fromkeys(members)))
        for name, members in found.items()
    )


def whole(text: str | None) -> int | None:
    """Read an integer; None where there is none."""
    try:
        return int(text or "")
    except ValueError:
        return None
