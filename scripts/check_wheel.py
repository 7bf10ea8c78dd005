"""Check an installed wheel from outside the repository; `check_wheel.sh` runs it.

Every tracked file of the packages must be in the wheel and open, every entry point must load, and
all of it must come from the wheel and not from the repository.
"""

import sys
import sysconfig
from importlib import import_module
from importlib.metadata import Distribution
from pathlib import Path

SITE = Path(sysconfig.get_path("purelib"))


def left_out(tracked: list[str], installed: set[str]) -> list[str]:
    """List tracked files that the wheel lacks; pages for developers stay out of it."""
    wanted = [name.removeprefix("plugins/") for name in tracked if not name.endswith("README.md")]
    return [name for name in wanted if name not in installed]


if __name__ == "__main__":
    tracked, wheel = Path(sys.argv[1]).read_text().splitlines(), Path(sys.argv[2])
    (dist,) = Distribution.discover(name="bio-interp", path=[str(SITE)])
    files = {str(file) for file in dist.files or ()}
    read = sum(len((SITE / name).read_bytes()) for name in files if ".." not in name)
    missing = left_out(tracked, files)
    points = [point for point in dist.entry_points if point.group.startswith("bio_interp.")]
    for point in points:
        point.load()
        origin = Path(import_module(point.module).__file__ or "")
        assert origin.is_relative_to(SITE), f"{point.name} came from {origin}"
    assert not missing, f"not in the wheel: {missing}"
    size = wheel.stat().st_size / 1e6
    print(f"{wheel.name}: {size:.1f} MB, {len(files)} files ({read / 1e6:.1f} MB) read", end=", ")
    print(f"{len(points)} entry points loaded")
