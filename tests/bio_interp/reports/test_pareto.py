import polars as pl
import pytest

from bio_interp.reports import pareto_plots

ROWS = [
    {"site": site, "width": width, "k": k, "architecture": "topk", "l0": float(k),
     "fvu": 1 / k, "ce_recovered": 1 - 1 / k, "ce_recovered_low": 0.1, "ce_recovered_high": 1.0}
    for site in ("layer.1", "layer.2", "layer.3", "layer.4", "layer.5")
    for width in (64, 128)
    for k in (4, 8)
]  # fmt: skip


@pytest.mark.parametrize("y", ["fvu", "ce_recovered"])
def test_both_files_show_every_site_and_are_the_same_each_time(tmp_path, y):
    for name in ("one", "two"):
        pareto_plots(pl.DataFrame(ROWS), y, tmp_path / name)
    svg = (tmp_path / "one.svg").read_text()
    for word in ("layer.1", "layer.5", "64 topk", "128 topk", "L0"):
        assert word in svg
    for suffix in (".png", ".svg"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_saes_without_a_value_are_left_out(tmp_path):
    table = pl.DataFrame(ROWS).with_columns(fvu=pl.when(width=64).then("fvu"))
    pareto_plots(table, "fvu", tmp_path / "some")
    svg = (tmp_path / "some.svg").read_text()
    assert "64 topk" in svg
    assert "128 topk" not in svg
