"""Sources read by feature give what their rows say."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from bio_interp.benchmarking import BenchSettings, bench, make_source, names_of
from bio_interp.benchmarking._dense import DenseColumns, write_by_feature
from bio_interp.benchmarking._kmers import LETTERS, kmer_codes
from bio_interp.benchmarking._subset import SomeFeatures, SomeResidues
from bio_interp.errors import InputError, MismatchError


def test_rows_are_turned_over_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("bio_interp.benchmarking._dense._ROWS", 7)
    rows = torch.arange(60.0).view(20, 3)
    turned = write_by_feature(tmp_path / "x.npy", iter(rows.split(3)), 20, 3)
    assert np.array_equal(turned, rows.numpy().T)
    again = write_by_feature(tmp_path / "x.npy", iter(()), 20, 3)  # taken as it is
    assert np.array_equal(again, turned)


def test_dense_features_are_on_at_both_ends():
    values = np.array([[0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9]], np.float16)
    columns = DenseColumns(values, share=0.2, both=True)
    assert columns.d_sae == 2
    high, low = columns.block(range(1)), columns.block(range(1, 2))
    assert high.index.tolist() == [8, 9]
    assert low.index.tolist() == [0, 1]
    assert high.value[1] - high.value[0] == 1.0


def test_words_mark_every_residue_that_they_hold():
    codes = kmer_codes("ACXAC").toarray()
    assert codes[:, 0].tolist() == [1, 0, 0, 1, 0]  # A
    pair = 20 + 0 * 20 + LETTERS.index("C")  # AC
    assert codes[:, pair].tolist() == [1, 1, 0, 1, 1]
    assert codes[2].sum() == 0
    assert kmer_codes("AAA").toarray().max() == 1
    assert kmer_codes("A").shape == (1, 8420)


def test_random_directions_are_as_many_and_as_sparse_as_the_sae(planted, sae):
    source = make_source("random", planted.rows, sae, set(planted.rows.names))
    assert source.columns.d_sae == sae.config.d_sae
    entries = sum(len(source.columns.block(range(f, f + 1)).index) for f in range(16))
    assert entries == pytest.approx(2 * planted.rows.residues, rel=0.02)


def test_principal_components_are_uncorrelated_and_ordered(planted, sae):
    source = make_source("pca", planted.rows, sae, set(planted.rows.names))
    values = np.load(planted.rows.folder / "pca.npy").astype(float)
    assert source.columns.d_sae == 2 * len(values)
    covariance = np.cov(values)
    spread = np.diag(covariance)
    assert (np.diff(spread) < 0.1 * spread.max()).all()  # fitted on half of the proteins
    assert abs(covariance - np.diag(spread)).max() < 0.1 * spread.max()


def test_some_features_and_residues_are_those_of_the_whole(planted, sae):
    columns = make_source("sae", planted.rows, sae, set()).columns
    some = SomeFeatures(columns, [5, 3, 3]).block(range(3))
    three = columns.block(range(3, 4))
    assert np.array_equal(some.index[some.offsets[1] : some.offsets[2]], three.index)
    assert np.array_equal(some.value[some.offsets[2] :], three.value)
    inside = np.arange(planted.rows.residues) % 2 == 0
    kept = SomeResidues(columns, inside).block(range(3, 4))
    assert np.array_equal(kept.index, three.index[inside[three.index]])


def test_probes_read_the_planted_concept_and_few_features_suffice(planted, sae):
    settings = BenchSettings(("probe", "ksparse1", "ksparse10"), null=0, interplm=False)
    found = bench(planted.rows, sae, planted.table, planted.split, settings)
    scores = found.rows.filter(concept="toy:A", score="residue").select("source", "f1")
    f1 = dict(scores.iter_rows())
    assert f1["probe"] > 0.9
    assert f1["ksparse1"] > 0.95
    assert f1["ksparse10"] > 0.95
    nothing = found.rows.filter(concept="toy:B", score="residue", source="probe")
    assert nothing["f1"][0] < 0.5


def test_codes_of_another_sae_are_not_taken_for_those_of_this_one(planted, sae):
    make_source("sae", planted.rows, sae, set())
    other = deepcopy(sae)
    with torch.no_grad():
        other.W_enc.mul_(2)
    with pytest.raises(MismatchError, match="of"):
        make_source("sae", planted.rows, other, set())


def test_baselines_are_named():
    assert names_of("none") == ()
    assert names_of("pca, neurons") == ("pca", "neurons")
    assert "ica" in names_of("full")
    with pytest.raises(InputError, match="'umap'"):
        names_of("pca,umap")
