"""Load HMMER3 profiles and search blocks of proteins with them; all that touches pyhmmer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl

from bio_interp.errors import AnnotationError, MissingExtraError
from bio_interp.sequences import Protein, open_plain
from bio_interp_pfam._tables import HITS, drop_version

_BINARY = range(0xE8EDEDB6, 0xE8EDEDBB)  # formats 3/a to 3/f, see HMMER's p7_hmmfile.c
_LONGEST = 100_000  # HMMER refuses longer targets


def is_profile(head: bytes) -> bool:
    """Tell whether a file begins as HMMER3 profiles, text (``.hmm``) or binary (``.h3m``)."""
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    binary = any(int.from_bytes(head[:4], order) in _BINARY for order in orders)
    return head.startswith(b"HMMER3/") or binary


def load_profiles(paths: Sequence[Path]) -> list[Any]:
    """Read all profiles of HMMER3 files, as pyhmmer ``HMM`` objects.

    Raises
    ------
    MissingExtraError
        pyhmmer is not installed.
    AnnotationError
        A file cannot be read as protein profiles, or two profiles have one accession.
    """
    plan7 = _pyhmmer().plan7
    models: list[Any] = []
    for path in paths:
        try:
            with open_plain(path) as raw, plan7.HMMFile(raw) as file:
                models += file
        except (OSError, ValueError, EOFError) as error:
            raise AnnotationError(
                "a file of HMMER3 profiles (.hmm or .h3m)",
                f"{path}: {error}",
                "Build profiles with hmmbuild, or name a release of Pfam-A.hmm.",
            ) from error
    _check(models, paths)
    return models


def model_id(model: Any) -> str:
    """Give the accession of a profile as written in it, or its name where it has none."""
    return str(model.accession or model.name)


def families(models: Iterable[Any]) -> list[str]:
    """List the accessions of profiles, without versions, sorted."""
    return sorted(drop_version(model_id(model)) for model in models)


def without_cutoffs(models: Iterable[Any]) -> list[str]:
    """List the profiles that carry no gathering cutoffs."""
    return [model_id(m) for m in models if not m.cutoffs.gathering_available()]


def search(
    proteins: Sequence[Protein], models: Sequence[Any], *, evalue: float, threads: int
) -> pl.DataFrame:
    """Find the included domains of `models` in `proteins`; columns as in `HITS`."""
    block = _digital(proteins)
    gathered = [m for m in models if m.cutoffs.gathering_available()]
    others = [m for m in models if not m.cutoffs.gathering_available()]
    # Z is fixed so that E-values depend on neither the block nor its size
    common = {"cpus": threads, "Z": len(models), "domZ": len(models)}
    by_evalue = dict.fromkeys(("E", "domE", "incE", "incdomE"), evalue)
    found: list[tuple[Any, ...]] = []
    for chosen, cut in ((gathered, {"bit_cutoffs": "gathering"}), (others, by_evalue)):
        if chosen:
            for hits in _pyhmmer().hmmsearch(chosen, block, **common, **cut):
                found += _domains(hits, proteins)
    return pl.DataFrame(found, HITS, orient="row").sort("accession", "ali_start", "pfam")


def _domains(hits: Any, proteins: Sequence[Protein]) -> Iterator[tuple[Any, ...]]:
    model = hits.query
    for hit in hits.included:
        accession = proteins[int(hit.name)].accession
        for domain in hit.domains.included:
            ali = domain.alignment
            yield (
                *(accession, model_id(model), str(model.name), ali.target_from, ali.target_to),
                *(domain.env_from, domain.env_to, domain.score, domain.i_evalue),
            )


def _digital(proteins: Sequence[Protein]) -> Any:
    easel = _pyhmmer().easel
    alphabet = easel.Alphabet.amino()
    block = easel.DigitalSequenceBlock(alphabet)
    for index, protein in enumerate(proteins):
        if len(protein) > _LONGEST:
            raise AnnotationError(
                f"proteins of at most {_LONGEST:,} residues, which HMMER can search",
                f"{protein.accession} with {len(protein):,}",
                "Split it, or leave it out.",
            )
        # the index is the name: accessions may hold what HMMER's names may not
        text = easel.TextSequence(name=str(index), sequence=protein.sequence)
        block.append(text.digitize(alphabet))
    return block


def _check(models: Sequence[Any], paths: Sequence[Path]) -> None:
    where = ", ".join(map(str, paths))
    if not models:
        raise AnnotationError("at least one profile", f"none in {where}", "Name another file.")
    names = [model_id(m) for m in models]
    foreign = [n for n, m in zip(names, models, strict=True) if not m.alphabet.is_amino()]
    if foreign:
        raise AnnotationError(
            "protein profiles", f"{foreign[0]} of {where}, which is for DNA or RNA", "Leave it out."
        )
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise AnnotationError(
            "profiles with one accession (or name) each",
            f"{twice} more than once in {where}",
            "Name each file of profiles once.",
        )


def _pyhmmer() -> Any:
    try:
        import pyhmmer
    except ImportError as error:
        raise MissingExtraError(
            "pyhmmer, which scans proteins with profiles",
            "a Python without it",
            'Install it with: pip install "bio-interp[pfam]"',
        ) from error
    return pyhmmer
