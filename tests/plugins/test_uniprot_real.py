"""Real files of UniProtKB of 1990 to 2026, against counts that were made without this code."""

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from bio_interp.annotations import AnnotationTable, evidence_level
from bio_interp.errors import AnnotationError
from bio_interp_uniprot import ANNOTATOR

pytestmark = pytest.mark.shared_data


def read_entries(path: Path) -> list:
    from bio_interp_uniprot import _files

    return list(_files.read_entries(path))


def listed_counts(shared_data: Path, file: str) -> dict[str, int]:
    """Read the counts of kinds from the row of `file` in PROVENANCE.md."""
    text = (shared_data / "PROVENANCE.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith(f"| `{file}`"))
    return {kind: int(n) for kind, n in re.findall(r"\b([A-Za-z][A-Za-z_ -]*) (\d+)(?=[,| ])", row)}


@pytest.mark.parametrize(
    "file",
    [
        "uniprot_flat/swissprot_dev_3.dat.gz",
        "uniprot_flat/trembl_dev_1.dat.gz",
        "uniprot_fixtures/emboss_seq.dat.gz",
        "uniprot_fixtures/uniprot_core/entries.dat.gz",
        "proteome_yeast/yeast_features.csv.gz",
    ],
)
def test_kinds_are_as_many_as_the_data_set_lists(shared_data: Path, file: str) -> None:
    counts = Counter(f.kind for entry in read_entries(shared_data / file) for f in entry.features)
    listed = {k: n for k, n in listed_counts(shared_data, file).items() if k in counts}
    assert len(listed) >= 19
    assert counts == listed


def test_xml_kinds_are_as_many_as_the_data_set_lists(shared_data: Path) -> None:
    from bio_interp_uniprot._kinds import kind_of

    file = "uniprot_fixtures/uniprot_250_entries.xml.gz"
    listed = {
        kind_of(name): n for name, n in listed_counts(shared_data, file).items() if kind_of(name)
    }
    counts = Counter(f.kind for entry in read_entries(shared_data / file) for f in entry.features)
    assert len(listed) == 25  # the list stops there; two more kinds have one feature each
    assert {kind: counts[kind] for kind in listed} == listed
    assert sum(counts.values()) == sum(listed.values()) + 2


@pytest.mark.parametrize("accession", ["P21802", "Q8IWB6", "Q8NDV7"])
def test_one_entry_gives_equal_rows_as_flat_file_and_gff(shared_data: Path, accession: str) -> None:
    folder = shared_data / "uniprot_fixtures/uniprot_core"
    key = ["accession", "start", "end", "concept", "evidence"]
    flat, gff = (
        ANNOTATOR.annotate([folder / f"{accession}.{suffix}"]).rows.select(key).sort(key)
        for suffix in ("dat", "gff")
    )
    assert flat.height > 20
    assert flat.equals(gff)


@pytest.mark.parametrize("name", ["H2CNN8", "Q13639", "multi_ex"])
def test_one_entry_gives_equal_positions_as_flat_file_and_xml(shared_data: Path, name: str) -> None:
    folder = shared_data / "uniprot_fixtures/biopython"
    key = ["accession", "start", "end", "concept"]
    flat, xml = (
        ANNOTATOR.annotate([folder / f"{name}.{suffix}"], options={"kinds": "all"})
        .rows.select(key)
        .sort(key)
        for suffix in ("txt", "xml")
    )
    assert flat.height
    assert flat.equals(xml)


def test_flat_notes_and_positions_equal_biopythons(shared_data: Path) -> None:
    import gzip

    from Bio import SwissProt

    path = shared_data / "uniprot_flat/trembl_dev_1.dat.gz"
    with gzip.open(path, "rt") as file:
        for record, entry in zip(SwissProt.parse(file), read_entries(path), strict=True):
            assert (entry.accession, entry.sequence) == (record.accessions[0], record.sequence)
            theirs = [(f.type, int(f.location.start) + 1) for f in record.features]
            assert [(f.kind, f.start.value) for f in entry.features] == theirs
            notes = [f.qualifiers.get("note", "") for f in record.features]
            assert [f.note for f in entry.features] == notes


@pytest.fixture(scope="module")
def reviewed(shared_data: Path) -> AnnotationTable:
    return ANNOTATOR.annotate([shared_data / "uniprot_flat/swissprot_dev_3.dat.gz"])


def test_reviewed_entries_keep_evidence_and_ligands(reviewed: AnnotationTable) -> None:
    levels = {evidence_level(code) for code in reviewed.rows["evidence"]}
    assert levels >= {"experimental", "combinatorial", "similarity", "sequence_model", "curator"}
    assert set(reviewed.rows["source"]) == {"uniprot:swissprot"}
    concepts = reviewed.concepts.filter(pl.col("concept") == "uniprot:BINDING/Zn(2+)")
    assert concepts["xrefs"].to_list() == [["ChEBI:CHEBI:29105"]]


def test_rows_lie_within_coverage_of_their_kind(reviewed: AnnotationTable) -> None:
    kinds = reviewed.concepts.select("concept", "kind")
    looked = reviewed.coverage.filter(pl.col("state") == "looked")
    joined = reviewed.rows.join(kinds, on="concept").join(
        looked, on=["accession", "kind"], suffix="_looked"
    )
    inside = joined.filter(
        (pl.col("start") >= pl.col("start_looked")) & (pl.col("end") <= pl.col("end_looked"))
    )
    assert inside.height == reviewed.rows.height


def test_bonds_of_yeast_are_pairs_and_have_no_evidence(shared_data: Path) -> None:
    table = ANNOTATOR.annotate([shared_data / "proteome_yeast/yeast_features.csv.gz"])
    bonds = table.rows.filter(pl.col("concept") == "uniprot:DISULFID")
    assert bonds.height == 2 * (190 - 22) + 22  # 22 rows have no end: interchain
    assert (bonds["start"] == bonds["end"]).all()
    assert set(table.rows["evidence"]) == {""}
    assert table.coverage["accession"].n_unique() == 6711


def test_every_other_real_file_parses_or_is_refused_by_name(shared_data: Path) -> None:
    refused: dict[Path, str] = {}
    for path in sorted((shared_data / "uniprot_fixtures").rglob("*")):
        if path.is_dir():
            continue
        try:
            ANNOTATOR.annotate([path], options={"kinds": "all"})
        except AnnotationError as error:
            refused[path] = str(error)
    assert all(str(path) in message for path, message in refused.items())
    assert [path.name for path in refused] == [
        "README",
        "UniRef90_P99999.xml",
        "multi_ex.fasta",
        "multi_ex.list",
        "multi_ex.rdf",
        "malformed_entries.dat",
    ]


def test_a_deliberately_wrong_entry_is_named(shared_data: Path) -> None:
    path = shared_data / "uniprot_fixtures/uniprot_core/malformed_entries.dat"
    assert ANNOTATOR.reads(path)
    with pytest.raises(AnnotationError, match=r"YBEY_RICCK.*THIS_IS_WRONG.*line 1 of"):
        ANNOTATOR.annotate([path])
