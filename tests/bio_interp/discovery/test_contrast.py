"""What separates two sets is found, labels without meaning are not, and bad sets are refused."""

from random import Random

import numpy as np
import pytest
from scipy.sparse import csc_matrix
from scipy.stats import kstest

from bio_interp.discovery import ContrastOptions, contrast
from bio_interp.discovery._comparison import Comparison
from bio_interp.discovery._read import Evidence, read_residues, read_whole
from bio_interp.discovery._scored import Halves, score_features
from bio_interp.errors import AnnotationError, InputError, MismatchError
from bio_interp.sequences import Protein, Split

PAIR, WIDTH = 20, 21  # the feature of CH, and how many there are
QUICK = ContrastOptions(features=5, permutations=199)


@pytest.fixture(scope="module")
def found(atlas, sets, by_hand):
    return contrast(atlas, *sets, split=by_hand, options=QUICK)


def test_the_planted_feature_separates_the_sets(found):
    best = found.features.row(0, named=True)
    assert best["what"] == f"toy/f{PAIR}"
    assert best["known"] == "Zinc ribbon"
    assert best["higher_in"] == "positives"
    assert best["test_auroc"] == best["test_ap"] == 1.0
    assert (best["fires_positive"], best["fires_negative"]) == (1.0, 0.0)
    assert best["p"] == pytest.approx(1 / 200)
    assert best["p_max"] <= 0.02
    assert best["effect"] is None  # neither side varies
    assert found.facts["permuted_best_95"] < 1.0


def test_baselines_stand_in_the_same_table(found):
    auroc = dict(found.baselines.select("what", "test_auroc").iter_rows())
    assert auroc[f"neuron {PAIR}"] == 1.0
    assert auroc["k-mers, logistic"] > 0.7
    assert auroc["dense probe, logistic"] > 0.8
    assert abs(auroc["length and composition, logistic"] - 0.5) < 0.25
    assert found.baselines["p"].null_count() == 5


def test_the_other_features_are_left_to_chance(found):
    rest = found.features.filter(~(found.features["what"] == f"toy/f{PAIR}"))
    assert rest["p_max"].min() > 0.05


def test_the_contrast_says_what_it_left_out_and_how_alike_the_sets_are(found):
    facts = found.facts
    assert facts["in_mixed_clusters"] == 0
    assert facts["proteins"] == 100 - facts["unmatched"]
    assert sum(facts["select_clusters"] + facts["test_clusters"]) == facts["proteins"]
    assert found.balance["after"].abs().max() < 0.75
    assert "matched in length and composition" in repr(found)
    assert found.to_dict()["scores"][0]["kind"] == "feature"
    assert "<table>" in found._repr_html_()


def test_clusters_of_both_sets_are_left_out_whole_and_others_stay_in_one_half(atlas, sets):
    positives, negatives = sets
    rows = {p.accession: p.accession for p in (*positives, *negatives)}
    rows |= {"p0": "mixed", "n0": "mixed", "n1": "mixed"}
    rows |= {f"p{i}": "family" for i in range(1, 8)}
    split = Split({a: (c, "fit") for a, c in rows.items()}, {})
    options = ContrastOptions(match="none", features=1, permutations=199)
    told = contrast(atlas, positives, negatives, split=split, options=options)
    assert told.facts["in_mixed_clusters"] == 3
    clusters = np.add(told.facts["select_clusters"], told.facts["test_clusters"])
    assert clusters.tolist() == [33, 58]
    assert told.facts["prevalence"] == pytest.approx(
        told.facts["test_clusters"][0] / sum(told.facts["test_clusters"])
    )


def evidence_of(values: np.ndarray):
    none = np.zeros((len(values), 1))
    return Evidence(
        csc_matrix(values), ("max",), none, (), none, none, none, np.arange(len(values))
    )


def test_labels_without_meaning_give_uniform_p():
    rng, p = np.random.default_rng(0), []
    for seed in range(60):
        values = rng.random((48, 30)) * (rng.random((48, 30)) < 0.4)
        cluster = np.repeat(np.arange(24), 2)  # members of a cluster are alike
        values = values[cluster * 2]
        label = rng.permutation(np.arange(24) < 12)[cluster]
        whole = Comparison("protein", label, cluster, np.zeros(48, int))
        order = np.zeros(24, dtype=bool)
        for side in (True, False):
            order[rng.permutation(np.unique(cluster[label == side]))[:6]] = True
        rows, _ = score_features(
            evidence_of(values), Halves(whole, order[cluster]), features=1, permutations=199,
            seed=seed,
        )  # fmt: skip
        p.append(rows[0]["p"])
    assert kstest(p, "uniform").pvalue > 0.01


def test_a_feature_that_is_lower_in_positives_is_read_the_other_way(atlas, sets, by_hand):
    told = contrast(atlas, sets[1], sets[0], split=by_hand, options=QUICK)
    best = told.features.row(0, named=True)
    assert (best["what"], best["higher_in"]) == (f"toy/f{PAIR}", "negatives")
    assert best["test_auroc"] == 1.0
    assert (best["fires_positive"], best["fires_negative"]) == (0.0, 1.0)


def test_pooled_values_are_maximum_and_mean_over_residues(atlas):
    told = read_whole(atlas, [Protein("a", "CHCHAA"), Protein("b", "AAAA")], lambda _: None)
    codes = told.codes.toarray()
    assert codes.shape == (2, 2 * WIDTH)
    assert codes[:, PAIR].tolist() == [2.0, 0.0]
    assert codes[:, WIDTH + PAIR].tolist() == pytest.approx([4 / 6, 0.0])
    assert told.neurons[:, 2 * WIDTH].tolist() == [0.0, -1.0]  # minus the minimum of A


def spans_of(proteins: list[Protein]) -> list[tuple[str, int, int]]:
    return [(p.accession, (at := p.sequence.index("CH")) + 1, at + 1) for p in proteins]


def test_residues_inside_of_spans_are_compared_with_the_rest_of_their_proteins(atlas, sets, alone):
    # a C elsewhere too, so that the letter alone does not tell
    positives = [Protein(p.accession, f"HC{p.sequence}") for p in sets[0]]
    split = alone(positives)
    told = contrast(atlas, positives, residues=spans_of(positives), split=split, options=QUICK)
    best = told.features.row(0, named=True)
    assert (best["what"], best["value"], best["test_auroc"]) == (f"toy/f{PAIR}", "activation", 1.0)
    assert best["p"] == pytest.approx(1 / 200)
    assert told.facts["positives"] == 40
    auroc = dict(told.baselines.select("what", "test_auroc").iter_rows())
    assert auroc["k-mers, logistic"] > 0.95
    assert not told.balance.height


def test_spans_at_random_places_are_left_to_chance(atlas, sets, alone):
    rng, positives = Random(1), sets[0]
    spans = [(p.accession, at := rng.randrange(1, 25), at + 3) for p in positives]
    told = contrast(atlas, positives, residues=spans, split=alone(positives), options=QUICK)
    assert told.features["p_max"].min() > 0.05


def test_a_rotation_keeps_the_spans_and_turns_relatives_alike():
    label = np.array([1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], dtype=bool)
    group, cluster = np.repeat([0, 1], [8, 4]), np.zeros(12, int)
    rows = Comparison("residue", label, cluster, group)
    (turned,) = rows.shuffles(50, np.random.default_rng(0))
    assert (turned[:, :8].sum(1) == 2).all()
    assert (turned[:, 8:].sum(1) == 1).all()
    neighbours = turned[:, :8] & np.roll(turned[:, :8], -1, axis=1)
    assert (neighbours.sum(1) == 1).all()  # still one run, around the end
    assert len({tuple(row) for row in turned.tolist()}) == 8


def test_residues_of_a_sample_have_both_labels(atlas, sets):
    masks = [np.arange(len(p)) < 3 for p in sets[0]]
    told = read_residues(atlas, sets[0], masks, lambda _: None)
    inside = np.concatenate(masks)[told.sampled]
    assert inside.sum() == 3 * 40
    assert len(told.dense) == len(told.kmers) == len(told.plain) == len(told.sampled)
    assert told.codes.shape[0] == sum(map(len, sets[0]))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda p, n: (p, []), InputError, "negatives: one protein or more"),
        (lambda p, n: ([], n), InputError, "positives: one protein or more"),
        (lambda p, n: (p, [*n, p[0]]), MismatchError, "p0"),
        (lambda p, n: (p, [*n, Protein("x", p[3].sequence)]), MismatchError, "same sequence as p3"),
        (lambda p, n: (p[:9], n), InputError, "5 homology clusters or more"),
        (lambda p, n: (p, None), InputError, "neither"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(atlas, sets, by_hand, change, error, text):
    with pytest.raises(error, match=text):
        contrast(atlas, *change(*sets), split=by_hand, options=QUICK)


def test_sets_that_have_no_likes_are_refused_with_what_to_do(atlas, by_hand, sets, protein):
    rng = Random(0)
    long = [protein(f"n{i}", rng, "HC", 900) for i in range(60)]
    with pytest.raises(InputError, match="match='length' or 'none'"):
        contrast(atlas, sets[0], long, split=by_hand, options=QUICK)


@pytest.mark.parametrize(
    "changes", [{"match": "size"}, {"permutations": 198}, {"features": 0}], ids=str
)
def test_options_out_of_range_are_refused(changes):
    with pytest.raises(InputError):
        ContrastOptions(**changes)


def test_spans_that_cover_all_or_nothing_are_refused(atlas, sets, alone):
    whole = [(p.accession, 1, len(p)) for p in sets[0]]
    with pytest.raises(InputError, match="inside and outside"):
        contrast(atlas, sets[0], residues=whole, split=alone(sets[0]))
    with pytest.raises(AnnotationError, match="p0, which has"):
        contrast(atlas, sets[0], residues=[("p0", 1, 9999)], split=alone(sets[0]))
