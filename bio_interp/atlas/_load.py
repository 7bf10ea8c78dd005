"""Open an atlas by name or folder."""

import os
from pathlib import Path
from typing import Protocol, runtime_checkable

from bio_interp.atlas._atlas import Atlas
from bio_interp.errors import NotFoundError
from bio_interp.models import LoadOptions
from bio_interp.plugins import list_plugins, load_plugin


@runtime_checkable
class AtlasSource(Protocol):
    """A plugin that brings an atlas (entry-point group ``bio_interp.atlases``)."""

    api_version: int

    def path(self) -> Path:
        """Folder of the atlas."""
        ...


def load_atlas(
    name: str | Path | None = None, *, device: str = "auto", options: LoadOptions | None = None
) -> Atlas:
    """Open an atlas by the name of an installed one, or by its folder.

    Parameters
    ----------
    name
        Where None, what the environment variable ``BIO_INTERP_ATLAS`` names, else ``unirep``.
    device, options
        How to load the language model, when it is first needed.

    Raises
    ------
    NotFoundError
        There is no such atlas; the message lists those installed.
    """
    name = name or os.environ.get("BIO_INTERP_ATLAS", "unirep")
    options = options or LoadOptions(device=device)
    installed = [p.name for p in list_plugins("atlases")]
    if str(name) in installed:
        source: AtlasSource = load_plugin("atlases", str(name))
        return Atlas(source.path(), options)
    if Path(name).is_dir():
        return Atlas(Path(name), options)
    raise NotFoundError(
        f"an installed atlas ({', '.join(installed) or 'none'}) or the folder of one",
        repr(str(name)),
        "Check the spelling; `bio-interp plugins` lists what is installed.",
    )
