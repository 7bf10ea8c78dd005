"""The kinds of features of UniProtKB, by the names that its formats give them."""

from bio_interp.errors import AnnotationError

# keyword of the flat file: (name shown, names in XML, JSON, GFF3 and TSV besides the one shown)
_NAMES: dict[str, tuple[str, ...]] = {
    "INIT_MET": ("Initiator methionine",),
    "SIGNAL": ("Signal peptide", "signal"),
    "TRANSIT": ("Transit peptide", "transit"),
    "PROPEP": ("Propeptide",),
    "CHAIN": ("Chain",),
    "PEPTIDE": ("Peptide",),
    "TOPO_DOM": ("Topological domain",),
    "TRANSMEM": ("Transmembrane", "transmembrane region"),
    "INTRAMEM": ("Intramembrane", "intramembrane region"),
    "DOMAIN": ("Domain",),
    "REPEAT": ("Repeat",),
    "CA_BIND": ("Calcium binding", "calcium-binding region"),
    "ZN_FING": ("Zinc finger", "zinc finger region"),
    "DNA_BIND": ("DNA binding", "dna-binding region"),
    "NP_BIND": ("Nucleotide binding", "nucleotide phosphate-binding region"),
    "REGION": ("Region", "region of interest"),
    "COILED": ("Coiled coil", "coiled-coil region"),
    "MOTIF": ("Motif", "short sequence motif"),
    "COMPBIAS": ("Compositional bias", "compositionally biased region"),
    "ACT_SITE": ("Active site",),
    "METAL": ("Metal binding", "metal ion-binding site"),
    "BINDING": ("Binding site",),
    "SITE": ("Site",),
    "NON_STD": ("Non-standard residue", "non-standard amino acid"),
    "MOD_RES": ("Modified residue",),
    "LIPID": ("Lipidation", "lipid moiety-binding region"),
    "CARBOHYD": ("Glycosylation", "glycosylation site"),
    "DISULFID": ("Disulfide bond",),
    "CROSSLNK": ("Cross-link",),
    "VAR_SEQ": ("Alternative sequence", "splice variant"),
    "VARIANT": ("Natural variant", "sequence variant"),
    "MUTAGEN": ("Mutagenesis", "mutagenesis site"),
    "UNSURE": ("Sequence uncertainty", "unsure residue"),
    "CONFLICT": ("Sequence conflict",),
    "NON_CONS": ("Non-adjacent residues", "non-consecutive residues"),
    "NON_TER": ("Non-terminal residue",),
    "HELIX": ("Helix",),
    "TURN": ("Turn",),
    "STRAND": ("Beta strand", "strand"),
}
# keywords that Swiss-Prot used before 2005
_RETIRED = {
    "VARSPLIC": "VAR_SEQ",
    "SE_CYS": "NON_STD",
    "THIOETH": "CROSSLNK",
    "THIOLEST": "CROSSLNK",
    "SIMILAR": "REGION",
}
BINDING_KINDS = frozenset({"METAL", "NP_BIND", "CA_BIND", "BINDING"})
STRUCTURE_KINDS = frozenset({"HELIX", "STRAND", "TURN"})
# what happens to a molecule, or to a record of it, and not what a stretch of it is
_NOT_CONCEPTS = frozenset(
    {"CHAIN", "PEPTIDE", "CONFLICT", "VARIANT", "VAR_SEQ", "MUTAGEN"}
    | {"UNSURE", "NON_TER", "NON_CONS", "NON_STD", "INIT_MET"}
)
RESIDUE_KINDS = frozenset(
    {"ACT_SITE", "SITE", "MOD_RES", "LIPID", "CARBOHYD", "DISULFID", "CROSSLNK"}
    | {"INIT_MET", "NON_STD", "UNSURE", "NON_TER", "NON_CONS"}
)
PAIR_KINDS = frozenset({"DISULFID", "CROSSLNK"})
# notes of these name one protein or one change, not a sort of site
UNNAMED_KINDS = _NOT_CONCEPTS
ALL_KINDS = tuple(_NAMES)
CONCEPT_KINDS = tuple(
    kind
    for kind in ALL_KINDS
    if kind not in _NOT_CONCEPTS and (kind == "BINDING" or kind not in BINDING_KINDS)
)


def _plain(name: str) -> str:
    return name.lower().replace("-", " ").strip()


_BY_NAME = {_plain(name): kind for kind, names in _NAMES.items() for name in names}


def title(kind: str) -> str:
    """Give the name that UniProt shows for a keyword: ``"Active site"`` of ``"ACT_SITE"``."""
    return _NAMES[kind][0]


def kind_of(name: str) -> str | None:
    """Find the keyword of a kind by any of its names; None where there is no such kind.

    Examples
    --------
    >>> kind_of("Beta strand"), kind_of("short sequence motif"), kind_of("METAL"), kind_of("gene")
    ('STRAND', 'MOTIF', 'METAL', None)
    """
    if name in _NAMES:
        return name
    return _RETIRED.get(name) or _BY_NAME.get(_plain(name))


def concept_kind(kind: str) -> str:
    """Map a keyword to the one its concepts carry: METAL, NP_BIND and CA_BIND are BINDING."""
    return "BINDING" if kind in BINDING_KINDS else kind


def asked_kinds(option: str | None) -> tuple[str, ...]:
    """Read the option ``kinds``: None for those that are concepts, ``all``, or a comma list.

    Raises
    ------
    AnnotationError
        A word is not a kind of feature.

    Examples
    --------
    >>> asked_kinds("METAL, active site")
    ('ACT_SITE', 'BINDING')
    """
    if option is None or not option.strip():
        return CONCEPT_KINDS
    if option.strip().lower() == "all":
        return tuple(dict.fromkeys(concept_kind(kind) for kind in ALL_KINDS))
    wanted: set[str] = set()
    for word in filter(None, (part.strip() for part in option.split(","))):
        kind = kind_of(word) or kind_of(word.upper())
        if kind is None:
            raise AnnotationError(
                "kinds of UniProt features",
                f"kinds={option!r}, where {word!r} is none",
                f"Use `all` or a comma list of: {', '.join(ALL_KINDS)}.",
            )
        wanted.add(concept_kind(kind))
    return tuple(kind for kind in ALL_KINDS if kind in wanted)
