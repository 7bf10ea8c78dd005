"""Discover and load plugins through entry points.

Six kinds exist, one entry-point group each. Listing imports nothing; a plugin is imported when it
is used, and a broken one never breaks another. The Protocol of each kind lives with its stage
(for example `bio_interp.models.ModelSource`). ``BIO_INTERP_DISABLE=name,name`` hides plugins.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bio_interp.errors import PluginError

API_VERSION = 1
KINDS = ("models", "annotators", "structures", "sae_formats", "views", "atlases")


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One installed plugin, as found without importing it."""

    kind: str
    name: str
    value: str
    package: str
    version: str


def list_plugins(kind: str | None = None) -> list[PluginInfo]:
    """List installed plugins, sorted by kind and name, importing none of them.

    Parameters
    ----------
    kind
        One of `KINDS`; all kinds where None.

    Examples
    --------
    >>> [p.name for p in list_plugins("annotators")]
    ['pfam', 'prosite', 'structure', 'uniprot']
    """
    return [_info(k, ep) for k in ((kind,) if kind else KINDS) for ep in _entry_points(k)]


def load_plugin(kind: str, name: str) -> Any:
    """Import the plugin `name` of `kind` and check its API version.

    Raises
    ------
    PluginError
        The name is unknown (the message lists those known), the import fails, or the plugin was
        made for another API version.
    """
    points = {ep.name: ep for ep in _entry_points(kind)}
    if name not in points:
        known = ", ".join(points) or "none"
        raise PluginError(
            f"a bio_interp.{kind} plugin that is installed (known: {known})",
            repr(name),
            "Check the spelling, or install the package that brings it.",
        )
    try:
        plugin = points[name].load()
    except Exception as error:
        raise PluginError(
            f"plugin {name!r} to import from {points[name].value}",
            f"{type(error).__name__}: {error}",
            f"Reinstall its package, or hide it with BIO_INTERP_DISABLE={name}.",
        ) from error
    version = getattr(plugin, "api_version", None)
    if version != API_VERSION:
        raise PluginError(
            f"plugin {name!r} with api_version {API_VERSION}",
            repr(version),
            "Install a release of the plugin made for this bio_interp.",
        )
    return plugin


def find_problem(plugin: PluginInfo) -> str | None:
    """Import a plugin and say in one line why it does not load; None where it does."""
    try:
        load_plugin(plugin.kind, plugin.name)
    except PluginError as error:
        return " ".join(str(error).split())
    return None


def _entry_points(kind: str) -> Iterator[EntryPoint]:
    hidden = set(os.environ.get("BIO_INTERP_DISABLE", "").split(","))
    # an editable install beside a wheel lists the same entry point twice
    found = {ep.name: ep for ep in entry_points(group=f"bio_interp.{kind}")}
    return (found[name] for name in sorted(found) if name not in hidden)


def _info(kind: str, ep: EntryPoint) -> PluginInfo:
    package = ep.dist.name if ep.dist else "?"
    version = ep.dist.version if ep.dist else "?"
    return PluginInfo(kind, ep.name, ep.value, package, version)
