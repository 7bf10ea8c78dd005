"""Features, calls and annotations on structures, and what shows itself in a notebook."""

from dataclasses import replace

import numpy as np
import pytest

from bio_interp import load_atlas
from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import view_calls, view_features, view_result, view_results
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.sequences import Protein
from bio_interp.structures import read_structure

from .conftest import LETTERS, RUN

SEQUENCE = "ACDEFGHIKL" * 2 + RUN + "ACDEFGHIKL"  # the run is at 21 to 40
OWN = "MNPQRSTVYACDEFGHKLMNY"  # a chain without tryptophan
TRYPTOPHAN = LETTERS.index("W")
HOSTILE = "</td><script>alert(1)</script>"


@pytest.fixture
def structure(straight):
    return read_structure(straight(SEQUENCE[10:], first=201), "1ABC")


def test_a_feature_lies_on_the_residues_where_it_fires(toy_atlas, structure):
    view = toy_atlas.feature(TRYPTOPHAN).view(structure, proteins={"P1": SEQUENCE})
    (scene,) = view.scenes
    (layer,) = scene.layers
    assert np.flatnonzero(layer.values).tolist() == list(range(20, 40))
    assert (layer.accession, layer.label) == ("P1", f"toy/f{TRYPTOPHAN}")
    assert "tryptophan run (toy:W)" in layer.concept
    assert scene.found.position("A", 211).position == 21


def test_without_proteins_the_chains_own_sequence_is_read(toy_atlas, structure):
    (scene,) = view_features(toy_atlas, [f"toy/f{TRYPTOPHAN}"], structure).scenes
    assert [p.accession for p in scene.proteins] == ["1ABC/A"]
    assert np.flatnonzero(scene.layers[0].values).tolist() == list(range(10, 30))
    assert "no full sequence of chains A" in scene.notes[0]


def test_features_have_colours_of_their_own_and_one_that_does_not_fire_is_noted(
    toy_atlas, straight
):
    structure = read_structure(straight(OWN), "1ABC")
    (scene,) = view_features(toy_atlas, [0, TRYPTOPHAN], structure).scenes
    assert len({layer.color for layer in scene.layers}) == 2
    assert f"toy/f{TRYPTOPHAN} fires nowhere here" in scene.notes


def test_a_chain_too_short_for_the_model_is_grey_and_noted(toy_atlas, straight):
    structure = read_structure(straight("MNPQRSTV"), "1ABC")
    (scene,) = view_features(toy_atlas, [0], structure).scenes
    assert scene.layers == ()
    assert "1ABC/A is too short to be read" in scene.notes


def test_features_and_proteins_that_are_not_there_are_refused(toy_atlas, structure):
    with pytest.raises(NotFoundError, match="f999"):
        view_features(toy_atlas, [999], structure)
    with pytest.raises(InputError):
        view_features(toy_atlas, ["other/f1"], structure)
    with pytest.raises(MismatchError, match="chain 'A' and P1"):
        view_features(toy_atlas, [0], structure, proteins={"P1": OWN})
    with pytest.raises(NotFoundError, match=r"Atlas\.feature"):
        replace(toy_atlas.feature(0), atlas=None).view(structure)


@pytest.mark.shared_data
def test_a_feature_of_the_reference_atlas_lies_on_a_capsid_as_annotate_reads_it(shared_data):
    atlas = load_atlas("reference")
    view = atlas.feature(635).view(shared_data / "structures/1f2n.cif.gz")
    (scene,) = view.scenes
    (layer,) = scene.layers  # the three chains have one sequence
    (protein,) = scene.proteins
    (read,) = atlas.annotate([protein], min_precision=0.0, all_features=True, activations=True)
    assert layer.values.tolist() == read.activations[635].tolist()
    assert np.count_nonzero(layer.values) > 5
    assert layer.concept == "Helix (uniprot:HELIX)"
    assert {mapped.chain for mapped in scene.found.maps} == {"A", "B", "C"}


def known(*spans, concept: str = "toy:W", coverage=((1, 30),)) -> AnnotationTable:
    rows = [{"accession": "P1", "start": s, "end": e, "concept": concept, "evidence": "",
             "source": "toy"} for s, e in spans]  # fmt: skip
    looked = [{"accession": "P1", "start": s, "end": e, "kind": "toy", "state": "looked",
               "source": "toy"} for s, e in coverage]  # fmt: skip
    about = {"concept": concept, "name": "a run", "kind": "toy", "level": "span",
             "world": "closed", "source": "toy", "release": "1"}  # fmt: skip
    return AnnotationTable.from_records(rows, looked, [about])


def test_annotations_beside_have_three_states(toy_atlas, structure):
    view = toy_atlas.feature(TRYPTOPHAN).view(
        structure, proteins={"P1": SEQUENCE}, annotations=known((22, 24))
    )
    _, beside = view.scenes
    (layer,) = beside.layers
    assert (layer.label, layer.concept) == ("toy:W", "a run")
    values = layer.values
    assert np.flatnonzero(values == 1).tolist() == [21, 22, 23]
    assert np.flatnonzero(np.isnan(values)).tolist() == list(range(30, 50))
    assert (values[:21] == 0).all()


def test_concepts_that_the_feature_is_linked_with_come_before_others(toy_atlas, structure):
    both = AnnotationTable.concat([known((1, 2), concept="toy:X"), known((22, 24))])
    feature, given = toy_atlas.feature(TRYPTOPHAN), {"P1": SEQUENCE}
    beside = feature.view(structure, proteins=given, annotations=both).scenes[1]
    assert [layer.label for layer in beside.layers] == ["toy:W"]
    other = known((1, 2), concept="toy:X")
    beside = feature.view(structure, proteins=given, annotations=other).scenes[1]
    assert [layer.label for layer in beside.layers] == ["toy:X"]
    with pytest.raises(MismatchError, match="annotations of 1ABC/A"):
        feature.view(structure, annotations=other)


def test_a_result_is_found_by_accession_and_none_is_lost(toy_atlas):
    found = toy_atlas.annotate({"a": OWN, "b": SEQUENCE, "c": OWN})
    assert found["b"].protein.accession == "b"
    assert found[Protein("a", OWN)] is found["a"]
    assert [result.protein.accession for result in found] == ["a", "b", "c"]
    with pytest.raises(NotFoundError, match="'d'"):
        found["d"]


def test_the_features_behind_calls_are_shown_and_without_them_the_calls(toy_atlas, structure):
    options = {"min_precision": 0.0}
    bare = toy_atlas.annotate({"P1": SEQUENCE}, **options)["P1"].view(structure)
    (layer,) = bare.scenes[0].layers
    assert (layer.label, np.flatnonzero(layer.values).tolist()) == (
        "called residues",
        list(range(20, 40)),
    )
    result = toy_atlas.annotate({"P1": SEQUENCE}, activations=True, **options)["P1"]
    (layer,) = result.view(structure).scenes[0].layers
    assert layer.label == f"f{TRYPTOPHAN}"
    assert layer.values.tolist() == result.activations[TRYPTOPHAN].tolist()
    assert layer.concept == "tryptophan run (toy:W)"


def test_only_proteins_of_the_structure_are_annotated(toy_atlas, structure, monkeypatch):
    read = []
    activations = toy_atlas.model.activations

    def watched(sequences, sites, **options):
        kept = list(sequences)
        read.extend(kept)
        return activations(kept, sites, **options)

    monkeypatch.setattr(toy_atlas.model, "activations", watched, raising=False)
    view = view_calls(toy_atlas, {"a": OWN, "P1": SEQUENCE}, structure, min_precision=0.0)
    assert read == [SEQUENCE]
    assert [layer.label for layer in view.scenes[0].layers] == [f"toy/f{TRYPTOPHAN}"]


def test_a_protein_without_calls_is_shown_and_says_so(toy_atlas, straight):
    structure = read_structure(straight(OWN), "1ABC")
    (scene,) = view_calls(toy_atlas, {"a": OWN}, structure).scenes
    assert scene.layers == ()
    assert "a has no call" in scene.notes


def test_results_without_sequence_or_structure_are_refused(toy_atlas, structure, monkeypatch):
    result = next(toy_atlas.annotate({"P1": SEQUENCE}))
    with pytest.raises(MismatchError, match="sequence"):
        view_results([replace(result, sequence="")], structure)
    monkeypatch.setenv("BIO_INTERP_STRUCTURES", "/nowhere")
    with pytest.raises(NotFoundError, match="P1"):
        view_result(result)


def test_a_feature_behind_no_call_of_a_protein_is_grey_there(toy_atlas, straight):
    text = straight(SEQUENCE).replace(b"END\n", b"") + straight(OWN, chain="B")
    structure = read_structure(text, "1ABC")
    view = view_calls(toy_atlas, {"P1": SEQUENCE, "a": OWN}, structure, min_precision=0.0)
    layers = {layer.accession: layer for layer in view.scenes[0].layers}
    assert np.isfinite(layers["P1"].values).all()
    assert "a" not in layers or np.isnan(layers["a"].values).all()


def test_what_a_notebook_shows_is_escaped_and_brings_no_colour_of_paper(toy_atlas):
    result = toy_atlas.annotate({"P1": SEQUENCE}, min_precision=0.0)["P1"]
    hostile = replace(
        result,
        protein=replace(result.protein, accession=HOSTILE, note=HOSTILE),
        calls=tuple(replace(call, name=HOSTILE, concept=HOSTILE) for call in result.calls),
    )
    protein = Protein(HOSTILE, SEQUENCE, HOSTILE)
    for thing in (hostile, protein, toy_atlas, toy_atlas.links, toy_atlas.feature(0)):
        html = thing._repr_html_()
        assert "<script>" not in html
        assert "background" not in html
    assert "21-40" in result._repr_html_()
    assert "ACDEFGHIKL ACDEFGHIKL WWWWWWWWWW" in protein._repr_html_()
    assert "tryptophan run" in toy_atlas.links._repr_html_()
    assert "onehot, layer.0" in toy_atlas._repr_html_()
