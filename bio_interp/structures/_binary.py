"""BinaryCIF, through biotite, as the mmCIF that it stands for."""

import io
from importlib import import_module
from typing import Any

import gemmi

from bio_interp.errors import MissingExtraError, StructureError


def read_binary(content: bytes, name: str) -> gemmi.cif.Block:
    """Unpack the first block of a BinaryCIF file.

    Raises
    ------
    MissingExtraError
        Biotite is not installed.
    StructureError
        The file is cut or damaged.
    """
    try:
        reader: Any = import_module("biotite.structure.io.pdbx")
    except ImportError as error:
        raise MissingExtraError(
            f"biotite, which reads BinaryCIF files such as {name}",
            "no such package",
            'Run `pip install "bio-interp[structures]"`, or get the file as mmCIF (.cif).',
        ) from error
    try:
        source = reader.BinaryCIFFile.read(io.BytesIO(content))
        title, block = next(iter(source.items()))
        categories = {
            key: {column: _values(data) for column, data in category.items()}
            for key, category in block.items()
        }
    except Exception as error:  # msgpack and the decoders of columns raise many kinds
        raise StructureError(
            f"BinaryCIF in {name}",
            f"{type(error).__name__}: {error}",
            "Get the file again; it is cut or damaged.",
        ) from error
    made = gemmi.cif.Document().add_new_block(title or "structure")
    for key, columns in categories.items():
        made.set_mmcif_category(f"_{key.lstrip('_')}.", columns)
    return made


def _values(column: Any) -> list[str | bool | None]:
    """Give values as gemmi writes them: None for ``?``, False for ``.``."""
    data, mask = column.data.array, column.mask
    values = [str(value) for value in data.tolist()]
    if mask is None:
        return list(values)
    marks = mask.array.tolist()
    return [
        value if mark == 0 else (False if mark == 1 else None)
        for value, mark in zip(values, marks, strict=True)
    ]
