"""Chains of structures as they are tested: a sequence, places, and what each residue is near."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Bool, Float
from numpy import ndarray

from bio_interp.sequences import Protein, make_split
from bio_interp.structures import (
    BURIED,
    Chain,
    Structure,
    map_structure,
    residue_properties,
    side_coordinates,
)

NEAR = 5.0
"""Angstrom between atoms of a residue and of what it is near to."""

CONFIDENT = 50.0
"""pLDDT below which a predicted residue counts as not shown: it is no structure."""

SHORTEST = 30
"""Residues that a chain must show: fewer are peptides, without an inside."""

_NEARNESS = ("ligand", "metal", "nucleic", "site", "interface")

PROPERTIES = (
    *_NEARNESS,
    "core",
    "surface",
    "helix",
    "strand",
    "loop",
    "disulfide",
)


@dataclass(frozen=True)
class SpatialChain:
    """A chain, or a protein that a chain shows a part of.

    Attributes
    ----------
    name
        Such as ``1hho:A``.
    sequence
        What a language model reads, in upper case.
    coordinates
        CB of each of its residues, CA of glycines, in angstrom; NaN where none is seen.
    properties
        Of `PROPERTIES`, those that are known of this chain: 1 where a residue has it, else 0, NaN
        where that is not known.
    """

    name: str
    sequence: str
    coordinates: Float[ndarray, "residues 3"]
    properties: Mapping[str, Float[ndarray, "residues"]] = field(default_factory=dict)

    @property
    def shown(self) -> Bool[ndarray, "residues"]:
        """Which residues the structure shows."""
        return np.isfinite(self.coordinates.sum(axis=1))


def spatial_chains(
    structures: Iterable[Structure], proteins: Iterable[Protein] = ()
) -> Iterator[SpatialChain]:
    """Take from structures the chains that features can be tested on.

    Parameters
    ----------
    structures
        Read one after the other.
    proteins
        Where given, chains are mapped to them (`bio_interp.structures.map_structure`), the whole
        protein is what is read, and chains that are none of them are left out. Else each chain is
        read by its own sequence, as the file gives it.

    Yields
    ------
    SpatialChain
        Protein chains that show 30 residues or more; of those with the same sequence in one
        structure the one that shows most.
    """
    given = {protein.accession: protein for protein in proteins}
    for structure in structures:
        found = _mapped(structure, given) if given else _own(structure)
        best = dict[str, SpatialChain]()
        for chain in found:
            shown = int(chain.shown.sum())
            other = best.get(chain.sequence)
            if shown >= SHORTEST and (other is None or shown > other.shown.sum()):
                best[chain.sequence] = chain
        yield from best.values()


def one_a_cluster(
    chains: Sequence[SpatialChain], *, method: Literal["auto", "mmseqs", "kmer"] = "auto"
) -> list[SpatialChain]:
    """Keep, of each homology cluster, the chain that shows most residues; the first of several.

    Relatives fold alike and features fire on them alike: they are no evidence twice. `method` is
    that of `bio_interp.sequences.make_split`.
    """
    if len(chains) < 2:
        return list(chains)
    numbered = [Protein(str(i), chain.sequence) for i, chain in enumerate(chains)]
    split, best = make_split(numbered, method=method), dict[str, int]()
    for i, chain in enumerate(chains):
        cluster = split.cluster(str(i))
        if cluster not in best or chain.shown.sum() > chains[best[cluster]].shown.sum():
            best[cluster] = i
    return [chains[i] for i in sorted(best.values())]


def _own(structure: Structure) -> Iterator[SpatialChain]:
    for chain in structure.chains:
        if chain.kind == "protein":
            name = f"{structure.name}:{chain.name}"
            yield SpatialChain(name, chain.sequence, *_measured(structure, chain))


def _mapped(structure: Structure, given: Mapping[str, Protein]) -> Iterator[SpatialChain]:
    chains = {chain.label: chain for chain in structure.chains}
    for mapped in map_structure(structure, given.values()).maps:
        chain, protein = chains[mapped.label], given[mapped.accession]
        rows = [i for i, p in enumerate(mapped.positions) if p is not None]
        index = np.array([p - 1 for p in mapped.positions if p is not None], dtype=np.int64)
        own, known = _measured(structure, chain)
        places = np.full((len(protein), 3), np.nan)
        places[index] = own[rows]
        properties = dict[str, ndarray]()
        for name, values in known.items():
            properties[name] = np.full(len(protein), np.nan)
            properties[name][index] = values[rows]
        name = f"{mapped.accession} in {structure.name}:{chain.name}"
        yield SpatialChain(name, protein.sequence, places, properties)


def _measured(
    structure: Structure, chain: Chain
) -> tuple[Float[ndarray, "residues 3"], dict[str, Float[ndarray, "residues"]]]:
    """Give places, and which residues have each property that the structure is not silent on."""
    table = residue_properties(structure, chain)
    places = side_coordinates(chain)
    places[(table["plddt"] < CONFIDENT).fill_null(value=False).to_numpy()] = np.nan
    flags = table.select(
        *(pl.col(name) <= NEAR for name in _NEARNESS),
        core=pl.col("accessibility") < BURIED,
        surface=pl.col("accessibility") >= BURIED,
        helix=pl.col("secondary") == "H",
        strand=pl.col("secondary") == "E",
        loop=pl.col("secondary") == "-",
        disulfide="disulfide",
    )
    known = [name for name in PROPERTIES if flags[name].null_count() < flags.height]
    return places, {
        name: flags[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in known
    }
