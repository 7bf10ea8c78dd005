"""A hand-made atlas of letters: W is a domain, Y a relative of it, C a site."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from bio_interp.annotations import CONCEPTS, AnnotationTable
from bio_interp.atlas import EXAMPLES, Atlas, AtlasInfo
from bio_interp.discovery import SUGGESTIONS, suggest
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, LinkTable
from bio_interp.models import ModelInfo, Reading
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
from bio_interp.sequences import Protein

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
QUIET = "ADEFGHIKLMNPQRSTV" * 2
# concept: letter, level, world, members, lower bound of precision
TOLD = {
    "toy:W": ("W", "span", "closed", [], 0.9),
    "toy:Y": ("Y", "span", "closed", [], 0.6),
    "toy-group:aromatic": ("", "span", "closed", ["toy:W", "toy:Y"], 0.0),
    "uni:ACT": ("C", "residue", "open", [], 0.85),
    "uni:ACT/acid": ("", "residue", "open", [], 0.0),
}
EVIL = "x\x1b[31m\tred\n"


class OneHotModel:
    info = ModelInfo("onehot", {"layer.0": 20}, "0" * 64, "CC0", "none", "masked")

    def __init__(self):
        self.read = 0

    def activations(self, sequences, sites, *, edits=None):
        for index, sequence in enumerate(sequences):
            self.read += 1
            rows = torch.zeros(len(sequence), 20)
            for i, letter in enumerate(sequence):
                rows[i, LETTERS.index(letter)] = 1.0
            yield Reading(index, {site: rows for site in sites})


def save_links(folder: Path) -> None:
    links, callers, curves, concepts = [], [], [], []
    for concept, (letter, level, world, members, low) in TOLD.items():
        facts = {"concept": concept, "name": f"name of {concept}", "kind": concept.split("/")[0]}
        if not concept.startswith("uni"):
            facts["kind"] = "toy"
        facts |= {"level": level, "world": world, "source": "toy", "members": members, "xrefs": []}
        concepts.append(facts)
        if not letter:
            continue
        own = {"concept": concept, "feature": LETTERS.index(letter), "threshold": 0.5}
        links.append({**own, "link_type": "locator", "select_f1": 0.9, "test_f1": 0.9})
        # the longer a call, the stronger
        weights = [0.0, 0.5, 0.0, 0.0]
        callers.append({**own, "shortest": 1, "weights": weights})
        curve = {"concept": concept, "strength": 0.0, "precision": low + 0.05, "low": low}
        curves.append({**curve, "high": 1.0, "n": 7, "clusters": 5})
    frames = ((links, LINKS), (callers, CALLERS), (curves, CALIBRATION),
              (concepts, {**CONCEPTS, "group": pl.String}))  # fmt: skip
    LinkTable(*(pl.DataFrame(rows, schema=schema) for rows, schema in frames)).save(folder)


@pytest.fixture
def atlas(tmp_path) -> Atlas:
    folder = tmp_path / "letters"
    eye = torch.eye(20)
    tensors = {"W_enc": eye, "b_enc": torch.zeros(20), "W_dec": eye, "b_dec": torch.zeros(20)}
    tensors["threshold"] = torch.full((20,), 0.5)
    config = SaeConfig(d_model=20, d_sae=20, architecture="batchtopk", k=1)
    SparseAutoencoder(config, tensors, InputNorm(torch.zeros(20), 1.0)).save(folder)
    save_links(folder)
    hashes = pl.DataFrame({"sequence_hash": []}, schema={"sequence_hash": pl.Int64})
    hashes.write_parquet(folder / "exposure.parquet")
    examples = [
        example(1, "OTHER", 9, []),
        example(2, "GOOD1", 30, ["toy:W"]),
        example(3, "GOOD2", 4, ["toy:Y"]),
    ]
    pl.DataFrame(examples, schema=EXAMPLES).write_parquet(folder / "examples.parquet")
    AtlasInfo(
        name="letters", version="1", model="onehot", site="layer.0", model_sha256="0" * 64,
        licence="CC0", citation=(), split_sha256="", domain_limit=0.5, decoys={}, measured={},
        data=(), versions={},
    ).save(folder)  # fmt: skip
    loaded = Atlas(folder)
    loaded.__dict__["_model"] = OneHotModel()
    return loaded


def example(rank, accession, position, concepts):
    own = {"feature": LETTERS.index("W"), "rank": rank, "accession": accession}
    return {**own, "position": position, "concepts": concepts}


def with_run(letter: str, length: int = 12) -> str:
    """A protein with a run of a letter from residue 35 on."""
    return QUIET + letter * length + QUIET


def table(*rows, proteins=("P1",), kinds=("toy", "uni:ACT"), length=46, concepts=()):
    """Annotations ``(accession, start, end, concept[, evidence])``; all was looked at."""
    keys = ("accession", "start", "end", "concept", "evidence")
    looked = {"start": 1, "end": length, "state": "looked", "source": "toy"}
    return AnnotationTable.from_records(
        [{"evidence": "", **dict(zip(keys, row, strict=False)), "source": "toy"} for row in rows],
        [{**looked, "accession": p, "kind": k} for p in proteins for k in kinds],
        [
            *({"concept": c, "kind": "toy" if c.startswith("toy") else "uni:ACT"} for c in TOLD),
            *concepts,
        ],
    )


def found(atlas, proteins, known, **options):
    options = {"min_precision": 0.0, **options}
    return [
        (s.call.accession, s.call.concept, s.call.start, s.call.end)
        for s in suggest(atlas, proteins, known, **options)
    ]


def test_a_call_is_suggested_where_the_database_is_silent(atlas):
    assert found(atlas, {"P1": with_run("W")}, table()) == [("P1", "toy:W", 35, 46)]


def test_a_call_is_not_suggested_where_its_concept_is_annotated(atlas):
    known = table(("P1", 36, 60, "toy:W"))
    assert found(atlas, {"P1": with_run("W")}, known) == []


def test_of_two_copies_the_one_that_is_not_annotated_is_suggested(atlas):
    sequence = with_run("W") + with_run("W")  # 35 to 46 and 115 to 126
    known = table(("P1", 35, 46, "toy:W"), length=len(sequence))
    assert found(atlas, {"P1": sequence}, known) == [("P1", "toy:W", 115, 126)]


@pytest.mark.parametrize("concept", ["toy:Y", "toy-group:aromatic"])
def test_a_fellow_member_and_the_group_itself_say_the_same(atlas, concept):
    assert found(atlas, {"P1": with_run("W")}, table(("P1", 35, 46, concept))) == []


def test_an_annotation_of_another_protein_says_nothing(atlas):
    known = table(("P2", 35, 46, "toy:W"), proteins=("P1", "P2"))
    assert found(atlas, {"P1": with_run("W")}, known) == [("P1", "toy:W", 35, 46)]


@pytest.mark.parametrize(("end", "suggested"), [(29, 1), (30, 0), (34, 0), (35, 0)])
def test_an_annotation_that_ends_five_residues_before_a_call_is_echoed_by_it(atlas, end, suggested):
    known = table(("P1", 20, end, "toy:W"))
    assert len(found(atlas, {"P1": with_run("W")}, known)) == suggested


def test_without_a_margin_a_neighbour_is_no_echo(atlas):
    known = table(("P1", 20, 34, "toy:W"))
    assert len(found(atlas, {"P1": with_run("W")}, known, margin=0)) == 1


@pytest.mark.parametrize(("position", "suggested"), [(34, 1), (35, 0), (36, 1)])
def test_a_site_is_told_by_the_very_residue_only(atlas, position, suggested):
    known = table(("P1", position, position, "uni:ACT"))
    assert len(found(atlas, {"P1": with_run("C", 1)}, known)) == suggested


def test_a_subkind_tells_its_kind(atlas):
    known = table(("P1", 35, 35, "uni:ACT/acid"))
    assert found(atlas, {"P1": with_run("C", 1)}, known) == []


def test_concepts_that_lie_on_the_same_residues_elsewhere_say_the_same(atlas):
    pairs = [
        row
        for protein in ("P2", "P3", "P4")
        for row in ((protein, 10, 40, "toy:W"), (protein, 11, 41, "other:domain"))
    ]
    extra = [{"concept": "other:domain", "kind": "other"}]
    proteins = ("P1", "P2", "P3", "P4")
    here = ("P1", 35, 46, "other:domain")
    assert (
        found(atlas, {"P1": with_run("W")}, table(*pairs, here, proteins=proteins, concepts=extra))
        == []
    )
    # two proteins are a coincidence
    known = table(*pairs[:4], here, proteins=proteins, concepts=extra)
    assert len(found(atlas, {"P1": with_run("W")}, known)) == 1


def test_concepts_of_one_interpro_entry_say_the_same(atlas):
    links = atlas.links
    named = pl.when(pl.col("concept") == "toy:W").then(["IPR000001"]).otherwise(pl.col("xrefs"))
    atlas.links = replace(links, concepts=links.concepts.with_columns(xrefs=named))
    extra = [
        {"concept": "other:a", "kind": "other", "xrefs": ["IPR000001"]},
        {"concept": "other:b", "kind": "other", "xrefs": ["GO:0000001"]},
    ]
    for concept, suggested in (("other:a", 0), ("other:b", 1)):
        known = table(("P1", 35, 46, concept), concepts=extra)
        assert len(found(atlas, {"P1": with_run("W")}, known)) == suggested


def test_where_nobody_looked_nothing_is_missing(atlas):
    known = table(kinds=("uni:ACT",))
    result = suggest(atlas, {"P1": with_run("W")}, known, min_precision=0.0)
    assert list(result) == []
    assert (result.tally.not_looked, result.tally.suggested) == (1, 0)


def test_half_a_call_must_have_been_looked_at(atlas):
    for length, suggested in ((40, 0), (41, 1)):  # 6 and 7 residues of the 12
        known = table(length=length)
        assert len(found(atlas, {"P1": with_run("W")}, known)) == suggested


def test_a_call_on_masked_residues_is_not_suggested(atlas):
    known = table()
    mask = {"accession": "P1", "start": 41, "end": 46, "kind": "toy:Y", "state": "unknown"}
    coverage = pl.concat([known.coverage, pl.DataFrame([mask], schema=known.coverage.schema)])
    result = suggest(
        atlas, {"P1": with_run("W")}, replace(known, coverage=coverage), min_precision=0
    )
    assert list(result) == []
    assert result.tally.unknown == 1


def test_calls_below_the_asked_precision_are_not_looked_at(atlas):
    proteins = {"P1": with_run("W"), "P2": with_run("Y")}
    known = table(proteins=("P1", "P2"))
    assert found(atlas, proteins, known, min_precision=0.8) == [("P1", "toy:W", 35, 46)]


def test_only_calls_of_the_asked_kinds_are_looked_at(atlas):
    proteins = {"P1": with_run("W"), "P2": with_run("C", 1)}
    known = table(proteins=("P1", "P2"))
    assert found(atlas, proteins, known, kinds=["uni:ACT"]) == [("P2", "uni:ACT", 35, 35)]


def test_the_table_is_ranked_by_lower_bound_and_then_by_strength(atlas):
    proteins = {"A": with_run("Y", 40), "B": with_run("W", 3), "C": with_run("C", 1),
                "D": with_run("W", 30)}  # fmt: skip
    known = table(proteins=tuple(proteins), length=69)
    frame = suggest(atlas, proteins, known, min_precision=0.0).frame()
    assert frame["accession"].to_list() == ["D", "B", "C", "A"]
    assert frame["rank"].to_list() == [1, 2, 3, 4]
    assert frame["precision_low"].to_list() == [0.9, 0.9, 0.85, 0.6]
    # log-odds 0.5 log(length), by hand: 1 / (1 + 30 ** -0.5)
    assert frame["strength"][0] == pytest.approx(0.845613, abs=1e-6)
    assert dict(frame.schema) == SUGGESTIONS


def test_the_order_of_proteins_does_not_change_the_ranking(atlas):
    proteins = {f"P{i}": with_run("W", 10 + i % 3) for i in range(9)}
    known = table(proteins=tuple(proteins), length=80)
    one = suggest(atlas, proteins, known).frame()
    other = suggest(atlas, dict(reversed(proteins.items())), known).frame()
    assert one.equals(other)


def test_a_curator_sees_what_is_there_and_what_speaks_for_it(atlas):
    sequence = with_run("W") + with_run("W")
    known = table(
        ("P1", 115, 126, "toy:W", "ECO:0000269"),
        ("P1", 116, 126, "toy:W", "ECO:0000255"),
        ("P1", 30, 36, "uni:ACT", "ECO:0000305"),
        ("P1", 30, 36, "uni:ACT/acid", "ECO:0000305"),
        ("P1", 40, 40, "other:x"),
        length=len(sequence),
        concepts=[{"concept": "other:x", "kind": "other"}],
    )
    proteins = [Protein("P1", sequence, description="Tryptophan protein 1")]
    (one,) = suggest(atlas, proteins, known)
    assert (one.call.start, one.call.n, one.features) == (35, 7, ("letters/f18",))
    assert (one.nearest, one.nearest_distance) == ("toy:W:115-126", 69)  # 46 to 115
    # the kind gives way to its subkind; what shares most comes first
    assert one.overlapping == ("uni:ACT/acid:30-36", "other:x:40-40")
    assert one.evidence_elsewhere == "experimental"
    assert one.examples == ("GOOD1:30", "GOOD2:4")
    assert one.protein_name == "Tryptophan protein 1"


def test_what_is_not_there_is_empty(atlas):
    (one,) = suggest(atlas, {"P1": with_run("Y")}, table(), min_precision=0.0)
    assert (one.nearest, one.nearest_distance, one.overlapping) == ("", None, ())
    assert (one.evidence_elsewhere, one.examples) == ("", ())


def test_flags_tell_open_world_and_low_complexity(atlas):
    proteins = {"P1": with_run("W"), "P2": with_run("C", 1)}
    known = table(proteins=("P1", "P2"))
    flags = {s.call.concept: s.call.flags for s in suggest(atlas, proteins, known)}
    assert flags == {"toy:W": ("low_complexity",), "uni:ACT": ("open_world",)}


def test_a_protein_that_the_sae_rebuilds_badly_is_flagged(atlas):
    atlas.info = replace(atlas.info, domain_limit=-1.0)
    (one,) = suggest(atlas, {"P1": with_run("W")}, table())
    assert "out_of_domain" in one.call.flags


def test_hostile_names_are_spelt_out(atlas):
    concept = f"other:{EVIL}"
    known = table(("P1", 36, 40, concept), concepts=[{"concept": concept, "kind": "other"}])
    (one,) = suggest(atlas, [Protein("P1", with_run("W"), description=EVIL)], known)
    for text in (*one.overlapping, one.protein_name):
        assert text.isprintable()
        assert "\\x1b[31m" in text


def test_proteins_without_annotations_are_counted_and_not_read(atlas):
    proteins = {"P1": with_run("W"), "X1": with_run("W"), "X2": with_run("W")}
    result = suggest(atlas, proteins, table())
    assert [s.call.accession for s in result] == ["P1"]
    assert (result.tally.proteins, result.tally.not_annotated) == (1, 2)
    assert atlas.model.read == 1


def test_a_protein_that_ends_before_its_annotations_is_left_out(atlas, caplog):
    proteins = {"P1": with_run("W"), "P2": with_run("W")}
    known = table(("P2", 500, 510, "toy:Y"), proteins=("P1", "P2"))
    result = suggest(atlas, proteins, known)
    assert [s.call.accession for s in result] == ["P1"]
    assert result.tally.other_sequence == 1
    assert "P2 has 80 residues and annotations up to 510" in caplog.text


def test_proteins_are_read_as_they_come(atlas):
    seen = []

    def proteins():
        for number in range(5):
            seen.append(number)
            yield Protein(f"P{number}", with_run("W"))

    result = suggest(atlas, proteins(), table(proteins=[f"P{i}" for i in range(5)]))
    next(result)
    assert seen == [0]


def test_the_tally_adds_up(atlas):
    proteins = {"P1": with_run("W") + with_run("W"), "P2": with_run("Y"), "X": with_run("W")}
    known = table(("P1", 35, 46, "toy:W"), proteins=("P1", "P2"), length=80)
    result = suggest(atlas, proteins, known, min_precision=0.0)
    list(result)
    tally = result.tally
    assert tally.calls == tally.annotated + tally.not_looked + tally.unknown + tally.suggested == 3
    assert "1 suggestions of 3 calls (1 annotated, 1 where nobody looked" in str(tally)


def test_accessions_that_do_not_match_are_an_error_that_names_both(atlas):
    with pytest.raises(NotFoundError, match=r"'X1'; the annotations have 'P1'"):
        list(suggest(atlas, {"X1": with_run("W")}, table()))


def test_sequences_of_another_release_are_an_error(atlas):
    with pytest.raises(MismatchError, match="such as P1"):
        list(suggest(atlas, {"P1": with_run("W")}, table(length=5000)))


def test_annotations_of_kinds_that_the_atlas_does_not_know_are_an_error(atlas):
    with pytest.raises(MismatchError, match="looked for pfam"):
        suggest(atlas, {"P1": with_run("W")}, table(kinds=("pfam",)))


def test_an_empty_table_of_annotations_is_an_error(atlas):
    with pytest.raises(MismatchError, match="looked for nothing"):
        suggest(atlas, {"P1": with_run("W")}, AnnotationTable.from_records([], [], []))


def test_a_kind_that_the_atlas_does_not_have_is_an_error_that_lists_those(atlas):
    with pytest.raises(NotFoundError, match="toy, uni:ACT"):
        suggest(atlas, {"P1": with_run("W")}, table(), kinds=["uniprot:HELIX"])


def test_a_negative_margin_is_refused(atlas):
    with pytest.raises(InputError, match="-1"):
        suggest(atlas, {"P1": with_run("W")}, table(), margin=-1)
