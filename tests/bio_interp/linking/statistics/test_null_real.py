"""Greasy stretches of real proteins: a feature of membrane helices, and of hardly anything else."""

from pathlib import Path

import numpy as np
import pytest

from bio_interp.annotations import collect
from bio_interp.linking import lay_labels
from bio_interp.linking.statistics import claim_p, null_maxima
from bio_interp.sequences import read_proteins

from .conftest import best_f1

pytestmark = pytest.mark.shared_data


def test_greasy_stretches_tell_of_membrane_helices_and_not_of_permuted_labels(
    shared_data: Path,
):
    path = shared_data / "uniprot_flat/swissprot_dev_3.dat.gz"
    proteins = [p for p in read_proteins(path) if len(p.sequence) < 1000]
    names = {p.accession: p.accession for p in proteins}
    labels = lay_labels(
        collect([path], proteins=proteins),
        list(names),
        np.array([len(p.sequence) for p in proteins]),
        folds=dict.fromkeys(names, "test"),
        clusters=names,
        min_clusters={"test": 15},
    )
    letters = np.array(list("".join(p.sequence for p in proteins)))
    greasy = np.convolve(np.isin(letters, list("AILMFVWC")), np.ones(19) / 19, "same")
    best = best_f1(np.stack([greasy > share for share in (0.5, 0.6, 0.7)]))
    observed, null = best(labels), null_maxima(best, labels, draws=39)
    p = dict(zip(labels.concepts["concept"], claim_p(observed, null), strict=True))
    assert p["uniprot:TRANSMEM"] == 1 / 40
    assert p["uniprot:REGION/Disordered"] > 0.2
    shifted = np.stack([claim_p(row, null[20:]) for row in null[:20]])
    assert (shifted <= 0.05).mean() <= 0.1
