"""Fixtures that every test may use."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_SHARED = Path(os.environ.get("BIO_INTERP_SHARED_DATA", Path(__file__).parents[2] / "shared/data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data sets; tests that need it are skipped where it is absent."""
    if not (_SHARED / "PROVENANCE.md").is_file():
        pytest.skip(f"shared data not found at {_SHARED}; set BIO_INTERP_SHARED_DATA")
    return _SHARED


@pytest.fixture(scope="session")
def straight() -> Callable[..., bytes]:
    """Write a chain of CA atoms on a line, as a PDB file."""
    import gemmi

    def write(sequence: str, *, first: int = 1, chain: str = "A") -> bytes:
        lines = []
        for i, letter in enumerate(sequence):
            name = gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)
            start = f"ATOM  {i + 1:5}  CA  {name} {chain}{first + i:4}    "
            lines.append(f"{start}{3.8 * i:8.3f}{0:8.3f}{0:8.3f}  1.00 20.00           C")
        return "\n".join([*lines, "TER", "END", ""]).encode()

    return write


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Put a viewer in place that writes no picture; give the scenes that it was handed."""
    import bio_interp.structures._view as views

    seen: list[Any] = []

    class Viewer:
        api_version = 1

        def page(self, scenes: Any) -> str:
            seen[:] = scenes
            return "<!DOCTYPE html>drawn"

        def picture(self, scenes: Any, *, size: tuple[int, int]) -> bytes:
            seen[:] = scenes
            return b"drawn"

    monkeypatch.setattr(views, "load_plugin", lambda kind, name: Viewer())
    return seen


@pytest.fixture(autouse=True)
def _seed() -> None:
    import random

    import numpy as np

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries under test may use the global state


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Commands set up the log of their process, in fixtures of a module too; put it back."""
    logger = logging.getLogger("bio_interp")
    logger.handlers, logger.propagate = [], True
    logger.setLevel(logging.NOTSET)
    yield
    logger.handlers, logger.propagate = [], True
    logger.setLevel(logging.NOTSET)
