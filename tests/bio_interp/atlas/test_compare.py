"""Two atlases side by side."""

from dataclasses import replace
from shutil import copytree

import polars as pl
import pytest

from bio_interp.atlas import COMPARED, Atlas, compare_atlases


def edited(toy_atlas, folder, *, name="other", split="s", links=None) -> Atlas:
    copytree(toy_atlas.folder, folder)
    atlas = Atlas(folder)
    replace(atlas.info, name=name, split_sha256=split).save(folder)
    if links is not None:
        links(atlas.links.links).write_parquet(folder / "links.parquet")
    return Atlas(folder)


def many(frame: pl.DataFrame, lift: float) -> pl.DataFrame:
    """Thirty concepts with F1 from 0 to 0.58, lifted, of 20 test clusters each."""
    one = frame.filter(link_type="locator")
    rows = [
        one.with_columns(
            concept=pl.lit(f"toy:{i:02}"),
            test_f1=pl.lit(0.02 * i + lift * (1 + i % 2)),
            test_clusters=pl.lit(20, dtype=pl.Int32),
        )
        for i in range(30)
    ]
    return pl.concat(rows)


def test_an_atlas_equals_itself(toy_atlas, tmp_path):
    one = edited(toy_atlas, tmp_path / "one")
    compared = compare_atlases(one, one)
    assert compared.comparable
    assert dict(compared.links.schema) == COMPARED
    assert set(compared.links["difference"]) == {0.0}
    assert all(a == b for _, a, b in compared.facts)
    assert compared.concepts() == (["toy:W"], [], [])


def test_the_difference_has_a_paired_interval_that_holds_it(toy_atlas, tmp_path):
    one = edited(toy_atlas, tmp_path / "one", links=lambda f: many(f, 0.0))
    two = edited(toy_atlas, tmp_path / "two", links=lambda f: many(f, 0.1))
    (row,) = compare_atlases(one, two).summary.iter_rows(named=True)
    assert row["concepts"] == 30
    assert row["difference"] == pytest.approx(0.15)
    # unpaired, the spread of F1 over concepts (0.17) would make it four times as wide
    assert 0.12 < row["low"] < 0.15 < row["high"] < 0.18


def test_concepts_of_few_test_clusters_are_listed_but_not_summed(toy_atlas, tmp_path):
    few = pl.col("test_clusters").clip(upper_bound=14)
    one = edited(toy_atlas, tmp_path / "one", links=lambda f: many(f, 0.0).with_columns(few))
    compared = compare_atlases(one, one)
    assert compared.links.height == 30
    assert compared.summary.height == 0


def test_concepts_of_one_side_only_are_named_and_make_no_difference(toy_atlas, tmp_path):
    one = edited(toy_atlas, tmp_path / "one", links=lambda f: many(f, 0.0))
    later = pl.col("concept") > "toy:01"
    two = edited(toy_atlas, tmp_path / "two", links=lambda f: many(f, 0.0).filter(later))
    compared = compare_atlases(one, two)
    both, only_a, only_b = compared.concepts()
    assert (len(both), only_a, only_b) == (28, ["toy:00", "toy:01"], [])
    assert compared.summary["difference"].to_list() == [0.0]
    assert compared.links.filter(concept="toy:00")["difference"].to_list() == [None]


@pytest.mark.parametrize(("a", "b"), [("s", "t"), ("", "")])
def test_other_splits_are_warned_of_and_get_no_interval(toy_atlas, tmp_path, a, b):
    one = edited(toy_atlas, tmp_path / "one", split=a, links=lambda f: many(f, 0.0))
    two = edited(toy_atlas, tmp_path / "two", split=b, links=lambda f: many(f, 0.1))
    compared = compare_atlases(one, two)
    assert not compared.comparable
    assert "split" in compared.warnings[0]
    assert compared.summary.select("low", "high").row(0) == (None, None)
    assert compared.to_dict()["comparable"] is False


def test_concepts_that_reach_the_precision_asked_for_are_counted(toy_atlas, tmp_path):
    one = edited(toy_atlas, tmp_path / "one")
    best = float(one.links.calibration["low"].max())
    counted = [
        dict((fact, a) for fact, a, _ in compare_atlases(one, one, min_precision=p).facts)
        for p in (best - 0.01, best + 0.01)
    ]
    found = [next(v for k, v in facts.items() if "reach a lower bound" in k) for facts in counted]
    assert found == [1, 0]
