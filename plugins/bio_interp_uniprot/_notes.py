"""From the words of a feature to the sub-concepts it belongs to."""

import re

from bio_interp_uniprot._entry import Feature
from bio_interp_uniprot._kinds import BINDING_KINDS, UNNAMED_KINDS

# counts of copies: "Homeobox 1", "EGF-like 2; calcium-binding", "WD 10"
# but not "Peptidase S1", "SH3", "C2"
_COPY = re.compile(r"\s+(?:\d+[a-z]?|\d+-\d+)$")
_ONLY_A_COPY = re.compile(r"(?:\d+[A-Za-z]?(?:[-.]\d+[A-Za-z]?)*|[IVX]+|[A-Z])")
_PARTNER = re.compile(r"\s*\((?:by|with|between|covalent)\b[^()]*(?:\([^()]*\)[^()]*)*\)$")
# partial, alternate and the like: about this copy, not about what it is
_ASIDES = frozenset({"alternate", "partial", "transient", "atypical", "degenerate", "or"})
_ALTERNATIVE_END = re.compile(r"Or \d+")

# the names that binding sites had before 2022 (left) and have since
LIGANDS = {
    "Calcium": "Ca(2+)",
    "Cadmium": "Cd(2+)",
    "Cobalt": "Co(2+)",
    "Copper": "Cu cation",
    "Divalent metal cation": "a divalent metal cation",
    "Iron": "Fe cation",
    "Iron-sulfur (2Fe-2S)": "[2Fe-2S] cluster",
    "Iron-sulfur (3Fe-4S)": "[3Fe-4S] cluster",
    "Iron-sulfur (4Fe-4S)": "[4Fe-4S] cluster",
    "Iron-sulfur (4Fe-4S-S-AdoMet)": "[4Fe-4S] cluster",
    "Magnesium": "Mg(2+)",
    "Manganese": "Mn(2+)",
    "Mercury": "Hg(2+)",
    "Nickel": "Ni(2+)",
    "Potassium": "K(+)",
    "Sodium": "Na(+)",
    "Zinc": "Zn(2+)",
    "NAD": "NAD(+)",
    "NADP": "NADP(+)",
    "Pyridoxal phosphate": "pyridoxal 5'-phosphate",
    "Substrate": "substrate",
}
_HEME = re.compile(r"(?:Iron \(heme\b.*\)|Heme.*)")


def sub_concepts(feature: Feature) -> list[tuple[str, str]]:
    """Name the sub-concepts of a feature, each with a ChEBI id or ``""``.

    None where the note is empty, is only a number, or names one protein or one change (CHAIN,
    VARIANT and other kinds that are not concepts by default).

    Examples
    --------
    >>> from bio_interp_uniprot._entry import Position
    >>> ends = Position(3), Position(60)
    >>> sub_concepts(Feature("DNA_BIND", *ends, note="Homeobox 1; TALE-type"))
    [('Homeobox', '')]
    >>> sub_concepts(Feature("METAL", *ends, note="Zinc 2; catalytic"))
    [('Zn(2+)', '')]
    """
    if feature.kind in UNNAMED_KINDS:
        return []
    if feature.ligands:
        named = ((_printable(name), _printable(chebi)) for name, chebi in feature.ligands if name)
        return list(dict.fromkeys(named))
    name = note_head(_printable(feature.note))
    if feature.kind in BINDING_KINDS:
        name = _ligand(feature.kind, name)
    elif name:
        name = name[0].upper() + name[1:]  # UniProt's GFF3 does the same to every note
    return [(name, "")] if name else []


def note_head(note: str) -> str:
    """Keep what a note says about the sort of site: up to ``;``, without copy number and partner.

    Examples
    --------
    >>> note_head("WD 7"), note_head("Interchain (with C-57 in PDIA3)"), note_head("12")
    ('WD', 'Interchain', '')
    """
    head = note.split(";")[0].strip()
    if head.startswith("Name=") or head.lower() in _ASIDES or _ALTERNATIVE_END.fullmatch(head):
        return ""
    head = _COPY.sub("", _PARTNER.sub("", head)).strip()
    return "" if _ONLY_A_COPY.fullmatch(head) else head


def _printable(text: str) -> str:
    """Replace what a terminal would obey, and what UTF-8 cannot hold, by U+FFFD."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def _ligand(kind: str, name: str) -> str:
    if kind == "CA_BIND":
        return "Ca(2+)"
    return "heme" if _HEME.fullmatch(name) else LIGANDS.get(name, name)
