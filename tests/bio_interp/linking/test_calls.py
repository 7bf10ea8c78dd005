"""The calls of many rules at once, against the definition written out for one rule."""

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csc_matrix

from bio_interp.annotations import CONCEPTS
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, Caller, CallRule, LinkTable, RawCall
from bio_interp.spans import runs


def _by_definition(codes, concept: str, rule: CallRule, max_gap: int) -> list[RawCall]:
    features = list(rule.thresholds)
    dense = codes.toarray()[:, features].T
    limits = np.array(list(rule.thresholds.values()), dtype=np.float32)[:, None]
    on = np.where(dense >= limits, dense, 0.0)
    found = []
    for start, end in runs(on.max(axis=0) > 0, max_gap=max_gap).tolist():
        block = on[:, start - 1 : end]
        length, peaks = end - start + 1, block.max(axis=1)
        if length < rule.shortest:
            continue
        order = [i for i in np.argsort(-peaks, kind="stable") if peaks[i] > 0]
        firing = np.count_nonzero(block) / length
        strength = rule.strength(length, len(order) / len(features), firing)
        called = tuple(features[i] for i in order)
        found.append(RawCall(concept, start, end, called, float(peaks[order[0]]), strength))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_calls_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 9, (120, 30)) * (rng.random((120, 30)) < 0.04 * (1 + seed % 4))
    codes = csc_matrix(dense.astype(np.float32))
    rules = {
        f"concept{i}": CallRule(
            {int(f): float(rng.integers(0, 7)) for f in rng.permutation(30)[: 1 + i % 5]},
            int(rng.choice([1, 1, 4, 12])),
            tuple(rng.normal(size=4)),
        )
        for i in range(15)
    }
    sites = frozenset({"concept2", "concept7"})
    expected = [
        call
        for concept, rule in rules.items()
        for call in _by_definition(codes, concept, rule, 0 if concept in sites else 5)
    ]
    assert Caller(rules, sites).calls(codes) == expected
    assert expected


def test_no_rules_and_no_codes_make_no_calls() -> None:
    assert Caller({}, frozenset()).calls(csc_matrix((5, 3), dtype=np.float32)) == []
    rule = CallRule({1: 0.5}, 1, (0.0, 0.0, 0.0, 0.0))
    assert Caller({"c": rule}, frozenset()).calls(csc_matrix((5, 3), dtype=np.float32)) == []


def test_names_in_tables_of_others_cannot_drive_a_terminal(tmp_path) -> None:
    concept = {name: [None] for name in CONCEPTS} | {"concept": ["x:1"], "group": ["x/span"]}
    concepts = pl.DataFrame(
        {**concept, "name": ["a\x1b[31m\x07\nb"]}, schema={**CONCEPTS, "group": pl.String}
    )
    empty = (pl.DataFrame(schema=schema) for schema in (LINKS, CALLERS, CALIBRATION))
    LinkTable(*empty, concepts).save(tmp_path)
    assert LinkTable.load(tmp_path).concepts["name"].item() == "a\\x1b[31m\\x07\\nb"
