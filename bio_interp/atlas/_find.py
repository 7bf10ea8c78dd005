"""Features of an atlas for a concept, or for words of a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from bio_interp.atlas._concept import find_concepts, no_concept

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas

LINKED = (
    "concept",
    "name",
    "link_type",
    "feature",
    "threshold",
    "select_f1",
    "test_f1",
    "test_precision",
    "test_recall",
    "test_clusters",
)


def find_links(atlas: Atlas, text: str) -> pl.DataFrame:
    """List the links of all concepts that a text may mean, best first.

    Parameters
    ----------
    atlas
        Where to look; neither its model nor its SAE is loaded.
    text
        An id, a name, a part of one, or words that are all in it.

    Returns
    -------
    DataFrame
        Columns `LINKED`; ``feature`` is an address. Ranked by the F1 on the select fold, so that
        nothing is chosen by the test fold; links of the type ``interplm``, whose F1 is generous,
        come last.

    Raises
    ------
    NotFoundError
        No concept fits; the message lists those spelt alike.
    """
    found = find_concepts(atlas.links, text) if text.strip() else []
    ids = {concept for concept, _ in found} or _with_all_words(atlas, text)
    if not ids:
        raise no_concept(atlas, text)
    generous = pl.col("link_type") == "interplm"
    links = atlas.links.links.filter(pl.col("concept").is_in(ids))
    order = (generous, "select_f1", "concept", "link_type")
    ranked = links.sort(*order, descending=[False, True, False, False])
    return ranked.with_columns(pl.format(f"{atlas.name}/f{{}}", "feature").alias("feature")).select(
        LINKED
    )


def _with_all_words(atlas: Atlas, text: str) -> set[str]:
    words = [{c for c, _ in find_concepts(atlas.links, word)} for word in text.split()]
    return set[str].intersection(*words) if words else set()
