"""``bio-interp data list`` and ``bio-interp data get``."""

import logging

from bio_interp.cli._options import Common
from bio_interp.cli._show import counter, show_rows

_COMMON = Common()
_LOG = logging.getLogger(__name__)


def list_(*, common: Common = _COMMON) -> None:
    """List the named data sets."""
    common.start()
    from bio_interp.cache import is_cached, list_data_sets

    rows = [
        (d.name, "cached" if is_cached(d.name) else "-", _size(d.megabytes), d.licence)
        for d in list_data_sets()
    ]
    show_rows(("name", "state", "download", "licence"), rows)


def get_(name: str, /, *, common: Common = _COMMON) -> None:
    """Fetch a named data set into the cache.

    Parameters
    ----------
    name
        As `bio-interp data list` shows it; in place of QUERY a query of yours, as in
        'uniprot:reviewed:true AND organism_id:83333'.
    """
    common.start()
    from bio_interp.cache import find_data_set, get_data, is_cached, read_record

    data_set = find_data_set(name)
    _LOG.info("%s: %s; licence: %s", name, _size(data_set.megabytes), data_set.licence)
    _LOG.info("cite: %s", data_set.citation)
    was_there = is_cached(name)
    with counter("MB", draw=common.bars) as tick:
        offline = common.offline
        path = get_data(name, offline=offline, progress=lambda size: tick(size // 1_000_000))
    _LOG.info("%s %s", "was there already:" if was_there else "wrote", path)
    record = None if path.is_dir() else read_record(path)
    release, sha256 = (record.release, record.sha256) if record else ("", "")
    show_rows(("name", "path", "release", "sha256"), [(name, path, release or "-", sha256 or "-")])


def _size(megabytes: int | None) -> str:
    return "as much as fits" if megabytes is None else f"{megabytes} MB"
