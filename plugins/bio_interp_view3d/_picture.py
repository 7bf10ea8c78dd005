"""A picture of a page, taken by a browser that cannot reach the network."""

import tempfile
from pathlib import Path

from bio_interp.errors import MissingExtraError
from bio_interp_view3d.browser import PROGRAMS, SOFTWARE_GL, browser_page, find_browser


def take_picture(page: str, size: tuple[int, int]) -> bytes:
    """Give the page as a PNG, without what is there to be clicked; see `Py3DmolViewer.picture`."""
    program = find_browser()
    if program is None:
        raise MissingExtraError(
            "a Chromium, which draws pictures of structures",
            f"none of {', '.join(PROGRAMS)} on this machine",
            "Install one (`apt install chromium`), or write a page and save its picture by hand.",
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "view.html"
        path.write_text(page.replace("<body>", '<body class="picture">', 1), encoding="utf-8")
        with browser_page(program, size, options=SOFTWARE_GL) as browser:
            width, height = size
            browser.call(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=height,
                deviceScaleFactor=1,
                mobile=False,
            )
            browser.open(path.as_uri())
            return browser.screenshot()
