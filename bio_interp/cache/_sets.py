"""Find data sets by name, those of the core and those of plugins."""

import logging
from collections.abc import Iterator
from pathlib import Path

from bio_interp.cache._source import DataSet, DataSource
from bio_interp.cache._web import Progress
from bio_interp.cache._wheels import DATA_SETS, WheelSet, absent, get_wheel, is_whole, wheel_folder
from bio_interp.errors import NotCachedError, NotFoundError, PluginError
from bio_interp.plugins import list_plugins, load_plugin

_LOG = logging.getLogger(__name__)


def list_data_sets() -> list[DataSet]:
    """List the data sets that can be fetched, those that plugins offer after our own."""
    return [*DATA_SETS.values(), *(data_set for _, data_set in _offers())]


def find_data_set(name: str) -> DataSet:
    """Find a data set by name.

    Raises
    ------
    NotFoundError
        No data set has that name; the message lists those known.
    """
    return _find(name)[0]


def data_folder(name: str) -> Path:
    """Find the folder of a data set that was fetched; ``data.json`` in it has the hashes.

    Raises
    ------
    NotFoundError
        No data set of this name is a folder.
    NotCachedError
        The data set is not on this machine; nothing is downloaded.
    """
    if name not in DATA_SETS:
        raise _unknown(name, DATA_SETS)
    return data_path(name)


def data_path(name: str) -> Path:
    """Find the folder or the file of a data set that was fetched.

    Raises
    ------
    NotFoundError
        No data set has that name.
    NotCachedError
        The data set is not on this machine; nothing is downloaded.
    """
    data_set, source = _find(name)
    path = _place(name, data_set, source)
    if isinstance(data_set, WheelSet):
        if not is_whole(data_set):
            raise absent(data_set)
    elif not path.is_file():
        raise NotCachedError(
            f"the data set {name!r}",
            f"no file {path}",
            f"Run `bio-interp data get '{name}'` once, on a machine with a network.",
        )
    return path


def is_cached(name: str) -> bool:
    """Tell whether a data set is on this machine.

    Raises
    ------
    NotFoundError
        No data set has that name.
    """
    try:
        data_path(name)
    except NotCachedError:
        return False
    return True


def get_data(name: str, *, offline: bool = False, progress: Progress | None = None) -> Path:
    """Fetch a data set and return its folder or file.

    A data set that is there already is not fetched again.

    Parameters
    ----------
    offline
        Never use the network; ``BIO_INTERP_OFFLINE`` says the same.
    progress
        Is told how many bytes there are.

    Raises
    ------
    NotFoundError
        No data set has that name.
    NotCachedError
        It is not on this machine, and may not, or could not, be fetched.
    MismatchError
        What came is not what is known under this name.
    """
    data_set, source = _find(name)
    if source:
        return source.get_data(name, offline=offline, progress=progress)
    return get_wheel(DATA_SETS[data_set.name], offline=offline, progress=progress)


def _find(name: str) -> tuple[DataSet, DataSource | None]:
    if name in DATA_SETS:
        return DATA_SETS[name], None
    known = list(DATA_SETS)
    for source, data_set in _offers():
        if data_set.covers(name):
            return data_set, source
        known.append(data_set.name)
    raise _unknown(name, known)


def _place(name: str, data_set: DataSet, source: DataSource | None) -> Path:
    return source.data_path(name) if source else wheel_folder(DATA_SETS[data_set.name])


def _unknown(name: str, known: "list[str] | dict[str, WheelSet]") -> NotFoundError:
    return NotFoundError(
        f"the name of a data set (known: {', '.join(known)})",
        repr(name),
        "`bio-interp data list` shows the data sets.",
    )


def _offers() -> Iterator[tuple[DataSource, DataSet]]:
    for info in list_plugins():
        try:
            plugin = load_plugin(info.kind, info.name)
        except PluginError as error:  # a broken plugin must not hide the others' data
            _LOG.warning("%s", error)
            continue
        if isinstance(plugin, DataSource):
            yield from ((plugin, data_set) for data_set in plugin.data_sets())
