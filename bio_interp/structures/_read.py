"""Read a structure, of whatever format, told by content."""

import gzip
import io
import re
import zlib
from pathlib import Path
from typing import BinaryIO, Literal

import gemmi

from bio_interp.errors import StructureError
from bio_interp.sequences import open_plain
from bio_interp.structures._binary import read_binary
from bio_interp.structures._mmcif import read_block
from bio_interp.structures._pdb import read_pdb
from bio_interp.structures._structure import Structure

Format = Literal["pdb", "mmcif", "bcif"]

LARGEST = 1 << 30
"""Bytes that a structure may have unpacked; the largest entries of the PDB have half of this."""

_CHUNK = 1 << 20
_HEAD = 1 << 16  # bytes in which the format must show
_RECORDS = rb"(?:HEADER|TITLE |COMPND|REMARK|CRYST1|SEQRES|MODEL |ATOM  |HETATM|DBREF )"
_PDB_LINE = re.compile(rb"^" + _RECORDS, re.M)
_PDB_START = re.compile(rb"\s*" + _RECORDS)
_OTHERS = (
    (rb"(?i)\s*(?:<!doctype html|<html)", "an HTML page"),
    (rb"\s*<", "XML"),
    (rb"\s*[\[{]", "JSON"),
    (rb"\s*>", "FASTA"),
    (rb"ID   ", "a flat file of sequences"),
    (rb"PK", "a zip archive"),
)


def read_structure(source: Path | str | bytes, name: str | None = None) -> Structure:
    r"""Read a structure in PDB, mmCIF or BinaryCIF, plain or compressed, told by content.

    Parameters
    ----------
    source
        A path, or the content of a file.
    name
        What errors call it, and `Structure.name` where the file names no entry; the name of the
        file where not given.

    Returns
    -------
    Structure
        With all models; see `bio_interp.structures`. Where atoms have alternate locations, and
        places several residues, those with the highest occupancy are kept.

    Raises
    ------
    StructureError
        The file cannot be opened, is cut or damaged, has no atoms with coordinates, or is of
        another kind.
    MissingExtraError
        It is BinaryCIF, and biotite is not installed.

    Examples
    --------
    >>> atom = "ATOM      1  CA  MSE A  -3      11.104   6.134  -6.504  1.00 20.00           C"
    >>> structure = read_structure(f"{atom}\nEND\n".encode())
    >>> residue = structure.chain("A").residues[0]
    >>> residue.author, residue.letter, residue.parent, residue.coordinates
    (-3, 'M', 'MET', (11.104, 6.134, -6.504))
    """
    if isinstance(source, bytes):
        name = name or "the structure"
        content = _unpacked(source, name)
    else:
        name = name or Path(source).name
        content = _content(source)
    structure = _parsed(content, name)
    _check_some(structure, name)
    return structure


def is_structure(path: Path) -> bool:
    r"""Tell, from its first bytes, whether a file is a structure that `read_structure` knows.

    Stricter than reading: a PDB file must begin with a record of one, and mmCIF have atoms or the
    name of an entry.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "one.txt"
    >>> _ = path.write_text("data_1ABC\n#\n_entry.id 1ABC\n")
    >>> is_structure(path)
    True
    """
    try:
        if not path.is_file():
            return False
        with open_plain(path) as file:
            head = file.read(_HEAD)
        form = tell_format(head, path.name)
    except (OSError, EOFError, ValueError, zlib.error, StructureError):
        return False
    if form == "pdb":
        return _PDB_START.match(head) is not None
    return form == "bcif" or b"_atom_site." in head or b"_entry.id" in head


def _content(source: Path | str) -> bytes:
    try:
        path = Path(source)
        if not path.is_file():  # a pipe or a device could be read for ever
            what = "no file" if path.exists() else "not found"
            raise StructureError("a file of a structure", f"{path}, {what}", "Check the path.")
        with open_plain(path) as file:
            return _bounded(file, str(path))
    except (EOFError, zlib.error) as error:
        raise _cut(str(source), error) from error
    except (OSError, ValueError) as error:
        got = f"{source}: {error}"
        raise StructureError("a file of a structure", got, "Check the path.") from error


def _unpacked(content: bytes, name: str) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return _bounded(file, name)
    except (EOFError, zlib.error, OSError) as error:
        raise _cut(name, error) from error


def _bounded(file: BinaryIO | gzip.GzipFile, name: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := file.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise StructureError(
                f"a structure of at most {LARGEST:,} bytes unpacked",
                f"{name}, which is larger",
                "Cut it into chains or assemblies.",
            )
    return b"".join(parts)


def _cut(name: str, error: Exception) -> StructureError:
    return StructureError(
        "a whole file of a structure",
        f"{name}, whose compressed data end early or are damaged ({error})",
        "Get the file again.",
    )


def _parsed(content: bytes, name: str) -> Structure:
    form = tell_format(content, name)
    try:
        if form == "pdb":
            return read_pdb(content, name)
        if form == "bcif":
            return read_block(read_binary(content, name), name)
        _check_end(content, name)
        document = gemmi.cif.read_string(content)
        blocks = [b for b in document if b.find_values("_atom_site.id")]
        return read_block(blocks[0] if blocks else document[0], name)
    except (ValueError, RuntimeError, IndexError) as error:  # what gemmi raises
        raise StructureError(
            f"{form} in {name}", str(error), "Get the file again; it is cut or damaged."
        ) from error


def tell_format(content: bytes, name: str) -> Format:
    """Tell the format from the first bytes.

    Raises
    ------
    StructureError
        It is none of ours; the message says what it looks like.
    """
    head = content[:_HEAD]
    packed = bool(head) and (head[0] & 0xF0 == 0x80 or head[0] in (0xDE, 0xDF))
    if packed and (b"dataBlocks" in head or b"encoder" in head):
        return "bcif"
    text = re.sub(rb"^(?:\xef\xbb\xbf)?(?:\s+|#[^\n]*\n)*", b"", head)
    if text[:5].lower() == b"data_":
        return "mmcif"
    if _PDB_LINE.search(head):
        return "pdb"
    looks = next((what for mark, what in _OTHERS if re.match(mark, head)), "of another kind")
    if not content.strip():
        looks = "empty"
    raise StructureError(
        "a structure in PDB, mmCIF or BinaryCIF, plain or compressed",
        f"{name}, which is {looks}",
        "Get the file as .cif or .pdb.",
    )


def _check_end(content: bytes, name: str) -> None:
    """Find mmCIF files cut between two lines.

    Those of the PDB and AlphaFold DB name their dictionary and end each category with ``#``.
    """
    last = content.rstrip().rsplit(b"\n", 1)[-1].strip()
    if b"\n_audit_conform." in content and b"\n#" in content and last != b"#":
        raise StructureError(
            "'#' behind the last category of an mmCIF file of the PDB",
            f"{last[:60].decode(errors='replace')!r} at the end of {name}",
            "Get the file again; it is cut.",
        )


def _check_some(structure: Structure, name: str) -> None:
    def count(kind: str) -> int:
        return sum(len(getattr(model, kind)) for model in structure.models)

    placed = any(chain.atoms.index.size for model in structure.models for chain in model.chains)
    if not placed and not any(lig.coordinates.size for m in structure.models for lig in m.ligands):
        raise StructureError(
            f"atoms with coordinates in {name}",
            f"{len(structure.models)} models, {count('chains')} chains and no such atom",
            "Check that the file is a structure and whole.",
        )
