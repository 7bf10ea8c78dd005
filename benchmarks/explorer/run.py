"""Size and speed of the explorer that `bio-interp report` writes.

Atlases of 2,048 and 10,000 features whose tables are full (portraits, logos, five examples a
feature, links, curves), and the atlas unirep. Sizes on disk and seconds to write. Where a Chromium
is installed it opens each site from the disk, headless: milliseconds until the page is ready (from
the start of the navigation to the end of its scripts), to search, to sort, to open the page of a
feature; and milliseconds of each frame while the table of all features is scrolled, slowly (a row
in sight in each frame is new) and fast (all rows are). A frame takes 16.7 ms at least, as the
screen is drawn 60 times a second; ``processor_ms_a_frame`` is what the page's main thread works for
one, which holds on a machine that others use too. Console errors and requests that leave the
machine are counted; both should be 0.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from _browser import Page, browser_page, find_browser, page_address, scroll_frames
from _harness import finish, parse, record
from _synthetic import write_atlas

from bio_interp.atlas import Atlas, load_atlas
from bio_interp.errors import BioInterpError
from bio_interp.reports.site import write_site

WIDTHS = (2048, 10_000)
SCROLLS = {"slow": 28, "fast": 3000}  # pixels a frame; a row is 28
FRAMES = 120
TABLE = "[...document.querySelectorAll('.grid')].find((g) => g.offsetParent)"
PAINTED = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"


def main() -> None:
    options = parse(__doc__)
    rounds = 3 if options.quick else 7
    program = find_browser()
    figures: dict[str, Any] = {"browser": program is not None, "rounds": rounds, "sites": {}}
    with tempfile.TemporaryDirectory() as work:
        for atlas in _atlases(Path(work), options):
            folder = Path(work) / f"site-{atlas.name}"
            figures["sites"][atlas.name] = _written(atlas, folder)
            if program is not None:
                with browser_page(program) as page:
                    version = page.call("Browser.getVersion")["product"]
                    figures["browser_version"] = version
                    figures["sites"][atlas.name] |= _looked_at(page, folder, rounds)
    finish(record("explorer", options, figures, packages=("bio-interp", "polars")), options)


def _atlases(work: Path, options: argparse.Namespace) -> list[Atlas]:
    made = [write_atlas(work / f"atlas{n}", n, seed=options.seed) for n in WIDTHS]
    try:
        return [*made, load_atlas("unirep")]
    except BioInterpError as error:
        print(f"without unirep: {error}", file=sys.stderr)
        return made


def _written(atlas: Atlas, folder: Path) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    totals = write_site(atlas, folder)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{atlas.name}: {totals} in {wall:.1f} s", file=sys.stderr)
    files = [f for f in folder.rglob("*") if f.is_file()]
    return {
        "features": totals.features,
        "files": len(files),
        "kb": round(totals.bytes / 1000),
        "kb_read_at_start": round(sum(f.stat().st_size for f in _at_start(folder)) / 1000),
        "kb_of_downloads": round(sum(f.stat().st_size for f in folder.glob("files/*")) / 1000),
        "seconds_to_write": round(wall, 2),
        "processor_seconds_to_write": round(cpu, 2),
    }


def _at_start(folder: Path) -> list[Path]:
    return [folder / "index.html", folder / "data/index.js", *(folder / "explorer").iterdir()]


def _looked_at(page: Page, folder: Path, rounds: int) -> dict[str, Any]:
    loads = []
    for _ in range(rounds):
        page.call("Page.navigate", url="about:blank")
        page.open(page_address(folder))
        page.until("document.readyState === 'complete'")
        loads.append(page.run("performance.getEntriesByType('navigation')[0].loadEventStart"))
    frames = {name: _frames(page, pixels, rounds) for name, pixels in SCROLLS.items()}
    timed = {
        "search": _timed(page, rounds, _typed("family 0001"), _typed("")),
        "sort": _timed(page, rounds, _click_head(2), _click_head(0)),
        "open_feature": [_opened(page, number) for number in range(0, 32 * rounds, 32)],
    }
    return {
        "ms_to_load": round(median(loads), 1),
        **{f"ms_to_{name}": round(median(times), 1) for name, times in timed.items()},
        "frames": frames,
        "console_errors": len(page.complaints),
        "requests_leaving": sum(not url.startswith("file:") for url in page.requests)
        - page.requests.count("about:blank"),
    }


def _frames(page: Page, pixels: int, rounds: int) -> dict[str, float]:
    times: list[float] = []
    page.call("Performance.enable", timeDomain="threadTicks")
    before = _processor_seconds(page)
    for _ in range(rounds):
        page.run(f"{TABLE}.scrollTop = 0")
        times += scroll_frames(page, FRAMES, pixels)
    spent = _processor_seconds(page) - before
    page.call("Performance.disable")
    ranked = sorted(times)
    return {
        "pixels_a_frame": pixels,
        "frames": len(ranked),
        "processor_ms_a_frame": round(1000 * spent / len(ranked), 2),
        "ms_median": round(median(ranked), 1),
        "ms_p99": round(ranked[int(0.99 * len(ranked))], 1),
        "ms_longest": round(ranked[-1], 1),
    }


def _processor_seconds(page: Page) -> float:
    """Processor time of the page's main thread in its tasks: scripts, layout, painting."""
    metrics = page.call("Performance.getMetrics")["metrics"]
    return next(m["value"] for m in metrics if m["name"] == "TaskDuration")


def _timed(page: Page, rounds: int, script: str, back: str) -> list[float]:
    """Time a script until what it changed is painted; `back` undoes it."""
    body = f"const start = performance.now(); {script} {PAINTED} return performance.now() - start;"
    times = []
    for _ in range(rounds):
        times.append(page.run(f"(async () => {{ {body} }})()"))
        page.run(f"(async () => {{ {back} {PAINTED} }})()")
    return times


def _typed(words: str) -> str:
    field = "document.getElementById('search')"
    return f"{field}.value = '{words}'; {field}.dispatchEvent(new Event('input'));"


def _click_head(number: int) -> str:
    return f"{TABLE}.querySelectorAll('[role=columnheader] button')[{number}].click();"


def _opened(page: Page, number: int) -> float:
    """Open the page of a feature whose file of data has not been read yet."""
    body = f"""
      const start = performance.now();
      const shown = document.getElementById('page');
      location.hash = explorer.link.feature({number});
      while (shown.dataset.shown !== location.hash) {PAINTED}
      const spent = performance.now() - start;
      location.hash = 'features';
      while (!shown.hidden) {PAINTED}
      return spent;"""
    return page.run(f"(async () => {{ {body} }})()")


if __name__ == "__main__":
    main()
