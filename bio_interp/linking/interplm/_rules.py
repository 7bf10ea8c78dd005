"""The numbers and names of InterPLM's protocol."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of InterPLM's protocol, as published.

    Attributes
    ----------
    thresholds
        Shares of a feature's largest activation; a residue is on where its share is *greater*.
    min_instances, min_residues
        A concept counts that has more instances, or more residues, than this on both folds
        together.
    min_named
        A sub-concept (``Domain_SH3``) needs this many instances in all to be one.
    good_f1
        Pairs above this F1 on valid are tried on test, and counted where they are above it there.
    other_sources
        Whether concepts that are not UniProt's (``pfam:...``) take part, under their own names and
        without the rules for sub-concepts. InterPLM has none.
    """

    thresholds: tuple[float, ...] = (0.0, 0.15, 0.5, 0.6, 0.8)
    min_instances: int = 25
    min_residues: int = 1500
    min_named: int = 100
    good_f1: float = 0.5
    other_sources: bool = False


# kinds whose annotations are told apart by a note (or ligand): keyword and InterPLM's name
NAMED_KINDS = {
    "ACT_SITE": "Active site",
    "BINDING": "Binding site",
    "CARBOHYD": "Glycosylation",
    "MOD_RES": "Modified residue",
    "TRANSIT": "Transit peptide",
    "COMPBIAS": "Compositional bias",
    "DOMAIN": "Domain",
    "REGION": "Region",
    "ZN_FING": "Zinc finger",
    "MOTIF": "Motif",
    "SIGNAL": "Signal peptide",
}
PLAIN_KINDS = {
    "TURN": "Turn",
    "HELIX": "Helix",
    "STRAND": "Beta strand",
    "COILED": "Coiled coil",
    "LIPID": "Lipidation",
    "DISULFID": "Disulfide bond",
}
LEFT_OUT = frozenset(
    f"{name}_any"
    for name in ("Region", "Modified residue", "Domain", "Compositional bias", "Motif")
)
_RESIDUE_LEVEL = (
    *("Active site", "Cofactor", "Glycosylation", "Modified residue"),
    *("amino_acid", "Disulfide bond"),
)


def is_residue_level(name: str) -> bool:
    """Tell whether InterPLM counts the recall of a concept over residues, and not over instances.

    Its rule looks anywhere in the name, so a domain that is named after an active site is counted
    over residues too.

    Examples
    --------
    >>> is_residue_level("Modified residue_Phosphoserine"), is_residue_level("Binding site_ATP")
    (True, False)
    >>> is_residue_level("Region_Active site lid")
    True
    """
    return any(part in name for part in _RESIDUE_LEVEL)


__all__ = ["LEFT_OUT", "NAMED_KINDS", "PLAIN_KINDS", "Rules", "is_residue_level"]
