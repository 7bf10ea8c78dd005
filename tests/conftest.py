"""Fixtures that every test may use."""

import os
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
