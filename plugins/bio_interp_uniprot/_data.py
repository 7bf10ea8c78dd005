"""The data sets that this plugin offers to ``bio-interp data``."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bio_interp.cache import DataSet, Progress, cache_folder, fetch, is_offline
from bio_interp_uniprot import _interpro, _rest

_FTP = "https://ftp.uniprot.org/pub/databases/uniprot/current_release/knowledgebase/complete"
_FORMATS: dict[str, _rest.Format] = {
    "uniprot": "json",
    "uniprot-tsv": "tsv",
    "uniprot-fasta": "fasta",
}


def data_sets() -> Sequence[DataSet]:
    """List them: queries in three formats, all of Swiss-Prot, and InterPro's names."""
    uniprot = {"licence": _rest.LICENCE, "citation": _rest.CITATION}
    queries = [DataSet(name=f"{head}:QUERY", megabytes=None, **uniprot) for head in _FORMATS]
    interpro = DataSet(
        name="interpro", megabytes=None, licence=_interpro.LICENCE, citation=_interpro.CITATION
    )
    return [*queries, DataSet(name="swissprot", megabytes=700, **uniprot), interpro]


def data_path(name: str) -> Path:
    """Give the place in the cache of a data set."""
    head, _, query = name.partition(":")
    if head in _FORMATS:
        return _rest.query_path(query, _FORMATS[head])
    return _interpro.interpro_path() if head == "interpro" else _swissprot_path()


def get_data(name: str, *, offline: bool, progress: Progress | None) -> Path:
    """Fetch a data set, unless it is here."""
    head, _, query = name.partition(":")
    if head in _FORMATS:
        form = _FORMATS[head]
        return _rest.fetch_query(query, form, offline=offline, progress=progress).path
    if head == "interpro":
        return _interpro.fetch_interpro(offline=offline, progress=progress).path
    return _get_swissprot(offline, progress)


def _swissprot_path() -> Path:
    return cache_folder() / "uniprot_sprot.dat.gz"


def _get_swissprot(offline: bool, progress: Progress | None) -> Path:
    path = _swissprot_path()
    facts = {"licence": _rest.LICENCE, "citation": _rest.CITATION}
    return fetch(
        f"{_FTP}/uniprot_sprot.dat.gz",
        path,
        what="Swiss-Prot",
        release="" if path.is_file() or is_offline(offline) else _swissprot_release(),
        facts=facts,
        offline=offline,
        progress=progress,
    ).path


def _swissprot_release() -> str:
    # the FTP site names the release in a file of its own, not in a header
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "reldate.txt"
        fetch(f"{_FTP}/reldate.txt", notes, what="the release of Swiss-Prot")
        found = re.search(r"Swiss-Prot Release (\d{4}_\d{2})", notes.read_text(encoding="utf-8"))
    return found[1] if found else ""
