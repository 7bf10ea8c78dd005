"""Laws of the protocol: what is counted, and what changes nothing."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.linking.counting import StoreColumns
from bio_interp.linking.interplm import Rules, lay_truth, lower_edges, tallies

RULES = Rules(min_residues=0, min_instances=0, min_named=1)
CONCEPTS = ("uniprot:COILED", "uniprot:ACT_SITE", "uniprot:HELIX")
FEATURES = 4


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, np.ndarray], list[tuple[str, int, int, str]]]:
    """Codes of some proteins, some of them without concepts, and spans that may overlap."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = [f"{fold}{i}" for fold in "vt" for i in range(draw(st.integers(1, 4)))]
    codes, spans = {}, []
    for name in names:
        length = int(rng.integers(1, 25))
        # few values, so that some lie just on a threshold
        values = rng.choice([0.15, 0.5, 0.6, 0.8, 0.9, 1.0], (length, FEATURES))
        codes[name] = values * (rng.random((length, FEATURES)) < 0.4)
        for _ in range(int(rng.integers(0, 5))):
            start = int(rng.integers(1, length + 1))
            end = int(rng.integers(start, length + 1))
            spans.append((name, start, end, str(rng.choice(CONCEPTS))))
    return codes, spans


@pytest.fixture(scope="module")
def opened(world_at, tmp_path_factory):
    """Build worlds, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("worlds")
    numbers = itertools.count()

    def build(codes, spans, **options):
        return world_at(folder / str(next(numbers)), codes, spans, **options)

    return build


def counted(store, table, folds, *, fold: str, rules: Rules = RULES):
    """One tally of all features, and the concepts it counts."""
    truth = lay_truth(table, store.accessions, store.lengths, folds=folds, rules=rules)
    edges = lower_edges(np.ones(store.d_sae, np.float32), rules)
    blocks = [tally for _, tally in tallies(StoreColumns(store), truth, edges, fold=fold)]
    joined = {name: np.concatenate([getattr(b, name) for b in blocks]) for name in COUNTS}
    return joined, blocks[0], truth.labels.concepts["concept"].to_list()


COUNTS = ("tp", "fp", "spans")


@settings(max_examples=15, deadline=None)
@given(worlds(), st.integers(1, 5))
def test_counts_equal_a_dense_count_exactly(opened, made, per_shard):
    codes, spans = made
    store, table, folds = opened(codes, spans, per_shard=per_shard)
    for fold in ("valid", "test"):
        mine, tally, concepts = counted(store, table, folds, fold=fold)
        for c, concept in enumerate(concepts):
            for t, threshold in enumerate(RULES.thresholds):
                tp, fp, hit, positives, instances = by_hand(
                    codes, spans, folds, fold, concept, threshold
                )
                assert mine["tp"][:, c, t].tolist() == tp.tolist()
                assert mine["fp"][:, c, t].tolist() == fp.tolist()
                assert mine["spans"][:, c, t].tolist() == hit.tolist()
                assert (tally.positives[c], tally.instances[c]) == (positives, instances)


def by_hand(codes, spans, folds, fold, concept, threshold):
    """Residue by residue and span by span."""
    tp, fp, hit = (np.zeros(FEATURES) for _ in range(3))
    positives = instances = 0
    for name, dense in codes.items():
        if folds[name] != fold:
            continue
        on = dense.astype(np.float32) > np.float32(threshold)
        inside = np.zeros(len(dense), dtype=bool)
        for accession, start, end, label in spans:
            if (accession, label) == (name, concept):
                inside[start - 1 : end] = True
                hit += on[start - 1 : end].any(0)
                instances += 1
        tp += (on & inside[:, None]).sum(0)
        fp += (on & ~inside[:, None]).sum(0)
        positives += inside.sum()
    return tp, fp, hit, positives, instances


@pytest.fixture(scope="module")
def reported(score):
    """Give all that a report says."""

    def give(made, **options):
        report = score(made, RULES, **options)
        return report.best.rows(), sorted(report.pairs.rows()), report.figures()

    return give


@settings(max_examples=10, deadline=None)
@given(worlds(), st.randoms(use_true_random=False), st.integers(1, 8))
def test_the_order_of_proteins_and_the_size_of_shards_change_nothing(
    opened, reported, made, random, per_shard
):
    codes, spans = made
    names, mixed = list(codes), list(spans)
    random.shuffle(names)
    random.shuffle(mixed)
    before = reported(opened(codes, spans))
    after = reported(opened({n: codes[n] for n in names}, mixed, per_shard=per_shard))
    assert before == after


@settings(max_examples=15, deadline=None)
@given(worlds())
def test_counts_of_parts_add_up_to_those_of_the_whole(opened, made):
    codes, spans = made
    # every part knows every concept
    known = [(name, 1, 1, c) for name in codes for c in CONCEPTS]
    spans = [*spans, *known]
    whole, *_ = counted(*opened(codes, spans), fold="valid")
    names = [n for n in codes if n.startswith("v")]
    parts = []
    for part in (names[::2], names[1::2]):
        if part:
            some = [s for s in spans if s[0] in part]
            parts.append(counted(*opened({n: codes[n] for n in part}, some), fold="valid")[0])
    for name in COUNTS:
        assert np.array_equal(whole[name], sum(part[name] for part in parts))


@settings(max_examples=15, deadline=None)
@given(worlds(), st.integers(1, 20))
def test_proteins_without_the_concept_add_false_positives_and_nothing_else(opened, made, length):
    codes, spans = made
    spans = [*spans, *((name, 1, 1, "uniprot:COILED") for name in ("v0", "t0"))]
    more = np.full((length, FEATURES), 0.55)
    more[:, 0] = 0.0
    before, tally, _ = counted(*opened(codes, spans), fold="test")
    after, other, _ = counted(*opened(codes | {"tx": more}, spans), fold="test")
    assert np.array_equal(before["tp"], after["tp"])
    assert np.array_equal(before["spans"], after["spans"])
    assert tally.positives.tolist() == other.positives.tolist()
    assert tally.instances.tolist() == other.instances.tolist()
    grown = after["fp"] - before["fp"]  # 0.55 is above 0, 0.15 and 0.5
    assert (grown[1:] == length * np.array([1, 1, 1, 0, 0])).all()
    assert (grown[0] == 0).all()


@settings(max_examples=15, deadline=None)
@given(worlds(), st.permutations(range(FEATURES)))
def test_features_under_other_numbers_have_the_same_counts(opened, made, order):
    codes, spans = made
    before, *_ = counted(*opened(codes, spans), fold="valid")
    renamed = {name: dense[:, list(order)] for name, dense in codes.items()}
    after, *_ = counted(*opened(renamed, spans), fold="valid")
    for name in COUNTS:
        assert np.array_equal(before[name][list(order)], after[name])


@settings(max_examples=10, deadline=None)
@given(worlds(), st.sampled_from([0.25, 2.0, 64.0]))
def test_the_scale_of_a_feature_changes_nothing(opened, reported, made, scale):
    """What B3 and B4 broke: features of decoders without unit norm are scored alike here."""
    codes, spans = made
    scales = np.array([1.0, scale, 1.0, 1 / scale])
    before = reported(opened(codes, spans))
    scaled = {name: dense * scales for name, dense in codes.items()}
    after = reported(opened(scaled, spans), maxima=scales.astype(np.float32))
    assert before == after


@pytest.mark.parametrize("absent", ["valid", "test"])
def test_a_fold_without_proteins_gives_an_empty_report(world, score, absent):
    codes = {"v1": np.eye(FEATURES), "t1": np.eye(FEATURES)}
    store, table, folds = world(codes, [(a, 1, 2, CONCEPTS[0]) for a in codes])
    folds = {a: fold for a, fold in folds.items()} | {absent[0] + "1": "other"}
    report = score((store, table, folds), RULES)
    assert report.figures()["concepts"] == 0
