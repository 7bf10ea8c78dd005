"""``bio-interp data list`` and ``bio-interp data get``."""

import logging

from bio_interp.cli._options import Common
from bio_interp.cli._show import show_rows

_COMMON = Common()
_LOG = logging.getLogger(__name__)


def list_(*, common: Common = _COMMON) -> None:
    """List the named data sets."""
    common.start()
    from bio_interp.cache import DATA_SETS, is_cached

    rows = [
        (d.name, "cached" if is_cached(d.name) else "-", f"{d.megabytes} MB", d.licence)
        for d in DATA_SETS.values()
    ]
    show_rows(("name", "state", "download", "licence"), rows)


def get_(name: str, /, *, common: Common = _COMMON) -> None:
    """Fetch a named data set into the cache.

    Parameters
    ----------
    name
        As `bio-interp data list` shows it.
    """
    common.start()
    from bio_interp.cache import find_data_set, get_data

    data_set = find_data_set(name)
    _LOG.info("%s: %s", name, data_set.licence)
    folder = get_data(name, offline=common.offline)
    show_rows(("name", "folder"), [(name, folder)])
