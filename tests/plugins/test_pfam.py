import gzip
import json
import logging
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from bio_interp.annotations import Annotator
from bio_interp.errors import AnnotationError, MismatchError, MissingExtraError, NotFoundError
from bio_interp.plugins import load_plugin
from bio_interp.sequences import Protein
from bio_interp_pfam import (
    ANNOTATOR,
    HITS,
    pfam_names,
    pfam_table,
    read_scan,
    scan,
    scan_to_table,
)

pyhmmer = pytest.importorskip("pyhmmer")

MOTIF = "WHKCDEYWGGHKFPWRNDEC"
ALIGNED = [MOTIF, "WHKCDEYWGGHRFPWKNDEC", "WHRCDEFWGGHKFPWRNEEC"]
BEFORE, AFTER = "MASTLLQVAEGTS", "AVLSTEQKALLPTG"
PROTEINS = [
    Protein("P1", BEFORE + MOTIF + AFTER),
    Protein("P2", (AFTER + BEFORE) * 3),
    Protein("name with; odd | letters", "MX" + ALIGNED[2] + AFTER),
]


def _model(name: str, accession: str | None = None, *, gathering: float | None = None):
    alphabet = pyhmmer.easel.Alphabet.amino()
    rows = [
        pyhmmer.easel.TextSequence(name=f"s{i}", sequence=s).digitize(alphabet)
        for i, s in enumerate(ALIGNED)
    ]
    text = [
        pyhmmer.easel.TextSequence(name=r.name, sequence=s)
        for r, s in zip(rows, ALIGNED, strict=True)
    ]
    alignment = pyhmmer.easel.TextMSA(name=name, sequences=text).digitize(alphabet)
    background = pyhmmer.plan7.Background(alphabet)
    model, _, _ = pyhmmer.plan7.Builder(alphabet).build_msa(alignment, background)
    model.accession = accession
    if gathering is not None:
        model.cutoffs.gathering = (gathering, gathering)
    return model


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    path = tmp_path / "motif.hmm"
    with path.open("wb") as file:
        _model("Motif", "PF99999.7", gathering=10).write(file)
    return path


def _hits(*rows: tuple) -> pl.DataFrame:
    full = [(a, f, n, s, e, s, e, b, 1e-9) for a, f, n, s, e, b in rows]
    return pl.DataFrame(full, HITS, orient="row")


def test_the_plugin_is_an_annotator() -> None:
    assert isinstance(load_plugin("annotators", "pfam"), Annotator)


def test_importing_the_plugin_imports_neither_torch_nor_pyhmmer() -> None:
    code = "import sys, bio_interp_pfam; print({'torch', 'pyhmmer', 'pandas'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("binary", [False, True])
def test_a_profile_finds_its_motif_at_its_place(tmp_path: Path, binary: bool) -> None:
    path = tmp_path / "motif.x"
    with path.open("wb") as file:
        _model("Motif", "PF99999.7", gathering=10).write(file, binary=binary)
    assert ANNOTATOR.reads(path)
    table = ANNOTATOR.annotate([path], PROTEINS, options={"threads": "1"})
    first = len(BEFORE) + 1
    assert table.rows.select("accession", "start", "end", "concept").rows() == [
        ("P1", first, first + len(MOTIF) - 1, "pfam:PF99999"),
        ("name with; odd | letters", 3, 2 + len(MOTIF), "pfam:PF99999"),
    ]
    row = table.rows.row(0, named=True)
    assert row["env_start"] <= row["start"]
    assert row["bits"] > 10
    assert row["i_evalue"] < 1e-3
    assert table.concepts.select("concept", "name", "release", "world").rows() == [
        ("pfam:PF99999", "Motif", "PF99999.7", "closed")
    ]


def test_every_scanned_protein_is_covered_over_its_whole_length(profiles: Path) -> None:
    coverage = ANNOTATOR.annotate([profiles], PROTEINS).coverage
    assert coverage.select("accession", "start", "end", "kind", "state").rows() == [
        (p.accession, 1, len(p), "pfam", "looked") for p in PROTEINS
    ]


def test_a_hit_under_the_gathering_cutoff_is_none(tmp_path: Path) -> None:
    path = tmp_path / "strict.hmm"
    with path.open("wb") as file:
        _model("Motif", "PF99999.7", gathering=500).write(file)
    assert ANNOTATOR.annotate([path], PROTEINS).rows.is_empty()


def test_a_profile_of_ones_own_without_cutoffs_is_used_by_e_value_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own.hmm.gz"
    with gzip.open(path, "wb") as file:
        _model("my_motif").write(file)
    with caplog.at_level(logging.WARNING):
        table = ANNOTATOR.annotate([path], PROTEINS, options={"kind": "mine"})
    assert set(table.rows["concept"]) == {"mine:my_motif"}
    assert set(table.coverage["kind"]) == {"mine"}
    assert "no gathering cutoffs" in caplog.text
    assert ANNOTATOR.annotate([path], PROTEINS, options={"evalue": "1e-99"}).rows.is_empty()


def test_hits_do_not_depend_on_the_block(profiles: Path) -> None:
    one = pl.concat(hits for _, hits in scan(PROTEINS, [profiles], block=1, threads=1))
    ((_, all_at_once),) = scan(PROTEINS, [profiles], threads=1)
    assert one.sort("accession").equals(all_at_once.sort("accession"))


def test_an_interrupted_scan_goes_on_where_it_stopped(tmp_path: Path, profiles: Path) -> None:
    def broken():
        yield from PROTEINS
        raise KeyboardInterrupt

    out = tmp_path / "scan"
    with pytest.raises(KeyboardInterrupt):
        scan_to_table(broken(), [profiles], out, block=2)
    assert [p.name for p in sorted(out.iterdir())] == ["000000.parquet", "scan.json"]
    before = (out / "000000.parquet").stat().st_mtime_ns
    scan_to_table(PROTEINS, [profiles], out, block=2)
    assert (out / "000000.parquet").stat().st_mtime_ns == before
    hits, scanned, families = read_scan(out)
    assert scanned == {p.accession: len(p) for p in PROTEINS}
    assert families == ["PF99999"]
    assert hits["accession"].to_list() == ["P1", PROTEINS[2].accession]
    fresh = ANNOTATOR.annotate([profiles], PROTEINS)
    assert ANNOTATOR.reads(out)
    stored = ANNOTATOR.annotate([out])
    assert stored.rows.equals(fresh.rows)
    assert stored.coverage.sort("accession").equals(fresh.coverage.sort("accession"))


def test_an_annotation_keeps_its_scan_in_the_folder_asked_for(
    tmp_path: Path, profiles: Path
) -> None:
    folder = str(tmp_path / "kept")
    fresh = ANNOTATOR.annotate([profiles], PROTEINS)
    kept = ANNOTATOR.annotate([profiles], PROTEINS, options={"folder": folder})
    assert kept.rows.equals(fresh.rows)
    assert read_scan(tmp_path / "kept")[1] == {p.accession: len(p) for p in PROTEINS}
    again = ANNOTATOR.annotate([profiles], PROTEINS, options={"folder": folder})
    assert again.rows.equals(fresh.rows)
    assert ANNOTATOR.resumable


def test_proteins_that_nobody_scanned_are_scanned_beside_a_table(
    tmp_path: Path, profiles: Path
) -> None:
    table, listed = tmp_path / "hits.tsv", tmp_path / "scanned.txt"
    row = f"{PROTEINS[0].accession}\tPF00004.1\tAAA\t1\t5\t1\t5\t30\t1e-9"
    table.write_text("\t".join(HITS) + f"\n{row}\n")
    listed.write_text(f"{PROTEINS[0].accession}\n")
    found = ANNOTATOR.annotate([table, listed, profiles], PROTEINS)
    assert found.rows.select("accession", "concept").rows() == [
        (PROTEINS[0].accession, "pfam:PF00004"),
        (PROTEINS[2].accession, "pfam:PF99999"),
    ]
    assert set(found.coverage["accession"]) == {p.accession for p in PROTEINS}


def test_a_scan_is_not_resumed_with_others(tmp_path: Path, profiles: Path) -> None:
    out = tmp_path / "scan"
    scan_to_table(PROTEINS, [profiles], out, block=2)
    with pytest.raises(MismatchError, match="evalue"):
        scan_to_table(PROTEINS, [profiles], out, block=2, evalue=1.0)
    with pytest.raises(MismatchError, match=r"000000\.parquet"):
        scan_to_table([Protein("P1", "MKV"), *PROTEINS[1:]], [profiles], out, block=2)
    with pytest.raises(NotFoundError):
        read_scan(tmp_path)


def test_without_pyhmmer_the_error_is_the_line_that_installs_it(
    profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyhmmer", None)
    with pytest.raises(MissingExtraError, match=r'pip install "bio-interp\[pfam\]"'):
        ANNOTATOR.annotate([profiles], PROTEINS)


def test_a_broken_or_doubled_profile_file_is_named(tmp_path: Path, profiles: Path) -> None:
    broken = tmp_path / "broken.hmm"
    broken.write_bytes(profiles.read_bytes()[:600])
    with pytest.raises(AnnotationError, match=r"broken\.hmm"):
        ANNOTATOR.annotate([broken], PROTEINS)
    with pytest.raises(AnnotationError, match=r"PF99999\.7 more than once"):
        ANNOTATOR.annotate([profiles, profiles], PROTEINS)
    with pytest.raises(AnnotationError, match="the proteins to scan"):
        ANNOTATOR.annotate([profiles])


def test_unknown_and_senseless_options_are_errors(profiles: Path) -> None:
    for options in ({"e-value": "1"}, {"evalue": "small"}, {"threads": "two"}):
        with pytest.raises(AnnotationError):
            ANNOTATOR.annotate([profiles], PROTEINS, options=options)


def test_the_losers_hit_is_unknown_for_its_family_and_never_a_row() -> None:
    hits = _hits(
        ("P1", "PF00004.32", "AAA", 5, 90, 80.0), ("P1", "PF00400.35", "WD40", 10, 80, 25.0)
    )
    table = pfam_table(hits, {"P1": 200})
    assert table.rows["concept"].to_list() == ["pfam:PF00004"]
    unknown = table.coverage.filter(pl.col("state") == "unknown")
    assert unknown.select("start", "end", "kind").rows() == [(10, 80, "pfam:PF00400")]


def _siblings() -> pl.DataFrame:
    rows = [(f"P{i}", "PF00004.32", "AAA", 5, 90, 80.0) for i in range(4)]
    rows += [(f"P{i}", "PF07728.17", "AAA_5", 8, 88, 40.0) for i in range(3)]
    return _hits(*rows, ("P3", "PF07728.17", "AAA_5", 120, 190, 70.0))


def test_siblings_form_a_group_scored_beside_its_members() -> None:
    table = pfam_table(_siblings(), {f"P{i}": 200 for i in range(5)})
    group = table.concepts.filter(pl.col("concept") == "pfam-group:AAA").row(0, named=True)
    assert group["name"] == "AAA-like"
    assert group["members"] == ["pfam:PF00004", "pfam:PF07728"]
    spans = table.rows.filter(pl.col("concept") == "pfam-group:AAA")
    on_p3 = spans.filter(pl.col("accession") == "P3").select("start", "end")
    assert on_p3.rows() == [(5, 90), (120, 190)]


def test_a_siblings_hit_is_unknown_for_the_other_members() -> None:
    table = pfam_table(_siblings(), {f"P{i}": 200 for i in range(5)})
    unknown = table.coverage.filter(pl.col("state") == "unknown")
    for_p3 = set(unknown.filter(pl.col("accession") == "P3").select("start", "end", "kind").rows())
    assert for_p3 == {(5, 90, "pfam:PF07728"), (120, 190, "pfam:PF00004")}
    assert unknown.filter(pl.col("accession") == "P4").is_empty()


def test_a_family_that_stands_in_for_an_absent_one_is_not_shown_under_its_own_name() -> None:
    hits = _hits(("P1", "PF07714.20", "PK_Tyr_Ser-Thr", 1, 90, 80.0))
    names = pl.DataFrame(
        {"pfam": ["PF07714"], "interpro": ["IPR001245"], "name": ["Tyr"], "go": [["GO:0004713"]]}
    )
    lacking = pfam_table(hits, {"P1": 100}, names).concepts.row(0, named=True)
    assert (lacking["name"], lacking["xrefs"]) == ("protein kinase-like", [])
    whole = pfam_table(hits, {"P1": 100}, names, profiles=["PF07714", "PF00069"])
    own = whole.concepts.row(0, named=True)
    assert own["name"] == "PK_Tyr_Ser-Thr (Tyr)"
    assert own["xrefs"] == ["IPR001245", "GO:0004713"]


def test_a_hit_outside_of_what_was_scanned_is_an_error() -> None:
    hits = _hits(("P1", "PF00004.32", "AAA", 5, 90, 80.0))
    with pytest.raises(AnnotationError, match="not among the scanned"):
        pfam_table(hits, {"P2": 100})
    with pytest.raises(AnnotationError, match="80 residues"):
        pfam_table(hits, {"P1": 80})


def test_names_and_go_terms_come_from_interpro(tmp_path: Path) -> None:
    path = tmp_path / "interpro.json"
    entry = {
        "accession": "IPR003959",
        "name": "ATPase, AAA-type, core",
        "members": ["PF00004", "SM00382"],
        "go_terms": [{"accession": "GO:0016887"}, {"accession": "GO:0005524"}],
    }
    path.write_text(json.dumps([entry]))
    assert pfam_names(path).rows() == [
        ("PF00004", "IPR003959", "ATPase, AAA-type, core", ["GO:0005524", "GO:0016887"])
    ]
    for text in ("{", "[1]", '[{"accession": "IPR1"}]'):
        path.write_text(text)
        with pytest.raises(AnnotationError, match=r"interpro\.json"):
            pfam_names(path)
