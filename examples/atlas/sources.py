"""The proteins and annotations that our own atlases are made from, read from public files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from bio_interp.annotations import AnnotationTable
from bio_interp.cache import data_folder
from bio_interp.sequences import Protein, Split, make_split, read_proteins
from bio_interp_pfam import pfam_names, pfam_table, read_hits, read_scan, scan_to_table
from bio_interp_uniprot import ANNOTATOR

FLAT = "uniprot_flat/*.dat.gz"
YEAST = "proteome_yeast/yeast.fasta.gz"
SPLIT = Path(__file__).parent / "split.tsv.gz"
CORPUS = "corpus/swissprot_2014_reps50.fasta.zst"


@dataclass(frozen=True)
class Sources:
    """Sequences by accession; the first source that has an accession keeps it.

    `curated` are the accessions of the sources that come with UniProt features.
    """

    proteins: Mapping[str, Protein]
    split: Split
    curated: frozenset[str]


def read_sources(data: Path) -> Sources:
    """Read all sequences of all sources; the split was frozen before anything was trained."""
    everything = list(read_proteins(data / CORPUS))
    curated = [p for f in [data / YEAST, *sorted(data.glob(FLAT))] for p in read_proteins(f)]
    everything += curated
    if not SPLIT.is_file():
        make_split(everything).save(SPLIT)
    proteins: dict[str, Protein] = {}
    for protein in everything:
        proteins.setdefault(protein.accession, protein)
    return Sources(proteins, Split.load(SPLIT), frozenset(p.accession for p in curated))


def annotate_sources(
    sources: Sources, accessions: set[str], hits: pl.DataFrame, data: Path, out: Path
) -> AnnotationTable:
    """Collect the annotations of some proteins: Pfam hits, UniProt features."""
    folder = out / "annotations"
    if (folder / "annotations.json").is_file():
        return AnnotationTable.load(folder)
    hits = hits.filter(pl.col("accession").is_in(accessions))
    lengths = {a: len(sources.proteins[a]) for a in accessions}
    names = pfam_names(data_folder("pfam-gecco") / "interpro.json")
    pfam = pfam_table(hits, lengths, names)
    yeast = data / "proteome_yeast/yeast_features.csv.gz"
    uniprot = _restrict(ANNOTATOR.annotate([yeast, *sorted(data.glob(FLAT))]), accessions)
    table = AnnotationTable.concat([pfam, uniprot])
    table.save(folder)
    return table


def families(hits: pl.DataFrame) -> dict[str, set[str]]:
    """List the proteins of every family."""
    named = hits.with_columns(pl.col("pfam").str.split(".").list.first())
    return {str(family): set(frame["accession"]) for (family,), frame in named.group_by("pfam")}


def pfam_hits(sources: Sources, data: Path, out: Path) -> pl.DataFrame:
    """Join the hits that are there with a scan of the proteins that nobody scanned."""
    import gzip

    listed = gzip.decompress((data / "corpus/pfam_scanned_48k.txt.gz").read_bytes())
    scanned = set(listed.decode().split())
    rest = [p for a, p in sources.proteins.items() if a not in scanned]
    profiles = data_folder("pfam-gecco") / "Pfam.h3m"
    scan_to_table(rest, [profiles], out / "scan")
    return pl.concat([read_hits(data / "corpus/pfam_hits_48k.tsv.gz"), read_scan(out / "scan")[0]])


def _restrict(table: AnnotationTable, accessions: set[str]) -> AnnotationTable:
    keep = pl.col("accession").is_in(accessions)
    return AnnotationTable(table.rows.filter(keep), table.coverage.filter(keep), table.concepts)
