"""Annotating proteins with an atlas: positions, prices, statuses, flags."""

import json
from itertools import pairwise

import pytest

from bio_interp.atlas import DECOYS, AtlasInfo, decoy_rates, decoys_of, load_atlas
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.sequences import Protein

HAND_MADE = "MKTAYIAKQRQISFVKSHFSRQ" + "W" * 20 + "LEERLGLIEVQAPILSRVGDGTQDNLSGAEK"


def test_a_planted_run_is_called_on_its_very_residues(toy_atlas):
    (result,) = toy_atlas.annotate({"P1": HAND_MADE})
    (call,) = result.calls
    assert (call.start, call.end, call.concept) == (23, 42, "toy:W")
    assert call.name == "tryptophan run"
    assert call.link_type == "delineator"
    assert call.precision_low <= call.precision <= call.precision_high
    assert call.precision_low >= 0.8
    assert call.n >= 20
    assert result.protein.status == "ok"


def test_the_atlas_of_the_environment_is_the_default(toy_atlas, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_ATLAS", str(toy_atlas.folder))
    assert load_atlas().folder == toy_atlas.folder
    assert load_atlas("reference").name == "reference"
    monkeypatch.delenv("BIO_INTERP_ATLAS")
    assert load_atlas().name == "unirep"


def test_a_protein_without_the_concept_says_so(toy_atlas):
    (result,) = toy_atlas.annotate({"P1": "MKTAYIAKQRQISFVKSHFSRQ"})
    assert result.protein.status == "no_known_concept"
    assert result.calls == ()


def test_low_complexity_and_exposure_are_flagged(toy_atlas):
    (call,) = next(toy_atlas.annotate({"P1": HAND_MADE})).calls
    assert "low_complexity" in call.flags
    assert call.exposure == "not_in_training"
    (seen,) = next(toy_atlas.annotate({"P1": toy_atlas.__dict__["seen_sequence"]})).calls
    assert seen.exposure == "seen"


def test_short_proteins_keep_their_place_and_are_not_read(toy_atlas):
    proteins = {"A": "MK", "B": HAND_MADE, "C": "M", "D": "MKV", "E": HAND_MADE, "F": "W"}
    results = list(toy_atlas.annotate(proteins))
    assert [r.protein.accession for r in results] == list("ABCDEF")
    assert [r.protein.status for r in results].count("too_short") == 4


def test_what_the_sae_cannot_rebuild_is_out_of_domain(toy_atlas):
    (result,) = toy_atlas.annotate({"P1": "MKTAYIAKQRQISFVKSHFSRQ"})
    assert result.protein.status != "out_of_domain"
    toy_atlas.info.__dict__["domain_limit"] = -1.0
    try:
        (result,) = toy_atlas.annotate({"P1": HAND_MADE})
    finally:
        toy_atlas.info.__dict__["domain_limit"] = 0.5
    assert result.protein.status == "out_of_domain"
    assert "reconstruction error" in result.protein.note


def test_all_features_adds_unlinked_ones(toy_atlas):
    (result,) = toy_atlas.annotate({"P1": HAND_MADE}, all_features=True)
    bare = [c for c in result.calls if c.link_type == "unlinked"]
    assert any((c.start, c.end) == (1, 1) or c.start == 1 for c in bare)
    assert all(c.precision != c.precision for c in bare)


def test_a_frame_has_one_row_a_call(toy_atlas):
    frame = toy_atlas.annotate({"P1": HAND_MADE, "P2": HAND_MADE}).df
    assert frame["accession"].to_list() == ["P1", "P2"]
    assert frame["start"].to_list() == [23, 23]


def test_decoys_keep_lengths_and_what_they_promise():
    proteins = [Protein("P1", HAND_MADE), Protein("P2", "MKVLAAGIVGLCGARND")]
    for kind in DECOYS:
        made = list(decoys_of(proteins, kind))
        assert [len(d) for d in made] == [len(p) for p in proteins]
        assert made == list(decoys_of(proteins, kind))

    def pairs(text: str) -> list[str]:
        return sorted(a + b for a, b in pairwise(text))

    for protein, decoy in zip(proteins, decoys_of(proteins, "dipeptide_shuffled"), strict=True):
        assert pairs(decoy.sequence) == pairs(protein.sequence)
    assert next(decoys_of(proteins, "reversed")).sequence == HAND_MADE[::-1]


def test_decoy_rates_count_calls_per_thousand(toy_atlas):
    rates = decoy_rates(toy_atlas, [Protein("P1", HAND_MADE)])
    assert rates["reversed"] == 1000.0  # a run of one letter reads the same backwards
    assert set(rates) == set(DECOYS)


def test_errors_name_the_atlas_and_what_to_do(tmp_path):
    with pytest.raises(NotFoundError, match="installed atlas"):
        load_atlas("no-such-atlas")
    with pytest.raises(NotFoundError, match=r"atlas\.json"):
        load_atlas(tmp_path)
    (tmp_path / "atlas.json").write_text("{")
    with pytest.raises(InputError, match="JSON"):
        AtlasInfo.load(tmp_path)
    (tmp_path / "atlas.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(MismatchError, match=r"schema 2.*schema 99"):
        AtlasInfo.load(tmp_path)
