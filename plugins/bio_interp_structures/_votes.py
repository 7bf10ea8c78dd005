"""What each structure says of each position of the proteins."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from bio_interp.sequences import Protein
from bio_interp.structures import (
    ADDITIVES,
    Chain,
    Structure,
    distances_to_ligands,
    map_structure,
    residue_properties,
    secondary_structure,
)
from bio_interp_structures._concepts import Settings, bands, component_concept, shown

_WORD = 5  # letters
_SHARE = 0.1  # of the words of a chain; one that is 90% a protein over its half shares 25% or more
_log = logging.getLogger(__name__)

VOTES = {
    "accession": pl.String,
    "position": pl.Int32,
    "concept": pl.String,
    "seen": pl.UInt32,
    "yes": pl.UInt32,
    "experimental": pl.Boolean,
    "structures": pl.List(pl.String),
}
"""One row a position and concept: how many chains show it, how many of these bear it."""


class Placed(NamedTuple):
    """A chain, and the position of each of its residues in a protein."""

    accession: str
    chain: Chain
    positions: Sequence[int | None]


def place(structure: Structure, proteins: Sequence[Protein]) -> Iterator[Placed]:
    """Map the chains of a structure to proteins; those that are none are logged."""
    named = {r.accession for chain in structure.chains for r in chain.references}
    words = [_words(chain) for chain in structure.chains if chain.kind == "protein"]
    near = [p for p in proteins if p.accession in named or any(_share(w, p) for w in words)]
    found = map_structure(structure, near)
    mapped = {each.label for each in found.maps}
    chains = {chain.label: chain for chain in structure.chains}
    for chain in structure.chains:
        if chain.kind == "protein" and chain.label not in mapped:
            why = found.refused.get(chain.name, "it shares too few words of five letters with any")
            _log.info("%s chain %s is none of the proteins: %s", structure.name, chain.name, why)
    for each in found.maps:
        yield Placed(each.accession, chains[each.label], each.positions)


def _words(chain: Chain) -> set[str]:
    letters = chain.sequence
    starts = (i for i, residue in enumerate(chain.residues) if residue.resolved)
    return {letters[i : i + _WORD] for i in starts if i + _WORD <= len(letters)}


def _share(words: set[str], protein: Protein) -> bool:
    """Tell whether a protein may be that of a chain, which spares thousands of alignments."""
    least = max(1.0, _SHARE * len(words))
    return sum(word in protein.sequence for word in words) >= least


def own_proteins(structure: Structure, path: Path) -> Iterator[Placed]:
    """Take each protein chain for a protein: ``4HHB_A``."""
    name = path.name.partition(".")[0] if structure.name == path.name else structure.name
    used: set[str] = set()
    for chain in structure.chains:
        if chain.kind == "protein" and len(chain):
            accession = f"{name}_{chain.name}"
            if accession in used:  # a peptide may share its author's chain with its protein
                accession = f"{accession}_{chain.label}"
            used.add(accession)
            yield Placed(accession, chain, [residue.label_seq for residue in chain.residues])


def votes(
    structure: Structure, placed: Sequence[Placed], settings: Settings, tools: dict[str, str]
) -> pl.DataFrame:
    """Give what a structure says, as `VOTES`; name in `tools` what assigned its strands."""
    said: dict[int, pl.DataFrame] = {}
    frames = [pl.DataFrame(schema=VOTES)]
    for each in placed:
        if id(each.chain) not in said:
            said[id(each.chain)] = _of_chain(structure, each.chain, settings, tools)
        where = pl.DataFrame(
            {"index": range(len(each.positions)), "position": list(each.positions)},
            schema={"index": pl.Int32, "position": pl.Int32},
        ).drop_nulls()
        frame = said[id(each.chain)].join(where, on="index")
        yes = pl.col("yes")
        name = pl.lit(structure.name)
        frames.append(
            frame.select(
                pl.lit(each.accession).alias("accession"),
                "position",
                "concept",
                pl.lit(1, pl.UInt32).alias("seen"),
                yes.cast(pl.UInt32),
                (yes & (not structure.predicted)).alias("experimental"),
                pl.when(yes).then(pl.concat_list(name)).otherwise([]).alias("structures"),
            )
        )
    return count(frames)


def count(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up votes."""
    total = pl.concat(frames).group_by("accession", "concept", "position")
    return total.agg(
        pl.col("seen", "yes").sum(),
        pl.col("experimental").any(),
        pl.col("structures").explode().drop_nulls().unique().sort(),
    ).select(*VOTES)


def _of_chain(
    structure: Structure, chain: Chain, settings: Settings, tools: dict[str, str]
) -> pl.DataFrame:
    """Give ``index``, ``concept`` and ``yes`` of all that is known of a chain's residues."""
    states = secondary_structure(structure, chain, method=settings.secondary)
    if states.tool:
        known = tools.get(states.method, states.tool)
        tools[states.method] = known if states.tool in known else f"{known}, {states.tool}"
    table = residue_properties(structure, chain, secondary="none").with_columns(
        pl.Series("secondary", states.states, dtype=pl.String)
    )
    concepts = shown(states.method, settings)
    for concept, distance, limit in _components(structure, chain, settings):
        table = table.with_columns(distance.alias(concept))
        concepts[concept] = pl.col(concept) <= limit
    trusted = pl.col("plddt").is_null() | (pl.col("plddt") >= settings.plddt)
    known = {name: pl.when(trusted).then(found) for name, found in concepts.items()} | bands()
    return (
        table.select("index", **known)
        .unpivot(index="index", variable_name="concept", value_name="yes")
        .drop_nulls()
    )


def _components(
    structure: Structure, chain: Chain, settings: Settings
) -> Iterator[tuple[str, pl.Series, float]]:
    """Measure the distance to each component that is near the chain's structure."""
    kinds: tuple[Literal["ligand", "metal"], ...] = ("ligand", "metal")
    for kind, limit in zip(kinds, (settings.ligand, settings.metal), strict=True):
        names = {ligand.name for ligand in structure.ligands if ligand.kind == kind} - ADDITIVES
        for name in sorted(names):
            if concept := component_concept(kind, name):
                found = distances_to_ligands(chain, structure.ligands, kind=kind, names={name})
                yield concept, pl.Series(found).fill_nan(None), limit
