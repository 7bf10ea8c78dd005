"""Values as scripts, which a page can load from a disk; they do nothing but hand values over."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

_DIGITS = 5  # significant ones
_T = TypeVar("_T")


def data_script(name: str, content: Any) -> str:
    r"""Write a value as a script that hands it to the page.

    Parameters
    ----------
    name
        What the page asks for: ``index``, ``f0``.
    content
        Plain values. Fractions are rounded to five digits; NaN and infinities become null.

    Returns
    -------
    str
        One line of ASCII. Beyond JSON no ``<`` is in it, so that it may stand in HTML too, and
        neither are the line ends that JSON allows in strings and old scripts do not.

    Examples
    --------
    >>> data_script("f0", {"name": "</script>\u2028", "f1": float("nan")})
    'explorer.receive("f0",{"name":"\\u003c/script>\\u2028","f1":null});\n'
    """
    text = json.dumps([name, plain(content)], separators=(",", ":"), allow_nan=False)
    return f"explorer.receive({text[1:-1]});\n".replace("<", "\\u003c")


def plain(value: Any) -> Any:
    """Round fractions and put null where JSON has no number, at any depth."""
    if isinstance(value, str | int | None):  # most are; asked first, as there are many
        return value
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in cast(dict[Any, Any], value).items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast(list[Any], value)]
    raise TypeError(f"no plain value: {type(value).__name__}")


def write_files(folder: Path, prefix: str, records: Iterable[Any], size: int) -> int:
    """Write records in files ``<prefix>0.js`` and so on, `size` in each; count them."""
    count = 0
    for number, batch in enumerate(batches(records, size)):
        name = f"{prefix}{number}"
        (folder / f"{name}.js").write_text(data_script(name, batch), encoding="ascii")
        count += len(batch)
    return count


def batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Cut a stream into lists of `size`, the last one shorter."""
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def columns(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    """Turn rows into a list a column: keys are then written once."""
    return {name: [row[name] for row in rows] for name in names}
