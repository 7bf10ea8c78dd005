"""One pass over sparse codes equals a dense count, whatever the order and the parts."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.linking import Intervals
from bio_interp.linking.counting import Counts, bin_edges, count, totals
from bio_interp.linking.counting._ground import STRATA, cluster_strata

SEEDS = st.integers(0, 10_000)


def whole(columns, labels, edges, **kwargs):
    blocks = [c for _, c in count(columns, labels, edges, fold="select", **kwargs)]
    return Counts(**{n: torch.cat([vars(b)[n] for b in blocks]) for n in vars(blocks[0])})


def edges_of(columns, labels):
    inside = labels.residue_mask(labels.proteins_of("select"))
    return bin_edges(columns, inside, np.arange(5) / 5)


def dense_counts(columns, labels, edges):
    """Count by looking at every residue, span, protein and cluster."""
    inside = labels.proteins_of("select")
    protein = np.repeat(np.arange(len(inside)), np.diff(labels.offsets))
    weight, of_residue = labels.weights, labels.weights[protein]
    shape = (columns.d_sae, labels.concepts.height, edges.shape[1])
    found = {n: np.zeros(shape) for n in ("hits", "ignored", "spans", "proteins", "clusters")}
    fired = {n: np.zeros((shape[0], 2, shape[2])) for n in ("", "_proteins")}
    fired["_clusters"] = np.zeros((shape[0], 2, STRATA, shape[2]))
    for f, b in np.ndindex(shape[0], shape[2]):
        on = (columns.rows[:, f] >= edges[f, b]) & (columns.rows[:, f] > 0) & inside[protein]
        for c in range(shape[1]):
            spans = labels.positives.where(labels.positives.label == c)
            bearing = spans.mask(labels.residues)
            unknown = labels.unknowns.where(labels.unknowns.label == c).mask(labels.residues)
            hit = [i for i, (s, e, _, _) in enumerate(spans.rows()) if on[s:e].any()]
            bearers = np.unique(protein[on & bearing])
            found["hits"][f, c, b] = of_residue[on & bearing].sum()
            found["ignored"][f, c, b] = of_residue[on & unknown].sum()
            found["spans"][f, c, b] = weight[spans.protein[hit]].sum()
            found["proteins"][f, c, b] = weight[bearers].sum()
            found["clusters"][f, c, b] = len(np.unique(labels.clusters[bearers]))
        for k in range(2):
            looked = labels.looked.where(labels.looked.label == k).mask(labels.residues)
            firing = np.unique(protein[on & looked])
            fired[""][f, k, b] = of_residue[on & looked].sum()
            fired["_proteins"][f, k, b] = weight[firing].sum()
            clusters = np.unique(labels.clusters[firing])
            strata = cluster_strata(labels, "select")[clusters]
            fired["_clusters"][f, k, :, b] = np.bincount(strata, minlength=STRATA)
    return found | {f"fired{name}": table for name, table in fired.items()}


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.booleans())
def test_one_pass_counts_equal_a_dense_count_exactly(world, seed, weighted):
    columns, labels = world(seed, weighted=weighted)
    edges = edges_of(columns, labels)
    counted = whole(columns, labels, edges)
    for name, table in dense_counts(columns, labels, edges).items():
        assert np.array_equal(vars(counted)[name].numpy(), table), name


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_parts_of_the_clusters_add_up_to_the_whole(world, seed, parts):
    columns, labels = world(seed)
    edges = edges_of(columns, labels)
    merged = whole(columns, labels, edges, part=(1, parts))
    for number in range(2, parts + 1):
        merged = merged + whole(columns, labels, edges, part=(number, parts))
    for name, table in vars(whole(columns, labels, edges)).items():
        assert torch.equal(vars(merged)[name], table), name


def shuffled(columns, labels, order):
    """Put the proteins into another order."""
    lengths = np.diff(labels.offsets)[order]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    old = [np.arange(labels.offsets[p], labels.offsets[p + 1]) for p in order]
    place = np.argsort(order)

    def moved(spans):
        shift = offsets[place[spans.protein]] - labels.offsets[spans.protein]
        new = Intervals(spans.start + shift, spans.end + shift, spans.label, place[spans.protein])
        return new.where(np.argsort(new.start, kind="stable"))

    changes = {n: vars(labels)[n][order] for n in ("clusters", "folds", "weights")}
    changes |= {n: moved(vars(labels)[n]) for n in ("positives", "unknowns", "looked")}
    return (
        type(columns)(columns.rows[np.concatenate(old)]),
        type(labels)(**{**vars(labels), **changes, "offsets": offsets}),
    )


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_the_order_of_proteins_changes_nothing(world, seed):
    columns, labels = world(seed)
    edges = edges_of(columns, labels)
    order = np.random.default_rng(seed).permutation(len(labels.folds))
    other, moved = shuffled(columns, labels, order)
    assert np.array_equal(edges, edges_of(other, moved))
    again = whole(other, moved, edges)
    for name, table in vars(whole(columns, labels, edges)).items():
        assert torch.equal(vars(again)[name], table), name


def test_renaming_features_moves_their_counts_and_nothing_else(world):
    columns, labels = world(3)
    edges, order = edges_of(columns, labels), np.random.default_rng(0).permutation(7)
    renamed = type(columns)(columns.rows[:, order])
    before, after = whole(columns, labels, edges), whole(renamed, labels, edges[order])
    for name, table in vars(before).items():
        assert torch.equal(vars(after)[name], table[order]), name


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_proteins_without_the_concept_add_only_false_positives(world, seed):
    columns, labels = world(seed)
    edges = edges_of(columns, labels)
    bare = ~np.isin(np.arange(len(labels.folds)), labels.positives.protein)
    without = type(labels)(**{**vars(labels), "folds": np.where(bare, "none", labels.folds)})
    all_, some = whole(columns, labels, edges), whole(columns, without, edges)
    for name in ("hits", "spans", "proteins", "clusters"):
        assert torch.equal(vars(all_)[name], vars(some)[name])
    assert (all_.fired >= some.fired).all()
    gone = labels.proteins_of("select") & bare
    assert (all_.fired.sum() > some.fired.sum()) == bool(
        ((columns.rows * labels.residue_mask(gone)[:, None]) > 0).any()
    )


def test_blocks_of_features_and_threads_change_nothing(world, monkeypatch):
    columns, labels = world(5, d_sae=40)
    edges = edges_of(columns, labels)
    before = whole(columns, labels, edges)
    monkeypatch.setattr("bio_interp.linking.counting._counts._CELLS", 60)
    blocks = [f for f, _ in count(columns, labels, edges, fold="select")]
    assert len(blocks) == 10
    assert [i for f in blocks for i in f] == list(range(40))
    for name, table in vars(whole(columns, labels, edges)).items():
        assert torch.equal(vars(before)[name], table), name


def test_totals_are_what_a_feature_that_is_always_on_would_hit(world, dense):
    _, labels = world(11)
    always = dense(np.ones((labels.residues, 1)))
    counted = whole(always, labels, np.ones((1, 1), np.float32))
    there = totals(labels, "select")
    for name, hit in (("residues", "hits"), ("spans", "spans"), ("proteins", "proteins")):
        assert np.array_equal(vars(there)[name], vars(counted)[hit][0, :, 0].numpy())
    by_class = labels.coverage_class
    covered = counted.fired[0, by_class, 0] - counted.ignored[0, :, 0]
    assert np.array_equal(there.covered, covered.numpy())
    assert np.array_equal(there.clusters.sum(1), counted.clusters[0, :, 0].numpy())
    every = counted.fired_clusters[0, by_class, :, 0].numpy()
    assert np.array_equal(there.covered_clusters, every)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_counts_the_same(world):
    columns, labels = world(7)
    edges = edges_of(columns, labels)
    on_gpu = whole(columns, labels, edges, device="cuda")
    for name, table in vars(whole(columns, labels, edges)).items():
        assert torch.equal(vars(on_gpu)[name].cpu(), table), name
