"""Portraits of planted features: each shape, motif, family and evidence is found again."""

import json
import re
from html.parser import HTMLParser
from math import log2, sqrt
from pathlib import Path
from shutil import copytree

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from bio_interp.annotations import EVIDENCE_LEVELS, AnnotationTable
from bio_interp.atlas import FEATURES, Atlas, Logo, feature_statistics, write_features
from bio_interp.atlas._period import periodicity
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.features import FeatureStore
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, LinkTable
from bio_interp.sequences import Protein, Split

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
MOTIF = "GCWHKWCG"  # the peak is on its first W
COUNT, LENGTH = 40, 200
PLANTED = ["point", "short motif", "domain", "whole", "periodic", "dead", "rare", "other"]
OUTLIER, MOTIFS, RANDOM = 8, 9, 10


def make_store(folder: Path, codes: dict[str, np.ndarray], **options) -> FeatureStore:
    width = next(iter(codes.values())).shape[1]
    made = FeatureStore.create(folder, d_sae=width, settings={}, dtype="float32")
    with made.writer(**options) as writer:
        for name, rows in codes.items():
            writer.add(name, csr_matrix(rows.astype(np.float32)))
    return made


def plant() -> tuple[dict[str, np.ndarray], list[Protein]]:
    """Draw proteins, and codes with a feature of each shape over weak single residues."""
    rng = np.random.default_rng(7)
    codes, proteins = {}, []
    for i in range(COUNT):
        letters = rng.choice(list(LETTERS), LENGTH)
        rows = np.zeros((LENGTH, 11))
        weak = rng.random(rows.shape) < 0.02
        weak[:, [5, 6]] = False  # dead and rare
        rows[weak] = 0.2
        at = int(rng.integers(5, 100))
        rows[at, 0] = 2.0
        rows[at : at + 10, 1] = rng.uniform(2, 3, 10)
        domain = rng.uniform(2, 3, 60)
        domain[rng.choice(np.arange(1, 59), 8, replace=False)] = 0.1  # it flickers
        rows[at : at + 60, 2] = domain
        rows[:, 3] = 1.0
        rows[at % 24 :: 24, 4] = rng.uniform(2, 3, len(rows[at % 24 :: 24]))
        rows[at, 6] = 2.0 * (i < 3)
        rows[at : at + (50 if i % 2 else 1), 7] = 2.0
        rows[at, OUTLIER] = 200.0 if i == 0 else 2.0
        letters[at - 3 : at + 5] = list(MOTIF)
        rows[at - 1, MOTIFS] = 2.0
        rows[rng.integers(10, 190), RANDOM] = 2.0
        codes[f"p{i:02d}"] = rows
        proteins.append(Protein(f"p{i:02d}", "".join(letters)))
    return codes, proteins


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    codes, proteins = plant()
    store = make_store(tmp_path_factory.mktemp("planted") / "codes", codes, shard_proteins=7)
    every = np.ones(len(store), dtype=bool)
    table = feature_statistics(store, every, [], sequences=proteins)
    assert dict(table.schema) == FEATURES
    return store, codes, proteins, table


@pytest.mark.parametrize("shape", PLANTED)
def test_a_planted_feature_of_each_shape_is_of_that_class(planted, shape):
    assert planted[3]["extent"][PLANTED.index(shape)] == shape


def test_the_lengths_of_runs_are_told_on_all_residues_and_on_strong_ones(planted):
    table = planted[3]
    point, motif, domain, whole = table.head(4).iter_rows(named=True)
    assert (point["run_q50"], point["strong_q50"], point["strong_runs"]) == (1, 1, COUNT)
    assert (motif["strong_q25"], motif["strong_q50"], motif["strong_q75"]) == (10, 10, 10)
    assert domain["strong_q50"] == 60  # over its gaps
    assert domain["run_q50"] < 60  # weak residues are runs too
    assert (whole["run_q50"], whole["cover"], whole["runs"]) == (LENGTH, 1.0, COUNT)
    assert point["strong"] == 1.0


def test_one_outlier_does_not_change_a_shape(planted):
    row = planted[3].row(OUTLIER, named=True)
    assert row["maximum"] == 200
    assert (row["extent"], row["strong"], row["strong_runs"]) == ("point", 1.0, COUNT)


def test_the_period_is_that_of_the_repeats(planted):
    table = planted[3]
    assert table["period"][4] == 24.0
    assert table["periodicity"][4] == pytest.approx(1.0)
    others = table.filter(pl.col("extent") != "periodic")
    assert others["period"].null_count() == others.height


def runs_of(make, proteins=60):
    starts = [np.unique(make()) for _ in range(proteins)]
    owner = np.repeat(np.arange(proteins), [len(s) for s in starts])
    return periodicity(owner, np.concatenate(starts))


def starts_of(on: np.ndarray) -> np.ndarray:
    return np.flatnonzero(on & ~np.concatenate([[False], on[:-1]])) + 1


@pytest.mark.parametrize(("make", "period"), [
    (lambda rng: np.arange(12) * 24 + rng.integers(-1, 2, 12) + 5, 24),
    (lambda rng: (np.arange(12) * 33 + 5)[rng.random(12) > 0.3], 33),
    (lambda rng: np.round(np.arange(12) * 3.6).astype(int) + 9, 3.6),
    (lambda rng: np.arange(8) * 2 + 9, 2),
    (lambda rng: np.arange(30) * 3 + 9, 3),
    (lambda rng: np.sort(np.concatenate([np.arange(6) * 24, np.arange(6) * 24 + 10])) + 3, 24),
])  # fmt: skip
def test_repeats_are_found_though_they_jitter_skip_or_come_in_pairs(make, period):
    rng = np.random.default_rng(0)
    share, found = runs_of(lambda: make(rng))
    assert share > 0.5
    assert found == pytest.approx(period, abs=0.1)


@pytest.mark.parametrize("density", [0.05, 0.3, 0.5])
def test_runs_at_random_are_not_periodic_be_they_dense_or_in_clumps(density):
    rng = np.random.default_rng(0)
    share, _ = runs_of(lambda: starts_of(rng.random(300) < density))
    assert share < 0.2

    def clumps():
        on = np.zeros(430, dtype=bool)
        for begin in rng.integers(0, 400, 3):
            on[begin : begin + 30] |= rng.random(30) < density
        return starts_of(on)

    share, _ = runs_of(clumps)
    assert share is None or share < 0.4


def test_too_few_runs_have_no_period():
    assert periodicity(np.array([0, 0, 1]), np.array([3, 9, 4])) == (None, None)
    assert periodicity(np.array([0]), np.array([3])) == (None, None)


def test_the_histogram_counts_every_firing_residue_once(planted):
    _, codes, _, table = planted
    rows = np.concatenate(list(codes.values())).astype(np.float32)
    for feature, row in enumerate(table.iter_rows(named=True)):
        fired = rows[:, feature][rows[:, feature] > 0]
        assert sum(row["histogram"]) == len(fired)
        assert row["density"] == pytest.approx(len(fired) / len(rows))
        if len(fired):
            edges = np.linspace(0, float(fired.max()), 21)
            below = [(fired.astype(np.float64) <= edge).sum() for edge in edges[1:]]
            assert np.cumsum(row["histogram"]).tolist() == below


def test_the_steps_of_the_histogram_hold_their_upper_end(tmp_path):
    values = np.array([[0.5], [1.0], [1.25], [20.0]])
    store = make_store(tmp_path / "codes", {"a": values})
    row = feature_statistics(store, np.ones(1, dtype=bool), []).row(0, named=True)
    assert row["histogram"] == [2, 1, *[0] * 17, 1]


def test_the_logo_of_a_planted_motif_has_the_motif_and_random_residues_have_none(planted):
    table = planted[3]
    row = table.row(MOTIFS, named=True)
    assert row["consensus"][8:16].upper() == MOTIF
    assert row["consensus"][10] == "W"
    assert set(row["consensus"][:8] + row["consensus"][16:]) == {"."}
    assert row["logo_windows"] == COUNT
    assert row["logo_information"] > 2 * row["logo_null"]
    empty = table.row(RANDOM, named=True)
    assert (empty["logo"], empty["consensus"]) == (None, None)
    assert 0 < empty["logo_information"] <= empty["logo_null"]
    assert table["logo_windows"][PLANTED.index("rare")] == 3
    assert table["consensus"][PLANTED.index("rare")] is None


def test_a_logo_is_what_is_computed_by_hand(tmp_path):
    # ten proteins: the peak is on W or, once, on X; an A follows nine times, a C once
    sequences = ["WA"] * 8 + ["WC", "XA"]
    proteins = [Protein(f"p{i}", "M" * 15 + s + "M" * 8) for i, s in enumerate(sequences)]
    rows = np.zeros((25, 1))
    rows[15] = 1.0
    store = make_store(tmp_path / "codes", {p.accession: rows for p in proteins})
    every = np.ones(10, dtype=bool)
    row = feature_statistics(store, every, [], sequences=proteins).row(0, named=True)
    counts = np.array(row["logo"]).reshape(21, 20)
    at = {letter: LETTERS.index(letter) for letter in LETTERS}
    assert counts[10].sum() == counts[10, at["W"]] == 9  # X is no letter
    assert (counts[11, at["A"]], counts[11, at["C"]], counts[11].sum()) == (9, 1, 10)
    assert counts[:10, at["M"]].tolist() == [10] * 10
    assert counts[19].sum() == 10
    assert counts[20].sum() == 0  # beyond the end
    total = 23 * 10 + 9 + 9 + 1 + 20
    background = {"W": 10 / total, "A": 10 / total, "C": 2 / total, "M": 231 / total}
    logo = Logo(counts, np.array(row["background"], dtype=float), row["logo_windows"], 0.0)
    for letter, share in background.items():
        assert logo.background[at[letter]] == pytest.approx(share, rel=1e-6)
    total = 10 + sqrt(10)  # windows and pseudocounts
    w = (9 + (1 + sqrt(10)) * background["W"]) / total  # the X counts as background
    assert logo.probabilities[10, at["W"]] == pytest.approx(w, rel=1e-6)
    assert np.asarray(logo)[10, at["W"]] == pytest.approx(log2(w / background["W"]), rel=1e-6)
    kept = (
        1 + sqrt(10)
    ) / total  # what is left to every other letter of that position, of its background
    bits = w * log2(w / background["W"]) + (1 - background["W"]) * kept * log2(kept)
    assert logo.information[10] == pytest.approx(bits, rel=1e-6)
    assert logo.information[20] == pytest.approx(0, abs=1e-9)
    assert logo.consensus[10:12] == "WA"
    assert logo.probabilities.sum(1) == pytest.approx(np.ones(21))
    a = (9 + sqrt(10) * background["A"]) / total
    assert logo.probabilities[11, at["A"]] == pytest.approx(a, rel=1e-6)


def test_letters_that_few_windows_reach_make_no_motif(tmp_path):
    # all but one peak are on the first residue, so nine positions of ten are those of one protein
    rng = np.random.default_rng(1)
    text = ["".join(rng.choice(list(LETTERS[:-1]), 60)) for _ in range(40)]
    codes = {}
    for i in range(40):
        codes[f"p{i}"] = np.zeros((60, 1))
        codes[f"p{i}"][30 * (i == 0)] = 1.0
    store = make_store(tmp_path / "codes", codes)
    proteins = [Protein(f"p{i}", t) for i, t in enumerate(text)]
    row = feature_statistics(store, np.ones(40, dtype=bool), [], sequences=proteins).row(
        0, named=True
    )
    assert row["logo_information"] < row["logo_null"]
    assert row["logo"] is None


def test_weak_peaks_take_no_part_in_a_logo(tmp_path):
    codes = {f"p{i}": np.full((4, 1), 1.0 if i < 12 else 0.4) for i in range(20)}
    store = make_store(tmp_path / "codes", codes)
    proteins = [Protein(name, "ACDE") for name in codes]
    every = np.ones(20, dtype=bool)
    row = feature_statistics(store, every, [], sequences=proteins).row(0, named=True)
    assert (row["clusters"], row["logo_windows"]) == (20, 12)


def test_a_logo_takes_one_window_of_a_cluster_and_the_best(tmp_path):
    rng = np.random.default_rng(0)
    text = ["".join(rng.choice(list(LETTERS), 60)) for _ in range(120)]
    proteins = [Protein(f"p{i:03d}", f"AWAC{text[i]}") for i in range(120)]
    codes = {}
    for i, protein in enumerate(proteins):
        rows = np.zeros((64, 1))
        rows[1] = 1.5 + 2 * (i < 40)
        rows[3] = 2.0
        codes[protein.accession] = rows
    store = make_store(tmp_path / "codes", codes)
    clusters = [f"c{i % 60}" for i in range(120)]
    every = np.ones(120, dtype=bool)
    table = feature_statistics(store, every, [], clusters=clusters, sequences=proteins)
    row = table.row(0, named=True)
    assert (row["logo_windows"], row["clusters"], row["of_clusters"]) == (60, 60, 60)
    centre = np.array(row["logo"]).reshape(21, 20)[10]
    assert (centre[LETTERS.index("W")], centre[LETTERS.index("C")]) == (40, 20)


def test_families_are_counted_by_activation_over_clusters(tmp_path):
    # activations 1 + 1 in one cluster, 1 in each of two others, and a fourth without any
    codes = {"a": [1.0, 0], "b": [1.0, 0], "c": [0.5, 0.5], "d": [1.0, 0], "e": [0, 0]}
    store = make_store(tmp_path / "codes", {k: np.array(v)[:, None] for k, v in codes.items()})
    every = np.ones(5, dtype=bool)
    row = feature_statistics(store, every, [], clusters=list("xxyzw")).row(0, named=True)
    assert (row["clusters"], row["of_clusters"], row["extent"]) == (3, 4, "rare")
    assert row["effective_clusters"] == pytest.approx(2**1.5)  # shares 1/2, 1/4, 1/4
    with pytest.raises(MismatchError, match="cluster for each of the 5"):
        feature_statistics(store, every, [], clusters=["x"])


def annotation(accession, start, end, concept, evidence=""):
    return {"accession": accession, "start": start, "end": end, "concept": concept,
            "evidence": evidence, "source": "t"}  # fmt: skip


def test_evidence_counts_each_firing_residue_by_its_strongest_annotation(tmp_path):
    codes = {"a": np.ones((10, 1)), "b": np.ones((4, 1)), "c": np.ones((5, 1))}
    store = make_store(tmp_path / "codes", codes)
    rows = [
        annotation("a", 1, 6, "t:domain", "ECO:0000255"),
        annotation("a", 3, 3, "t:site", "ECO:0000269"),
        annotation("a", 9, 99, "t:long"),  # longer than the protein
        annotation("c", 1, 5, "t:hidden", "ECO:0000269"),  # not looked at
        annotation("other", 1, 5, "t:hidden", "ECO:0000269"),
    ]
    table = AnnotationTable.from_records(rows, [], [])
    mask = np.array([True, True, False])
    row = feature_statistics(store, mask, [], annotations=table).row(0, named=True)
    found = dict(zip([*EVIDENCE_LEVELS, "none"], row["evidence"], strict=True))
    assert found == {"experimental": 1, "combinatorial": 0, "similarity": 0,
                     "sequence_model": 5, "curator": 0, "unknown": 2, "none": 6}  # fmt: skip
    assert row["logo_windows"] is None  # no sequences


def test_top_concepts_are_those_at_the_peaks_more_than_elsewhere(tmp_path):
    rows, codes = [], {}
    for i in range(10):
        peak = np.full((20, 1), 0.1)
        peak[4] = 1.0
        codes[f"p{i}"] = peak
        rows.append(annotation(f"p{i}", 1, 20, "t:everywhere"))
        rows += [annotation(f"p{i}", 5, 5, "t:site"), annotation(f"p{i}", 4, 6, "t:site")] * (i < 6)
    rows.append(annotation("p0", 5, 5, "t:once"))
    table = AnnotationTable.from_records(rows, [], [{"concept": "t:site", "name": "a site"}])
    store = make_store(tmp_path / "codes", codes)
    row = feature_statistics(store, np.ones(10, dtype=bool), [], annotations=table).row(
        0, named=True
    )
    assert row["concepts"] == ["t:site"]
    assert row["concept_names"] == ["a site"]
    assert row["concept_share"] == pytest.approx([0.6])
    assert row["concept_base"] == pytest.approx([6 * 4 / 200])


def test_no_annotation_at_all_is_not_taken_for_ignorance(planted):
    store, _, _, _ = planted
    none = AnnotationTable.from_records([], [], [])
    table = feature_statistics(store, np.ones(COUNT, dtype=bool), [], annotations=none)
    assert table["concepts"].to_list() == [[]] * table.height
    assert table["evidence"][0].to_list()[:-1] == [0] * len(EVIDENCE_LEVELS)
    assert table["evidence"][0][-1] == sum(table["histogram"][0])


@given(order=st.permutations(range(12)), shard=st.integers(1, 12))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_order_of_proteins_changes_nothing(planted, tmp_path_factory, order, shard):
    _, codes, proteins, _ = planted
    names = [f"p{i:02d}" for i in range(12)]
    rows = [annotation(name, 5, 40 + i, f"t:{i % 3}") for i, name in enumerate(names)]
    table = AnnotationTable.from_records(rows, [], [])

    def measured(chosen, size):
        # values of one digit: many peaks are equal
        some = {name: np.round(codes[name]) for name in chosen}
        store = make_store(tmp_path_factory.mktemp("order") / "codes", some, shard_proteins=size)
        clusters = [f"c{int(name[1:]) // 2}" if name > "p03" else name for name in chosen]
        return feature_statistics(store, np.ones(12, dtype=bool), [2], clusters=clusters,
                                  sequences=proteins, annotations=table)  # fmt: skip

    one, other = measured(names, 12), measured([names[i] for i in order], shard)
    inexact = [name for name, kind in FEATURES.items() if kind in (pl.Float32, pl.Float64)]
    assert one.drop(inexact).equals(other.drop(inexact))
    for name in inexact:
        left, right = (frame[name].cast(pl.Float64).to_numpy() for frame in (one, other))
        np.testing.assert_allclose(left, right, rtol=1e-6)


def test_sequences_of_another_length_are_refused(planted):
    store, _, proteins, _ = planted
    every = np.ones(COUNT, dtype=bool)
    short = [Protein(p.accession, p.sequence[1:]) for p in proteins]
    with pytest.raises(MismatchError, match="p00 of 200 residues"):
        feature_statistics(store, every, [], sequences=short)
    with pytest.raises(NotFoundError, match="1 missing, such as p39"):
        feature_statistics(store, every, [], sequences=proteins[:-1])


HOSTILE = "<script>alert('x')</script> | \"&\n\x1b[31m"


@pytest.fixture
def shown(planted, tmp_path, toy_atlas) -> Atlas:
    """The planted features as an atlas whose concept has a hostile name."""
    store, _, proteins, _ = planted
    folder = tmp_path / "atlas"
    copytree(toy_atlas.folder, folder)
    rows = [annotation(p.accession, 1, LENGTH, "t:all") for p in proteins]
    rows += [
        annotation(p.accession, p.sequence.index(MOTIF) + 1, p.sequence.index(MOTIF) + 8, "t:m",
                   "ECO:0000269")
        for p in proteins
    ]  # fmt: skip
    table = AnnotationTable.from_records(rows, [], [{"concept": "t:m", "name": HOSTILE}])
    split = Split({p.accession: (p.accession, "select") for p in proteins}, {})
    link = {"concept": "t:m", "name": HOSTILE, "link_type": "family_marker", "feature": MOTIFS}
    link |= {"test_f1": 0.5, "test_precision": 0.375, "test_recall": 0.75, "test_clusters": 20}
    empty = pl.DataFrame(schema={"concept": pl.String, "name": pl.String})
    frames = (pl.DataFrame(schema=CALLERS), pl.DataFrame(schema=CALIBRATION), empty)
    links = LinkTable(pl.DataFrame([link], schema=LINKS), *frames)
    write_features(folder, store, proteins, links, split=split, annotations=table)
    atlas = Atlas(folder)
    atlas.links = links
    return atlas


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.add(tag)


def test_the_portrait_is_shown_as_text_html_and_json_whatever_the_names(shown):
    feature = shown.feature(MOTIFS)
    text = repr(feature)
    for said in ("point", "40 of 40 clusters", "100% (of all residues 4.0%)",
                 "experimental", "random windows reach", "0 ["):  # fmt: skip
        assert said in text
    assert re.search(r"not measured +seed stability, 3D\n", text)
    assert re.search(r"0\.50 +0\.38 +0\.75 +20", text)  # test F1, precision, recall, clusters
    assert "alert('x')</script> | \"& " in text  # on one line
    html = feature._repr_html_()
    tags = Tags()
    tags.feed(html)
    assert tags.seen <= {"p", "table", "thead", "tbody", "tr", "th", "td", "img"}
    assert "img" in tags.seen
    assert f"motif {feature.logo.consensus}" in html
    plain = feature.to_dict()
    assert plain["logo"]["consensus"] == feature.logo.consensus
    assert "logo" not in plain["statistics"]
    json.dumps(plain, allow_nan=False)


def test_features_of_other_classes_are_put_in_words(shown):
    assert "periodic: every 24 residues (periodicity 1.00)" in repr(shown.feature(4))
    assert "whole: on 100% of the median protein" in repr(shown.feature(3))
    assert "rare: it fires in fewer than 5 clusters" in repr(shown.feature(6))
    assert "none: it is strong in fewer than 10 clusters" in repr(shown.feature(6))
    assert "never fires in 40 proteins" in repr(shown.feature(5))
    assert shown.feature(RANDOM).logo is None
    assert "none: " in repr(shown.feature(RANDOM))


def test_a_logo_is_a_picture(shown):
    logo = shown.feature(MOTIFS).logo
    picture = logo._repr_png_()
    assert picture.startswith(b"\x89PNG")
    (axes,) = logo.figure().axes
    drawn = sum(patch.get_path().get_extents().height for patch in axes.patches)
    assert drawn == pytest.approx(logo.information.sum(), rel=0.15)  # but for tiny letters
    highest = max(patch.get_path().get_extents().y1 for patch in axes.patches)
    assert highest == pytest.approx(logo.information.max(), rel=0.02)


OLD = ["feature", "density", "of_residues", "proteins", "of_proteins", "maximum", "q50", "q90",
       "q99", "cofires", "cofire_share"]  # fmt: skip


def test_the_features_of_an_older_atlas_are_read_and_what_they_lack_is_said(shown):
    path = shown.folder / "features.parquet"
    pl.read_parquet(path).select(OLD).write_parquet(path)
    feature = shown.feature(MOTIFS)
    assert "in 40 of 40 proteins" in repr(feature)
    lacking = "activations, extent, families, motif, best residues, evidence, seed stability"
    assert lacking in repr(feature)
    assert lacking in feature._repr_html_()
    assert feature.logo is None
    assert feature.to_dict()["logo"] is None


def test_the_atlases_that_are_installed_are_read():
    from bio_interp.atlas import load_atlas

    for name in ("unirep", "reference"):
        atlas = load_atlas(name)
        feature = atlas.feature(int(atlas.links.links["feature"][0]))
        assert "fires at" in repr(feature)
        assert feature._repr_html_()


def test_seed_stability_is_written_into_an_atlas_and_shown(shown, planted):
    import torch

    from bio_interp.atlas import write_stability
    from bio_interp.sae import SparseAutoencoder

    sae = SparseAutoencoder.load(shown.folder)
    other = SparseAutoencoder.load(shown.folder)
    with torch.no_grad():
        other.W_dec[:10] = -other.W_dec[:10]
    with pytest.raises(MismatchError, match="features of the SAE"):
        write_stability(shown.folder, [other])  # its SAE has 20 features, the table 11
    path = shown.folder / "features.parquet"
    table = pl.read_parquet(path)
    more = pl.DataFrame({"feature": range(11, 20)}, schema={"feature": pl.Int32})
    pl.concat([table, more], how="diagonal").write_parquet(path)
    write_stability(shown.folder, [other, other])
    row = shown.feature(RANDOM).statistics
    assert (row["stability"], row["seeds"]) == (1.0, 2)
    assert shown.feature(MOTIFS).statistics["stability"] == 0.0  # its direction is gone
    assert "best cosine 1.00 in 2 other seeds; chance reaches" in repr(shown.feature(RANDOM))
    with pytest.raises(InputError, match="the same SAE"):
        write_stability(shown.folder, [sae])
    path.unlink()
    with pytest.raises(NotFoundError, match=r"features\.parquet"):
        write_stability(shown.folder, [other])
