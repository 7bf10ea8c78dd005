"""Files that bio_interp keeps for the user: the cache, the data sets in it, and the one fetcher.

The cache is the folder ``BIO_INTERP_CACHE``, else the platform's place for caches. Nothing is
fetched unless `get_data`, `fetch` or `fetch_pages` is called, and nothing at all where the caller
or ``BIO_INTERP_OFFLINE`` forbids it. Every file that was fetched has a record beside it
(`FetchRecord`, ``NAME.json``): address, hash, date, release.

For plugins: a plugin object of any kind that has the methods of `DataSource` offers data sets to
``bio-interp data``; `fetch` takes one file, `fetch_pages` an answer in pages; tests hand recorded
answers in with `route_through`.
"""

from bio_interp.cache._fetch import fetch
from bio_interp.cache._folder import CacheEntry, cache_folder, clear_cache, list_cache
from bio_interp.cache._pages import Page, fetch_pages
from bio_interp.cache._record import FetchRecord, read_record
from bio_interp.cache._sets import (
    data_folder,
    data_path,
    find_data_set,
    get_data,
    is_cached,
    list_data_sets,
)
from bio_interp.cache._source import DataSet, DataSource
from bio_interp.cache._web import Progress, is_offline, route_through
from bio_interp.cache._wheels import DATA_SETS, WheelSet

__all__ = [
    "DATA_SETS",
    "CacheEntry",
    "DataSet",
    "DataSource",
    "FetchRecord",
    "Page",
    "Progress",
    "WheelSet",
    "cache_folder",
    "clear_cache",
    "data_folder",
    "data_path",
    "fetch",
    "fetch_pages",
    "find_data_set",
    "get_data",
    "is_cached",
    "is_offline",
    "list_cache",
    "list_data_sets",
    "read_record",
    "route_through",
]
