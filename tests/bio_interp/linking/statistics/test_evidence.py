import polars as pl
import pytest

from bio_interp.annotations import EVIDENCE_LEVELS, AnnotationTable, at_least, filter_evidence
from bio_interp.linking.statistics import EVIDENCE, evidence_left

LEVELS = {"experimental": "ECO:0000269", "similarity": "ECO:0000250", "unknown": ""}


def world(counts):
    """Single-protein clusters with one row each: ``counts[concept, fold, level]`` of them."""
    rows, folds = [], {}
    for (concept, fold, level), n in counts.items():
        for _ in range(n):
            name = f"P{len(folds):03d}"
            folds[name] = fold
            rows.append(
                {
                    "accession": name,
                    "start": 1,
                    "end": 9,
                    "concept": concept,
                    "evidence": LEVELS[level],
                    "source": "toy",
                }
            )
    concepts = [{"concept": c} for c in ("toy:A", "toy:B")]
    return AnnotationTable.from_records(rows, [], concepts), folds


def at(left, concept, level, fold):
    return left.filter(concept=concept, level=level, fold=fold).row(0, named=True)


def test_what_is_left_adds_up_from_the_strongest_level_down():
    table, folds = world(
        {
            ("toy:A", "test", "experimental"): 14,
            ("toy:A", "test", "similarity"): 1,
            ("toy:A", "test", "unknown"): 4,
            ("toy:A", "select", "similarity"): 30,
            ("toy:B", "select", "experimental"): 20,
        }
    )
    left = evidence_left(table, folds=folds, clusters={a: a for a in folds})
    assert dict(left.schema) == EVIDENCE
    assert left.height == 2 * 6 * 2  # every concept, level and fold, also where nothing is left
    told = left.filter(concept="toy:A", fold="test")
    assert told["level"].to_list() == list(EVIDENCE_LEVELS)
    assert told["positives"].to_list() == [14, 14, 15, 15, 15, 19]
    assert told["testable"].to_list() == [False, False, True, True, True, True]
    # it is the test clusters that count, in the rows of all folds
    assert not at(left, "toy:A", "combinatorial", "select")["testable"]
    assert at(left, "toy:A", "similarity", "select")["testable"]
    assert at(left, "toy:B", "experimental", "test")["positives"] == 0
    assert not left.filter(concept="toy:B")["testable"].any()


def test_clusters_count_and_not_proteins_or_rows():
    table, folds = world({("toy:A", "test", "experimental"): 20})
    table = AnnotationTable(
        pl.concat([table.rows, table.rows.with_columns(start=pl.lit(20, pl.Int32))]),
        table.coverage,
        table.concepts,
    )
    clusters = {a: f"cluster{i % 14}" for i, a in enumerate(folds)}
    told = at(evidence_left(table, folds=folds, clusters=clusters), "toy:A", "experimental", "test")
    assert (told["positives"], told["proteins"], told["clusters"]) == (40, 20, 14)
    assert not told["testable"]
    fewer = evidence_left(table, folds=folds, clusters=clusters, min_clusters=14)
    assert at(fewer, "toy:A", "experimental", "test")["testable"]


@pytest.mark.parametrize("level", EVIDENCE_LEVELS)
def test_as_many_are_left_as_the_filter_leaves(level):
    table, folds = world({("toy:A", "test", name): 3 + i for i, name in enumerate(LEVELS)})
    left = evidence_left(table, folds=folds, clusters={a: a for a in folds})
    kept = filter_evidence(table, at_least(level))
    assert at(left, "toy:A", level, "test")["positives"] == kept.rows.height


def test_proteins_without_a_fold_are_left_out():
    table, folds = world({("toy:A", "test", "experimental"): 5})
    some = dict(list(folds.items())[:2])
    left = evidence_left(table, folds=some, clusters={a: a for a in some})
    assert at(left, "toy:A", "experimental", "test")["positives"] == 2
