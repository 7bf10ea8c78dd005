"""Entries of the PDB through RCSB: https://search.rcsb.org, https://data.rcsb.org.

The search is described at https://search.rcsb.org/#search-api.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bio_interp.cache import DataSet, Progress, cache_folder, fetch, is_offline
from bio_interp.errors import NotCachedError, NotFoundError
from bio_interp_structures._names import checked_accession, checked_entry
from bio_interp_structures._web import ask_json, fetch_structure, forget, kept

SEARCH = "https://search.rcsb.org/rcsbsearch/v2/query"
ENTRY = "https://data.rcsb.org/rest/v1/core/entry"
FILES = "https://files.rcsb.org/download"
LICENCE = "CC0 1.0 (PDB)"
CITATION = "Burley et al., Nucleic Acids Res. 53, D564 (2025), doi:10.1093/nar/gkae1091"
_IDENTIFIERS = "rcsb_polymer_entity_container_identifiers.reference_sequence_identifiers"


class RcsbSource:
    """Structures of the PDB, as mmCIF; by accession those with the best resolution first."""

    api_version = 1

    def find(self, accession: str, *, offline: bool = False) -> Sequence[str]:
        """Name the entries that hold a protein; the answer is kept in the cache."""
        name = checked_accession(accession)
        path = cache_folder() / f"rcsb-uniprot-{name}.json"
        record = fetch(
            f"{SEARCH}?{urlencode({'json': json.dumps(_query(name))})}",
            path,
            what=f"the PDB entries of {name}",
            facts={"licence": LICENCE, "citation": CITATION},
            offline=offline,
        )
        try:
            text = record.path.read_text(encoding="utf-8")
            found = json.loads(text)["result_set"] if text.strip() else []  # HTTP 204: none
            return [str(row["identifier"]) for row in found]
        except (ValueError, KeyError, TypeError) as error:
            forget(path)
            raise NotCachedError(
                f"the PDB entries of {name} as JSON",
                f"{type(error).__name__}: {error}",
                "Try again later; nothing was kept.",
            ) from error

    def get(self, name: str, *, offline: bool = False, progress: Progress | None = None) -> Path:
        """Give the file of an entry."""
        entry = checked_entry(name)
        path, what = _path(entry), f"PDB entry {entry}"
        if kept(path):
            return path
        url = f"{FILES}/{entry}.cif.gz"
        if is_offline(offline):
            fetch(url, path, what=what, offline=True)  # says what is missing
        facts = {"licence": LICENCE, "citation": CITATION, "entry": entry}
        release = _release(entry)
        return fetch_structure(
            url, path, what=what, release=release, facts=facts, progress=progress
        ).path

    def data_sets(self) -> Sequence[DataSet]:
        """Offer entries to ``bio-interp data get rcsb:4HHB``."""
        return [DataSet(name="rcsb:ID", megabytes=None, licence=LICENCE, citation=CITATION)]

    def data_path(self, name: str) -> Path:
        """Give the place of an entry in the cache."""
        wanted = name.partition(":")[2]
        return _path(wanted if wanted == "ID" else checked_entry(wanted))  # as `data list` asks

    def get_data(
        self, name: str, *, offline: bool = False, progress: Progress | None = None
    ) -> Path:
        """Fetch an entry, unless it is here."""
        return self.get(name.partition(":")[2], offline=offline, progress=progress)


def _path(entry: str) -> Path:
    return cache_folder() / f"rcsb-{entry}.cif.gz"


def _release(entry: str) -> str:
    """Give revision and date of an entry, which the file server does not name."""
    answer = ask_json(f"{ENTRY}/{entry}", what=f"the revision of PDB entry {entry}")
    if answer is None:
        raise NotFoundError(
            "an entry of the PDB", repr(entry), "Look it up on rcsb.org; it may be obsolete."
        )
    try:
        facts = answer["rcsb_accession_info"]
        revision = f"{facts['major_revision']}.{facts['minor_revision']}"
        return f"{revision} of {str(facts['revision_date'])[:10]}"
    except (KeyError, TypeError):
        return ""


def _query(accession: str) -> dict[str, Any]:
    nodes = [
        {
            "type": "terminal",
            "service": "text",
            "parameters": {
                "attribute": f"{_IDENTIFIERS}.{field}",
                "operator": "exact_match",
                "value": value,
            },
        }
        for field, value in (("database_accession", accession), ("database_name", "UniProt"))
    ]
    order = {"sort_by": "rcsb_entry_info.resolution_combined", "direction": "asc"}
    return {
        "query": {"type": "group", "logical_operator": "and", "label": "nested-attribute",
                  "nodes": nodes},
        "return_type": "entry",
        "request_options": {"return_all_hits": True, "sort": [order]},
    }  # fmt: skip
