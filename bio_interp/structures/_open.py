"""Find a structure by path or identifier, among what is on this machine."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bio_interp.errors import BioInterpError, NotCachedError, NotFoundError, PluginError
from bio_interp.plugins import list_plugins, load_plugin
from bio_interp.structures._read import read_structure
from bio_interp.structures._structure import Structure

_LOG = logging.getLogger(__name__)
_ENTRY = re.compile(r"[1-9][A-Za-z0-9]{3}|pdb_[0-9]{4}[1-9][a-z0-9]{3}", re.I)
_FILE = re.compile(r"[/\\]|\.(?:pdb|ent|cif|mmcif|bcif)(?:\.(?:gz|zst))?$", re.I)


def open_structure(source: Structure | Path | str) -> Structure:
    """Open a structure: one that was read, a file, or an identifier. Nothing is downloaded.

    Parameters
    ----------
    source
        A path; or ``SOURCE:ID`` with the name of a plugin, such as ``rcsb:4HHB``,
        ``alphafold:P69905`` or ``folder:mine``; or an ID alone, which all of them are asked for,
        a folder of yours first.

    Raises
    ------
    StructureError
        The file cannot be read as a structure.
    NotFoundError, NotCachedError
        No structure of that name is here; the message has the command that fetches one.
    """
    if isinstance(source, Structure):
        return source
    text = str(source)
    if Path(text).is_file() or isinstance(source, Path):
        return read_structure(source)
    kind, colon, name = text.partition(":")
    if colon and kind in (known := [p.name for p in list_plugins("structures")]):
        return read_structure(_get(kind, name))
    for _, plugin in _sources():
        try:
            return read_structure(plugin.get(text, offline=True))
        except BioInterpError:  # not here, or no name of this source
            continue
    if _FILE.search(text):
        return read_structure(text)  # which says what is wrong with the path
    known = ", ".join(name for name, _ in _sources())
    fetched = f"rcsb:{text}" if _ENTRY.fullmatch(text) else f"alphafold:{text}"
    raise NotFoundError(
        f"a file of a structure, or an identifier of one that is here (asked: {known})",
        repr(text),
        f"Give a file, or run `bio-interp data get '{fetched}'` once, on a machine with a network.",
    )


def find_structure(accession: str) -> Structure:
    """Open the best structure of a protein that is on this machine; nothing is downloaded.

    Parameters
    ----------
    accession
        Of UniProt. Sources are asked one after another, a folder of yours first.

    Raises
    ------
    NotFoundError
        None is here.
    """
    for _, plugin in _sources():
        try:
            for name in plugin.find(accession, offline=True):
                return read_structure(plugin.get(name, offline=True))
        except BioInterpError:  # not here, or no accession
            continue
    raise NotFoundError(
        f"a structure of {accession} on this machine",
        "none",
        "Name one: a file or an identifier. `bio-interp data get 'alphafold:ACCESSION'` or "
        "'rcsb:ID' fetches one for later.",
    )


def _sources() -> Iterator[tuple[str, Any]]:
    names = [plugin.name for plugin in list_plugins("structures")]
    for name in sorted(names, key=lambda name: name != "folder"):
        try:
            yield name, load_plugin("structures", name)
        except PluginError as error:  # a broken plugin must not hide what others have
            _LOG.warning("%s", error)


def _get(kind: str, name: str) -> Path:
    try:
        return load_plugin("structures", kind).get(name, offline=True)
    except NotCachedError as error:
        raise NotCachedError(
            f"the structure {kind}:{name} on this machine",
            "no such file",
            f"Run `bio-interp data get '{kind}:{name}'` once, on a machine with a network.",
        ) from error
