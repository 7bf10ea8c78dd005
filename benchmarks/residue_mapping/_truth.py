"""What is known of the shared structures: proteins, and which residue is which position."""

import csv
import gzip
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from bio_interp.sequences import Protein, read_proteins
from bio_interp.structures import Chain, ChainMap

UNIPROT = "{http://uniprot.org/uniprot}"
COLUMN = "segments_author_number=uniprot_position"


@dataclass(frozen=True)
class Known:
    """One row of ``CHAIN_TO_UNIPROT.tsv``: author's number to position of the protein."""

    file: str
    chain: str
    accession: str
    identity: float
    positions: dict[int, int]


@dataclass
class Score:
    """Resolved residues: mapped as they should be, wrongly, and not mapped."""

    right: int = 0
    wrong: int = 0
    refused: int = 0

    def add(self, other: "Score") -> None:
        self.right += other.right
        self.wrong += other.wrong
        self.refused += other.refused


def known_chains(shared: Path) -> list[Known]:
    with (shared / "structures/CHAIN_TO_UNIPROT.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        Known(r["file"], r["chain"], r["uniprot"], float(r["identity"]), _positions(r[COLUMN]))
        for r in rows
    ]


def _positions(text: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for segment in text.split(";"):
        here, there = (tuple(int(n) for n in part.split("-")) for part in segment.split("="))
        found.update(zip(range(here[0], here[1] + 1), range(there[0], there[1] + 1), strict=True))
    return found


def proteins(shared: Path, wanted: Collection[str]) -> dict[str, Protein]:
    """Find sequences in the shared UniProt files."""
    files = [shared / "proteome_yeast/yeast.fasta.gz"]
    files += sorted((shared / "uniprot_flat").glob("*.dat.gz"))
    files += [shared / "uniprot_fixtures/emboss_seq.dat.gz"]
    found: dict[str, Protein] = {}
    for protein in (p for file in files for p in read_proteins(file)):
        if protein.accession in wanted:
            found.setdefault(protein.accession, protein)
    for protein in _xml(shared / "uniprot_fixtures/uniprot_250_entries.xml.gz"):
        if protein.accession in wanted:
            found.setdefault(protein.accession, protein)
    return found


def _xml(path: Path) -> Iterator[Protein]:
    with gzip.open(path) as file:
        root = ET.parse(file).getroot()
    for entry in root.iter(f"{UNIPROT}entry"):
        accession, sequence = (entry.findtext(UNIPROT + tag) for tag in ("accession", "sequence"))
        if accession and sequence:
            yield Protein(accession, "".join(sequence.split()))


def against_known(known: Known, chain: Chain, found: ChainMap) -> Score:
    score = Score()
    for residue, position in zip(chain.residues, found.positions, strict=True):
        truth = known.positions.get(residue.author or 0)
        if not residue.resolved or truth is None:
            continue
        score.right += position == truth
        score.refused += position is None
        score.wrong += position not in (truth, None)
    return score


def against_own_letters(chain: Chain, found: ChainMap, letters: dict[int, str]) -> Score:
    """Compare with the sequence that the file quotes from the database, listed changes apart."""
    listed = {d.label_seq: d for d in found.differences}
    score = Score()
    for residue, position in zip(chain.residues, found.positions, strict=True):
        if position is None or not residue.resolved or position not in letters:
            continue
        change = listed.get(residue.label_seq)
        expected = change.expected if change else letters[position]
        same = residue.letter in (letters[position], "X") or expected == letters[position] != ""
        score.right += same
        score.wrong += not same
    return score
