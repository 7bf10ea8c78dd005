"""Draw the calls of one protein as tracks: a ruler, domains, motifs, sites, features."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.render import Markup, concept_color, element, join
from bio_interp.reports._columns import as_text
from bio_interp.spans import runs

if TYPE_CHECKING:
    from bio_interp.atlas import Call, ProteinResult

GROUPS = {"domain": "Domains and regions", "motif": "Motifs", "site": "Sites"}
HEAT_ROWS = 40  # features drawn for a protein; the table has all
_HEAT_BINS = 200  # steps that a protein is drawn in
_HEAT_LEVELS = 5
_NAMED_RUNS = 5
_SITE_KINDS = frozenset(
    {"ACT_SITE", "BINDING", "SITE", "MOD_RES", "LIPID", "CARBOHYD", "DISULFID", "CROSSLNK"}
    | {"METAL", "CA_BIND", "NP_BIND"}
)


def tracks(result: ProteinResult, *, anchor: str, atlas: str) -> Markup:
    """Draw a protein; call number ``i`` links to the element ``<anchor>-<i>``.

    The rows are those of InterPro's pages, in their order: ruler, domains, motifs, sites, and then
    how the features behind the calls fire, a row a feature.
    """
    length = max(1, result.protein.length)
    groups: dict[str, dict[str, list[tuple[int, Call]]]] = {group: {} for group in GROUPS}
    for number, call in enumerate(result.calls, start=1):
        if call.link_type != "unlinked":
            groups[call_group(call.concept)].setdefault(call.concept, []).append((number, call))
    rows = [_ruler(length)]
    for group, concepts in groups.items():
        if concepts:
            rows.append(element("h3", GROUPS[group]))
        rows += [
            _row(
                calls[0][1].name,
                join(_bar(call, length, group, f"{anchor}-{number}") for number, call in calls),
            )
            for calls in concepts.values()
        ]
    heat = list(_heat_rows(result, atlas))
    if heat:
        rows += [element("h3", "Features"), *heat]
    return element("div", *rows, class_="tracks")


def describe(call: Call) -> str:
    r"""Say all of a call in lines of text.

    The lines are name, concept, residues, precision with interval and n, features, and flags
    where it has any.
    """
    features = ", ".join(f"f{feature}" for feature in call.features)
    lines = [call.name, call.concept, f"residues {call.start}-{call.end}", precision_text(call)]
    lines.append(f"features {features}")
    if call.flags:
        lines.append(", ".join(call.flags))
    return "\n".join(lines)


def precision_text(call: Call) -> str:
    """Say a precision with its interval and n."""
    if math.isnan(call.precision):
        return "precision not known"
    low, high = as_text("precision_low", call.precision_low), f"{call.precision_high:.3f}"
    return f"precision {call.precision:.3f} ({low} to {high}), n = {call.n}"


def call_group(concept: str) -> str:
    """Choose the rows of a concept.

    Examples
    --------
    >>> [call_group(c) for c in ("pfam:PF00069", "prosite:PS00107", "uniprot:ACT_SITE/Nucleophile")]
    ['domain', 'motif', 'site']
    """
    source, _, rest = concept.partition(":")
    kind = rest.partition("/")[0]
    if source == "prosite" or kind == "MOTIF":
        return "motif"
    return "site" if source == "uniprot" and kind in _SITE_KINDS else "domain"


def _row(label: str, content: Markup, *, class_: str = "row", title: str | None = None) -> Markup:
    name = element("span", label, class_="label", title=title or label)
    return element("div", name, element("div", content, class_="lane"), class_=class_)


def _bar(call: Call, length: int, group: str, target: str) -> Markup:
    left, width = (call.start - 1) / length, (call.end - call.start + 1) / length
    words = ["call", group]
    words += ["weak"] if "weak" in call.flags else []
    words += ["right"] if left > 0.5 else []  # the box with the words opens to the left
    style = f"left:{100 * left:.4f}%;width:{100 * width:.4f}%;--c:{concept_color(call.concept)}"
    return element(
        "a", class_=" ".join(words), href=f"#{target}", style=style, aria_label=describe(call)
    )


def _ruler(length: int) -> Markup:
    ticks = (
        element(
            "span",
            element("span", place),
            class_="tick last" if place == length > 1 else "tick",
            style=f"left:{100 * (place - 0.5) / length:.4f}%",
        )
        for place in ruler_ticks(length)
    )
    row = element("div", join(ticks), class_="lane")
    label = element("span", "residue", class_="label")
    return element("div", label, row, class_="row ruler", aria_hidden="true")


def ruler_ticks(length: int) -> list[int]:
    """Choose at most twelve round positions, the first and last residue among them.

    Examples
    --------
    >>> ruler_ticks(95), ruler_ticks(1), ruler_ticks(3)
    ([1, 10, 20, 30, 40, 50, 60, 70, 80, 95], [1], [1, 2, 3])
    """
    power = 10 ** max(0, math.floor(math.log10(length)) - 1)
    step = next(n for n in (power * f for f in (1, 2, 5, 10)) if length / n <= 10)
    between = [p for p in range(step, length, step) if p > 0.6 * step and p > 1]
    return [1, *(p for p in between if length - p > 0.6 * step), *([length] if length > 1 else [])]


def _heat_rows(result: ProteinResult, atlas: str) -> Iterator[Markup]:
    behind: dict[int, Call] = {}
    # features with a concept come first, then the strongest without
    bare = sorted((c for c in result.calls if c.link_type == "unlinked"), key=lambda c: -c.peak)
    for call in [*(c for c in result.calls if c.link_type != "unlinked"), *bare]:
        for feature in call.features:
            if feature in result.activations:
                behind.setdefault(feature, call)
    for feature, call in list(behind.items())[:HEAT_ROWS]:
        values = result.activations[feature]
        words = f"{atlas}/f{feature}, behind {call.name}: {_firing(values)}"
        yield _row(f"f{feature}", _heat(values, words, concept_color(call.concept)), title=words)
    if len(behind) > HEAT_ROWS:
        more = f"{len(behind) - HEAT_ROWS} more features are in the table."
        yield element("p", more, class_="more")


def _firing(values: Float[ndarray, "residues"]) -> str:
    """Say in words where a feature fires.

    Examples
    --------
    >>> _firing(np.array([0.0, 2.5, 1.0, 0.0]))
    'strongest 2.5 at residue 2; fires at 2-3'
    """
    places = [f"{start}-{end}" for start, end in runs(values > 0)]
    more = f" and {len(places) - _NAMED_RUNS} more runs" if len(places) > _NAMED_RUNS else ""
    peak = int(np.argmax(values))
    return (
        f"strongest {as_text('peak', float(values[peak]))} at residue {peak + 1}; "
        f"fires at {', '.join(places[:_NAMED_RUNS])}{more}"
    )


def _heat(values: Float[ndarray, "residues"], words: str, color: str) -> Markup:
    # numbers alone need no escaping, and there are many of them
    cells = "".join(
        f'<rect x="{start}" width="{end - start}" height="1" class="h{level}"/>'
        for start, end, level in heat_cells(values)
    )
    box = f"0 0 {len(values)} 1"
    return element(
        "svg",
        Markup(cells),
        class_="heat",
        viewBox=box,
        preserveAspectRatio="none",
        role="img",
        aria_label=words,
        style=f"--c:{color}",
    )


def heat_cells(values: Float[ndarray, "residues"]) -> Sequence[tuple[int, int, int]]:
    """Coarsen activations along a protein into cells of five levels.

    Parameters
    ----------
    values
        Activation of one feature, 0 where it is off.

    Returns
    -------
    list of tuple of int
        ``(index of the first residue, index after the last, level)``, in order; a level is the
        largest activation in the cell, in fifths of the largest of all, rounded up. Cells that are
        off are left out, and neighbours of one level joined.

    Examples
    --------
    >>> heat_cells(np.array([0.0, 1.0, 5.0, 5.0]))
    [(1, 2, 1), (2, 4, 5)]
    """
    length = len(values)
    edges = np.unique(np.linspace(0, length, min(length, _HEAT_BINS) + 1).astype(np.int64))
    peaks = np.maximum.reduceat(values, edges[:-1])
    levels = np.ceil(_HEAT_LEVELS * peaks / max(float(peaks.max()), 1e-12)).astype(int)
    cells: list[tuple[int, int, int]] = []
    for start, end, level in zip(
        edges[:-1].tolist(), edges[1:].tolist(), levels.tolist(), strict=True
    ):
        if level <= 0:
            continue
        if cells and cells[-1][1:] == (start, level):
            cells[-1] = (cells[-1][0], end, level)
        else:
            cells.append((start, end, level))
    return cells
