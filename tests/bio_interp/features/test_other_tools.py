"""Encoded proteins handed to pandas and AnnData."""

import math

import pytest

from bio_interp.errors import MissingExtraError
from bio_interp.features import FeatureConcept, encode, encode_file

PROTEINS = {"P1": "ACDEFGHIKL", "P2": "M", "P3": "MK"}
NAMED = FeatureConcept("pfam:PF00069", "Pkinase", "locator", 0.8, 0.7)


@pytest.fixture
def named_source(toy_source):
    toy_source.feature_concepts = lambda: {2: NAMED}
    return toy_source


def test_pooled_proteins_have_their_lengths_in_obs(toy_source):
    pytest.importorskip("anndata")
    table = encode(PROTEINS, toy_source, pool="max").to_anndata()
    assert table.obs_names.tolist() == list(PROTEINS)
    assert table.obs["accession"].tolist() == list(PROTEINS)
    assert table.obs["length"].tolist() == [10, 1, 2]


@pytest.mark.parametrize("pool", [None, "mean"])
def test_features_have_concept_names_where_the_atlas_knows_them(named_source, tmp_path, pool):
    anndata = pytest.importorskip("anndata")
    encode_file(PROTEINS, named_source, tmp_path / "x.h5ad", pool=pool)
    var = anndata.read_h5ad(tmp_path / "x.h5ad").var
    row = var.loc["toy-atlas/f2"]
    assert (row["concept"], row["name"], row["link_type"]) == ("pfam:PF00069", "Pkinase", "locator")
    assert (row["select_f1"], row["test_f1"]) == (0.8, 0.7)
    other = var.loc["toy-atlas/f3"]
    assert (other["concept"], other["name"]) == ("", "")
    assert math.isnan(other["test_f1"])


def test_features_of_a_source_without_names_have_none(toy_source):
    pytest.importorskip("anndata")
    assert list(encode(PROTEINS, toy_source).to_anndata().var.columns) == []


def test_pandas_has_a_row_a_residue_or_a_protein(toy_source):
    pytest.importorskip("pandas")
    encoded, pooled = encode(PROTEINS, toy_source), encode(PROTEINS, toy_source, pool="max")
    table = encoded.to_pandas()
    assert table.index.tolist()[9:12] == [("P1", 10), ("P2", 1), ("P3", 1)]
    assert table.columns.tolist() == encoded.addresses
    assert (table.to_numpy() == encoded.codes.toarray()).all()
    table = pooled.to_pandas()
    assert table.index.tolist() == list(PROTEINS)
    assert table.index.name == "accession"
    assert (table.to_numpy() == pooled.codes.toarray()).all()


def test_without_pandas_the_error_names_it(toy_source, monkeypatch):
    encoded = encode(PROTEINS, toy_source)
    monkeypatch.setattr("bio_interp.features._files.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="pip install pandas"):
        encoded.to_pandas()


def test_no_proteins_are_an_empty_table(toy_source):
    pytest.importorskip("anndata")
    for pool in (None, "max"):
        assert encode({}, toy_source, pool=pool).to_anndata().n_obs == 0
        assert len(encode({}, toy_source, pool=pool).to_pandas()) == 0
