"""Proteins, annotations of two dates, and codes that are made once."""

import random
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import polars as pl
from _harness import ROOT, SHARED

from bio_interp.annotations import AnnotationTable, collect, evidence_levels
from bio_interp.atlas import Atlas
from bio_interp.features import FeatureStore, encode_store
from bio_interp.sequences import Protein, Split, read_proteins

SPLIT = ROOT / "examples/unirep/split.tsv.gz"
YEAST = SHARED / "proteome_yeast/yeast.fasta.gz"
YEAST_FEATURES = SHARED / "proteome_yeast/yeast_features.csv.gz"  # of about 2020
REVIEWED = [SHARED / f"uniprot_flat/swissprot_dev_{i}.dat.gz" for i in (1, 2, 3)]
FLAT = [*REVIEWED, SHARED / "uniprot_flat/trembl_dev_1.dat.gz"]  # of 2025
SHORTEST, LONGEST, MEMBERS = 10, 1022, 2
# kinds that curators fill; not those of structures (HELIX, STRAND, TURN), and not those that
# programs fill for all of UniProt (COILED, COMPBIAS, and REGION with its disordered regions)
CURATED = (
    *("ACT_SITE", "BINDING", "CARBOHYD", "CROSSLNK", "DISULFID", "DNA_BIND", "DOMAIN"),
    *("INTRAMEM", "LIPID", "MOD_RES", "MOTIF", "PROPEP", "REPEAT", "SIGNAL", "SITE"),
    *("TOPO_DOM", "TRANSIT", "TRANSMEM", "ZN_FING"),
)
KINDS = frozenset(f"uniprot:{kind}" for kind in CURATED)


@dataclass(frozen=True)
class Universe:
    """Every protein by accession, the split, and which ones are encoded for each check.

    Attributes
    ----------
    hiding
        Outside the fit fold, two at most of a cluster.
    in_time
        In both releases with the same sequence, of any fold.
    """

    proteins: Mapping[str, Protein]
    split: Split
    hiding: Sequence[str]
    in_time: Sequence[str]

    def encoded(self) -> list[Protein]:
        """List the proteins of both checks."""
        return [self.proteins[name] for name in dict.fromkeys([*self.in_time, *self.hiding])]

    def part(self, clusters: int) -> "Universe":
        """Keep some clusters only, evenly spaced, and what is in both releases."""
        named = list(dict.fromkeys(self.split.cluster(name) for name in self.hiding))
        kept = set(named[:: max(1, len(named) // clusters)])
        hiding = [name for name in self.hiding if self.split.cluster(name) in kept]
        return Universe(self.proteins, self.split, hiding, self.in_time)


def universe() -> Universe:
    """Read the proteins and choose those to encode."""
    old = {p.accession: p for p in read_proteins(YEAST)}
    new = {p.accession: p for path in FLAT for p in read_proteins(path)}
    proteins, split = {**old, **new}, Split.load(SPLIT)
    fits = {a for a, p in proteins.items() if SHORTEST <= len(p) <= LONGEST}
    both = {a for a in old if a in new and old[a].sequence == new[a].sequence}
    members: dict[str, list[str]] = {}
    # those of both releases first, then those whose annotations have evidence
    for name in sorted(fits, key=lambda a: (a not in both, a not in new, a)):
        if split.fold(name) != "fit":
            members.setdefault(split.cluster(name), []).append(name)
    hiding = [name for names in members.values() for name in names[:MEMBERS]]
    return Universe(proteins, split, hiding, sorted(both & fits))


def kept() -> Path:
    """Name the folder of what the next run finds again."""
    return Path(tempfile.gettempdir()) / "bio_interp-missing_annotations"


def codes(atlas: Atlas, proteins: Iterable[Protein]) -> FeatureStore:
    """Encode proteins into a folder that the next run finds again."""
    folder = kept() / atlas.name
    settings = {"model": atlas.info.model_sha256, "site": atlas.site, "version": atlas.info.version}
    store = FeatureStore.create(folder, d_sae=atlas.sae.config.d_sae, settings=settings)
    encode_store(proteins, atlas, store)
    return store


def newest() -> AnnotationTable:
    """Read the flat files, and the yeast table for what they lack."""
    return collect([*FLAT, YEAST_FEATURES])


def of_2025() -> AnnotationTable:
    """Read the flat files."""
    return collect(FLAT)


def of_2020() -> AnnotationTable:
    """Read the yeast table. Binding sites of that time get the kinds and names of today."""
    return collect([YEAST_FEATURES])


def without(
    table: AnnotationTable, accessions: Collection[str], kinds: Collection[str] = KINDS
) -> AnnotationTable:
    """Take every annotation of some kinds away from some proteins; the kinds stay looked for."""
    gone = pl.col("accession").is_in(set(accessions)) & pl.col("kind").is_in(set(kinds))
    kept = table.rows.join(table.concepts.select("concept", "kind"), on="concept", how="left")
    rows = kept.filter(~gone).select(table.rows.columns)
    return AnnotationTable(rows, table.coverage, table.concepts)


def draw_clusters(world: Universe, share: float, seed: int) -> set[str]:
    """Draw a share of the clusters that are encoded for hiding."""
    clusters = sorted({world.split.cluster(name) for name in world.hiding})
    return set(random.Random(seed).sample(clusters, round(share * len(clusters))))


def with_levels(table: AnnotationTable, kinds: Collection[str] = KINDS) -> pl.DataFrame:
    """List the rows of some kinds with ``kind`` and ``level`` of evidence."""
    named = table.rows.join(table.concepts.select("concept", "kind"), on="concept")
    rows = named.filter(pl.col("kind").is_in(set(kinds)))
    return rows.with_columns(level=evidence_levels(rows["evidence"]))


def added_since(
    old: AnnotationTable, new: AnnotationTable, accessions: Collection[str]
) -> pl.DataFrame:
    """List the rows of the curated kinds that share no residue with an old row of their kind.

    The annotator gives METAL, NP_BIND and CA_BIND of old the kind and the ligands of BINDING. What
    an old REGION said of binding is a BINDING now, too, and is not new.
    """
    rows = with_levels(new).filter(pl.col("accession").is_in(set(accessions)))
    said = pl.col("concept").str.contains("(?i)^uniprot:REGION/.*binding")
    regions = with_levels(old, ["uniprot:REGION"]).filter(said)
    regions = regions.with_columns(kind=pl.lit("uniprot:BINDING"))
    before = pl.concat([with_levels(old), regions]).select(
        "accession", "kind", left="start", right="end"
    )
    numbered = rows.with_row_index("row")
    shared = numbered.join(before, on=["accession", "kind"]).filter(
        pl.col("left") <= pl.col("end"), pl.col("start") <= pl.col("right")
    )
    return numbered.join(shared, on="row", how="anti").drop("row")


def backed_kinds(table: AnnotationTable) -> frozenset[str]:
    """Find the kinds of which half or more is backed by more than a sequence model.

    Counted where the data tell the evidence; no evidence counts as none.
    """
    rows = with_levels(table).filter(pl.col("concept") == pl.col("kind"))
    weak = pl.col("level").is_in(["sequence_model", "unknown"])
    shares = rows.group_by("kind").agg(backed=(~weak).mean())
    return frozenset(shares.filter(pl.col("backed") >= 0.5)["kind"])
