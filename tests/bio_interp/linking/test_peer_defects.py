"""What peers' evaluators get wrong, each as a test that fails where it is done here.

Each test scores the same codes and labels twice: as they are, and with one defect switched on, to
show what it does to the numbers. docs/peer-defects.md lists them all, with the tests of those that
live elsewhere.
"""

from functools import partial

import numpy as np
import pytest
import torch

from bio_interp.linking.interplm import Defects, Rules, encode_rows
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

ALL = Rules(min_residues=0, min_instances=0, min_named=1)


def run_of(feature: int, start: int, end: int, *, value: float = 1.0, residues: int = 20):
    """Codes of two features, of which one is on from start to end (from 1)."""
    dense = np.zeros((residues, 2))
    dense[start - 1 : end, feature] = value
    return dense


@pytest.fixture
def scored(score):
    """Score a world, all of whose concepts count."""
    return partial(score, rules=ALL)


@pytest.fixture
def only(scored):
    """Score a world of one concept."""
    return lambda made, **options: scored(made, **options).best.row(0, named=True)


def test_b1_false_positives_are_counted_in_proteins_without_the_concept(world, only):
    """A feature that is on in all of ten proteins, of which one has the concept: precision 0.1."""
    codes = {f"{fold}{i}": run_of(0, 1, 20) for fold in "vt" for i in range(10)}
    made = world(codes, [("v0", 1, 20, "uniprot:COILED"), ("t0", 1, 20, "uniprot:COILED")])
    assert only(made)["test_precision"] == 0.1
    assert only(made)["test_f1_per_domain"] == pytest.approx(2 * 0.1 / 1.1)
    assert only(made, bearing_proteins_only=True)["test_f1_per_domain"] == 1.0


def test_b2_a_label_is_held_against_the_activation_of_its_own_residue(world, only):
    """A perfect feature of single sites is perfect; one a residue early is not."""
    sites = [(a, 7, 7, "uniprot:ACT_SITE") for a in ("v0", "t0")]
    perfect = world({"v0": run_of(0, 7, 7), "t0": run_of(0, 7, 7)}, sites)
    assert only(perfect)["test_f1_per_domain"] == 1.0
    assert only(perfect, labels_one_early=True)["test_f1_per_domain"] == 0.0


def test_b2_a_feature_one_residue_early_finds_no_site(world, only):
    sites = [(a, 7, 7, "uniprot:ACT_SITE") for a in ("v0", "t0")]
    early = world({"v0": run_of(0, 6, 6), "t0": run_of(0, 6, 6)}, sites)
    assert only(early)["test_f1_per_domain"] == 0.0
    assert only(early, labels_one_early=True)["test_f1_per_domain"] == 1.0


def test_b2_the_first_and_the_last_residue_are_seen(world, only):
    spans = [(a, at, at, "uniprot:ACT_SITE") for a in ("v0", "t0") for at in (1, 20)]
    ends = run_of(0, 1, 1) + run_of(0, 20, 20)
    made = world({"v0": ends, "t0": ends}, spans)
    assert only(made)["test_recall"] == 1.0
    assert only(made, labels_one_early=True)["test_recall"] == 0.0


def test_b5_thresholds_cut_shares_of_the_largest_activation(world, only):
    """A feature that reaches 8: on at 7.9 where the concept is, and at 1.6 elsewhere."""
    dense = run_of(0, 1, 5, value=7.9) + run_of(0, 11, 20, value=1.6)
    made = world({"v0": dense, "t0": dense}, [(a, 1, 5, "uniprot:COILED") for a in ("v0", "t0")])
    fair = only(made, maxima=[8, 0])
    assert (fair["valid_threshold"], fair["test_f1_per_domain"]) == (0.5, 1.0)
    raw = only(made, maxima=[8, 0], raw_thresholds=True)  # 1.6 is above 0.8
    assert raw["test_precision"] == 5 / 15


def test_b5_a_faint_feature_is_not_lost(world, only):
    dense = run_of(0, 1, 5, value=0.07) + run_of(0, 11, 20, value=0.01)
    made = world({"v0": dense, "t0": dense}, [(a, 1, 5, "uniprot:COILED") for a in ("v0", "t0")])
    assert only(made, maxima=[0.08, 0])["test_f1_per_domain"] == 1.0
    assert only(made, maxima=[0.08, 0], raw_thresholds=True)["test_precision"] == 5 / 15


def test_b6_a_binding_site_has_residues(world, scored):
    codes = {a: run_of(0, 4, 6) for a in ("v0", "t0")}
    kinds = ("uniprot:BINDING", "uniprot:BINDING/ATP")
    made = world(codes, [(a, 4, 6, kind) for a in codes for kind in kinds])
    named = dict(scored(made).best.select("name", "test_f1_per_domain").iter_rows())
    assert named == {"Binding site_any": 1.0, "Binding site_ATP": 1.0}
    assert scored(made, notes_only=True).best.height == 0


def test_b6_what_has_no_note_is_in_any(world, scored):
    """Signal peptides have no note as a rule; of two active sites one has."""
    codes = {a: run_of(0, 1, 9) + run_of(1, 15, 15) for a in ("v0", "t0")}
    spans = [
        (a, *span)
        for a in codes
        for span in (
            (1, 9, "uniprot:SIGNAL"),
            (14, 14, "uniprot:ACT_SITE"),
            (15, 15, "uniprot:ACT_SITE"),
            (15, 15, "uniprot:ACT_SITE/Nucleophile"),
        )
    ]
    made = world(codes, spans)
    fair = {row["name"]: row for row in scored(made).best.iter_rows(named=True)}
    assert fair["Signal peptide_any"]["test_f1_per_domain"] == 1.0
    assert fair["Active site_any"]["test_residues"] == 2
    assert fair["Active site_any"]["test_recall"] == 0.5
    broken = {r["name"]: r for r in scored(made, notes_only=True).best.iter_rows(named=True)}
    assert "Signal peptide_any" not in broken
    assert broken["Active site_any"]["test_residues"] == 1
    assert broken["Active site_any"]["test_recall"] == 1.0


def test_b7_the_threshold_is_not_chosen_again_on_test(world, only):
    """Above 0 the feature is right on valid; on test it is right above 0.5 only."""
    valid = run_of(0, 1, 5, value=0.1)
    test = run_of(0, 1, 5) + run_of(0, 6, 20, value=0.1)
    made = world({"v0": valid, "t0": test}, [(a, 1, 5, "uniprot:COILED") for a in ("v0", "t0")])
    fair = only(made)
    assert (fair["valid_threshold"], fair["test_threshold"]) == (0.0, 0.0)
    assert fair["test_f1_per_domain"] == pytest.approx(2 * 0.25 / 1.25)
    again = only(made, threshold_chosen_again=True)
    assert (again["valid_threshold"], again["test_threshold"]) == (0.0, 0.15)
    assert again["test_f1_per_domain"] == 1.0


def test_b7_good_pairs_keep_their_threshold_too(world, scored):
    valid = run_of(0, 1, 5, value=0.1)
    test = run_of(0, 1, 5) + run_of(0, 6, 20, value=0.1)
    made = world({"v0": valid, "t0": test}, [(a, 1, 5, "uniprot:COILED") for a in ("v0", "t0")])
    assert scored(made).figures()["good_pairs"] == 0
    assert scored(made, threshold_chosen_again=True).figures()["good_pairs"] == 1


def test_b7_a_concept_that_is_not_found_on_test_counts_zero(world, scored):
    codes = {"v0": run_of(0, 1, 5) + run_of(1, 11, 15), "t0": run_of(0, 1, 5)}
    spans = [(a, *s) for a in codes for s in ((1, 5, "uniprot:COILED"), (11, 15, "uniprot:TURN"))]
    made = world(codes, spans)
    assert scored(made).figures()["concepts"] == 2
    assert scored(made).figures()["mean_test_f1"] == 0.5
    assert scored(made, failures_left_out=True).figures()["mean_test_f1"] == 1.0


@pytest.fixture
def sae() -> SparseAutoencoder:
    """A TopK SAE with k = 2 of 16 features."""
    draw = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(16, 6, generator=draw))
    tensors = {"W_enc": rows.T.contiguous(), "b_enc": torch.zeros(16), "W_dec": rows}
    norm = InputNorm(torch.zeros(6), 1.0)
    return SparseAutoencoder(SaeConfig(6, 16, "topk", 2), tensors | {"b_dec": torch.zeros(6)}, norm)


def test_b8_codes_that_are_scored_are_those_that_rebuild(sae):
    """What is counted must be what the forward pass decodes: TopK, and not a plain ReLU."""
    rows = torch.randn(40, 6)
    codes = encode_rows(sae, rows).toarray()
    assert torch.allclose(sae(rows), torch.from_numpy(codes) @ sae.W_dec, atol=1e-6)
    assert ((codes > 0).sum(1) <= 2).all()
    relu = encode_rows(sae, rows, Defects(relu_codes=True)).toarray()
    assert (relu > 0).sum(1).mean() > 6
    assert not torch.allclose(sae(rows), torch.from_numpy(relu) @ sae.W_dec, atol=0.1)


def test_b15_what_a_residue_activates_does_not_depend_on_the_others(sae):
    """A residue with activations a hundred times as large takes no budget of the others."""
    rows = torch.randn(12, 6)
    loud = torch.cat([100 * torch.randn(6, 6), rows])
    alone, beside = encode_rows(sae, rows).toarray(), encode_rows(sae, loud).toarray()[6:]
    assert np.array_equal(alone, beside)
    shared = Defects(batch_topk=True)
    alone, beside = (encode_rows(sae, x, shared).toarray() for x in (rows, loud))
    assert (alone > 0).sum() == 24
    assert (beside[6:] > 0).sum() < 4


def test_b11_a_feature_that_was_silent_in_the_sample_has_thresholds(world, only):
    """Over a maximum of 0 every activation is infinite, and above every threshold."""
    dense = run_of(0, 1, 5, value=0.9) + run_of(0, 11, 20, value=0.1)
    made = world({"v0": dense, "t0": dense}, [(a, 1, 5, "uniprot:COILED") for a in ("v0", "t0")])
    fair = only(made, maxima=[0, 0])
    assert (fair["valid_threshold"], fair["test_f1_per_domain"]) == (0.15, 1.0)
    assert only(made, maxima=[0, 0], zero_maxima=True)["test_precision"] == 5 / 15
    # and a feature that is silent for good is nowhere on, and no warning is given
    assert only(made, maxima=[1, 0])["feature"] == 0


def test_only_the_two_cysteines_of_a_bond_are_positive(world, only):
    """BioNeMo labels the whole range, and a feature of the cysteines loses its recall."""
    cysteines = run_of(0, 3, 3) + run_of(0, 18, 18)
    codes = {a: cysteines for a in ("v0", "t0")}
    made = world(codes, [(a, 3, 18, "uniprot:DISULFID") for a in codes])
    assert only(made)["test_f1_per_domain"] == 1.0
    ranged = only(made, bonds_as_ranges=True)
    assert ranged["test_recall"] == 2 / 16
    assert ranged["test_f1_per_domain"] == pytest.approx(2 / 9)


def test_defects_of_labels_go_together(world, only):
    """Labels a residue early and false positives in bearing proteins only: no count below 0."""
    codes = {f"{fold}{i}": run_of(0, 1, 20) for fold in "vt" for i in range(3)}
    made = world(codes, [(a, 3, 5, "uniprot:COILED") for a in ("v0", "t0")])
    both = only(made, bearing_proteins_only=True, labels_one_early=True)
    assert both["test_precision"] == pytest.approx(3 / 19)
