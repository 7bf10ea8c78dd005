"""Tells FASTA and Swiss-Prot flat files from everything else, by their first line."""

import re
from typing import Literal

from bio_interp.errors import SequenceError

Format = Literal["fasta", "swissprot"]

_OTHERS = (
    (r"[\[{]", "JSON"),
    (r"data_|loop_", "mmCIF"),
    (r"HEADER|TITLE  |REMARK|ATOM  |MODEL  |CRYST1", "a PDB file"),
    (r"(?i)<!doctype html|<html", "HTML"),
    (r"<", "XML"),
    (r"LOCUS  ", "a GenBank file"),
    (r"ID   ", "an EMBL, PROSITE or other flat file, not one of proteins"),
    (r"# STOCKHOLM", "a Stockholm alignment"),
    (r"CLUSTAL", "a Clustal alignment"),
    (r"HMMER\d", "HMMER profiles"),
    (r"##gff-version", "GFF3"),
    (r"@", "FASTQ"),
)


def tell_format(line: str, number: int, name: str) -> Format:
    """Tell the format from the first line that is not blank.

    Raises
    ------
    SequenceError
        Something else; the message says what it looks like.
    """
    if re.match(r">[A-Z][A-Z0-9];", line):
        raise _other(f"line {number} of {name}, which looks like PIR")
    if line.startswith(">"):
        return "fasta"
    if re.match(r"ID   .*\d+ AA\.", line):
        return "swissprot"
    if re.search(r"[\x00-\x08\x0e-\x1f]", line):
        raise _other(f"{name}, which is binary")
    for pattern, kind in _OTHERS:
        if re.match(pattern, line):
            raise _other(f"{name}, which looks like {kind}")
    text = line.strip()
    got = f"{(text if len(text) <= 60 else text[:60] + '...')!r} at line {number} of {name}"
    if re.fullmatch(r"[A-Za-z*\s]+", text):
        raise SequenceError(
            "a header line such as '>my_protein'", got, "Write one above each sequence."
        )
    raise _other(got)


def _other(got: str) -> SequenceError:
    return SequenceError(
        "proteins in FASTA ('>name' lines) or the Swiss-Prot flat format ('ID   ' lines)",
        got,
        "Give one of these, plain or compressed with gzip or zstandard.",
    )
