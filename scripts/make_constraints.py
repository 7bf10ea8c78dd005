"""Print constraints for all that this environment's bio-interp, tests, lint and pages need.

Run in an environment where they are installed: ``.venv/bin/python scripts/make_constraints.py``.
"""

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(lines: list[str]) -> dict[str, str]:
    """Follow requirements through the installed packages; name to version."""
    found: dict[str, str] = {}
    waiting = [Requirement(line) for line in lines]
    seen: set[tuple[str, str]] = set()
    while waiting:
        need = waiting.pop()
        extras = sorted(need.extras) or [""]
        wanted = not need.marker or any(need.marker.evaluate({"extra": e}) for e in extras)
        key = (canonicalize_name(need.name), ",".join(extras))
        if not wanted or key in seen:
            continue
        seen.add(key)
        try:
            dist = distribution(need.name)
        except PackageNotFoundError:
            continue
        found[key[0]] = dist.version.partition("+")[0]  # a local build stands for the release
        for line in dist.requires or ():
            inner = Requirement(line)
            marker, inner.marker = inner.marker, None
            if not marker or any(marker.evaluate({"extra": e}) for e in ["", *extras]):
                waiting.append(inner)
    return found


if __name__ == "__main__":
    content = tomllib.loads(Path("pyproject.toml").read_text())
    project, groups = content["project"], content["dependency-groups"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    lines = [*project["dependencies"], *extras, *chain(*groups.values()), "pip"]
    print("# One resolved set, Python 3.11; made by scripts/make_constraints.py")
    for name, version in sorted(closure(lines).items()):
        print(f"{name}=={version}")
