"""A folder belongs to the settings that it was made with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bio_interp.errors import MismatchError
from bio_interp.provenance import changes, write_json


def claim(folder: Path, settings: Mapping[str, Any], todo: str) -> Path:
    """Give a folder, made where it is absent, whose ``settings.json`` is these settings.

    Raises
    ------
    MismatchError
        It holds what was made with other settings; the message names them, and says `todo`.
    """
    path = folder / "settings.json"
    plain = json.loads(json.dumps(dict(settings)))
    if not path.is_file():
        write_json(path, plain)
    elif problem := changes(json.loads(path.read_text()), plain):
        raise MismatchError(f"the settings that {folder} was made with", problem, todo)
    return folder
