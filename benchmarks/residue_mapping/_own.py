"""What files say of themselves, read anew and plainly: authors' numbers to positions, letters."""

import gzip
from pathlib import Path

import gemmi

Key = tuple[str, str]  # chain, accession
DATABASES = ("UNP", "SWS", "TREMBL")


def own_records(path: Path) -> tuple[dict[Key, dict[int, int]], dict[str, dict[int, str]]]:
    """Give positions by author's number, and letters by position where the file quotes them.

    This knows neither labels nor insertion codes, so that it shares no code and no numbering with
    what it checks.
    """
    if ".cif" in path.name:
        return _of_mmcif(gemmi.cif.read(str(path)).sole_block())
    with gzip.open(path, "rt", encoding="latin-1") as file:
        return _of_pdb(file.read().splitlines()), {}


def _of_pdb(lines: list[str]) -> dict[Key, dict[int, int]]:
    found: dict[Key, dict[int, int]] = {}
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("DBREF ") and line[26:32].strip() in DATABASES:
            accession, first = line[33:41].strip(), int(line[55:60])
        elif line.startswith("DBREF1") and line[26:32].strip() in DATABASES:
            accession, first = after[18:40].strip(), int(after[45:55])
        else:
            continue
        start, end = int(line[14:18]), int(line[20:24])
        places = found.setdefault((line[12].strip(), accession), {})
        places.update({number: first + number - start for number in range(start, end + 1)})
    return found


def _of_mmcif(
    block: gemmi.cif.Block,
) -> tuple[dict[Key, dict[int, int]], dict[str, dict[int, str]]]:
    found: dict[Key, dict[int, int]] = {}
    names = ["id", "db_name", "pdbx_db_accession", "?pdbx_align_begin"]
    names += ["?pdbx_seq_one_letter_code"]
    letters: dict[str, dict[int, str]] = {}
    databases: dict[str, str] = {}
    for row in block.find("_struct_ref.", names):
        databases[row.str(0)] = row.str(1)
        quoted = "".join(row.str(4).split()) if row.has(4) else ""
        if quoted.isalpha() and row.has(3) and row.str(3).isdigit():
            letters[row.str(2)] = dict(enumerate(quoted, int(row.str(3))))
    names = ["ref_id", "pdbx_strand_id", "pdbx_db_accession", "pdbx_auth_seq_align_beg"]
    names += ["pdbx_auth_seq_align_end", "db_align_beg", "db_align_end"]
    for row in block.find("_struct_ref_seq.", names):
        start, end, first, last = (int(row.str(i)) for i in range(3, 7))
        if databases.get(row.str(0)) in DATABASES and end - start == last - first:
            places = found.setdefault((row.str(1), row.str(2)), {})
            places.update({number: first + number - start for number in range(start, end + 1)})
    return found, letters
