"""The browser of `bio_interp_view3d`, and what benchmarks of the explorer do in it."""

from pathlib import Path

from bio_interp_view3d.browser import (
    OPTIONS,
    PROGRAMS,
    BrowserError,
    Page,
    browser_page,
    find_browser,
)

__all__ = [
    "OPTIONS",
    "PROGRAMS",
    "BrowserError",
    "Page",
    "browser_page",
    "find_browser",
    "page_address",
    "scroll_frames",
]


def scroll_frames(page: Page, steps: int, pixels: int) -> list[float]:
    """Scroll the table in sight by so many pixels a frame; give the milliseconds of each frame."""
    return page.run(f"""new Promise((done) => {{
      const grid = [...document.querySelectorAll('.grid')].find((g) => g.offsetParent);
      const times = [];
      let last = null;
      const step = (now) => {{
        if (last !== null) times.push(now - last);
        last = now;
        grid.scrollTop += {pixels};
        if (times.length < {steps}) requestAnimationFrame(step); else done(times);
      }};
      requestAnimationFrame(step);
    }})""")


def page_address(folder: Path) -> str:
    """Give the address of a site on the disk."""
    return (folder / "index.html").absolute().as_uri()
