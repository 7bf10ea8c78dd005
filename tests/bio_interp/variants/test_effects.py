"""Changes worked out by hand on toy models, and the reference atlas against plain arithmetic."""

import logging
import math

import numpy as np
import pytest
import torch

from bio_interp import load_atlas
from bio_interp.atlas import Atlas
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.models import LoadOptions
from bio_interp.sequences import Protein
from bio_interp.variants import (
    EFFECTS,
    SCAN,
    Variant,
    all_substitutions,
    feature_changes,
    log_likelihood_ratios,
    one_protein,
    parse_variant,
    scan,
    variant_effects,
)

TEXT = "CDEA"  # values 1, 2, 3, 0
LONG = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"


@pytest.fixture(scope="module")
def reference() -> Atlas:
    return load_atlas("reference", options=LoadOptions("cpu", "fp32"))


def test_changes_of_a_causal_model_are_those_worked_out_by_hand(causal_atlas):
    """Feature 0: 1 2 3 0 to 1 4 3 0; feature 1: 1 2.5 4 1.5 to 1 4.5 5 1.5."""
    table = variant_effects(causal_atlas, TEXT, "D2F")
    assert table.schema == EFFECTS
    assert table.drop("mutation", "rank").rows() == [
        ("toy/f0", None, None, None, 2.0, 2.0, 2, 2.0, 2.0, 0.2, 3.0, 4.0),
        ("toy/f1", "toy:1", "Pairs", "locator", 2.0, 2.0, 2, 3.0, 3.0, 0.075, 4.0, 5.0),
    ]
    assert table["mutation"].to_list() == ["D2F", "D2F"]
    assert table["rank"].to_list() == [1, 2]


def test_a_model_that_reads_both_ways_changes_before_the_residue_too(masked_atlas):
    """Feature 1: 2 3.5 3 0 to 1.5 2 1.5 0 where E is replaced by A and D by C."""
    table = variant_effects(masked_atlas, TEXT, "E3A:D2C", rank="total")
    one = table.row(0, named=True)
    assert (one["feature"], one["total"], one["summed"]) == ("toy/f1", 6.0, -6.0)
    assert (one["largest"], one["position"], one["at_mutated"]) == (-3.0, 3, -3.0)
    two = table.row(1, named=True)
    assert (two["feature"], two["total"], two["largest"], two["position"]) == (
        ("toy/f0", 4.0, -3.0, 3)
    )


def test_changes_that_cancel_are_summed_with_and_without_sign(causal_atlas):
    """Feature 0: 1 2 3 0 to 3 0 3 0."""
    one = variant_effects(causal_atlas, TEXT, "C1E:D2A").row(0, named=True)
    assert (one["feature"], one["summed"], one["total"]) == ("toy/f0", 0.0, 4.0)
    assert (one["largest"], one["position"], one["at_mutated"]) == (2.0, 1, 2.0)


def test_rankings_differ_as_they_say(causal_atlas):
    first = {
        rank: variant_effects(causal_atlas, TEXT, "D2F", rank=rank, top=1)["feature"][0]
        for rank in ("relative", "total", "largest", "mutated")
    }
    assert first == {"relative": "toy/f0", "total": "toy/f1", "largest": "toy/f0",
                     "mutated": "toy/f0"}  # fmt: skip


def test_a_feature_without_a_maximum_is_measured_by_the_two_peaks(toy_atlas_of, toy_model):
    atlas = toy_atlas_of(toy_model("causal"), maxima=(0.0, 40.0, 0.0))
    one = variant_effects(atlas, TEXT, "D2F").row(0, named=True)
    assert (one["feature"], one["relative"]) == ("toy/f0", 0.5)  # 2 over a peak of 4


def test_maxima_of_training_serve_where_the_atlas_has_no_statistics(causal_atlas):
    (causal_atlas.folder / "features.parquet").unlink()
    causal_atlas.sae.feature_maxima[:] = torch.tensor([4.0, 6.0, 0.0])
    assert variant_effects(causal_atlas, TEXT, "D2F")["relative"].to_list() == [0.5, 0.5]


def test_the_wild_type_changes_nothing_and_has_a_row_in_a_scan(causal_atlas):
    assert variant_effects(causal_atlas, TEXT, ["WT", "C1C"]).is_empty()
    found = scan(causal_atlas, TEXT, ["WT", "D2F"])
    assert found.table["changed"].to_list() == [0, 2]
    assert found.table["log_likelihood_ratio"][0] == 0.0
    assert found.table["feature"].to_list() == [None, "toy/f0"]
    assert found.noise == 0.0


def test_a_scan_names_what_changes_most_and_what_has_a_name(causal_atlas):
    found = scan(causal_atlas, TEXT, ["D2F", "D2F:E3A"])
    assert found.table.schema == SCAN
    one, both = found.table.rows(named=True)
    assert (one["position"], one["wild_type"], one["mutant"]) == (2, "D", "F")
    assert (both["position"], both["wild_type"], both["mutant"]) == (None, None, None)
    assert one["relative"] == pytest.approx(0.275)
    assert (one["feature"], one["feature_relative"]) == ("toy/f0", 0.2)
    assert (one["named_feature"], one["concept"], one["name"]) == ("toy/f1", "toy:1", "Pairs")
    assert found.changes.toarray()[0].tolist() == pytest.approx([0.2, 0.075, 0.0])
    assert scan(causal_atlas, TEXT, ["D2F"], keep=1).changes.toarray()[0, 1] == 0.0


def test_a_full_scan_has_every_substitution_in_order(causal_atlas):
    done: list[int] = []
    found = scan(causal_atlas, TEXT, progress=done.append)
    assert found.table["mutation"].to_list() == [str(v) for v in all_substitutions(TEXT)]
    assert found.changes.shape == (19 * 4, 3)
    assert done == list(range(1, 19 * 4 + 2))  # and the wild type, read again


def test_the_likelihood_of_a_causal_model_is_that_of_the_whole_sequence(causal_atlas):
    """CDEA repeats no letter; CCEA repeats one, whose p rises from 1/22 to 3/22."""
    found = scan(causal_atlas, TEXT, ["D2C", "D2F"])
    assert found.table["log_likelihood_ratio"].to_list() == pytest.approx([math.log(3), 0.0])


def test_a_causal_model_reads_each_protein_once_for_rows_and_logits(causal_atlas):
    scan(causal_atlas, TEXT, ["D2C", "D2F"])
    assert causal_atlas.model.read == 4  # the wild type twice


def test_a_causal_model_that_places_no_edits_gives_the_same(toy_atlas_of, toy_model, causal_atlas):
    other = toy_atlas_of(toy_model("causal", places_edits=False))
    asked = ["D2C", "D2F:A4C"]
    assert scan(other, TEXT, asked).table.equals(scan(causal_atlas, TEXT, asked).table)


def test_the_likelihood_of_a_masked_model_hides_all_residues_of_a_variant(masked_atlas):
    model = masked_atlas.model
    asked = [parse_variant(text, TEXT) for text in ("D2F", "D2A", "WT", "D2F:A4C")]
    scores = log_likelihood_ratios(model, TEXT, asked)
    assert scores == pytest.approx([0.2, -0.2, 0.0, 0.3], abs=1e-6)
    assert model.masks == [[1], [1, 3]]  # one reading serves all variants of a position


def test_a_residue_that_is_no_amino_acid_has_no_likelihood(causal_atlas, masked_atlas):
    for atlas in (causal_atlas, masked_atlas):
        found = scan(atlas, "CXEA", ["X2C", "E3C"])
        assert found.table["log_likelihood_ratio"].is_null().to_list() == [True, False]


def test_changes_of_the_reference_atlas_are_mutant_minus_wild_type(reference):
    protein = Protein("query", LONG)
    asked = [parse_variant(text, LONG) for text in ("K8W", "A4P:F14D")]
    for changes in feature_changes(reference, protein, asked):
        texts = [LONG, changes.variant.apply(LONG)]
        rows = [r.rows[reference.site] for r in reference.model.activations(texts, ["layer.3"])]
        wild, mutant = (reference.encode(r).toarray().astype(float) for r in rows)
        change = mutant - wild
        change[np.abs(change) <= 2**-9 * np.maximum(wild, mutant)] = 0.0
        assert changes.features.tolist() == np.flatnonzero(np.abs(change).sum(0)).tolist()
        own = change[:, changes.features]
        assert np.allclose(changes.total, np.abs(own).sum(0))
        assert np.allclose(changes.summed, own.sum(0))
        assert np.allclose(changes.mutant_peak, mutant.max(0)[changes.features])
        assert np.allclose(changes.wild_type_peak, wild.max(0)[changes.features])
        assert np.allclose(np.abs(changes.largest), np.abs(own).max(0))
        at = [own[position - 1, i] for i, position in enumerate(changes.positions)]
        assert np.allclose(changes.largest, at)


def test_many_variants_at_once_change_what_each_alone_does(reference):
    asked = [str(v) for v in all_substitutions(LONG)][::25]
    together = variant_effects(reference, LONG, asked, top=5)
    alone = variant_effects(reference, LONG, asked[7], top=5)
    mine = together.filter(together["mutation"] == asked[7])
    assert mine["feature"].to_list() == alone["feature"].to_list()
    assert np.allclose(mine["relative"], alone["relative"], rtol=1e-2)


def test_masked_marginals_of_the_reference_model_are_summed_over_the_variant(reference):
    variant = parse_variant("K8W:F14D", LONG)
    (score,) = log_likelihood_ratios(reference.model, LONG, [variant])
    (logits,) = reference.model.logits([LONG], masked=[[7, 13]])
    letters = "ACDEFGHIKLMNPQRSTVWY"
    log_p = logits.log_softmax(1)
    wanted = log_p[7, letters.index("W")] - log_p[7, letters.index("K")]
    wanted += log_p[13, letters.index("D")] - log_p[13, letters.index("F")]
    assert score == pytest.approx(float(wanted), abs=1e-4)


def test_mutants_are_read_as_they_are_compared(masked_atlas):
    asked = list(all_substitutions(TEXT))
    found = feature_changes(masked_atlas, Protein("query", TEXT), asked)
    next(found)
    assert masked_atlas.model.read == 2  # the wild type and one mutant


def test_what_the_number_format_does_to_the_wild_type_is_said(causal_atlas, monkeypatch, caplog):
    readings = iter(range(1, 100))
    plain = causal_atlas.encode
    monkeypatch.setattr(causal_atlas, "encode", lambda rows: plain(rows * next(readings)))
    with caplog.at_level(logging.INFO, logger="bio_interp.variants"):
        logging.getLogger("bio_interp").propagate = True
        variant_effects(causal_atlas, TEXT, "D2F")
    assert "differs from itself" in caplog.text


@pytest.mark.parametrize("more", [{"top": 0}, {"rank": "best"}])
def test_settings_that_mean_nothing_are_refused(causal_atlas, more):
    with pytest.raises(InputError):
        variant_effects(causal_atlas, TEXT, "D2F", **more)


def test_errors_come_before_the_model_reads(causal_atlas):
    with pytest.raises(MismatchError, match="Wanted A at position 2"):
        variant_effects(causal_atlas, TEXT, ["D2F", "A2F"])
    with pytest.raises(MismatchError):
        scan(causal_atlas, TEXT, [parse_variant("W4A", "AAAW")])
    assert causal_atlas.model.read == 0


def test_one_protein_is_chosen_or_asked_for(tmp_path):
    path = tmp_path / "two.fasta"
    path.write_text(">a\nMKV\n>b\nMLL\n")
    assert one_protein(path, "b").sequence == "MLL"
    assert one_protein(Protein("c", "MM")).accession == "c"
    with pytest.raises(InputError, match="several in"):
        one_protein(path)
    with pytest.raises(NotFoundError, match="none of its 2 accessions"):
        one_protein(str(path), "B")


def test_no_variants_give_empty_tables(causal_atlas):
    assert variant_effects(causal_atlas, TEXT, []).schema == EFFECTS
    found = scan(causal_atlas, TEXT, [])
    assert found.table.is_empty()
    assert found.changes.shape == (0, 3)
    assert str(Variant()) == "WT"
