"""Turn tables of a TOML file into records, refusing every key, type and file that is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from bio_interp.errors import InputError

Record = TypeVar("Record")

_WORDS = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path in quotes",
}


def fill(
    record: type[Record],
    table: Any,
    *,
    name: str,
    folder: Path,
    more: Iterable[str] = (),
) -> Record:
    """Make a record of a table; every field of the record is a key.

    Parameters
    ----------
    record
        A dataclass whose fields are ``str``, ``int``, ``float``, ``bool``, ``Path``, a `Literal`,
        a tuple of one of these, or one of these or None.
    table
        What the TOML file has under `name`.
    name
        Full name of the table, for messages.
    folder
        What paths are relative to.
    more
        Keys that are read elsewhere.

    Raises
    ------
    InputError
        A key is unknown or missing, or its value is of another type; the message has its full
        name.
    """
    table = want_table(table, name)
    hints = get_type_hints(record)
    known = [f.name for f in fields(record)]  # type: ignore[arg-type]
    refuse_unknown(table, [*known, *more], name)
    values: dict[str, Any] = {}
    for field in fields(record):  # type: ignore[arg-type]
        key = f"{name}.{field.name}"
        if field.name in table:
            values[field.name] = _value(table[field.name], hints[field.name], key, folder)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise InputError(
                f"the key {key} ({_words(hints[field.name])})",
                f"[{name}] without it",
                f"Add `{field.name} = ...` under [{name}].",
            )
    try:
        return record(**values)
    except InputError as error:
        raise InputError(f"in [{name}] {error.wanted}", error.got, error.todo) from error


def want_table(value: Any, name: str) -> dict[str, Any]:
    """Take a value as a table."""
    if not isinstance(value, dict):
        raise InputError(
            f"a table [{name}]", f"{name} = {_shown(value)}", f"Write [{name}] and keys under it."
        )
    return value


def refuse_unknown(table: Mapping[str, Any], known: Iterable[str], name: str) -> None:
    """Refuse a key that is not known, naming the nearest one that is."""
    known = list(known)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            full = f"{name}.{key}" if name else key
            raise InputError(
                f"known keys{f' in [{name}]' if name else ''} ({', '.join(known)})",
                full,
                f"Did you mean {near[0]}?" if near else "Check the spelling, or leave it out.",
            )


def _value(value: Any, hint: Any, key: str, folder: Path) -> Any:
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if not isinstance(value, list):
            raise _wrong(key, f"a list ({_words(item)} each)", value)
        return tuple(_value(v, item, f"{key}[{i}]", folder) for i, v in enumerate(value))
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise _wrong(key, " or ".join(repr(choice) for choice in get_args(hint)), value)
        return value
    if hint is Path and isinstance(value, str) and value:
        return resolve(value, folder)
    if hint is float and type(value) is int:
        return float(value)
    if hint is Path or type(value) is not hint:
        raise _wrong(key, _words(hint), value)
    return value


def resolve(text: str, folder: Path) -> Path:
    """Find a path of the file: relative to its folder, or ``data:NAME/FILE`` of the cache."""
    if text.startswith("data:"):
        return Path(text)  # found when it is needed: see `Job.file`
    return folder / Path(text).expanduser()


def _wrong(key: str, wanted: str, value: Any) -> InputError:
    return InputError(f"{key} to be {wanted}", _shown(value), f"Change {key} in the TOML file.")


def _words(hint: Any) -> str:
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is tuple:
        return f"a list, {_words(get_args(hint)[0])} each"
    if get_origin(hint) is Literal:
        return " or ".join(repr(choice) for choice in get_args(hint))
    return _WORDS[hint]


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"
