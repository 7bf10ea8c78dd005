"""UniProtKB's entries by query, through its REST service.

Parameters and headers: https://www.uniprot.org/help/api_queries and
https://www.uniprot.org/help/pagination.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from bio_interp.cache import FetchRecord, Page, Progress, cache_folder, fetch_pages
from bio_interp.errors import InputError
from bio_interp_uniprot._kinds import ALL_KINDS, BINDING_KINDS

if TYPE_CHECKING:
    import httpx

Format = Literal["json", "tsv", "fasta"]

URL = "https://rest.uniprot.org/uniprotkb/search"
RELEASE = "X-UniProt-Release"
LICENCE = "CC BY 4.0 (UniProt Consortium)"
CITATION = "The UniProt Consortium, Nucleic Acids Res. 53, D609 (2025), doi:10.1093/nar/gkae1010"
SIZE = 500  # entries on a page, the most that UniProt gives

# those that the service still knows: METAL, NP_BIND and CA_BIND are BINDING since 2022
_FEATURES = [f"ft_{k.lower()}" for k in ALL_KINDS if k == "BINDING" or k not in BINDING_KINDS]
_FIELDS = ",".join(["accession", "reviewed", "length", "sequence", *_FEATURES])
_SUFFIXES: dict[Format, str] = {"json": "json", "tsv": "tsv", "fasta": "fasta"}


def query_path(query: str, form: Format) -> Path:
    """Give the place in the cache of the answer to `query`."""
    plain = " ".join(query.split())
    words = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:40].strip("-")
    # two queries may share their letters
    tag = hashlib.sha256(plain.encode()).hexdigest()[:8]
    return cache_folder() / f"uniprot-{words}-{tag}.{_SUFFIXES[form]}"


def fetch_query(
    query: str,
    form: Format = "json",
    path: Path | None = None,
    *,
    offline: bool = False,
    progress: Progress | None = None,
) -> FetchRecord:
    """Fetch all entries that fit a query, page by page, into one file.

    JSON (a list of entries) and TSV hold sequences and all kinds of features, as the annotator
    ``uniprot`` reads them; FASTA holds sequences with UniProt's headers.

    Parameters
    ----------
    query
        In UniProt's language: ``reviewed:true AND organism_id:83333``.
    path
        File to write; a name made of the query, in the cache, where not given.

    Raises
    ------
    InputError
        The query is empty.
    NotFoundError
        No entry fits.
    NotCachedError
        The answer is not here and may not, or could not, be fetched whole.
    """
    query = " ".join(query.split())
    if not query:
        raise InputError(
            "a query such as 'reviewed:true AND organism_id:83333'",
            "an empty one",
            "Write what uniprot.org's search shows above its results.",
        )
    parameters = {"query": query, "format": form, "size": SIZE}
    if form != "fasta":
        parameters["fields"] = _FIELDS
    return fetch_pages(
        f"{URL}?{urlencode(parameters)}",
        path or query_path(query, form),
        {"json": _json_page, "tsv": _tsv_page, "fasta": _fasta_page}[form],
        what=f"the UniProt entries of {query!r}",
        release_header=RELEASE,
        facts={"query": query, "format": form, "licence": LICENCE, "citation": CITATION},
        offline=offline,
        progress=progress,
    )


def _json_page(answer: "httpx.Response") -> Page:
    entries = [json.dumps(entry, ensure_ascii=False) for entry in answer.json()["results"]]
    return Page(entries, _total(answer), _next(answer), head="[", between=",\n", tail="\n]\n")


def _tsv_page(answer: "httpx.Response") -> Page:
    # str.splitlines would also break at characters that may stand in a note
    head, *rows = answer.text.rstrip("\n").split("\n")
    if not head.startswith("Entry\t"):
        raise ValueError("no line of column names")
    return Page(rows, _total(answer), _next(answer), head=head)


def _fasta_page(answer: "httpx.Response") -> Page:
    text = answer.text.strip()
    if text and not text.startswith(">"):
        raise ValueError("no FASTA")
    return Page(re.split(r"\n(?=>)", text) if text else [], _total(answer), _next(answer))


def _total(answer: "httpx.Response") -> int:
    total = answer.headers.get("X-Total-Results", "")
    if not total.isdigit():
        raise ValueError(f"X-Total-Results is {total!r}")
    return int(total)


def _next(answer: "httpx.Response") -> str | None:
    return answer.links.get("next", {}).get("url")
