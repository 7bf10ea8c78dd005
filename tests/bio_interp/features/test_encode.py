import json

import numpy as np
import polars as pl
import pytest
import torch
from scipy.sparse import load_npz

from bio_interp.errors import InputError, MissingExtraError, NotFoundError, SequenceError
from bio_interp.features import FeatureStore, encode, encode_each, encode_file, encode_store

PROTEINS = {"P1": "MKVLAAGIVG", "P2": "W", "P3": "GGHHCCGG", "P4": "MKVXUB"}


def by_hand(source, sequence: str) -> np.ndarray:
    (reading,) = source.model.activations([sequence], [source.site])
    return source.sae.encode_dense(reading.rows[source.site]).numpy()


def test_rows_are_the_codes_of_each_residue_in_input_order(toy_source):
    encoded = encode(PROTEINS, toy_source)
    assert encoded.accessions == list(PROTEINS)
    assert encoded.offsets.tolist() == [0, 10, 11, 19, 25]
    assert encoded.codes.shape == (25, 24)
    for accession, sequence in PROTEINS.items():
        rows = encoded[accession].toarray()
        np.testing.assert_allclose(rows, by_hand(toy_source, sequence), atol=1e-6)
    with pytest.raises(NotFoundError, match="'P9'"):
        encoded["P9"]


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_pooling_is_over_all_residues_of_a_protein(toy_source, pool):
    encoded = encode(PROTEINS, toy_source, pool=pool)
    assert encoded.codes.shape == (4, 24)
    for index, sequence in enumerate(PROTEINS.values()):
        expected = getattr(by_hand(toy_source, sequence), pool)(axis=0)
        np.testing.assert_allclose(encoded.codes[index].toarray()[0], expected, atol=1e-6)


def test_no_protein_gives_no_rows(toy_source):
    assert encode({}, toy_source).codes.shape == (0, 24)
    assert encode({}, toy_source, pool="max").codes.shape == (0, 24)


def test_proteins_are_read_one_by_one(toy_source):
    pieces = encode_each(PROTEINS, toy_source)
    assert next(pieces)[0] == "P1"
    assert toy_source.model.read == ["MKVLAAGIVG"]


@pytest.mark.parametrize("pool", [None, "max"])
def test_npz_is_read_by_scipy_and_says_where_it_came_from(toy_source, tmp_path, pool):
    encoded = encode(PROTEINS, toy_source, pool=pool)
    assert encode_file(PROTEINS, toy_source, tmp_path / "x.npz", pool=pool) == 4
    encoded.save(tmp_path / "y.npz")
    for name in ("x.npz", "y.npz"):
        assert (load_npz(tmp_path / name) != encoded.codes).nnz == 0
        with np.load(tmp_path / name, allow_pickle=False) as archive:
            assert archive["accessions"].tolist() == list(PROTEINS)
            assert archive["offsets"].tolist() == encoded.offsets.tolist()
            origin = json.loads(str(archive["origin"]))
        assert origin["name"] == "toy-atlas"
        assert (origin["licence"], origin["pool"]) == ("CC0-1.0", pool)


@pytest.mark.parametrize("lines", [1, 30, 1_000_000])
def test_parquet_has_a_line_a_code_however_it_is_cut(toy_source, tmp_path, monkeypatch, lines):
    monkeypatch.setattr("bio_interp.features._files.LINES_A_PIECE", lines)
    encode_file(PROTEINS, toy_source, tmp_path / "x.parquet")
    table = pl.read_parquet(tmp_path / "x.parquet")
    assert table.columns == ["accession", "position", "feature", "value"]
    encoded = encode(PROTEINS, toy_source)
    expected = [
        (accession, row + 1, feature, rows[row, feature])
        for accession, rows in encoded.pieces()
        for row, feature in zip(*rows.nonzero(), strict=True)
    ]
    assert table.rows() == expected
    encoded.save(tmp_path / "y.parquet")
    assert pl.read_parquet(tmp_path / "y.parquet").equals(table)
    metadata = json.loads(pl.read_parquet_metadata(tmp_path / "x.parquet")["bio_interp"])
    assert metadata["licence"] == "CC0-1.0"


def test_pooled_parquet_has_no_positions(toy_source, tmp_path):
    encode_file(PROTEINS, toy_source, tmp_path / "x.parquet", pool="mean")
    table = pl.read_parquet(tmp_path / "x.parquet")
    assert table.columns == ["accession", "feature", "value"]
    assert len(table) == encode(PROTEINS, toy_source, pool="mean").codes.nnz


@pytest.mark.parametrize("name", ["x.npz", "x.parquet"])
def test_a_file_without_proteins_is_a_whole_file(toy_source, tmp_path, name):
    assert encode_file({}, toy_source, tmp_path / name) == 0
    if name == "x.npz":
        assert load_npz(tmp_path / name).shape == (0, 24)
    else:
        assert pl.read_parquet(tmp_path / name).is_empty()


def test_h5ad_holds_residues_with_positions_and_features_with_addresses(toy_source, tmp_path):
    anndata = pytest.importorskip("anndata")
    encode_file(PROTEINS, toy_source, tmp_path / "x.h5ad")
    table = anndata.read_h5ad(tmp_path / "x.h5ad")
    assert table.obs_names[9:12].tolist() == ["P1:10", "P2:1", "P3:1"]
    assert table.obs["position"].tolist()[9:12] == [10, 1, 1]
    assert table.var_names[:2].tolist() == ["toy-atlas/f0", "toy-atlas/f1"]
    assert (encode(PROTEINS, toy_source).codes != table.X).nnz == 0
    assert table.uns["bio_interp"]["licence"] == "CC0-1.0"


def test_pooled_anndata_has_a_row_a_protein(toy_source):
    pytest.importorskip("anndata")
    table = encode(PROTEINS, toy_source, pool="max").to_anndata()
    assert table.obs_names.tolist() == list(PROTEINS)
    assert table.uns["bio_interp"]["pool"] == "max"


def test_without_anndata_nothing_is_encoded_for_h5ad(toy_source, tmp_path, monkeypatch):
    monkeypatch.setattr("bio_interp.features._files.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'bio-interp\[anndata\]'"):
        encode_file(PROTEINS, toy_source, tmp_path / "x.h5ad")
    assert toy_source.model.read == []


def test_an_unknown_format_is_refused_before_anything_is_encoded(toy_source, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.npz, \.parquet, \.h5ad; got 'x\.csv'"):
        encode_file(PROTEINS, toy_source, tmp_path / "x.csv")
    assert toy_source.model.read == []


@pytest.mark.parametrize("name", ["x.npz", "x.parquet", "x.h5ad"])
def test_bad_input_leaves_no_file(toy_source, tmp_path, name):
    with pytest.raises(SequenceError):
        encode_file({"P1": "MKV", "P2": "M1V"}, toy_source, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_filled_and_goes_on_where_it_stopped(toy_source, tmp_path):
    store = FeatureStore.create(tmp_path / "store", d_sae=24, settings={}, dtype="float32")
    encode_store({"P1": PROTEINS["P1"]}, toy_source, store)
    toy_source.model.read.clear()
    encode_store(PROTEINS, toy_source, store)
    assert toy_source.model.read == [PROTEINS[name] for name in ("P2", "P3", "P4")]
    for accession, rows in encode(PROTEINS, toy_source).pieces():
        assert (store.protein(accession) != rows).nnz == 0


def test_an_sae_that_computes_in_bf16_is_encoded_as_float32(toy_source):
    sae = toy_source.sae

    class Halved:
        config = sae.config

        def encode(self, x: torch.Tensor):
            codes = sae.encode(x)
            return type(codes)(codes.indptr, codes.features, codes.values.bfloat16(), codes.d_sae)

    full = encode(PROTEINS, toy_source)
    toy_source.sae = Halved()
    half = encode(PROTEINS, toy_source)
    assert half.codes.dtype == np.float32
    np.testing.assert_allclose(half.codes.toarray(), full.codes.toarray(), rtol=1e-2)
