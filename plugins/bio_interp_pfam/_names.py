"""What Pfam families are called, and what to call those that stand in for an absent one."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from bio_interp.errors import AnnotationError, printable
from bio_interp.sequences import open_plain
from bio_interp_pfam._files import unreadable

_BROKEN = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    pl.exceptions.PolarsError,
)
NAMES: dict[str, Any] = {
    "pfam": pl.String,
    "interpro": pl.String,
    "name": pl.String,
    "go": pl.List(pl.String),
}

# A profile set without the family on the left finds its proteins with the siblings on the right,
# whose own names would be wrong for most of them (most kinases that PF07714 hits are no tyrosine
# kinases). Sibling lists follow the Pfam clans.
_STAND_INS = {
    "PF00069": ("protein kinase-like", {"PF07714"}),
    "PF00001": ("rhodopsin-like GPCR-like", {"PF10320", "PF10324", "PF10328", "PF13853"}),
    "PF00017": ("SH2-like", {"PF14633"}),
    "PF00018": ("SH3-like", {"PF07653", "PF14604"}),
    "PF00071": ("Ras-like small GTPase", {"PF08477", "PF00025"}),
    "PF00096": ("C2H2 zinc finger-like", {"PF13894", "PF13912", "PF13465", "PF12874"}),
}


def pfam_names(interpro_json: Path) -> pl.DataFrame:
    """Read InterPro names and GO terms of Pfam families.

    Parameters
    ----------
    interpro_json
        A list of InterPro entries with ``accession``, ``name``, ``members`` and ``go_terms``, such
        as ``gecco/interpro/interpro.json`` of the PyPI wheel gecco 0.11.0.

    Returns
    -------
    DataFrame
        ``pfam`` (accession without version), ``interpro``, ``name`` (of the InterPro entry),
        ``go`` (list of GO ids; empty where there are none); one row a family, sorted.

    Raises
    ------
    AnnotationError
        The file is not such a list.
    """
    try:
        with open_plain(interpro_json) as file:
            entries = json.load(file)
        rows = [row for entry in entries for row in _entry_rows(entry)]
        table = pl.DataFrame(rows, schema=NAMES, orient="row")
    except (OSError, EOFError) as error:
        raise unreadable(interpro_json, error) from error
    except _BROKEN as error:
        raise AnnotationError(
            "a JSON list of InterPro entries with accession, name, members and go_terms",
            f"{interpro_json}: {type(error).__name__}: {str(error)[:200]}",
            "Name interpro.json of the PyPI wheel gecco.",
        ) from error
    return table.unique("pfam", keep="first").sort("pfam")


def _entry_rows(entry: dict[str, Any]) -> list[tuple[str, str, str, list[str]]]:
    terms = sorted(term["accession"] for term in entry["go_terms"])
    families = [member for member in entry["members"] if re.fullmatch(r"PF\d{5}", member)]
    return [(f, printable(entry["accession"]), printable(entry["name"]), terms) for f in families]


def stand_in_names(profiles: Collection[str]) -> dict[str, str]:
    """Name the families that stand in for one that the profile set lacks.

    Parameters
    ----------
    profiles
        Accessions (without version) of all families of the set.

    Returns
    -------
    dict
        Accession of the sibling to the name to show for it.
    """
    return {
        sibling: name
        for absent, (name, siblings) in _STAND_INS.items()
        if absent not in profiles
        for sibling in siblings.intersection(profiles)
    }


def group_stem(names: Sequence[str]) -> str:
    """Choose the readable name of a group from its members' names, the leader's first.

    Numbers that only tell siblings apart (``AAA_5``) are dropped; a stem that two members share
    wins, else the leader's.

    Examples
    --------
    >>> group_stem(["AAA", "AAA_5", "Sigma54_activat"])
    'AAA'
    >>> group_stem(["MMR_HSR1", "FeoB_N"])
    'MMR_HSR1'
    """
    stems = [re.sub(r"(_\d+)+$", "", name) for name in names]
    # the first of the commonest: ties go to the commonest family
    best = max(stems, key=stems.count)
    return best if stems.count(best) > 1 else stems[0]
