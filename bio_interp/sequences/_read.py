"""Reads proteins from files, and takes them as Python objects."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast

from bio_interp.errors import InputError, SequenceError
from bio_interp.sequences._fasta import fasta_records
from bio_interp.sequences._format import tell_format
from bio_interp.sequences._protein import Protein
from bio_interp.sequences._record import Record
from bio_interp.sequences._source import numbered, open_lines, source_name
from bio_interp.sequences._swissprot import swissprot_records

_RECORDS = {"fasta": fasta_records, "swissprot": swissprot_records}


def read_proteins(
    source: str | Path, *, duplicates: Literal["error", "keep"] = "error"
) -> Iterator[Protein]:
    r"""Read proteins one at a time, in the order of the file, in memory that does not grow.

    Parameters
    ----------
    source
        A file, or ``"-"`` for stdin: FASTA or the Swiss-Prot flat format, plain or compressed with
        gzip or zstandard, all told by content and not by suffix. Line ends may be of any kind.
    duplicates
        ``"error"`` remembers the line of every accession and refuses one that comes twice;
        ``"keep"`` remembers nothing and yields every record.

    Yields
    ------
    Protein
        The accession is ``P12345`` of ``sp|P12345|NAME`` (and of ``tr|``; isoforms such as
        ``P12345-2`` are kept), else the first word of the header; in flat files the first
        accession. Letters are upper-cased, whitespace in the sequence is dropped, and so are
        stops (``*``) at its end. U, O, B, Z, X and J are kept. Bytes of a description that are
        not UTF-8 become U+FFFD.

    Raises
    ------
    InputError
        The file cannot be opened, or is compressed in another way.
    SequenceError
        No records; a record without name or sequence; a name that is not UTF-8; gaps (``-``,
        ``.``: an alignment), a stop inside a sequence, any other character that is no letter; 30
        or more nucleotides and nothing else; the same accession twice; a flat record of another
        length than it says; a compressed file that breaks off; a file of another kind. The message
        names the record and its line. What comes before the bad record has been yielded by then.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> _ = (folder / "two.fasta").write_text(">sp|P01308|INS_HUMAN Insulin\nmalwm\nrl\n>x\nMK*\n")
    >>> for protein in read_proteins(folder / "two.fasta"):
    ...     print(protein.accession, protein.sequence, protein.description, protein.line)
    P01308 MALWMRL Insulin 1
    x MK 4
    """
    if duplicates not in ("error", "keep"):
        raise InputError("duplicates='error' or 'keep'", repr(duplicates), "Choose one of them.")
    proteins = _stream(source)
    return _refuse_duplicates(proteins, source_name(source)) if duplicates == "error" else proteins


def as_proteins(
    given: "str | Path | Protein | Mapping[str, str] | Iterable[Protein]",
) -> Iterator[Protein]:
    """Take proteins in any form that Python users have them in.

    Parameters
    ----------
    given
        - a `Path`, or a str that is ``"-"`` or the path of an existing file: see `read_proteins`
        - any other str of letters only (whitespace and a final ``*`` aside): one sequence,
          accession ``query``
        - any other str: a path, so that a misspelt one is reported as missing
        - a mapping of accession to sequence
        - one `Protein`, or an iterable of them

    Yields
    ------
    Protein
        Checked and cleaned as `read_proteins` does.

    Raises
    ------
    InputError
        None of these, or a file that cannot be read.
    SequenceError
        A protein that cannot be used, or an accession that comes twice.

    Examples
    --------
    >>> [p.sequence for p in as_proteins("mkv llt*")]
    ['MKVLLT']
    >>> [p.accession for p in as_proteins({"a": "MKV", "b": "MLL"})]
    ['a', 'b']
    """
    if isinstance(given, str) and not _is_path(given):
        return iter([Record("query", "", "the sequence given", 0, 0, [given]).protein()])
    if isinstance(given, str | Path):
        return read_proteins(given)
    if isinstance(given, Protein):
        return iter([_cleaned(given)])
    if isinstance(given, Mapping):
        items = cast(Mapping[Any, Any], given).items()
        return (_from_pair(accession, sequence) for accession, sequence in items)
    if isinstance(cast(Any, given), Iterable):
        return _refuse_duplicates(map(_cleaned, given), "the proteins given")
    raise _not_proteins(given)


def _stream(source: str | Path) -> Iterator[Protein]:
    name = source_name(source)
    with open_lines(source) as text:
        lines = numbered(text, name)
        first = next(((number, line) for number, line in lines if line.strip()), None)
        if first is None:
            raise SequenceError(
                "one protein or more", f"no records in {name}", "Check that the file was written."
            )
        number, line = first[0], first[1].removeprefix("\xef\xbb\xbf")  # UTF-8's mark
        records = _RECORDS[tell_format(line, number, name)]
        for record in records(chain([(number, line)], lines), name):
            yield record.protein()


def _refuse_duplicates(proteins: Iterable[Protein], name: str) -> Iterator[Protein]:
    lines: dict[str, int] = {}
    for item, protein in enumerate(proteins, 1):
        kind, place = ("line", protein.line) if protein.line else ("item", item)
        first = lines.setdefault(protein.accession, place)
        if len(lines) < item:
            raise SequenceError(
                "every accession once",
                f"{protein.accession} at {kind} {first} and again at {kind} {place} of {name}",
                "Rename or remove one of the two.",
            )
        yield protein


def _is_path(given: str) -> bool:
    letters = "".join(given.split()).rstrip("*")
    if not (letters.isascii() and letters.isalpha()):
        return True
    try:
        return Path(given).is_file()
    except (OSError, ValueError):
        return False


def _from_pair(accession: Any, sequence: Any) -> Protein:
    named = isinstance(accession, str) and accession.isprintable() and accession.strip()
    if not (named and isinstance(sequence, str)):
        raise _not_proteins({accession: sequence})
    return Record(str(accession), "", "the mapping given", 0, 0, [sequence]).protein()


def _cleaned(protein: Any) -> Protein:
    if not isinstance(protein, Protein):
        raise _not_proteins(protein)
    parts = [protein.sequence]
    name = "the proteins given"
    record = Record(protein.accession, protein.description, name, protein.line, 0, parts)
    made = record.protein()
    return protein if made == protein else made


def _not_proteins(given: object) -> InputError:
    shown = repr(given)
    return InputError(
        "a sequence, a path, a mapping of accession to sequence, or Protein objects",
        f"{type(given).__name__} {shown if len(shown) <= 60 else shown[:60] + '...'}",
        "For a list of bare sequences give a mapping, so that each has a name.",
    )
