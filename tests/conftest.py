"""Fixtures that every test may use."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_SHARED = Path(os.environ.get("BIO_INTERP_SHARED_DATA", Path(__file__).parents[2] / "shared/data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real data sets; tests that need it are skipped where it is absent."""
    if not (_SHARED / "PROVENANCE.md").is_file():
        pytest.skip(f"shared data not found at {_SHARED}; set BIO_INTERP_SHARED_DATA")
    return _SHARED


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
