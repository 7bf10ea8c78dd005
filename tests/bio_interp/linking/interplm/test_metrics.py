"""InterPLM's figures, by hand."""

import numpy as np
import pytest

from bio_interp.linking.interplm import Defects, Rules, Tally, figures, lower_edges, table


def tally(tp, fp, spans, positives, instances, residue_level) -> Tally:
    """One feature, several concepts, one threshold."""
    counts = (np.array(x, dtype=np.float32)[None, :, None] for x in (tp, fp, spans))
    return Tally(*counts, np.array(positives), np.array(instances), np.array(residue_level))


def test_precision_is_over_residues_and_recall_over_instances():
    found = figures(tally([10], [5], [3], [100], [10], [False]))
    assert found.precision.item() == 10 / 15
    assert found.recall.item() == 10 / 100
    assert found.recall_per_domain.item() == 3 / 10
    assert found.f1.item() == pytest.approx(4 / 23)  # 2 * 2/3 * 1/10 / (2/3 + 1/10)
    assert found.f1_per_domain.item() == pytest.approx(12 / 29)  # 2 * 2/3 * 3/10 / (2/3 + 3/10)


def test_recall_of_residue_level_concepts_is_over_residues():
    found = figures(tally([10], [5], [3], [100], [10], [True]))
    assert found.recall_per_domain.item() == 10 / 100
    assert found.f1_per_domain.item() == found.f1.item() == pytest.approx(4 / 23)


def test_one_residue_of_a_long_domain_is_full_recall():
    found = figures(tally([1], [0], [1], [300], [1], [False]))
    assert found.f1_per_domain.item() == 1.0
    assert found.f1.item() == pytest.approx(2 / 301)


def test_nothing_found_scores_zero_and_a_concept_without_residues_has_recall_zero():
    found = figures(tally([0, 0, 5], [0, 7, 2], [0, 0, 0], [9, 9, 0], [2, 2, 0], [False] * 3))
    for values in (found.f1, found.f1_per_domain, found.recall):
        assert values[0, :, 0].tolist() == [0.0, 0.0, 0.0]
    assert found.precision[0, :, 0].tolist() == [0.0, 0.0, 5 / 7]


def test_rows_without_true_positives_are_not_written():
    counted = tally([0, 4, 2], [3, 1, 0], [0, 1, 2], [5, 5, 5], [2, 2, 2], [False] * 3)
    rows = table(counted, first_feature=250)
    assert rows["feature"].to_list() == [250, 250]
    assert rows["concept"].to_list() == [1, 2]
    assert rows["tp"].to_list() == [4, 2]
    assert rows["fp"].to_list() == [1, 0]
    assert rows["tp_per_domain"].to_list() == [1, 2]
    assert rows["precision"].to_list() == [0.8, 1.0]
    assert rows["recall_per_domain"].to_list() == [0.5, 1.0]


def test_thresholds_are_shares_of_the_largest_activation_and_strict():
    edges = lower_edges(np.array([4.0], dtype=np.float32), Rules())
    assert edges.dtype == np.float32
    for share, edge in zip(Rules().thresholds, edges[0], strict=True):
        cut = np.float32(4.0) * np.float32(share)
        assert edge > cut  # an activation of just the threshold is off
        assert edge == np.nextafter(cut, np.float32(9))  # and the next one is on


def test_a_feature_that_never_fired_in_the_sample_is_cut_at_its_own_activations():
    edges = lower_edges(np.zeros(1, dtype=np.float32))
    assert edges[0, 2] == np.nextafter(np.float32(0.5), np.float32(1))
    assert edges[0].tolist() == lower_edges(np.ones(1, dtype=np.float32))[0].tolist()


def test_the_presets_differ_in_what_each_peer_does():
    interplm, bionemo = Defects.of_interplm(), Defects.of_bionemo()
    assert interplm.notes_only
    assert not bionemo.notes_only
    assert bionemo.bearing_proteins_only
    assert not interplm.bearing_proteins_only
    assert not any(getattr(Defects(), name) for name in Defects.__dataclass_fields__)
