"""Concepts from structures, against what others found.

Helix and strand, by mkdssp and by P-SEA, residue by residue: against the 3-state strings of 46
chains, and against mkdssp on the same chains' own files, which also gives accessible surface. Then
all shared structures through the annotator: concepts and rows; and, of the chains whose proteins
are here, its helices, strands and disulfides against those that UniProt lists.
"""

import csv
import shutil
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "residue_mapping"))
sys.path.insert(0, str(Path(__file__).parent))

from _agree import Tally, surface_agreement
from _harness import SHARED, finish, parse, record
from _program import run_on_file
from _truth import known_chains, proteins

from bio_interp.annotations import AnnotationTable, collect
from bio_interp.structures import (
    LARGEST_SURFACE,
    Chain,
    Structure,
    read_structure,
    residue_properties,
    secondary_structure,
)

KINDS = {  # UniProt's, and ours
    "uniprot:HELIX": "dssp:helix",
    "uniprot:STRAND": "dssp:strand",
    "uniprot:DISULFID": "structure:disulfide",
}


def main() -> None:
    options = parse(__doc__)
    methods = ["psea", *(["dssp"] if shutil.which("mkdssp") else [])]
    with (SHARED / "structures_dssp/dssp.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    rows = rows[::4] if options.quick else rows
    chains = [(read_structure(SHARED / "structures_dssp" / row["file"]), row) for row in rows]
    figures: dict[str, Any] = {"chains": len(rows)}
    for method, (tally, seconds) in against_strings(chains, methods).items():
        figures[method] = tally.figures() | {"median_ms_a_chain": round(1000 * median(seconds), 1)}
    if "dssp" in methods:
        figures["mkdssp_on_the_own_files"] = against_program(chains)
    files = sorted((SHARED / "structures").glob("*.gz"))
    figures["annotator"] = annotator(files[::4] if options.quick else files)
    figures["uniprot"] = against_uniprot()
    packages = ("biotite", "gemmi", "numpy", "polars")
    finish(record("structure_concepts", options, figures, packages=packages), options)


def _chain(structure: Structure) -> Chain:
    return next(chain for chain in structure.chains if chain.kind == "protein")


def against_strings(
    chains: list[tuple[Structure, dict[str, str]]], methods: list[str]
) -> dict[str, tuple[Tally, list[float]]]:
    """Compare with the strings, which have a letter for each residue with CA."""
    found = {method: (Tally(), list[float]()) for method in methods}
    for structure, row in chains:
        chain = _chain(structure)
        has_ca = [residue.coordinates[0] == residue.coordinates[0] for residue in chain.residues]
        for method in methods:
            tally, seconds = found[method]
            start = time.perf_counter()
            states = secondary_structure(structure, chain, method=method).states
            seconds.append(time.perf_counter() - start)
            tally.add([s for s, kept in zip(states, has_ca, strict=True) if kept], row["dssp3"])
    return found


def against_program(chains: list[tuple[Structure, dict[str, str]]]) -> dict[str, Any]:
    """Compare states and surface with those that mkdssp gives the untouched file."""
    tally, surfaces, failed = Tally(), list[tuple[float, float]](), []
    for structure, row in chains:
        chain = _chain(structure)
        answer = run_on_file(SHARED / "structures_dssp" / row["file"])
        if not answer:
            failed.append(row["file"])
            continue
        states = secondary_structure(structure, chain, method="dssp").states
        shares = residue_properties(structure, chain, secondary="none")["accessibility"]
        for residue, state, share in zip(chain.residues, states, shares, strict=True):
            theirs = answer.get((chain.name, residue.author, residue.insertion))
            if theirs is None:
                continue
            tally.add([state], theirs.state)
            if share is not None:
                surfaces.append((share * LARGEST_SURFACE[residue.letter], theirs.surface))
    return tally.figures() | surface_agreement(surfaces) | {"failed": failed}


def annotator(files: list[Path]) -> dict[str, Any]:
    """Read all structures, each chain as a protein of its own."""
    start = time.perf_counter()
    table = collect(files)
    counts = table.rows["concept"].value_counts().sort("concept")
    return {
        "files": len(files),
        "chains": table.coverage["accession"].n_unique(),
        "seconds": round(time.perf_counter() - start, 1),
        "rows": dict(counts.iter_rows()),
    }


def against_uniprot() -> dict[str, Any]:
    """Compare with the features that UniProt lists of the same proteins."""
    known = known_chains(SHARED)
    given = proteins(SHARED, {row.accession for row in known})
    files = sorted({SHARED / row.file for row in known if "alphafold" not in row.file})
    ours = collect(files, proteins=list(given.values()), annotator="structure")
    sources = sorted((SHARED / "uniprot_flat").glob("*.dat.gz"))
    sources += [SHARED / "uniprot_fixtures/uniprot_250_entries.xml.gz"]
    theirs = collect(sources, proteins=list(given.values()), annotator="uniprot")
    return {
        kind: _compared(theirs, kind, ours, concept)
        for kind, concept in KINDS.items()
        if concept in set(ours.concepts["concept"])
    }


def _compared(theirs: AnnotationTable, kind: str, ours: AnnotationTable, concept: str) -> Any:
    """Count residues that both looked at."""
    looked = _residues(theirs.coverage, "kind", kind) & _residues(ours.coverage, "kind", concept)
    truth = _residues(theirs.rows, "concept", kind) & looked
    found = _residues(ours.rows, "concept", concept) & looked
    return {
        "proteins": len({accession for accession, _ in looked}),
        "residues": len(looked),
        "both": len(truth & found),
        "uniprot_only": sorted(truth - found) if len(truth) < 100 else len(truth - found),
        "structure_only": sorted(found - truth) if len(truth) < 100 else len(found - truth),
    }


def _residues(frame: Any, column: str, value: str) -> set[tuple[str, int]]:
    rows = frame.filter(frame[column] == value).select("accession", "start", "end").iter_rows()
    return {(name, at) for name, start, end in rows for at in range(start, end + 1)}


if __name__ == "__main__":
    main()
