"""Small worlds of proteins, codes and annotations that are written out by hand."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from bio_interp.annotations import AnnotationTable
from bio_interp.features import FeatureStore
from bio_interp.linking.counting import StoreColumns
from bio_interp.linking.interplm import Defects, Report, Rules, lay_truth, protocol

Spans = Sequence[tuple[str, int, int, str]]
World = tuple[FeatureStore, AnnotationTable, dict[str, str]]


def build_world(
    folder: Path, codes: Mapping[str, np.ndarray], spans: Spans, *, per_shard: int = 7
) -> World:
    """Write codes, (residues, features) a protein, and annotate (accession, start, end, concept).

    A protein whose name starts with v is of the fold valid, the others are of test. Rows of
    uniprot:DISULFID whose ends differ are bonds.
    """
    width = next(iter(codes.values())).shape[1]
    store = FeatureStore.create(folder, d_sae=width, settings={}, dtype="float32")
    with store.writer(shard_proteins=per_shard) as writer:
        for accession, dense in codes.items():
            writer.add(accession, csr_matrix(dense.astype(np.float32)))
    rows = [row for number, span in enumerate(spans) for row in _rows(number, *span)]
    names = sorted({concept for *_, concept in spans})
    concepts = [{"concept": c, "name": c, "kind": c.split("/")[0], "level": "span"} for c in names]
    folds = {a: "valid" if a.startswith("v") else "test" for a in codes}
    return store, AnnotationTable.from_records(rows, [], concepts), folds


def _rows(number: int, accession: str, start: int, end: int, concept: str) -> list[dict]:
    row = {"accession": accession, "concept": concept, "evidence": "", "source": "toy"}
    if concept == "uniprot:DISULFID" and start != end:
        return [row | {"start": at, "end": at, "pair": number} for at in (start, end)]
    return [row | {"start": start, "end": end}]


def score_world(
    made: World, rules: Rules, *, maxima: Sequence[float] | None = None, **defects: bool
) -> Report:
    """Score a world as InterPLM does; all features reach 1 unless told otherwise."""
    store, table, folds = made
    top = np.array([1.0] * store.d_sae if maxima is None else maxima, dtype=np.float32)
    switches = Defects(**defects)
    truth = lay_truth(
        table, store.accessions, store.lengths, folds=folds, rules=rules, defects=switches
    )
    return protocol(StoreColumns(store), truth, maxima=top)


@pytest.fixture(scope="session")
def score() -> Callable[..., Report]:
    """Score a world as InterPLM does."""
    return score_world


@pytest.fixture(scope="session")
def world_at() -> Callable[..., World]:
    """Build a world in a folder that is given: for tests that make many."""
    return build_world


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., World]:
    """Build a world in a folder of its own."""
    return lambda codes, spans, **options: build_world(tmp_path / "codes", codes, spans, **options)
