"""Find profiles in proteins with pyhmmer, block by block."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from bio_interp.errors import AnnotationError, MismatchError, NotFoundError
from bio_interp.provenance import atomic_path, sha256_file, sha256_text, write_json
from bio_interp.sequences import Protein
from bio_interp_pfam._profiles import families, load_profiles, search, without_cutoffs
from bio_interp_pfam._tables import HITS

EVALUE = 1e-3
BLOCK = 2000
_BLOCK_SCHEMA = {**HITS, "length": pl.Int32, "crc32": pl.UInt32}
_log = logging.getLogger(__name__)


def scan(
    proteins: Iterable[Protein],
    profiles: Sequence[Path],
    *,
    evalue: float = EVALUE,
    block: int = BLOCK,
    threads: int = 0,
) -> Iterator[tuple[list[Protein], pl.DataFrame]]:
    """Find the domains of proteins, a block of proteins at a time.

    A profile with gathering cutoffs is used with them; one without takes hits and domains up to
    `evalue`. E-values are for a search of one protein against all the profiles (``Z`` is the number
    of profiles), so that a protein's hits do not depend on the others in its block.

    Parameters
    ----------
    proteins
        Any stream of proteins.
    profiles
        HMMER3 files, text (``.hmm``) or binary (``.h3m``).
    evalue
        Largest E-value of profiles without gathering cutoffs.
    block
        Proteins a block.
    threads
        Threads to use; 0 for all cores.

    Yields
    ------
    tuple
        The proteins of the block, and their included domains with the columns of `HITS`.

    Raises
    ------
    MissingExtraError
        pyhmmer is not installed.
    AnnotationError
        A file holds no HMMER3 profile.
    """
    models = load_all(profiles, evalue)
    yield from blocks_of_hits(proteins, models, evalue=evalue, block=block, threads=threads)


def blocks_of_hits(
    proteins: Iterable[Protein],
    models: Sequence[Any],
    *,
    evalue: float = EVALUE,
    block: int = BLOCK,
    threads: int = 0,
) -> Iterator[tuple[list[Protein], pl.DataFrame]]:
    """Do what `scan` does with profiles that are loaded already."""
    stream = iter(proteins)
    while taken := list(islice(stream, block)):
        yield taken, search(taken, models, evalue=evalue, threads=threads)


def scan_to_table(
    proteins: Iterable[Protein],
    profiles: Sequence[Path],
    out: Path,
    *,
    evalue: float = EVALUE,
    block: int = BLOCK,
    threads: int = 0,
) -> None:
    """Scan into a folder, a file a block; what an interrupted run has finished is not done again.

    Each ``NNNNNN.parquet`` (the number of the block's first protein) appears when it is whole. It
    has one row a domain, and one with nulls for a protein without any; ``scan.json`` says what was
    looked for.

    Raises
    ------
    MismatchError
        The folder holds a scan with other profiles or settings, or of other proteins.
    """
    models = load_all(profiles, evalue)
    settings = {
        "schema": 1,
        "profiles": sha256_text(sha256_file(path) for path in profiles),
        "families": families(models),
        "evalue": evalue,
        "block": block,
    }
    _claim(out, settings)
    stream, first = iter(proteins), 0
    while taken := list(islice(stream, block)):
        path = out / f"{first:06d}.parquet"
        if path.is_file():
            _check_block(path, taken)
        else:
            hits = search(taken, models, evalue=evalue, threads=threads)
            with atomic_path(path) as temporary:
                _block_frame(taken, hits).write_parquet(temporary)
        _log.info("scanned %d proteins", first + len(taken))
        first += len(taken)


def read_scan(out: Path) -> tuple[pl.DataFrame, dict[str, int], list[str]]:
    """Read a folder that `scan_to_table` wrote.

    Returns
    -------
    hits : DataFrame
        Columns as in `HITS`.
    scanned : dict
        Accession to length of every protein of the finished blocks.
    families : list of str
        Accessions (without version) of the profiles that were looked for.
    """
    if not (out / "scan.json").is_file():
        raise NotFoundError(
            "a folder written by bio_interp_pfam.scan_to_table",
            f"{out} without scan.json",
            "Name the folder of the scan.",
        )
    families = _read_settings(out).get("families")
    if not isinstance(families, list) or not all(isinstance(name, str) for name in families):
        raise _damaged(out / "scan.json", "no list of families")
    frames = [_read_block(path) for path in sorted(out.glob("[0-9]*.parquet"))]
    rows = pl.concat([pl.DataFrame([], _BLOCK_SCHEMA), *frames])
    scanned = dict(rows.select("accession", "length").unique(maintain_order=True).iter_rows())
    return rows.drop_nulls("pfam").select(*HITS), scanned, families


def load_all(profiles: Sequence[Path], evalue: float = EVALUE) -> list[Any]:
    """Load profiles, and log which of them carry no gathering cutoffs."""
    models = load_profiles(profiles)
    if bare := without_cutoffs(models):
        _log.warning(
            "%d of %d profiles carry no gathering cutoffs (%s ...): hits up to E-value %g count",
            *(len(bare), len(models), bare[0], evalue),
        )
    return models


def _claim(out: Path, settings: dict[str, Any]) -> None:
    path = out / "scan.json"
    if not path.is_file():
        write_json(path, settings)
        return
    before = _read_settings(out)
    other = [key for key in settings if before.get(key) != settings[key]]
    if other:
        raise MismatchError(
            f"a scan in {out} of the same {', '.join(other)}",
            "a finished part made with others",
            "Name another folder, or remove this one.",
        )


def _check_block(path: Path, proteins: Sequence[Protein]) -> None:
    rows = _read_block(path).select("accession", "crc32").unique(maintain_order=True)
    if sorted(rows.iter_rows()) != sorted((p.accession, _crc(p)) for p in proteins):
        raise MismatchError(
            f"the proteins of {path} in the same order",
            "others",
            "Give the same proteins to resume a scan, or name another folder.",
        )


def _read_settings(out: Path) -> dict[str, Any]:
    path = out / "scan.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(settings, dict):
        raise _damaged(path, "no JSON object")
    return settings


def _read_block(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _damaged(path, str(error)) from error
    if frame.schema != pl.Schema(_BLOCK_SCHEMA):
        raise _damaged(path, f"columns {dict(frame.schema)}")
    return frame


def _damaged(path: Path, what: str) -> AnnotationError:
    return AnnotationError(
        "a file as scan_to_table writes it",
        f"{path}: {what[:200]}",
        "Remove it and scan again: what is finished is kept.",
    )


def _block_frame(proteins: Sequence[Protein], hits: pl.DataFrame) -> pl.DataFrame:
    held = pl.DataFrame(
        [(p.accession, len(p), _crc(p)) for p in proteins],
        {"accession": pl.String, "length": pl.Int32, "crc32": pl.UInt32},
        orient="row",
    )
    joined = held.join(hits, on="accession", how="left", maintain_order="left")
    return joined.select(pl.col(name).cast(dtype) for name, dtype in _BLOCK_SCHEMA.items())


def _crc(protein: Protein) -> int:
    return zlib.crc32(protein.sequence.encode())
