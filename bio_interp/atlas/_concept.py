"""One concept of an atlas: its features, how well they find it, what its calls are worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import polars as pl

from bio_interp.atlas._tables import text_table, titled_table
from bio_interp.errors import NotFoundError

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas
    from bio_interp.linking import LinkTable

FEW = 15  # test clusters; figures on fewer are marked
_LINK_COLUMNS = ("link type", "feature", "select F1", "test F1", "precision", "recall", "clusters")
_LINK_FIELDS = ("select_f1", "test_f1", "test_precision", "test_recall")
_CALLER_COLUMNS = ("feature", "threshold")
_CURVE_COLUMNS = ("strength from", "precision", "low", "high", "calls", "clusters (weighted)")


@dataclass(frozen=True)
class AtlasConcept:
    """What an atlas knows of one concept; made by `Atlas.concept`.

    Attributes
    ----------
    atlas
        Name of the atlas.
    facts
        Row of the concepts table: ``concept, name, level, world, release, members, xrefs``.
    links
        The best feature by each link type: columns of `bio_interp.linking.LINKS`.
    callers
        Features that make its calls: ``feature, threshold``; see `bio_interp.linking.CallRule`.
    shortest
        Runs of fewer residues are no calls.
    curve
        What calls are worth, by strength: columns of `bio_interp.linking.CALIBRATION`. A row
        holds from its ``strength`` up to the next row's.
    members
        Ids and names of the concepts in it, where it is a group; names only of those known here.
    groups
        Ids and names of the groups it is a member of.
    """

    atlas: str
    facts: dict[str, Any]
    links: pl.DataFrame = field(repr=False)
    callers: pl.DataFrame = field(repr=False)
    shortest: int
    curve: pl.DataFrame = field(repr=False)
    members: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, str], ...] = ()

    @property
    def concept(self) -> str:
        """Its id, such as ``pfam:PF00069``."""
        return self.facts["concept"]

    @property
    def name(self) -> str:
        """Its name in words."""
        return self.facts["name"]

    @property
    def best_low(self) -> float:
        """Highest lower bound of precision that any of its calls can reach; 0 without a curve."""
        return float(self.curve["low"].max() or 0.0)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        parts = [f"{self.concept}  {self.name}", *(f"  {line}" for line in self._about())]
        parts += [
            "links: the best feature by each measure",
            self._text(_LINK_COLUMNS, self._rows()),
        ]
        if self.links.height and self.links["test_clusters"].min() < FEW:  # type: ignore[operator]
            parts.append(f"  * fewer than {FEW} test clusters bear it: F1 is a rough figure")
        about = f"calls are runs of {self.shortest} or more residues where any of these is on"
        parts += [about, self._text(_CALLER_COLUMNS, self._caller_rows())]
        parts += ["what a call is worth", self._text(_CURVE_COLUMNS, self._curve_rows())]
        parts.append(f"  highest lower bound: {self.best_low:.2f}")
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        title = f"{self.concept}: {self.name}"
        return "".join(
            (
                titled_table(title, _LINK_COLUMNS, self._rows()),
                titled_table("calls are made by", _CALLER_COLUMNS, self._caller_rows()),
                titled_table("what a call is worth", _CURVE_COLUMNS, self._curve_rows()),
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, ready for JSON; features are addresses."""
        address = pl.format(f"{self.atlas}/f{{}}", "feature").alias("feature")
        return {
            **self.facts,
            "shortest_call": self.shortest,
            "links": self.links.drop("concept", "name").with_columns(address).to_dicts(),
            "callers": self.callers.with_columns(address).to_dicts(),
            "calibration": self.curve.drop("concept").to_dicts(),
            "members": [{"concept": c, "name": n} for c, n in self.members],
            "groups": [{"concept": c, "name": n} for c, n in self.groups],
        }

    def _about(self) -> list[str]:
        where = "sites of single residues" if self.facts["level"] == "residue" else "spans"
        closed = self.facts["world"] == "closed"
        world = (
            "lists all of them" if closed else "is incomplete: precision is at least what it says"
        )
        lines = [f"{where}; the source {world}"]
        for title, concepts in (("members", self.members), ("member of", self.groups)):
            if concepts:
                shown = ", ".join(f"{c} ({n})" if n else c for c, n in concepts)
                lines.append(f"{title}: {shown}")
        xrefs = self.facts.get("xrefs") or []
        return [*lines, f"see also: {', '.join(xrefs)}"] if xrefs else lines

    def _text(self, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
        return text_table(columns, rows) if rows else "  none"

    def _rows(self) -> list[tuple[object, ...]]:
        return [
            (
                row["link_type"],
                f"f{row['feature']}",
                *(row[name] for name in _LINK_FIELDS),
                f"{row['test_clusters']}{'*' if row['test_clusters'] < FEW else ''}",
            )
            for row in self.links.iter_rows(named=True)
        ]

    def _caller_rows(self) -> list[tuple[object, ...]]:
        rows = self.callers.iter_rows()
        return [(f"f{feature}", threshold) for feature, threshold in rows]

    def _curve_rows(self) -> list[tuple[object, ...]]:
        columns = ("strength", "precision", "low", "high", "n", "clusters")
        return list(self.curve.select(columns).iter_rows())


def find_concepts(links: LinkTable, text: str) -> list[tuple[str, str]]:
    """Find the concepts that a text may mean, as pairs of id and name.

    The one whose id or whole name it is (capitals aside); else all that have it in their id or
    name, or as a member or cross-reference; sorted by id. Empty where there is none.
    """
    wanted = " ".join(text.split()).lower()
    inside: list[tuple[str, str]] = []
    exact: list[tuple[str, str]] = []
    for row in links.concepts.select("concept", "name", "members", "xrefs").iter_rows():
        concept, name = row[0], row[1] or ""
        if wanted in (concept.lower(), concept.partition(":")[2].lower(), name.lower()):
            exact.append((concept, name))
        others = {str(other).lower() for other in (*(row[2] or ()), *(row[3] or ()))}
        accessions = {other.partition(":")[2] for other in others}
        if wanted in f"{concept} {name}".lower() or wanted in others | accessions:
            inside.append((concept, name))
    return sorted(exact if len(exact) == 1 else inside)


def read_concept(atlas: Atlas, text: str) -> AtlasConcept:
    """Gather what an atlas knows of a concept; see `Atlas.concept`."""
    found = find_concepts(atlas.links, text) if text.strip() else []
    if len(found) != 1:
        raise _not_one(atlas, text, found)
    return _gather(atlas, found[0][0])


def each_concept(atlas: Atlas) -> Iterator[AtlasConcept]:
    """Look at all concepts of an atlas, in the order of its table; see `Atlas.concept`."""
    for concept in atlas.links.concepts["concept"]:
        yield _gather(atlas, concept)


def _gather(atlas: Atlas, concept: str) -> AtlasConcept:
    table, own = atlas.links, pl.col("concept") == concept
    facts = table.concepts.filter(own).row(0, named=True)
    names = dict(table.concepts.select("concept", "name").iter_rows())
    holders = table.concepts.filter(pl.col("members").list.contains(concept))
    callers = table.callers.filter(own)
    return AtlasConcept(
        atlas=atlas.name,
        facts=facts,
        links=table.links.filter(own).sort("link_type"),
        callers=callers.select("feature", pl.col("threshold").cast(pl.Float64)),
        shortest=callers["shortest"][0] if callers.height else 0,
        curve=table.calibration.filter(own).sort("strength"),
        members=tuple((m, names.get(m, "")) for m in facts["members"] or ()),
        groups=tuple(holders.select("concept", "name").iter_rows()),
    )


def nearest_concepts(links: LinkTable, text: str) -> list[str]:
    """List ids and names that are spelt alike, five at most."""
    known: dict[str, str] = {}
    for concept, name in links.concepts.select("concept", "name").iter_rows():
        shown = f"{concept} ({name})"
        known |= {key.lower(): shown for key in (concept, concept.partition(":")[2], name) if key}
    close = get_close_matches(text.lower(), known, n=8, cutoff=0.6)
    return list(dict.fromkeys(known[key] for key in close))[:5]


def _not_one(atlas: Atlas, text: str, found: list[tuple[str, str]]) -> NotFoundError:
    if found:
        shown = ", ".join(f"{c} ({n})" for c, n in found[:10])
        more = f" and {len(found) - 10} more" if len(found) > 10 else ""
        got = f"{text!r}, which fits {len(found)}: {shown}{more}"
        return NotFoundError("one concept", got, "Name one of them.")
    return no_concept(atlas, text)


def no_concept(atlas: Atlas, text: str) -> NotFoundError:
    """Say that a text fits no concept, and which are spelt alike."""
    near = nearest_concepts(atlas.links, text)
    hint = f"Spelt alike: {', '.join(near)}." if near else "Try a part of its name."
    return NotFoundError(
        f"one of the {atlas.links.concepts.height} concepts of the atlas {atlas.name!r}",
        repr(text),
        hint,
    )
