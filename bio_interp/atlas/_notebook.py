"""How an atlas and its results show themselves in a notebook: in the notebook's own colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bio_interp.atlas._tables import as_cell
from bio_interp.render import Markup, concept_color, element, join, table

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas
    from bio_interp.atlas._calls import Call, ProteinResult

_COLUMNS = ("residues", "concept", "name", "link type", "precision", "interval", "features", "")


def show_atlas(atlas: Atlas) -> str:
    """Write what an atlas is as a small table."""
    info, links = atlas.info, atlas.links
    facts = {
        "model": f"{info.model}, {info.site}",
        "concepts": f"{links.concepts.height:,}",
        "features that make calls": f"{links.callers['feature'].n_unique():,}",
        "licence": info.licence,
        **{f"note {i}": note for i, note in enumerate(info.notes, 1)},
    }
    rows = [(element("strong", name), value) for name, value in facts.items()]
    head = element("p", element("strong", f"Atlas {info.name}"), f" {info.version}")
    return head + table(("", ""), rows)


def show_result(result: ProteinResult) -> str:
    """Write the status of a protein and its calls as a table."""
    status = result.protein
    facts = f" {status.length} residues, {status.status}"
    head = element("p", element("strong", status.accession), facts)
    note = element("p", status.note) if status.note else Markup("")
    if not result.calls:
        return head + note
    return head + note + table(_COLUMNS, map(_row, result.calls))


def _row(call: Call) -> list[object]:
    swatch = f"color:{concept_color(call.concept)}"
    known = call.precision == call.precision  # not NaN
    return [
        f"{call.start}-{call.end}",
        join([element("span", "\u25a0 ", style=swatch), call.concept]),
        as_cell(call.name),
        call.link_type,
        as_cell(call.precision),
        f"{call.precision_low:.2f} to {call.precision_high:.2f}" if known else "-",
        ", ".join(f"f{feature}" for feature in call.features),
        ", ".join(call.flags),
    ]
