"""Wild type beside mutant: the numbers are those of the toy model, worked out by hand."""

import numpy as np
import pytest

from bio_interp.errors import MismatchError
from bio_interp.sequences import Protein
from bio_interp.structures import Place, read_structure
from bio_interp.variants import feature_changes, parse_variant, view_variant

TEXT = "CDEACDEFGHIK"
PROTEIN = Protein("P1", TEXT)


@pytest.fixture
def structure(straight):
    return read_structure(straight(TEXT), "1ABC")


def test_wild_type_and_mutant_stand_side_by_side_in_the_same_colours(causal_atlas, structure):
    """D at 2 has the value 2, F the value 4; feature 1 adds half of the residue before."""
    wild, mutant = view_variant(causal_atlas, PROTEIN, "D2F", structure).scenes
    before = {layer.label: layer for layer in wild.layers}
    after = {layer.label: layer for layer in mutant.layers}
    assert set(before) == set(after) == {f"{causal_atlas.name}/f0", f"{causal_atlas.name}/f1"}
    one = f"{causal_atlas.name}/f1"
    assert before[one].values[:3].tolist() == [1.0, 2.5, 4.0]
    assert after[one].values[:3].tolist() == [1.0, 4.5, 5.0]
    for label, layer in before.items():
        assert (layer.color, layer.maximum) == (after[label].color, after[label].maximum)
    assert wild.marked == mutant.marked == (Place("P1", 2),)
    assert mutant.proteins[0].sequence == "CFEACDEFGHIK"
    assert mutant.title == "D2F on 1ABC"


def test_features_can_be_chosen_and_changes_given(causal_atlas, structure):
    changes = next(feature_changes(causal_atlas, PROTEIN, [parse_variant("D2F", TEXT)]))
    view = view_variant(causal_atlas, PROTEIN, changes, structure, features=[0])
    assert [[layer.label[-2:] for layer in scene.layers] for scene in view.scenes] == [
        ["f0"],
        ["f0"],
    ]
    assert np.nanmax(view.scenes[1].layers[0].values[1]) == 4.0


def test_a_variant_of_another_residue_or_protein_is_refused(causal_atlas, structure):
    with pytest.raises(MismatchError, match="W2F"):
        view_variant(causal_atlas, PROTEIN, "W2F", structure)
    with pytest.raises(MismatchError, match="a chain of 1ABC"):
        view_variant(causal_atlas, Protein("P2", "MNPQRSTVWYMN"), "N2F", structure)


def test_no_mutation_changes_no_feature_and_says_so(causal_atlas, structure):
    wild, mutant = view_variant(causal_atlas, PROTEIN, "WT", structure).scenes
    assert wild.layers == mutant.layers == ()
    assert "no feature changes" in wild.notes[0]
