"""``bio-interp cache path``, ``list`` and ``clear``."""

import sys
from typing import Annotated

from cyclopts import Parameter

from bio_interp.cli._options import Common
from bio_interp.cli._show import show_rows

_COMMON = Common()


def path_(*, common: Common = _COMMON) -> None:
    """Print the folder of the cache."""
    common.start()
    from bio_interp.cache import cache_folder

    sys.stdout.write(f"{cache_folder()}\n")


def list_(*, common: Common = _COMMON) -> None:
    """List what the cache holds."""
    common.start()
    from bio_interp.cache import list_cache

    rows = [
        (
            entry.name,
            f"{entry.size / 1e6:.1f} MB",
            entry.date or "-",
            entry.release or "-",
            "unfinished" if entry.unfinished else entry.source or "-",
            entry.path,
        )
        for entry in list_cache()
    ]
    show_rows(("name", "size", "date", "release", "source", "path"), rows)


def clear_(
    name: str | None = None,
    /,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    common: Common = _COMMON,
) -> None:
    """Remove one entry of the cache, or all of them.

    Parameters
    ----------
    name
        As `bio-interp cache list` shows it.
    all_
        Remove every entry.
    """
    common.start()
    from bio_interp.cache import clear_cache
    from bio_interp.errors import InputError

    if (name is None) != all_:
        raise InputError(
            "the name of an entry, or --all",
            "both" if all_ else "neither",
            "`bio-interp cache list` shows the entries.",
        )
    rows = [(entry.name, f"{entry.size / 1e6:.1f} MB", entry.path) for entry in clear_cache(name)]
    show_rows(("removed", "size", "path"), rows)
