"""Defects that the bad-input benchmark found once, each with the file that showed it."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard
from scipy.sparse import csr_matrix

from bio_interp.annotations import AnnotationTable, collect
from bio_interp.atlas import Atlas, AtlasInfo
from bio_interp.errors import AnnotationError, BioInterpError, InputError
from bio_interp.features import FeatureStore
from bio_interp.linking import LinkTable
from bio_interp.sequences import Protein
from bio_interp_pfam import ANNOTATOR as PFAM
from bio_interp_pfam import HITS, pfam_names, read_hits, read_scan
from bio_interp_prosite import ANNOTATOR as PROSITE
from bio_interp_uniprot import ANNOTATOR as UNIPROT

XML = "<uniprot><entry><accession>P1</accession>{}</entry></uniprot>"
SITE = (
    '<feature type="domain" description="{}"><location><begin position="1"/>'
    '<end position="3"/></location></feature>'
)
JSON = '{{"primaryAccession": "P1", "features": [{}], "sequence": {{"value": "MKV"}}}}'
CSV = "protein_id,feature,start,end,note\n"
GFF = "##gff-version 3\n##sequence-region P1 1 {}\nP1\tUniProtKB\tDomain\t{}\t9\t.\t.\t.\tNote=x\n"
ENDLESS = "9" * 5000

BROKEN = {
    "doctype": '<!DOCTYPE uniprot [<!ENTITY a "x">]>' + XML.format(SITE.format("&a;")),
    "external": '<!DOCTYPE uniprot SYSTEM "x.dtd">' + XML.format(SITE.format("&x;")),
    "entry in entry": XML.format("<entry><accession>P2</accession></entry>"),
    "brackets": '{"primaryAccession": ' + "[" * 100_000,
    "digits": '{"primaryAccession": ' + ENDLESS + "}",
    "note": JSON.format('{"type": "Domain", "description": 7, "location": '
                        '{"start": {"value": 1}, "end": {"value": 2}}}'),
    "ligand": JSON.format('{"type": "Binding site", "ligand": {"name": ["x"]}, "location": '
                          '{"start": {"value": 1}, "end": {"value": 2}}}'),
    "surrogate": '{"primaryAccession": "P\\ud800", "features": []}',
    "length": GFF.format("²", 1),
    "endless length": GFF.format(ENDLESS, 1),
    "endless position": GFF.format(9, ENDLESS),
    "large position": CSV + "P1,DOMAIN,1,99999999999,x\n",
    "no accession": CSV + ",DOMAIN,1,9,x\n",
    "raw accession": CSV + "P\x1b[1m,DOMAIN,1,9,x\n",
    "wide header": CSV.rstrip() + ',"' + "x" * 200_000 + '"\n',
    "flat length": f"ID   A_B   Reviewed;   {ENDLESS} AA.\nAC   P1;\n//\n",
    "unknown column": "Entry\tDomain [FT]\tDomane [FT]\nP1\t\tDOMAIN 1..9\n",
    "tsv length": "Entry\tLength\tDomain [FT]\nP1\t²\t\n",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_of_uniprot_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_text(BROKEN[name])
    assert UNIPROT.reads(path)
    with pytest.raises(AnnotationError, match=r"line \d+ of .*given") as told:
        UNIPROT.annotate([path])
    assert str(told.value).isprintable()


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_cut_table_of_uniprot_is_refused(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    rows = "".join(f"P{i},DOMAIN,1,{i + 9},note {i}\n" for i in range(3000))
    path = tmp_path / "given"
    path.write_bytes(pack((CSV + rows).encode())[:-20])
    with pytest.raises(AnnotationError, match="given"):
        UNIPROT.annotate([path])


def test_control_characters_of_a_note_do_not_reach_a_concept(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_text(CSV + "P1,DOMAIN,1,9,a \x1b[31mred\x07 thing\n")
    concepts = UNIPROT.annotate([path]).concepts
    assert all(text.isprintable() for text in concepts["concept"].to_list())
    assert all(text.isprintable() for text in concepts["name"].to_list())


def test_control_characters_of_a_pattern_s_entry_do_not_reach_a_concept(tmp_path: Path) -> None:
    path = tmp_path / "given"
    entry = "ID   R; PATTERN.\nAC   PS00016;\nDE   \x1b[31mred\x9b.\nPA   R-G-D.\n//\n"
    path.write_text(entry, encoding="latin-1")  # as PROSITE's files are
    (name,) = PROSITE.annotate([path], [Protein("P1", "MARGDW")]).concepts["name"]
    assert name == "R (\ufffd[31mred\ufffd)"


HIT = ["P1", "PF00004.1", "AAA", "1", "9", "1", "9", "50.0", "1e-9"]
PROTEINS = [Protein("P1", "MKVLLWAAGGSTMKVLLWAAGGST")]


def hits_file(path: Path, rows: list[list[str]]) -> Path:
    path.write_text("\n".join("\t".join(row) for row in [list(HITS), *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("column", "value"),
    [(3, "99999999999"), (3, ENDLESS), (3, "1_0"), (7, "nan"), (8, "inf"), (0, ""), (2, "\x1b[1m")],
)
def test_a_hit_of_wrong_type_is_named_with_its_line(
    column: int, value: str, tmp_path: Path
) -> None:
    row = [*HIT[:column], value, *HIT[column + 1 :]]
    path = hits_file(tmp_path / "hits.tsv", [HIT, row])
    with pytest.raises(AnnotationError, match=r"line 3 of .*hits\.tsv") as told:
        read_hits(path)
    assert str(told.value).isprintable()


def test_hits_may_be_packed_with_zstandard_and_not_be_cut(tmp_path: Path) -> None:
    plain = hits_file(tmp_path / "hits.tsv", [HIT] * 400)
    path = tmp_path / "hits.tsv.zst"
    packed = zstandard.compress(plain.read_bytes())
    path.write_bytes(packed)
    assert PFAM.reads(path)
    assert read_hits(path).equals(read_hits(plain))
    path.write_bytes(packed[:-3])
    with pytest.raises(AnnotationError, match=r"hits\.tsv\.zst"):
        read_hits(path)


def test_a_damaged_gzip_table_of_hits_is_an_error_of_ours(tmp_path: Path) -> None:
    plain = hits_file(tmp_path / "hits.tsv", [[*HIT[:3], str(i), *HIT[4:]] for i in range(1, 400)])
    packed = bytearray(gzip.compress(plain.read_bytes()))
    packed[200:230] = bytes(30)
    path = tmp_path / "hits.tsv.gz"
    path.write_bytes(packed)
    with pytest.raises(AnnotationError, match=r"hits\.tsv\.gz"):
        PFAM.annotate([path], PROTEINS)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'[{"accession": 5, "name": [], "members": ["PF00004"], "go_terms": []}]',
        b'[{"accession": "IPR1", "name": "x", "members": "PF00004", "go_terms": 3}]',
        gzip.compress(b'[{"accession": "IPR1"}]')[:-6],
    ],
)
def test_names_of_wrong_type_are_an_error_that_names_the_file(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "interpro.json"
    path.write_bytes(content)
    with pytest.raises(AnnotationError, match=r"interpro\.json"):
        pfam_names(path)


@pytest.mark.parametrize("settings", ["", "[]", "{}", '{"families": [1]}', "[" * 100_000])
def test_a_scan_with_broken_settings_is_an_error_of_ours(settings: str, tmp_path: Path) -> None:
    (tmp_path / "scan.json").write_text(settings)
    with pytest.raises(AnnotationError, match=r"scan\.json"):
        read_scan(tmp_path)


def test_a_scan_with_a_half_written_block_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "scan.json").write_text('{"families": ["PF00004"]}')
    (tmp_path / "000000.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(AnnotationError, match=r"000000\.parquet"):
        read_scan(tmp_path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    path.write_bytes(bytes(range(7, 207)))


def replace(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [Path.unlink, cut, empty, garble, replace]


def small_table() -> AnnotationTable:
    row = {"accession": "P1", "start": 1, "end": 3, "concept": "a:B", "evidence": "", "source": "a"}
    return AnnotationTable.from_records([row], [], [])


def small_links() -> LinkTable:
    from bio_interp.annotations import CONCEPTS
    from bio_interp.linking._table import CALIBRATION, CALLERS, LINKS

    schemas = (LINKS, CALLERS, CALIBRATION, {**CONCEPTS, "group": pl.String})
    return LinkTable(*(pl.DataFrame(schema=schema) for schema in schemas))


def small_store(folder: Path) -> None:
    with FeatureStore.create(folder, d_sae=4, settings={}).writer() as writer:
        writer.add("P1", csr_matrix(np.eye(4, dtype=np.float32)))


def read_store(folder: Path) -> None:
    store = FeatureStore.open(folder)
    for name in store.accessions:
        store.protein(name)
    for feature in range(store.d_sae):
        store.feature(feature)
    store.maxima()


SAVED: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "annotations": (lambda path: small_table().save(path), AnnotationTable.load),
    "links": (lambda path: small_links().save(path), LinkTable.load),
    "features": (small_store, read_store),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", SAVED)
def test_every_damaged_file_of_a_folder_is_an_error_that_names_the_folder(
    kind: str, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    save, load = SAVED[kind]
    good = tmp_path / "good"
    save(good)
    load(good)
    for number, file in enumerate(sorted(p for p in good.rglob("*") if p.is_file())):
        folder = tmp_path / f"given{number}"
        shutil.copytree(good, folder)
        damage(folder / file.relative_to(good))
        with pytest.raises(BioInterpError, match=folder.name):
            load(folder)


@pytest.mark.parametrize("header", [b"", b"{'descr'", b"((", b"\\"])
def test_an_array_whose_header_is_no_line_of_python_is_an_error(
    header: bytes, tmp_path: Path
) -> None:
    small_store(tmp_path)
    (path,) = tmp_path.rglob("values.npy")
    start = path.read_bytes()
    path.write_bytes(start[:10] + header.ljust(118) + start[128:])
    with pytest.raises(BioInterpError, match=r"values\.npy"):
        read_store(tmp_path)


def test_annotations_with_columns_of_another_type_are_an_error_that_names_the_folder(
    tmp_path: Path,
) -> None:
    small_table().save(tmp_path)
    rows = small_table().rows.with_columns(pl.col("start").cast(pl.String))
    rows.write_parquet(tmp_path / "rows.parquet")
    with pytest.raises(AnnotationError, match=tmp_path.name):
        AnnotationTable.load(tmp_path)


@pytest.mark.parametrize("name", ["a[1]", "a*", "a?b"])
def test_a_folder_may_be_called_like_a_pattern_of_the_shell(name: str, tmp_path: Path) -> None:
    for save, load in SAVED.values():
        save(tmp_path / name)
        load(tmp_path / name)


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: [content],
        lambda content: None,
        lambda content: {**content, "schema": 99},
        lambda content: {**content, "model": None},
        lambda content: {**content, "decoys": []},
        lambda content: {**content, "domain_limit": "high"},
        lambda content: {k: v for k, v in content.items() if k != "site"},
    ],
)
def test_an_atlas_with_values_of_another_type_is_refused(
    edit: Callable[[dict], object], tmp_path: Path
) -> None:
    facts = dict.fromkeys(("name", "version", "model", "site", "model_sha256", "licence"), "x")
    info = AtlasInfo(
        **facts, citation=(), split_sha256="", domain_limit=1.0, decoys={}, measured={}, data=(),
        versions={},
    )  # fmt: skip
    info.save(tmp_path)
    assert AtlasInfo.load(tmp_path) == info
    path = tmp_path / "atlas.json"
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))
    with pytest.raises(BioInterpError, match=r"atlas\.json"):
        Atlas(tmp_path)


@pytest.mark.parametrize("manifest", ["[]", "null", '{"schema": 1}', "[" * 100_000])
def test_a_feature_store_with_a_manifest_of_another_type_is_refused(
    manifest: str, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(InputError, match=r"encode|damaged|schema"):
        FeatureStore.open(tmp_path)


def test_annotations_are_not_whole_before_their_last_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_table().save(tmp_path)

    def fail(self: pl.DataFrame, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail)
    with pytest.raises(InputError, match="No space left"):
        small_table().save(tmp_path)
    assert not (tmp_path / "annotations.json").exists()


def test_annotations_are_not_saved_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    for folder in (path, path / "below"):
        with pytest.raises(InputError, match="file"):
            small_table().save(folder)
    assert path.read_text() == "mine"


def test_a_file_that_cannot_be_opened_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "closed.dat"
    path.write_text("ID   RGD; PATTERN.\n")

    def refuse(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AnnotationError, match=r"closed\.dat: Permission denied"):
        collect([path])


def test_a_path_too_long_is_an_error_of_ours() -> None:
    with pytest.raises(AnnotationError, match="too long"):
        collect([Path("x" * 5000)])
