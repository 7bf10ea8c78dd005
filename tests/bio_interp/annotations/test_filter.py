import numpy as np
import polars as pl
import pytest

from bio_interp.annotations import (
    EVIDENCE_LEVELS,
    AnnotationTable,
    at_least,
    evidence_level,
    evidence_levels,
    filter_evidence,
)
from bio_interp.errors import AnnotationError
from bio_interp.linking import lay_labels

EXPERIMENT, SIMILAR, MODEL = "ECO:0000269", "ECO:0000250", "ECO:0000255"


def row(start: int, end: int, evidence: str, concept: str = "toy:A") -> dict[str, object]:
    return {
        "accession": "P1",
        "start": start,
        "end": end,
        "concept": concept,
        "evidence": evidence,
        "source": "toy",
    }


def table(*rows: dict[str, object]) -> AnnotationTable:
    looked = {"accession": "P1", "start": 1, "end": 20, "kind": "toy", "state": "looked"}
    concepts = [
        {"concept": name, "name": name, "kind": "toy", "level": "span", "source": "toy"}
        for name in ("toy:A", "toy:B")
    ]
    return AnnotationTable.from_records(rows, [looked | {"source": "toy"}], concepts)


def labels_of(kept: AnnotationTable):
    one = {"P1": "test"}
    return lay_labels(kept, ["P1"], np.array([20]), folds=one, clusters=one, min_clusters={})


def test_rows_of_less_evidence_become_unknown_and_never_negative() -> None:
    rows = [row(2, 4, EXPERIMENT), row(10, 12, SIMILAR), row(16, 16, ""), row(6, 7, MODEL)]
    kept = filter_evidence(table(*rows), at_least("similarity"))
    assert kept.rows["start"].to_list() == [2, 10]
    labels = labels_of(kept)
    assert labels.positives.rows() == [(1, 4, 0, 0), (9, 12, 0, 0)]
    assert labels.unknowns.rows() == [(5, 7, 0, 0), (15, 16, 0, 0)]
    assert labels.looked.rows() == [(0, 20, 0, 0)]


def test_a_weak_row_over_a_strong_one_hides_nothing_of_it() -> None:
    kept = filter_evidence(table(row(5, 8, EXPERIMENT), row(3, 10, MODEL)), ["experimental"])
    labels = labels_of(kept)
    assert labels.positives.rows() == [(4, 8, 0, 0)]
    assert labels.unknowns.rows() == [(2, 4, 0, 0), (8, 10, 0, 0)]


def test_a_weak_row_of_one_concept_says_nothing_of_another() -> None:
    rows = [row(5, 8, EXPERIMENT), row(5, 8, MODEL, "toy:B"), row(1, 2, EXPERIMENT, "toy:B")]
    labels = labels_of(filter_evidence(table(*rows), ["experimental"]))
    assert labels.positives.rows() == [(0, 2, 1, 0), (4, 8, 0, 0)]
    assert labels.unknowns.rows() == [(4, 8, 1, 0)]


def test_all_levels_keep_all_rows_and_add_nothing() -> None:
    whole = table(row(2, 4, EXPERIMENT), row(10, 12, ""))
    kept = filter_evidence(whole, EVIDENCE_LEVELS)
    assert kept.rows.equals(whole.rows)
    assert kept.coverage.equals(whole.coverage)
    assert kept.concepts.equals(whole.concepts)


def test_levels_need_not_be_neighbours() -> None:
    whole = table(*(row(i + 1, i + 1, e) for i, e in enumerate((EXPERIMENT, SIMILAR, MODEL))))
    kept = filter_evidence(whole, {"experimental", "sequence_model"})
    assert kept.rows["evidence"].to_list() == [EXPERIMENT, MODEL]


def test_levels_of_a_column_are_those_of_each_code() -> None:
    codes = [EXPERIMENT, "ECO:0007829", SIMILAR, MODEL, "ECO:0000305", "", "ECO:9999999", SIMILAR]
    told = evidence_levels(pl.Series(codes))
    assert told.to_list() == [evidence_level(code) for code in codes]
    assert evidence_levels(pl.Series([], dtype=pl.String)).to_list() == []


def test_a_level_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(AnnotationError, match=r"experimental, combinatorial.*'strong'"):
        filter_evidence(table(), ["strong"])  # type: ignore[list-item]
