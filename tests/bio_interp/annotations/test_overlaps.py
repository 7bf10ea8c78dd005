import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.annotations import (
    COVERAGE,
    ROWS,
    equivalent_concepts,
    group_concepts,
    resolve_overlaps,
)
from bio_interp.spans import Span

_SCHEMA = {**ROWS, "bits": pl.Float64}


def _hits(*hits: tuple[str, int, int, str, float]) -> pl.DataFrame:
    rows = [
        {"accession": a, "start": s, "end": e, "concept": c, "bits": b, "source": "pfam"}
        for a, s, e, c, b in hits
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def test_the_better_of_two_overlapping_hits_stays_and_the_other_is_unknown() -> None:
    rows = _hits(("P1", 10, 60, "pfam:WEAK", 20.0), ("P1", 1, 50, "pfam:STRONG", 90.0))
    kept, ignored = resolve_overlaps(rows)
    assert kept["concept"].to_list() == ["pfam:STRONG"]
    assert kept.columns == rows.columns
    assert ignored.schema == pl.Schema(COVERAGE)
    assert ignored.rows() == [("P1", 10, 60, "pfam:WEAK", "unknown", "pfam")]


def test_hits_on_different_proteins_do_not_compete() -> None:
    rows = _hits(("P1", 1, 50, "pfam:A", 1.0), ("P2", 1, 50, "pfam:B", 2.0))
    kept, ignored = resolve_overlaps(rows)
    assert kept.equals(rows)
    assert ignored.is_empty()


def test_an_overlap_of_half_the_shorter_hit_is_allowed_and_one_residue_more_is_not() -> None:
    rows = _hits(("P1", 1, 100, "pfam:A", 9.0), ("P1", 96, 105, "pfam:B", 1.0))
    assert resolve_overlaps(rows)[0].height == 2
    rows = _hits(("P1", 1, 100, "pfam:A", 9.0), ("P1", 95, 104, "pfam:B", 1.0))
    assert resolve_overlaps(rows)[0]["concept"].to_list() == ["pfam:A"]


def test_a_hit_beaten_only_by_a_beaten_hit_stays() -> None:
    rows = _hits(
        ("P1", 1, 40, "pfam:A", 9.0), ("P1", 15, 60, "pfam:B", 5.0), ("P1", 41, 80, "pfam:C", 1.0)
    )
    assert resolve_overlaps(rows)[0]["concept"].to_list() == ["pfam:A", "pfam:C"]


_SPANS = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2"]),
        st.integers(1, 60),
        st.integers(1, 30),
        st.sampled_from("ABCD"),
        st.integers(0, 5),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(_SPANS)
def test_kept_hits_never_clash_and_every_other_clashes_with_a_better_one(spans) -> None:
    rows = _hits(*((a, s, s + n - 1, c, float(b)) for a, s, n, c, b in spans))
    kept, ignored = resolve_overlaps(rows)
    assert kept.height + ignored.height == rows.height

    def clash(a: dict, b: dict) -> bool:
        left, right = Span(a["start"], a["end"]), Span(b["start"], b["end"])
        shorter = min(len(left), len(right))
        return a["accession"] == b["accession"] and left.overlap(right) > shorter / 2

    held = kept.to_dicts()
    assert not any(clash(a, b) for i, a in enumerate(held) for b in held[:i])
    for gone in ignored.to_dicts():
        score = min(
            row["bits"]
            for row in rows.to_dicts()
            if (row["accession"], row["start"], row["end"], row["concept"])
            == (gone["accession"], gone["start"], gone["end"], gone["kind"])
        )
        assert any(clash(gone, k) and k["bits"] >= score for k in held)


@settings(deadline=None, max_examples=60)
@given(_SPANS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(spans, random) -> None:
    hits = [(a, s, s + n - 1, c, float(b)) for a, s, n, c, b in set(spans)]
    before = resolve_overlaps(_hits(*hits))[0]
    random.shuffle(hits)
    after = resolve_overlaps(_hits(*hits))[0]
    assert sorted(map(str, before.rows())) == sorted(map(str, after.rows()))


def _pairs(first: str, second: str, proteins: range, shift: int = 5) -> list:
    return [
        hit
        for i in proteins
        for hit in ((f"P{i}", 1, 100, first, 9.0), (f"P{i}", 1 + shift, 100, second, 5.0))
    ]


def test_families_that_co_hit_form_a_group_led_by_the_commonest() -> None:
    hits = _pairs("pfam:AAA", "pfam:AAA_5", range(5))
    hits += [("P9", 1, 80, "pfam:AAA", 3.0), ("P9", 200, 280, "pfam:OTHER", 3.0)]
    assert group_concepts(_hits(*hits)) == {"pfam:AAA": ["pfam:AAA", "pfam:AAA_5"]}


def test_families_that_touch_over_less_than_half_of_the_longer_are_no_group() -> None:
    hits = _pairs("pfam:LONG", "pfam:SHORT", range(5), shift=51)
    assert group_concepts(_hits(*hits)) == {}


def test_a_co_hit_in_fewer_proteins_than_asked_is_no_group() -> None:
    hits = _hits(*_pairs("pfam:A", "pfam:B", range(2)))
    assert group_concepts(hits) == {}
    assert group_concepts(hits, min_proteins=2) == {"pfam:A": ["pfam:A", "pfam:B"]}


def test_groups_do_not_chain_from_family_to_family() -> None:
    hits = _pairs("pfam:A", "pfam:B", range(10)) + _pairs("pfam:B", "pfam:C", range(10, 14))
    hits += [(f"P{i}", 1, 100, "pfam:A", 9.0) for i in range(20, 30)]
    # C co-hits B in all of its proteins, but never B's leader
    assert group_concepts(_hits(*hits)) == {"pfam:A": ["pfam:A", "pfam:B"]}


def test_no_hits_give_nothing() -> None:
    kept, ignored = resolve_overlaps(_hits())
    assert kept.is_empty()
    assert ignored.is_empty()
    assert group_concepts(_hits()) == {}


def _beside(proteins: int, *more: tuple[str, int, int, str, float]) -> pl.DataFrame:
    """Two concepts on the same residues of some proteins."""
    names = [f"P{i}" for i in range(proteins)]
    both = [(n, 10, 60, "a", 1.0) for n in names] + [(n, 12, 60, "b", 1.0) for n in names]
    return _hits(*both, *more)


def test_concepts_on_the_same_residues_are_equivalent_both_ways() -> None:
    assert equivalent_concepts(_beside(3)) == {"a": frozenset({"b"}), "b": frozenset({"a"})}


def test_two_proteins_are_a_coincidence() -> None:
    assert equivalent_concepts(_beside(2)) == {}


def test_a_concept_that_is_mostly_elsewhere_is_wider_and_not_equivalent() -> None:
    elsewhere = [(f"X{i}", 1, 9, "b", 1.0) for i in range(4)]  # 3 of the 7 rows of b lie on a
    assert equivalent_concepts(_beside(3, *elsewhere)) == {}
    assert equivalent_concepts(_beside(3, *elsewhere[:3])) != {}


def test_a_part_is_not_equivalent_to_the_whole() -> None:
    names = ["P1", "P2", "P3"]
    rows = _hits(
        *((n, 1, 100, "whole", 1.0) for n in names), *((n, 1, 50, "part", 1.0) for n in names)
    )
    assert equivalent_concepts(rows) == {}
