"""The concepts that structures show, and where each begins."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

import polars as pl

from bio_interp.errors import AnnotationError
from bio_interp.structures import BURIED, SecondaryMethod

SOURCE = "structure"
_COMPONENT = re.compile(r"[A-Za-z0-9]{1,5}")  # https://www.wwpdb.org/data/ccd
_PARTNERS = ("ligand", "metal", "nucleic", "interface", "site", "near_site")


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of the annotator.

    Attributes
    ----------
    buried
        Relative accessibility.
    metal
        Angstrom; MetalPDB's limit for donors (Andreini and others, Nucleic Acids Res. 41, D312,
        2013).
    ligand, nucleic, interface, site
        Angstrom.
    plddt
        Below 70 AlphaFold DB calls confidence low.
    """

    secondary: SecondaryMethod = "auto"
    buried: float = BURIED
    ligand: float = 5.0
    metal: float = 3.0
    nucleic: float = 5.0
    interface: float = 5.0
    site: float = 5.0
    plddt: float = 70.0

    @classmethod
    def read(cls, options: Mapping[str, str]) -> "Settings":
        """Read options.

        Raises
        ------
        AnnotationError
            One is unknown, or its value is none.
        """
        known = [field.name for field in fields(cls)]
        values: dict[str, Any] = {}
        for name, value in options.items():
            values[name] = value if name == "secondary" else _number(value)
            if name not in known or values[name] is None:
                got = f"{name}={value}"
                wanted = f"options {', '.join(known)} with numbers from 0"
                raise AnnotationError(wanted, repr(got), "Correct it.")
        methods = get_args(SecondaryMethod)
        if values.get("secondary", "auto") not in methods:
            wanted = f"secondary of {', '.join(methods)}"
            raise AnnotationError(wanted, repr(values["secondary"]), "Choose one of them.")
        return replace(cls(), **values)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def component_concept(kind: str, name: str) -> str | None:
    """Name the concept of one ligand or metal; None where the file's name for it is none."""
    return f"{SOURCE}:{kind}/{name}" if _COMPONENT.fullmatch(name) else None


def shown(method: str, settings: Settings) -> dict[str, pl.Expr]:
    """Give each concept as true, false or null of the columns of `residue_properties`."""
    column = pl.col
    found = {
        "structure:buried": column("accessibility") < settings.buried,
        "structure:exposed": column("accessibility") >= settings.buried,
        "structure:disulfide": column("disulfide"),
        "structure:ligand": column("ligand") <= settings.ligand,
        "structure:metal": column("metal") <= settings.metal,
        "structure:nucleic": column("nucleic") <= settings.nucleic,
        "structure:interface": column("interface") <= settings.interface,
        "structure:site": column("site") <= 0,
        "structure:near_site": column("site") <= settings.site,
    }
    if method != "none":
        found[f"{method}:helix"] = column("secondary") == "H"
        found[f"{method}:strand"] = column("secondary") == "E"
    return found


def bands() -> dict[str, pl.Expr]:
    """Give the bands of AlphaFold DB (https://alphafold.ebi.ac.uk/faq) of ``plddt``."""
    plddt = pl.col("plddt")
    return {
        "structure:plddt/very_high": plddt > 90,
        "structure:plddt/confident": (plddt > 70) & (plddt <= 90),
        "structure:plddt/low": (plddt > 50) & (plddt <= 70),
        "structure:plddt/very_low": plddt <= 50,
    }


def is_partner(concept: str) -> bool:
    """Tell whether a concept says what is near: it is open world."""
    return concept.partition(":")[2].partition("/")[0] in _PARTNERS


def one_is_enough(concept: str) -> bool:
    """Tell whether one chain that shows a residue so decides, and not most of them."""
    return is_partner(concept) or concept == "structure:disulfide"


def is_span(concept: str) -> bool:
    """Tell whether neighbours that show a concept are one span, and not sites each."""
    return concept.endswith((":helix", ":strand")) or concept.startswith("structure:plddt/")


def describe(concept: str, tools: Mapping[str, str], settings: Settings) -> dict[str, object]:
    """Make the row of a concept; `tools` say what assigned secondary structure, by method."""
    method = concept.partition(":")[0]
    return {
        "concept": concept,
        "name": _name(concept, settings),
        "kind": concept,
        "level": "span" if is_span(concept) else "residue",
        "world": "open" if is_partner(concept) else "closed",
        "source": SOURCE,
        "release": tools.get(method, ""),
        "members": [],
        "xrefs": [],
    }


def _name(concept: str, settings: Settings) -> str:
    what, _, component = concept.partition(":")[2].partition("/")
    if what == "plddt":
        return f"pLDDT {component.replace('_', ' ')}"
    if concept.endswith((":helix", ":strand")):
        states = {"dssp:helix": "DSSP H, G, I", "dssp:strand": "DSSP E, B"}
        return f"{what} ({states.get(concept, 'P-SEA')})"
    near = f"within {getattr(settings, what, settings.site):g} A of"
    return {
        "buried": f"buried (relative accessibility below {settings.buried:g})",
        "exposed": f"exposed (relative accessibility {settings.buried:g} or more)",
        "disulfide": "cysteine of a disulfide bridge in the structure",
        "ligand": f"{near} {component or 'a ligand'}",
        "metal": f"{near} {component or 'a metal'}",
        "nucleic": f"{near} a nucleic acid",
        "interface": f"{near} another protein chain",
        "site": "residue of a site that the structure's file names",
        "near_site": f"{near} a site that the structure's file names",
    }[what]
