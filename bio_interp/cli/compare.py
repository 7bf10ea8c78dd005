"""``bio-interp compare``."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import Common
from bio_interp.cli._show import show_json, usual_form

if TYPE_CHECKING:
    from bio_interp.atlas import AtlasComparison

_COMMON = Common()
_SHOWN = 20  # links in a table


def compare(
    a: str,
    b: str,
    /,
    *,
    min_precision: float = 0.8,
    format: Annotated[Literal["table", "tsv", "json"] | None, Parameter(alias="-f")] = None,
    common: Common = _COMMON,
) -> None:
    """Compare two atlases: what each knows, and how well.

    Parameters
    ----------
    a, b
        Names of installed atlases, or folders of such. Differences are B minus A.
    min_precision
        Count the concepts whose calls can reach this lower bound of precision.
    format
        table for people; tsv (a row a concept and link type) and json have everything. A table on
        a terminal and TSV in a pipe where not given.
    """
    common.start()
    from bio_interp.atlas import compare_atlases, load_atlas

    compared = compare_atlases(load_atlas(a), load_atlas(b), min_precision=min_precision)
    form = format or usual_form()
    for line in compared.warnings:
        sys.stderr.write(f"WARNING: {line}\n")
    if form == "json":
        show_json(compared.to_dict())
    elif form == "tsv":
        _write_tsv(compared)
    else:
        _write_tables(compared)


def _write_tsv(compared: "AtlasComparison") -> None:
    for line in compared.warnings:
        sys.stdout.write(f"# WARNING: {line}\n")
    for fact, left, right in compared.facts:
        sys.stdout.write(f"# {fact}: A {_text(left)}; B {_text(right)}\n")
    table = compared.links.write_csv(separator="\t", null_value="-", float_precision=4)
    sys.stdout.write(table)


def _text(value: object) -> str:
    return "-" if value is None else " ".join(str(value).split())


def _write_tables(compared: "AtlasComparison") -> None:
    import polars as pl

    from bio_interp.atlas import text_table

    name_a, name_b = compared.names
    both, only_a, only_b = compared.concepts()
    out = [f"A {name_a}, B {name_b}", text_table(("", "A", "B"), compared.facts)]
    out.append(f"concepts: {len(both)} in both, {len(only_a)} only in A, {len(only_b)} only in B")
    out.append("test F1, mean over concepts with 15 or more test clusters in both (B minus A)")
    columns = ("link type", "concepts", "A", "B", "difference", "95 % low", "high")
    out.append(text_table(columns, compared.summary.iter_rows()))
    ranked = compared.links.filter(pl.col("difference") != 0).sort(
        pl.col("difference").abs(), "concept", "link_type", descending=[True, False, False]
    )
    shown = ranked.head(_SHOWN)
    out.append(f"largest differences ({shown.height} of {ranked.height} links; -f tsv has all)")
    fields = ("concept", "link_type", "test_f1_a", "test_f1_b", "difference")
    clusters = ("test_clusters_a", "test_clusters_b")
    titles = ("concept", "link type", "A", "B", "difference", "clusters A", "clusters B")
    out.append(text_table(titles, shown.select(*fields, *clusters).iter_rows()))
    sys.stdout.write("\n".join(out) + "\n")
    for line in compared.warnings:
        sys.stdout.write(f"WARNING: {line}\n")
