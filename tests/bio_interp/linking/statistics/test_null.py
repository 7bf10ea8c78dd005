"""Permuted labels keep what they must, and change what they should."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.linking.statistics import one_per_cluster, permute_labels

from .conftest import intervals, lay


def permuted(labels, seed=0, **options):
    return permute_labels(labels, np.random.default_rng(seed), **options)


@st.composite
def worlds(draw):
    """Proteins of two folds; spans overlap, touch, fill them; some are looked at in part."""
    lengths = draw(st.lists(st.integers(1, 30), min_size=1, max_size=12))
    concepts = draw(st.integers(1, 3))
    offsets = np.append(0, np.cumsum(lengths))

    def spans(protein, label, most):
        length = lengths[protein]
        for _ in range(draw(st.integers(0, most))):
            start = draw(st.integers(0, length - 1))
            end = draw(st.integers(start + 1, length))
            yield int(offsets[protein]) + start, int(offsets[protein]) + end, label, protein

    each = [(p, c) for p in range(len(lengths)) for c in range(concepts)]
    positives = [s for p, c in each for s in spans(p, c, 3)]
    clear = intervals(positives).merged()
    unknowns = intervals([s for p, c in each for s in spans(p, c, 1)]).merged().without(clear)
    looked = []
    for protein in range(len(lengths)):
        if draw(st.booleans()):
            looked.append((int(offsets[protein]), int(offsets[protein + 1]), 0, protein))
        else:
            looked += spans(protein, 0, 2)
    return lay(
        lengths,
        positives,
        unknowns=unknowns.rows(),
        looked=intervals(looked).merged().rows(),
        concepts=concepts,
        folds=np.array([draw(st.sampled_from(["select", "test"])) for _ in lengths]),
        weights=np.arange(1.0, len(lengths) + 1),
    )


def shapes(labels):
    """How often a span of each concept, fold and length is there, with what it stands for."""
    spans = labels.positives
    return Counter(
        zip(
            spans.label.tolist(),
            labels.folds[spans.protein].tolist(),
            (spans.end - spans.start).tolist(),
            labels.weights[spans.protein].tolist(),
            strict=True,
        )
    )


def residues(spans, folds):
    merged = spans.merged()
    size = Counter()
    for start, end, label, protein in merged.rows():
        size[label, folds[protein]] += end - start
    return size


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(0, 100))
def test_no_positive_span_is_cut_lost_joined_or_moved_to_another_fold(labels, seed):
    again = permuted(labels, seed)
    assert shapes(again) == shapes(labels)
    assert residues(again.positives, again.folds) == residues(labels.positives, labels.folds)
    assert len(again.positives.merged()) == len(labels.positives.merged())


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(0, 100))
def test_what_is_laid_is_as_labels_must_be(labels, seed):
    again = permuted(labels, seed)
    for spans in (again.positives, again.unknowns, again.looked):
        assert (np.diff(spans.start) >= 0).all()
        assert (spans.end > spans.start).all()
        assert (spans.start >= again.offsets[spans.protein]).all()
        assert (spans.end <= again.offsets[spans.protein + 1]).all()
    size = residues(again.looked, again.folds)
    assert sum(size.values()) == (again.looked.end - again.looked.start).sum()  # disjoint
    for concept in range(again.concepts.height):
        positive = again.positives.where(again.positives.label == concept)
        unknown = again.unknowns.where(again.unknowns.label == concept)
        assert not (positive.mask(again.residues) & unknown.mask(again.residues)).any()
        total = int((unknown.end - unknown.start).sum())
        assert unknown.mask(again.residues).sum() == total
    for name in ("offsets", "clusters", "folds", "coverage_class"):
        np.testing.assert_array_equal(getattr(again, name), getattr(labels, name))


@settings(max_examples=40, deadline=None)
@given(worlds(), st.integers(0, 100))
def test_proteins_of_one_length_keep_every_unknown_and_looked_residue(labels, seed):
    again = permuted(labels, seed, similar=0.0)
    assert residues(again.unknowns, again.folds) == residues(labels.unknowns, labels.folds)
    assert residues(again.looked, again.folds) == residues(labels.looked, labels.folds)


def test_a_span_is_laid_anywhere_in_its_protein_equally_often_and_never_over_its_end():
    labels = lay([10] * 700, [(10 * p + 3, 10 * p + 7, 0, p) for p in range(700)])
    spans = permuted(labels).positives
    assert (spans.end - spans.start == 4).all()
    starts = Counter((spans.start % 10).tolist())
    assert sorted(starts) == list(range(7))
    assert all(70 < n < 130 for n in starts.values())


def test_spans_keep_their_distance_around_the_circle():
    labels = lay([20], [(2, 5, 0, 0), (9, 10, 0, 0)])
    seen = set()
    for seed in range(200):
        first, second = permuted(labels, seed).positives.rows()
        lengths = first[1] - first[0], second[1] - second[0]
        gap = second[0] - first[1]
        assert (lengths, gap) in {((3, 1), 4), ((1, 3), 12)}
        seen.add(lengths)
    assert len(seen) == 2


def test_spans_that_touch_stay_two_and_may_part_at_the_end():
    labels = lay([10], [(0, 4, 0, 0), (4, 10, 0, 0)])
    rows = {tuple(permuted(labels, seed).positives.rows()) for seed in range(20)}
    assert rows == {((0, 4, 0, 0), (4, 10, 0, 0)), ((0, 6, 0, 0), (6, 10, 0, 0))}


def test_a_span_of_a_whole_protein_can_only_change_places():
    labels = lay([10, 10, 11], [(0, 10, 0, 0)])
    places = Counter(permuted(labels, seed).positives.rows()[0] for seed in range(300))
    assert {(s, e) for s, e, *_ in places} == {(0, 10), (10, 20), (20, 30), (21, 31)}
    assert permuted(lay([10, 9], [(0, 10, 0, 0)])).positives.rows() == [(0, 10, 0, 0)]


def test_a_shorter_protein_gives_up_free_residues_alone():
    labels = lay([10, 9], [(1, 4, 0, 0), (6, 9, 0, 0)])
    seen = set()
    for seed in range(200):
        spans = permuted(labels, seed).positives
        assert (spans.end - spans.start).tolist() == [3, 3]
        seen.add(int(spans.protein[0]))
    assert seen == {0, 1}


def test_unknown_residues_that_cross_the_end_come_back_at_the_beginning():
    labels = lay([10], [(0, 2, 0, 0)], unknowns=[(4, 9, 0, 0)])
    split = 0
    for seed in range(100):
        again = permuted(labels, seed)
        mask = again.unknowns.mask(10)
        assert mask.sum() == 5
        start = int(again.positives.start[0])
        # as on the circle: 2 behind the positive span, 5 unknown ones
        assert np.flatnonzero(mask).tolist() == sorted((start + 4 + i) % 10 for i in range(5))
        split += len(again.unknowns) == 2
    assert split > 10


def test_where_a_protein_was_looked_at_in_part_that_goes_with_its_concepts():
    labels = lay([40, 40], [(12, 15, 0, 0), (20, 22, 1, 0)], looked=[(10, 25, 0, 0)], concepts=2)
    for seed in range(50):
        again = permuted(labels, seed)
        looked = again.looked.mask(again.residues)
        assert looked.sum() == 15
        assert looked[again.positives.mask(again.residues)].all()
        # two concepts of one class are turned together
        first, second = sorted(again.positives.rows(), key=lambda row: row[2])
        assert (second[0] - first[0]) % 40 == 8


def test_a_protein_looked_at_whole_makes_the_other_one_such_and_turns_concepts_apart():
    labels = lay([20, 19], [(2, 5, 0, 0), (10, 12, 1, 0)], looked=[(0, 20, 0, 0)], concepts=2)
    distances, holders = set(), set()
    for seed in range(100):
        again = permuted(labels, seed)
        protein = int(again.positives.protein[0])
        assert again.looked.rows() == [((0, 20, 0, 0), (20, 39, 0, 1))[protein]]
        first, second = sorted(again.positives.rows(), key=lambda row: row[2])
        distances.add((second[0] - first[0]) % 20)
        holders.add(protein)
    assert holders == {0, 1}
    assert len(distances) > 5


def test_annotations_reach_every_protein_of_similar_length_equally_often():
    lengths = [50, 52, 54, 56, 58, 60, 300]
    labels = lay(lengths, [(0, 5, 0, 0)])
    places = Counter(int(permuted(labels, seed).positives.protein[0]) for seed in range(300))
    assert sorted(places) == [0, 1, 2, 3, 4, 5]
    assert all(30 < n < 72 for n in places.values())


def test_annotations_stay_in_their_fold_however_alike_the_proteins_are():
    folds = np.array(["select", "test", "calibrate", "select", "test"])
    labels = lay([10] * 5, [(0, 3, 0, 0), (10, 13, 1, 1)], concepts=2, folds=folds)
    for seed in range(60):
        spans = permuted(labels, seed).positives
        assert dict(zip(spans.label, folds[spans.protein], strict=True)) == {0: "select", 1: "test"}


def test_the_same_seed_permutes_alike_and_another_does_not():
    labels = lay([30] * 20, [(30 * p, 30 * p + 7, 0, p) for p in range(0, 20, 3)])
    assert permuted(labels, 1).positives.rows() == permuted(labels, 1).positives.rows()
    assert permuted(labels, 1).positives.rows() != permuted(labels, 2).positives.rows()


def test_one_protein_of_each_cluster_stays_in_its_fold():
    clusters = np.repeat([3, 5, 9], [4, 1, 3])
    folds = np.array(["calibrate"] * 4 + ["test"] * 4)
    labels = lay([10] * 8, [], clusters=clusters, folds=folds)
    members = Counter()
    for seed in range(200):
        kept = one_per_cluster(labels, np.random.default_rng(seed))
        inside = np.flatnonzero(kept.folds != "")
        assert clusters[inside].tolist() == [3, 5, 9]
        assert kept.folds[inside].tolist() == ["calibrate", "test", "test"]
        members.update(inside.tolist())
    assert sorted(members) == list(range(8))
    assert labels.folds.tolist() == folds.tolist()


@pytest.mark.parametrize("lengths", [[], [5]])
def test_labels_without_a_span_are_permuted_too(lengths):
    again = permuted(lay(np.array(lengths, dtype=int), []))
    assert len(again.positives) == 0
    assert len(again.looked) == len(lengths)
