"""Features for words, motifs and spans; the negatives that fire; queries that make no sense."""

from random import Random

import numpy as np
import pytest
from scipy.stats import hypergeom, kstest

from bio_interp.discovery import FindOptions, find, read_spans
from bio_interp.discovery._concepts import motif_table, spans_table
from bio_interp.discovery._measured import place_tail
from bio_interp.errors import AnnotationError, BioInterpError, InputError, NotFoundError
from bio_interp.sequences import Protein

PAIR = 20  # the feature of CH
ONE = FindOptions(features=1, negatives=5, permutations=199)


def test_words_give_the_links_of_all_concepts_that_fit_best_on_select_first(atlas):
    told = find(atlas, "zinc")
    features = told.features["feature"].to_list()
    assert features == ["toy/f1", "toy/f20", "toy/f2"]  # interplm's generous F1 comes last
    assert told.features["test_f1"].round(2).to_list() == [0.4, 0.8, 0.9]
    assert "Zinc ribbon" in repr(told)
    assert atlas.find("toy:C")["feature"].to_list() == ["toy/f3"]
    assert atlas.find("finger zinc")["concept"].unique().to_list() == ["toy:A"]
    assert told.to_dict()["features"][0]["feature"] == "toy/f1"


def test_words_that_fit_nothing_are_refused_with_those_spelt_alike(atlas):
    with pytest.raises(NotFoundError, match="Zinc finger"):
        find(atlas, "zinc fingr")


@pytest.fixture(scope="module")
def proteins(protein) -> list[Protein]:
    """CH, then A or not: the feature of CH fires on both. A C elsewhere, so that C is none."""
    rng = Random(0)
    drawn = [protein(f"{m[2].lower()}{i}", rng, m) for m in ("CHA", "CHD") for i in range(30)]
    return [Protein(p.accession, f"HC{p.sequence}") for p in drawn]


@pytest.fixture(scope="module")
def found(atlas, proteins):
    return find(atlas, "C-H-A", proteins=proteins, split=_dealt(proteins), options=ONE)


def _dealt(proteins):
    from bio_interp.sequences import Split

    rows = {p.accession: (p.accession, ("select", "test")[i % 2]) for i, p in enumerate(proteins)}
    return Split(rows, {"method": "by hand"})


def test_a_planted_motif_finds_its_feature_with_the_figures_of_the_test_half(found):
    row = found.features.filter(found.features["link_type"] == "interplm").row(0, named=True)
    assert row["feature"] == f"toy/f{PAIR}"
    # of 30 test proteins with CH 15 have CHA; one residue of the three fires
    assert row["residue_precision"] == pytest.approx(0.5)
    assert row["residue_recall"] == pytest.approx(1 / 3)
    assert row["span_recall"] == 1.0
    assert row["residue_f1"] == pytest.approx(0.4)
    assert row["interplm_f1"] == row["test_f1"] == pytest.approx(2 / 3)
    assert row["prevalence"] == pytest.approx(45 / (30 * 45))
    assert (row["spans"], row["clusters"]) == (15, 15)
    assert row["p_clusters"] == pytest.approx(hypergeom.sf(14, 30, 15, 30))
    assert row["p_place"] == row["q_place"] == pytest.approx(1 / 200)


def test_the_negatives_that_fire_are_the_places_without_the_motif(found, proteins):
    own = found.negatives.filter(
        (found.negatives["feature"] == f"toy/f{PAIR}")
        & (found.negatives["link_type"] == "interplm")
    )
    sequences = {p.accession: p.sequence for p in proteins}
    assert own.height == 5
    assert own["accession"].n_unique() == 5
    for row in own.iter_rows(named=True):
        at = row["position"] - 1
        assert sequences[row["accession"]][at : at + 3] == "CHD"
        assert row["activation"] == 2.0
        assert (row["spans"], row["distance"]) == (0, None)
        assert "[C]" in row["window"]
        assert row["window"].replace("[C]", "c").islower()
    assert "fires, with no" in repr(found)
    assert found.to_dict()["negatives"]


def test_a_regular_expression_finds_what_the_pattern_finds(proteins):
    one, other = motif_table("C-H-A", proteins).rows, motif_table("/CHA/", proteins).rows
    columns = ("accession", "start", "end")
    assert one.select(columns).equals(other.select(columns))
    overlapping = motif_table("/A.A/", [Protein("x", "AAAAA")]).rows
    assert overlapping["start"].to_list() == [1, 2, 3]


def test_spans_of_each_label_are_a_concept(atlas, tmp_path, proteins):
    lines = ["accession\tstart\tend\tlabel"]
    for i, p in enumerate(proteins):
        at = p.sequence.index("CH") + 1
        lines += [f"{p.accession}\t{at}\t{at}\tsite", "", f"# {i}"]
        lines += [f"{p.accession}\t{at - 3}\t{at + 3}\taround\tmore"]
    path = tmp_path / "spans.tsv"
    path.write_text("\n".join(lines))
    told = find(atlas, str(path), proteins=proteins, split=_dealt(proteins), options=ONE)
    assert told.features["concept"].unique().sort().to_list() == ["around", "site"]
    site = told.features.filter(
        (told.features["concept"] == "site") & (told.features["link_type"] == "delineator")
    ).row(0, named=True)
    assert site["feature"] == f"toy/f{PAIR}"
    assert site["test_f1"] == site["residue_f1"] == 1.0
    own = (told.negatives["concept"] == "site") & (told.negatives["feature"] == site["feature"])
    assert not told.negatives.filter(own).height


def test_each_further_round_gives_other_features(atlas, proteins):
    options = FindOptions(features=3, negatives=0, permutations=19)
    told = find(atlas, "C-H", proteins=proteins, split=_dealt(proteins), options=options)
    markers = told.features.filter(told.features["link_type"] == "family_marker")["feature"]
    assert markers.to_list() == ["toy/f1", "toy/f6"]  # C, H; CH is taken, and no other fires there


def test_halves_are_dealt_by_clusters_where_there_is_no_split(atlas, proteins):
    with pytest.warns(UserWarning, match="MMseqs2") if _no_mmseqs() else _nothing():
        told = find(atlas, "C-H-A", proteins=proteins, options=ONE)
    # MMseqs2 may take a pair of random sequences for relatives
    assert 55 <= told.facts["select_clusters"] + told.facts["test_clusters"] <= 60
    assert abs(told.features["clusters"][0] - 15) <= 1


def _no_mmseqs() -> bool:
    from bio_interp.sequences import find_mmseqs

    return find_mmseqs() is None


def _nothing():
    from contextlib import nullcontext

    return nullcontext()


def test_rotated_spans_give_uniform_p():
    rng, p = np.random.default_rng(0), []
    offsets, clusters = np.arange(0, 21) * 50, np.repeat(np.arange(10), 2)
    for seed in range(80):
        starts = rng.integers(0, 40, 20)
        positive = np.zeros(1000, dtype=bool)
        positive[(offsets[:-1] + starts)[:, None] + np.arange(10)] = True
        index = np.sort(rng.choice(1000, 60, replace=False))
        protein = index // 50
        p.append(
            place_tail(index, protein, positive, offsets, clusters, permutations=99, seed=seed)
        )
    assert kstest(p, "uniform").pvalue > 0.01


def test_hits_that_are_never_right_have_no_place():
    positive = np.zeros(10, dtype=bool)
    args = (np.array([3]), np.array([0]), positive, np.array([0, 10]), np.array([0]))
    assert place_tail(*args, permutations=9, seed=0) == 1.0


@pytest.mark.parametrize(
    ("query", "error", "text"),
    [
        ("C-H-", AnnotationError, "PROSITE"),
        ("kinase", AnnotationError, "kinase"),
        ("", AnnotationError, "pattern"),
        ("/C(/", InputError, "regular expression"),
        ("/C*/", InputError, "matches nothing"),
        ("W-W-W-W-W-W-W-W", InputError, "3 homology clusters or more"),
        ([("nobody", 1, 2)], AnnotationError, "nobody"),
        ([("a0", 1, 2000)], AnnotationError, "a0, which has"),
        ([], AnnotationError, "one span or more"),
    ],
)
def test_queries_that_make_no_sense_are_refused(atlas, proteins, query, error, text):
    with pytest.raises(error, match=text):
        find(atlas, query, proteins=proteins, split=_dealt(proteins), options=ONE)


@pytest.mark.parametrize("query", ["/C..C/", [("a0", 1, 2)]])
def test_motifs_and_spans_need_proteins(atlas, query):
    with pytest.raises(InputError, match="--proteins"):
        find(atlas, query)


@pytest.mark.parametrize(
    "line",
    [
        "P1",
        "P1\t1",
        "P1\tx\t3",
        "P1\t0\t3",
        "P1\t4\t3",
        "\t1\t3",
        "P1 1 3",
        "P1\t1\t3.5",
        "P1\t-1\t2",
    ],
)
def test_lines_that_are_no_span_are_refused_by_number(tmp_path, line):
    path = tmp_path / "spans.tsv"
    path.write_text(f"P0\t1\t2\n{line}\n")
    with pytest.raises(AnnotationError, match=r"line 2 of .*spans\.tsv"):
        read_spans(path)


def test_files_without_spans_are_refused_and_labels_cannot_steer_a_terminal(tmp_path):
    path = tmp_path / "spans.tsv"
    path.write_text("accession\tstart\tend\n# nothing\n")
    with pytest.raises(AnnotationError, match="one span or more"):
        read_spans(path)
    with pytest.raises(BioInterpError, match="Check the path"):
        read_spans(tmp_path / "absent.tsv")
    path.write_bytes(b"P1\t1\t2\t\x1b[31m\xff\r\n")
    assert read_spans(path)[0].label.isprintable()


def test_spans_of_one_residue_are_sites():
    table = spans_table(read_spans([("x", 2, 2)]), [Protein("x", "MKV")])
    assert table.concepts["level"].to_list() == ["residue"]


@pytest.mark.parametrize("changes", [{"features": 0}, {"negatives": -1}, {"permutations": 0}])
def test_options_out_of_range_are_refused(changes):
    with pytest.raises(InputError):
        FindOptions(**changes)
