"""A motif or a table of spans as a concept of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bio_interp.annotations import AnnotationTable, Annotator
from bio_interp.discovery._spans import LabelledSpan, by_protein
from bio_interp.errors import InputError
from bio_interp.plugins import load_plugin
from bio_interp.sequences import Protein

SOURCE = "query"
_REGEX = re.compile(r"/(.+)/", re.DOTALL)


def motif_table(motif: str, proteins: Sequence[Protein]) -> AnnotationTable:
    """Find a motif in proteins, and lay its matches as a concept.

    Parameters
    ----------
    motif
        In PROSITE's syntax, such as ``N-{P}-[ST]-{P}`` (the annotator ``prosite`` searches it), or
        a regular expression between slashes, such as ``/C..C/``. Matches of it may overlap; one
        starts at a residue at most.
    proteins
        All of them were looked at.

    Raises
    ------
    InputError
        No such expression, or one that matches no residue.
    AnnotationError
        No such pattern.
    PluginError
        The annotator is not installed.
    """
    expression = _REGEX.fullmatch(motif.strip())
    if expression:
        return spans_table(list(_matches(expression[1], proteins)), proteins, motif.strip())
    annotator: Annotator = load_plugin("annotators", "prosite")
    return annotator.annotate([], proteins, options={"pattern": motif})


def spans_table(
    spans: Iterable[LabelledSpan], proteins: Sequence[Protein], name: str = "spans"
) -> AnnotationTable:
    """Lay spans as concepts, one for each label (`name` where it is empty).

    Residues of the proteins outside of the spans are negatives. Concepts whose spans are all one
    residue long are sites.
    """
    known: Mapping[str, list[LabelledSpan]] = by_protein(spans, {p.accession: p for p in proteins})
    rows = [
        {
            "accession": span.accession,
            "start": span.start,
            "end": span.end,
            "concept": f"{SOURCE}:{span.label or name}",
            "evidence": "",
            "source": SOURCE,
        }
        for of_protein in known.values()
        for span in of_protein
    ]
    coverage = [_looked(protein) for protein in proteins]
    longer = {str(row["concept"]) for row in rows if row["start"] != row["end"]}
    names = sorted({str(row["concept"]) for row in rows})
    concepts = [_concept(concept, "span" if concept in longer else "residue") for concept in names]
    return AnnotationTable.from_records(rows, coverage, concepts)


def _matches(expression: str, proteins: Sequence[Protein]) -> Iterable[LabelledSpan]:
    try:
        # a lookahead consumes nothing, so that the next match may overlap this one
        pattern = re.compile(f"(?=({expression}))")
    except re.error as error:
        raise InputError(
            "a regular expression between slashes, such as /C..C/",
            f"/{expression}/: {error}",
            "Correct it; or give a motif in PROSITE's syntax, such as C-x(2)-C.",
        ) from error
    for protein in proteins:
        for match in pattern.finditer(protein.sequence):
            start, end = match.span(1)
            if start == end:
                raise InputError(
                    "an expression that matches residues",
                    f"/{expression}/, which matches nothing at {start + 1} of {protein.accession}",
                    "Take * or ? from what it ends with.",
                )
            yield LabelledSpan(protein.accession, start + 1, end)


def _looked(protein: Protein) -> dict[str, Any]:
    return {
        "accession": protein.accession,
        "start": 1,
        "end": len(protein),
        "kind": SOURCE,
        "state": "looked",
        "source": SOURCE,
    }


def _concept(concept: str, level: str) -> dict[str, Any]:
    return {
        "concept": concept,
        "name": concept.partition(":")[2],
        "kind": SOURCE,
        "level": level,
        "world": "closed",
        "source": SOURCE,
        "release": "",
        "members": [],
        "xrefs": [],
    }
