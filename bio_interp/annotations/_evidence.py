"""What an ECO evidence code stands for, in six levels.

The codes are those that UniProtKB uses (https://www.uniprot.org/help/evidences), with the older
ones that it has replaced (0000244 and 0000213 became 0007744 and 0007829 in 2020).
"""

from collections.abc import Iterable
from typing import Literal

EvidenceLevel = Literal[
    "experimental", "combinatorial", "similarity", "sequence_model", "curator", "unknown"
]

EVIDENCE_LEVELS: tuple[EvidenceLevel, ...] = (
    "experimental",
    "combinatorial",
    "similarity",
    "sequence_model",
    "curator",
    "unknown",
)
"""Levels of evidence, the strongest first."""

ECO_LEVELS: dict[str, EvidenceLevel] = {
    "ECO:0000269": "experimental",  # experimental, manual assertion
    "ECO:0000006": "experimental",  # the root of all experimental evidence
    "ECO:0007744": "combinatorial",  # experimental and computational (PDB), manual assertion
    "ECO:0007829": "combinatorial",  # the same, automatic assertion
    "ECO:0000244": "combinatorial",
    "ECO:0000213": "combinatorial",
    "ECO:0000250": "similarity",  # sequence similarity, manual assertion
    "ECO:0000255": "sequence_model",  # match to a sequence model, manual assertion
    "ECO:0000256": "sequence_model",  # the same, automatic assertion
    "ECO:0000259": "sequence_model",  # match to an InterPro signature, automatic assertion
    "ECO:0000260": "sequence_model",  # the same, manual assertion
    "ECO:0008006": "sequence_model",  # deep learning, automatic assertion
    "ECO:0000303": "curator",  # a statement of an author that cannot be traced further
    "ECO:0000305": "curator",  # inferred by a curator
    "ECO:0000312": "curator",  # imported from another database, manual assertion
    "ECO:0000001": "curator",  # inferred from background knowledge
}
"""Level of each ECO code; a code that is not here is ``"unknown"``."""


def evidence_level(code: str) -> EvidenceLevel:
    """Tell the level of an ECO code; no code, or one not in `ECO_LEVELS`, is ``"unknown"``.

    Examples
    --------
    >>> evidence_level("ECO:0000269"), evidence_level("ECO:0007829"), evidence_level("")
    ('experimental', 'combinatorial', 'unknown')
    """
    return ECO_LEVELS.get(code, "unknown")


def strongest_evidence(codes: Iterable[str]) -> str:
    """Pick the code of the strongest level, the first of equals; ``""`` where there is none.

    Examples
    --------
    >>> strongest_evidence(["ECO:0000255", "ECO:0000269", "ECO:0000305"])
    'ECO:0000269'
    """
    return min(codes, key=lambda code: EVIDENCE_LEVELS.index(evidence_level(code)), default="")
