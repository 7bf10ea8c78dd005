"""Looking at features, concepts and proteins of a toy atlas whose truth is known."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import (
    EXAMPLES,
    FEATURES,
    Atlas,
    feature_statistics,
    find_concepts,
    tell_target,
    view_proteins,
    write_features,
)
from bio_interp.errors import InputError, NotFoundError
from bio_interp.features import FeatureStore
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, LinkTable
from bio_interp.sequences import Protein, Split

# one letter of a sequence is one feature: A0 B1 C2; the activation is the letter's rank in its run
SEQUENCES = {
    "fit1": "AAAABBBBBBBBBBBBBBBBBBBBBBBBB",
    "sel1": "CCCCCCCCCCCCCCCCCCCCCCCCAAAAA",
    "sel2": "AAAAAA",
    "sel3": "BBAAAAAAAAAAAAAAAAAAAAAAAAA",
    "cal1": "A" * 50,
    "test1": "A" * 60,
}
FOLDS = {"fit": "fit", "sel": "select", "cal": "calibrate", "tes": "test"}
CLUSTERS = {"sel2": "fit1"}


def codes(sequence: str) -> np.ndarray:
    rows = np.zeros((len(sequence), 4), dtype=np.float32)
    run = 0
    for i, letter in enumerate(sequence):
        run = run + 1 if i and sequence[i - 1] == letter else 1
        rows[i, "ABC".index(letter)] = run
    rows[:, 3] = rows[:, 2] > 0  # fires wherever C does
    return rows


@pytest.fixture
def store(tmp_path):
    from scipy.sparse import csr_matrix

    made = FeatureStore.create(tmp_path / "codes", d_sae=4, settings={})
    with made.writer(shard_proteins=2) as writer:
        for name, sequence in SEQUENCES.items():
            writer.add(name, csr_matrix(codes(sequence)))
    return made


SPLIT = Split({a: (CLUSTERS.get(a, a), FOLDS[a[:3]]) for a in SEQUENCES}, {})
PROTEINS = [Protein(a, s) for a, s in SEQUENCES.items()]


def table(features: tuple[int, ...]) -> LinkTable:
    rows = [
        {"concept": "toy:A", "name": "a", "link_type": "locator", "feature": f, "threshold": 1.0}
        for f in features
    ]
    empty = pl.DataFrame(schema={"concept": pl.String, "name": pl.String})
    frames = (pl.DataFrame(schema=CALLERS), pl.DataFrame(schema=CALIBRATION), empty)
    return LinkTable(pl.DataFrame(rows, schema=LINKS), *frames)


def written(tmp_path, store, **options) -> tuple[pl.DataFrame, pl.DataFrame]:
    write_features(tmp_path, store, PROTEINS, table((0, 1, 2, 3)), split=SPLIT, **options)
    features = pl.read_parquet(tmp_path / "features.parquet")
    examples = pl.read_parquet(tmp_path / "examples.parquet")
    assert dict(features.schema) == FEATURES
    assert dict(examples.schema) == EXAMPLES
    return features, examples


def test_statistics_are_those_of_a_plain_count(tmp_path, store):
    features, _ = written(tmp_path, store)
    shown = np.concatenate([codes(s) for a, s in SEQUENCES.items() if a[:3] in ("fit", "sel")])
    for feature, row in enumerate(features.iter_rows(named=True)):
        values = np.sort(shown[:, feature][shown[:, feature] > 0])
        bearers = sum(
            (codes(s)[:, feature] > 0).any() for a, s in SEQUENCES.items() if a[0] in "fs"
        )
        assert row["density"] == pytest.approx(len(values) / len(shown))
        assert row["maximum"] == values.max()
        assert (row["proteins"], row["of_proteins"]) == (bearers, 4)
        assert row["q50"] == values[len(values) // 2]


def test_features_that_fire_on_the_same_residues_are_found_and_shared_by_jaccard(tmp_path, store):
    features, _ = written(tmp_path, store)
    assert features["cofires"].to_list() == [[], [], [3], [2]]
    assert features["cofire_share"].to_list() == [[], [], [1.0], [1.0]]


def test_examples_show_no_protein_that_calibrates_or_tests(tmp_path, store):
    _, examples = written(tmp_path, store)
    assert set(examples["fold"]) == {"fit", "select"}
    assert examples.filter(feature=0)["peak"].max() == 25  # 50 and 60 lie in the others


def test_examples_are_of_different_clusters_highest_first(tmp_path, store):
    _, examples = written(tmp_path, store)
    rows = examples.filter(feature=0)
    assert rows["accession"].to_list() == ["sel3", "sel2", "sel1"]  # not fit1, of sel2's cluster
    assert rows["rank"].to_list() == [1, 2, 3]
    assert rows["peak"].to_list() == [25, 6, 5]


def test_the_window_holds_the_peak_and_its_own_residues(tmp_path, store):
    _, examples = written(tmp_path, store)
    for row in examples.iter_rows(named=True):
        sequence = SEQUENCES[row["accession"]]
        end = row["start"] + len(row["window"]) - 1
        assert sequence[row["start"] - 1 : end] == row["window"]
        assert len(row["window"]) == min(21, len(sequence))
        assert row["start"] <= row["position"] <= end
        own = codes(sequence)[row["start"] - 1 : end, row["feature"]]
        assert row["activations"] == own.tolist()
        assert row["activations"][row["position"] - row["start"]] == row["peak"]


def test_examples_say_what_is_annotated_at_the_peak(tmp_path, store):
    rows = [
        {"accession": "sel3", "start": 27, "end": 27, "concept": "toy:end", "source": "t"},
        {"accession": "sel3", "start": 1, "end": 26, "concept": "toy:before", "source": "t"},
    ]
    concepts = [{"concept": "toy:end", "name": "the end"}]
    annotations = AnnotationTable.from_records(rows, [], concepts)
    _, examples = written(tmp_path, store, annotations=annotations)
    shown = examples.filter(feature=0).select("accession", "concepts", "names")
    known = {accession: (ids, names) for accession, ids, names in shown.iter_rows()}
    assert known == {"sel3": (["toy:end"], ["the end"]), "sel2": ([], []), "sel1": ([], [])}


def test_missing_sequences_and_folds_are_named(tmp_path, store):
    with pytest.raises(NotFoundError, match="sel3"):
        write_features(tmp_path, store, PROTEINS[:3], table((0,)), split=SPLIT)
    with pytest.raises(NotFoundError, match="folds fit, select, calibrate, test"):
        write_features(tmp_path, store, PROTEINS, table((0,)), split=SPLIT, folds=["none"])
    assert not list(tmp_path.glob("*.parquet"))


def test_a_feature_that_never_fires_has_zeros(store):
    mask = np.array([a == "sel2" for a in store.accessions])
    row = feature_statistics(store, mask, []).row(1, named=True)
    assert (row["density"], row["proteins"], row["maximum"], row["q99"]) == (0, 0, 0, 0)


@pytest.fixture
def looked(toy_atlas, tmp_path) -> Atlas:
    """A copy of the toy atlas with statistics and examples."""
    from shutil import copytree

    folder = tmp_path / "atlas"
    copytree(toy_atlas.folder, folder)
    store = FeatureStore.open(toy_atlas.folder.parent / "codes")
    names = store.accessions
    split = Split({a: (a, a.rstrip("0123456789")) for a in names}, {})
    proteins = [Protein(a, "W" * int(n)) for a, n in zip(names, store.lengths, strict=True)]
    write_features(folder, store, proteins, toy_atlas.links, split=split)
    atlas = Atlas(folder)
    atlas.__dict__["_model"] = toy_atlas.model
    return atlas


def test_a_feature_tells_its_links_and_its_best_examples(looked):
    tryptophan = "ACDEFGHIKLMNPQRSTVWY".index("W")
    feature = looked.feature(f"toy/f{tryptophan}")
    assert feature.address == f"toy/f{tryptophan}"
    assert set(feature.links["concept"]) == {"toy:W"}
    assert set(feature.examples["fold"]) == {"select"}
    assert feature.statistics["proteins"] == 30
    text = repr(feature)
    assert "tryptophan run" in text
    assert "[W]" in text
    assert "<td>toy:W</td>" in feature._repr_html_()
    assert feature.to_dict()["links"][0]["concept"] == "toy:W"


def test_an_atlas_without_statistics_still_shows_links(toy_atlas):
    feature = toy_atlas.feature(18)
    assert feature.statistics == {}
    assert feature.examples.height == 0
    assert "packed without" in repr(feature)


@pytest.mark.parametrize(("asked", "error"), [
    (20, NotFoundError), (-1, NotFoundError), ("f20", NotFoundError), ("other/f1", InputError),
    ("W", InputError), ("", InputError),
])  # fmt: skip
def test_a_feature_that_is_not_there_is_refused_with_the_range(toy_atlas, asked, error):
    with pytest.raises(error, match=r"f0 to f19|toy/f1234"):
        toy_atlas.feature(asked)


@pytest.mark.parametrize("asked", ["toy:W", "tryptophan run", "RUN", "w"])
def test_a_concept_is_found_by_id_name_and_part(toy_atlas, asked):
    concept = toy_atlas.concept(asked)
    assert concept.concept == "toy:W"
    assert concept.curve["strength"].is_sorted()
    assert concept.best_low == concept.curve["low"].max()
    assert concept.to_dict()["callers"][0]["feature"].startswith("toy/f")
    assert "f18" in repr(concept)


def test_a_misspelt_concept_names_those_spelt_alike(toy_atlas):
    with pytest.raises(NotFoundError, match="tryptophan run"):
        toy_atlas.concept("tryptofan run")


CONCEPTS = pl.DataFrame(
    {
        "concept": ["pfam-group:K", "pfam:PF1", "pfam:PF2", "uniprot:ZN"],
        "name": ["kinase-like", "His kinase", "kinase", None],
        "members": [["pfam:PF1", "pfam:PF9"], [], [], None],
        "xrefs": [[], ["InterPro:IPR1"], [], None],
    }
)


@pytest.mark.parametrize(("text", "found"), [
    ("kinase", ["pfam:PF2"]),  # the whole name of one
    ("KINAS", ["pfam-group:K", "pfam:PF1", "pfam:PF2"]),
    ("PF9", ["pfam-group:K"]),  # a member that has no calls of its own
    ("ipr1", ["pfam:PF1"]),
    ("pfam:PF1", ["pfam:PF1"]),
    ("zn", ["uniprot:ZN"]),
    ("nothing", []),
])  # fmt: skip
def test_concepts_are_found_whole_before_in_part(text, found):
    assert [c for c, _ in find_concepts(SimpleNamespace(concepts=CONCEPTS), text)] == found


def test_what_is_meant_is_told_from_the_word(toy_atlas, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f3").write_text(">a\nMK\n")
    words = {
        "f3": "proteins",
        "f4": "feature",
        "toy/f3": "feature",
        "run": "concept",
        "-": "proteins",
        "MKVLAAGIVGS": "sequence",
    }
    assert {word: tell_target(toy_atlas, word) for word in words} == words
    for word in ("mkvlaagivgs", "MKV", "lost.fasta", "P12345", ""):
        with pytest.raises(NotFoundError, match="--proteins"):
            tell_target(toy_atlas, word)


SEQUENCE = "ACDEFGHIKL" * 3 + "W" * 20 + "ACDEFGHIKL" * 3


def test_a_protein_is_drawn_at_one_residue_a_column(toy_atlas):
    (view,) = view_proteins(toy_atlas, {"p": SEQUENCE}, min_precision=0.1)
    (call,) = view.result.calls
    lines = view.draw(width=120).splitlines()
    sequence, called, heat = (next(line for line in lines if line.startswith(start))
                              for start in ("sequence", "toy:W", "  f18"))  # fmt: skip
    indent = sequence.index("ACDEF")
    assert called[indent:].index("=") == call.start - 1
    assert called.count("=") == call.end - call.start + 1
    assert [i for i, sign in enumerate(heat[indent:]) if sign == "9"] == list(range(30, 50))
    assert lines[1][indent + 10 :].startswith("11")


@pytest.mark.parametrize("width", [20, 40, 79, 80])
@pytest.mark.parametrize("wrap", [False, True])
def test_tracks_fit_the_width_and_hold_the_whole_protein(toy_atlas, width, wrap):
    (view,) = view_proteins(toy_atlas, {"p": SEQUENCE}, min_precision=0.1)
    lines = view.draw(width=width, wrap=wrap).splitlines()
    drawn = [line for line in lines if line.startswith(("position", "sequence", "toy:", "  f"))]
    assert max(map(len, drawn)) <= max(width, 33)  # the narrowest drawing has 20 columns
    if wrap:
        parts = [line.split(maxsplit=1)[1] for line in drawn if line.startswith("sequence")]
        assert "".join(parts) == SEQUENCE


def test_the_calls_drawn_are_those_of_annotate(toy_atlas):
    for precision in (0.1, 0.999):
        (view,) = view_proteins(toy_atlas, {"p": SEQUENCE}, min_precision=precision)
        (told,) = toy_atlas.annotate({"p": SEQUENCE}, min_precision=precision)
        assert view.result.calls == told.calls
        assert view.result.protein == told.protein


def test_a_protein_too_short_to_read_is_said_to_be(toy_atlas):
    (view,) = view_proteins(toy_atlas, {"p": "MKV"})
    assert "too_short" in view.draw()
    assert view.to_dict()["features"] == []


def test_looking_at_features_and_concepts_loads_no_torch(toy_atlas):
    code = (
        "import sys; from pathlib import Path; from bio_interp.atlas import Atlas\n"
        f"atlas = Atlas(Path({str(toy_atlas.folder)!r}))\n"
        "repr(atlas.feature(18)), repr(atlas.concept('toy:W'))\n"
        "bad = {'torch', 'scipy', 'lightning', 'pandas', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
