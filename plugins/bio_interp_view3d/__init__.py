"""Structures to turn in 3D, drawn by 3Dmol.js through py3Dmol, without a network.

py3Dmol's own pages load 3Dmol.js from a public server, and stay blank where there is none. Here
the script lies in the cache (``bio-interp data get 3dmol``, once) and is put into each page. Pages
hold values and names as data, and forbid every script but those whose hashes they name.

3Dmol.js: Rego and Koes, Bioinformatics 31, 1322 (2015), doi:10.1093/bioinformatics/btu829.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bio_interp_view3d._script import DATA_SET, fetch_script, script_path

if TYPE_CHECKING:
    from bio_interp.cache import DataSet, Progress
    from bio_interp.structures import Scene

__all__ = ["VIEWER", "Py3DmolViewer"]


class Py3DmolViewer:
    """Draws scenes as pages that carry 3Dmol.js, and as pictures through a browser."""

    api_version = 1

    def page(self, scenes: "Sequence[Scene]") -> str:
        """Write one HTML page that shows scenes side by side.

        Raises
        ------
        NotCachedError
            3Dmol.js is not in the cache.
        """
        from bio_interp_view3d._page import write_page

        return write_page(scenes)

    def picture(self, scenes: "Sequence[Scene]", *, size: tuple[int, int]) -> bytes:
        """Draw the page as a PNG, without the sequence and what is there to be clicked.

        Raises
        ------
        NotCachedError
            3Dmol.js is not in the cache.
        MissingExtraError
            No Chromium is installed.
        """
        from bio_interp_view3d._picture import take_picture

        return take_picture(self.page(scenes), size)

    def data_sets(self) -> "Sequence[DataSet]":
        """Offer 3Dmol.js to ``bio-interp data get 3dmol``."""
        return (DATA_SET,)

    def data_path(self, name: str) -> Path:
        """Give the place of its package in the cache."""
        return script_path()

    def get_data(
        self, name: str, *, offline: bool = False, progress: "Progress | None" = None
    ) -> Path:
        """Fetch its package, unless it is here."""
        return fetch_script(offline=offline, progress=progress)


VIEWER = Py3DmolViewer()
"""What the entry point ``py3dmol`` of ``bio_interp.views`` loads."""
