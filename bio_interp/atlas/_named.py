"""Which features have a name: the concept that each is best linked with."""

from __future__ import annotations

import polars as pl

from bio_interp.atlas._price import TYPES
from bio_interp.features import FeatureConcept

LEAST_F1 = 0.5  # on the select fold; a feature of worse links has no name


def named_features(links: pl.DataFrame) -> dict[int, FeatureConcept]:
    """Choose for each feature its link of highest F1 on the select fold, where that is 0.5 or more.

    `links` is `LinkTable.links`. Nothing is chosen by the test fold, whose F1 comes along.
    """
    good = links.filter(pl.col("link_type").is_in(TYPES), pl.col("select_f1") >= LEAST_F1)
    best = good.sort("select_f1", "concept", "link_type", descending=[True, False, False])
    columns = ("concept", "name", "link_type", "select_f1", "test_f1")
    rows = best.unique("feature", keep="first", maintain_order=True).sort("feature")
    return {
        int(f): FeatureConcept(*row) for f, *row in rows.select("feature", *columns).iter_rows()
    }
