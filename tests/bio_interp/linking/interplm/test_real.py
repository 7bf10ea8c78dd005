"""Real entries of UniProt, and features that are on just where the annotations are."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.sparse import coo_matrix, csr_matrix

from bio_interp.features import FeatureStore
from bio_interp.linking.interplm import Rules, interplm_concepts
from bio_interp_uniprot import ANNOTATOR

pytestmark = pytest.mark.shared_data
RULES = Rules(min_named=8, min_instances=8, min_residues=200)


@pytest.fixture(scope="module")
def oracles(shared_data: Path, tmp_path_factory):
    """One feature for each concept, perfect but for overlaps, on half of the proteins each."""
    path = shared_data / "uniprot_fixtures/uniprot_250_entries.xml.gz"
    table = ANNOTATOR.annotate([path])
    lengths = dict(table.coverage.group_by("accession").agg(pl.col("end").max()).iter_rows())
    rows = interplm_concepts(table, RULES).rows
    number = {concept: i for i, concept in enumerate(sorted(set(rows["concept"])))}
    store = FeatureStore.create(tmp_path_factory.mktemp("oracles"), d_sae=len(number), settings={})
    folds = {}
    with store.writer() as writer:
        for i, (accession, length) in enumerate(sorted(lengths.items())):
            folds[accession] = "valid" if i % 2 else "test"
            writer.add(accession, _oracle(rows.filter(accession=accession), number, length))
    return store, table, folds


def _oracle(rows: pl.DataFrame, number: dict[str, int], length: int) -> csr_matrix:
    dense = np.zeros((length, len(number)), np.float32)
    for start, end, concept in rows.select("start", "end", "concept").iter_rows():
        dense[start - 1 : end, number[concept]] = 1.0
    return csr_matrix(coo_matrix(dense))


def test_a_feature_that_is_its_concept_is_perfect(oracles, score):
    best = score(oracles, RULES).best
    names = set(best["name"])
    assert {"Binding site_any", "Signal peptide_any", "Disulfide bond", "Helix"} <= names
    assert not any(name in names for name in ("Domain_any", "Region_any", "Motif_any"))
    assert (best["test_f1_per_domain"] == 1.0).all()
    assert (best["test_recall"] == 1.0).all()


def test_notes_alone_lose_binding_sites_and_signal_peptides(oracles, score):
    """B6 on real entries: what InterPLM's regular expression does not find."""
    honest = score(oracles, RULES).best
    broken = score(oracles, RULES, notes_only=True).best
    lost = set(honest["name"]) - set(broken["name"])
    assert any(name.startswith("Binding site_") for name in lost)
    assert "Signal peptide_any" in lost
    assert not any(name.startswith("Binding site") for name in broken["name"])


def test_labels_one_early_leave_little_of_perfect_sites(oracles, score):
    """B2 on real entries: sites vanish, helices blur."""
    best = score(oracles, RULES, labels_one_early=True).best
    broken = dict(best.select("name", "test_f1_per_domain").iter_rows())
    assert broken["Disulfide bond"] < 0.3
    assert 0.7 < broken["Helix"] < 1.0
