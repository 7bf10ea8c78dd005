"""What a result rests on, whom to name for it, and under which licence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bio_interp import __version__
from bio_interp.errors import InputError

if TYPE_CHECKING:
    from bio_interp.atlas import AtlasInfo

SOFTWARE = f"bio_interp {__version__}, Apache-2.0 (see CITATION.cff)"
_HEAD = 65_536  # characters of a report in which its atlas is named
_NAMED = (
    re.compile(r"\batlas=(\S+) atlas_version=(\S+)"),
    re.compile(r'"atlas":\s*\{\s*"name":\s*"([^"]+)",\s*"version":\s*"([^"]+)"'),
)
# "Alley et al. (2019) Nature Methods 16:1315, doi:10.1038/s41592-019-0598-1"
_ARTICLE = re.compile(
    r"(?P<author>[^()]+?) \((?P<year>\d{4})\) (?P<journal>.+?) (?P<volume>\d+):(?P<pages>[\w-]+)"
    r"(?:,? ?(?:doi:(?P<doi>\S+)|\((?P<note>[^()]+)\)))?"
)
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def citations(info: AtlasInfo) -> list[tuple[str, str]]:
    """List what to cite for an atlas, as pairs of a role and a text.

    The roles are ``software``, ``atlas``, ``licence``, ``model``, ``cite`` (a publication) and
    ``data`` (a source with its release and licence).
    """
    rows = [
        ("software", SOFTWARE),
        ("atlas", f"{info.name} {info.version}"),
        ("licence", info.licence),
        ("model", f"{info.model}, weights sha256 {info.model_sha256[:12]}"),
    ]
    rows += [("cite", text) for text in info.citation]
    return rows + [("data", _source(source)) for source in info.data]


def bibtex(info: AtlasInfo) -> str:
    """Write what to cite for an atlas as BibTeX: software, atlas, publications, data.

    A publication that is not written as ``Author (2019) Journal 16:1315`` becomes a note.
    """
    atlas = f"bio_interp atlas {info.name}, version {info.version}"
    made = f"Model {info.model} (weights SHA-256 {info.model_sha256[:12]}). Licence: {info.licence}"
    entries = [
        _entry("software", "bio_interp", author="{The bio_interp developers}", title="bio_interp",
               version=__version__, note="Licence: Apache-2.0"),
        _entry("misc", f"bio_interp_{info.name}", title=atlas, note=made),
    ]  # fmt: skip
    used = {"bio_interp", f"bio_interp_{info.name}"}
    entries += [_publication(text, used) for text in info.citation]
    for number, source in enumerate(info.data, 1):
        facts = {key: value for key, value in source.items() if key != "name" and value}
        note = "; ".join(f"{key.capitalize()}: {value}" for key, value in facts.items())
        key = f"bio_interp_{info.name}_data_{number}"
        entries.append(_entry("misc", key, title=source.get("name", ""), note=note))
    return "\n\n".join(entries) + "\n"


def atlas_of_report(path: Path) -> tuple[str, str] | None:
    """Read from the head of a report which atlas, and which version of it, the calls come from.

    Works for TSV, GFF3, JSON and other reports that say so; None for any other file.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError(
            "a report of `bio-interp annotate`", f"{path}: {error.strerror}", "Check the file."
        ) from error
    found = next((match for pattern in _NAMED if (match := pattern.search(head))), None)
    return (found[1], found[2]) if found else None


def _source(facts: dict[str, str]) -> str:
    return "; ".join(v if k == "name" else f"{k}: {v}" for k, v in facts.items() if v)


def _publication(text: str, used: set[str]) -> str:
    match = _ARTICLE.fullmatch(text)
    words = re.findall(r"[a-z0-9]+", text.lower()) or ["reference"]
    stem = words[0] + (match["year"] if match else "")
    key = next(k for k in (stem, *(f"{stem}_{n}" for n in range(2, 10_000))) if k not in used)
    used.add(key)
    if not match:
        return _entry("misc", key, title=text)
    parts = {name: part for name, part in match.groupdict().items() if part}
    author = parts.pop("author")
    several = author.removesuffix(" et al.")
    # braces keep the name of a consortium whole
    parts["author"] = f"{several} and others" if several != author else f"{{{author}}}"
    return _entry("article", key, **parts)


def _entry(sort: str, key: str, **fields: str) -> str:
    """Write one entry; an author's braces are kept, all other signs are escaped."""
    lines = [
        f"  {name} = {{{value if name in ('author', 'doi') else _escaped(value)}}},"
        for name, value in sorted(fields.items())
        if value
    ]
    return "\n".join([f"@{sort}{{{re.sub(r'[^A-Za-z0-9_-]', '_', key)},", *lines, "}"])


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in " ".join(text.split()))
