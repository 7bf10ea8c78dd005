"""Models of AlphaFold DB: https://alphafold.ebi.ac.uk/api-docs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bio_interp.cache import DataSet, Progress, cache_folder, fetch, is_offline
from bio_interp.errors import NotCachedError, NotFoundError
from bio_interp_structures._names import checked_accession
from bio_interp_structures._web import ask_json, fetch_structure, kept

HOST = "alphafold.ebi.ac.uk"
API = f"https://{HOST}/api/prediction"
LICENCE = "CC BY 4.0 (AlphaFold DB)"
CITATION = "Varadi et al., Nucleic Acids Res. 52, D368 (2024), doi:10.1093/nar/gkad1011"


class AlphaFoldSource:
    """Predicted structures by accession of UniProt, as mmCIF, of the version that the API names."""

    api_version = 1

    def find(self, accession: str, *, offline: bool = False) -> Sequence[str]:
        """Name the model of a protein: by its accession, where there is one."""
        name = checked_accession(accession)
        path = _path(name)
        if kept(path):
            return [name]
        if is_offline(offline):
            fetch(f"{API}/{name}", path, what=f"the AlphaFold model of {name}", offline=True)
        return [name] if _entry(name) else []

    def get(self, name: str, *, offline: bool = False, progress: Progress | None = None) -> Path:
        """Give the file of the model of a protein."""
        accession = checked_accession(name)
        path, what = _path(accession), f"the AlphaFold model of {accession}"
        if kept(path):
            return path
        if is_offline(offline):
            fetch(f"{API}/{accession}", path, what=what, offline=True)  # says what is missing
        entry = _entry(accession)
        if entry is None:
            raise NotFoundError(
                "a protein with a model in AlphaFold DB",
                repr(accession),
                "It has none of proteins that are longer than 2,700 residues, or viral.",
            )
        url = _file_url(entry, accession)
        facts = {
            "licence": LICENCE,
            "citation": CITATION,
            "entry": str(entry.get("entryId") or entry.get("modelEntityId") or ""),
            "created": str(entry.get("modelCreatedDate", ""))[:10],
        }
        version = entry.get("latestVersion")
        release = f"v{version}" if version else ""
        return fetch_structure(
            url, path, what=what, release=release, facts=facts, progress=progress
        ).path

    def data_sets(self) -> Sequence[DataSet]:
        """Offer models to ``bio-interp data get alphafold:P69905``."""
        name = "alphafold:ACCESSION"
        return [DataSet(name=name, megabytes=None, licence=LICENCE, citation=CITATION)]

    def data_path(self, name: str) -> Path:
        """Give the place of a model in the cache."""
        wanted = name.partition(":")[2]
        return _path(
            wanted if wanted == "ACCESSION" else checked_accession(wanted)
        )  # as `data list` asks

    def get_data(
        self, name: str, *, offline: bool = False, progress: Progress | None = None
    ) -> Path:
        """Fetch a model, unless it is here."""
        return self.get(name.partition(":")[2], offline=offline, progress=progress)


def _path(accession: str) -> Path:
    return cache_folder() / f"alphafold-{accession}.cif"


def _entry(accession: str) -> Mapping[str, Any] | None:
    """Ask the API about a protein; it answers with isoforms too."""
    answer = ask_json(f"{API}/{accession}", what=f"what AlphaFold DB has of {accession}")
    if not isinstance(answer, list):
        return None
    entries: list[Mapping[str, Any]] = [entry for entry in answer if isinstance(entry, dict)]
    return next((e for e in entries if e.get("uniprotAccession") == accession), None)


def _file_url(entry: Mapping[str, Any], accession: str) -> str:
    url = str(entry.get("cifUrl") or "")
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname != HOST:
        raise NotCachedError(
            f"cifUrl of {accession} on https://{HOST}", repr(url), "Try again later."
        )
    return url
