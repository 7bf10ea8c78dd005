"""Names and GO terms of InterPro entries, through InterPro's API.

Pages and fields: https://interpro-documentation.readthedocs.io/en/latest/api.html.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bio_interp.cache import FetchRecord, Page, Progress, cache_folder, fetch_pages

if TYPE_CHECKING:
    import httpx

URL = "https://www.ebi.ac.uk/interpro/api/entry/interpro/"
RELEASE = "InterPro-Version"
LICENCE = "CC0 1.0 (InterPro)"
CITATION = "Blum et al., Nucleic Acids Res. 53, D444 (2025), doi:10.1093/nar/gkae1082"
SIZE = 200  # entries on a page, the most that InterPro gives


def interpro_path() -> Path:
    """Give the place of the list in the cache."""
    return cache_folder() / "interpro.json"


def fetch_interpro(
    path: Path | None = None, *, offline: bool = False, progress: Progress | None = None
) -> FetchRecord:
    """Fetch the names, member signatures and GO terms of all InterPro entries into one file.

    The file is a JSON list of entries with ``accession``, ``name``, ``type``, ``members`` and
    ``go_terms``, the form of gecco's ``interpro.json``, which ``bio_interp_pfam.pfam_names`` reads.

    Raises
    ------
    NotCachedError
        The list is not here and may not, or could not, be fetched whole.
    """
    return fetch_pages(
        f"{URL}?{urlencode({'page_size': SIZE})}",
        path or interpro_path(),
        _page,
        what="the InterPro entries",
        release_header=RELEASE,
        facts={"licence": LICENCE, "citation": CITATION},
        offline=offline,
        progress=progress,
    )


def _page(answer: "httpx.Response") -> Page:
    content = answer.json()
    entries = [json.dumps(_entry(r["metadata"]), ensure_ascii=False) for r in content["results"]]
    layout = {"head": "[", "between": ",\n", "tail": "\n]\n"}
    return Page(entries, int(content["count"]), content["next"], **layout)


def _entry(metadata: dict[str, Any]) -> dict[str, Any]:
    databases = metadata["member_databases"] or {}
    return {
        "accession": metadata["accession"],
        "name": metadata["name"],
        "type": metadata["type"],
        "members": sorted(signature for names in databases.values() for signature in names),
        "go_terms": [
            {"accession": term["identifier"], "name": term["name"]}
            for term in metadata["go_terms"] or ()
        ],
    }
