"""Fail where README or docs name a file or a command line that does not exist.

Links between files must lead somewhere, and every line of a fenced block that starts with
``bio-interp`` must be one that the command line accepts.
"""

import re
import shlex
import sys
from pathlib import Path

from cyclopts import CycloptsError

from bio_interp.cli._app import build_app

PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), Path("plugins/README.md")]


def broken_links(page: Path, text: str) -> list[str]:
    """List the relative links of a page that lead nowhere."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    local = [t for t in targets if not re.match(r"[a-z]+:", t)]
    return [f"{page}: no {t}" for t in local if not (page.parent / t).exists()]


def commands(text: str) -> list[str]:
    """List the lines of fenced blocks that run bio-interp; comments and pipes are cut off."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    lines = [
        line.rpartition("/")[2] if "/bio-interp" in line.split(" ")[0] else line for line in lines
    ]
    return [re.split(r"\s[|#>]", line)[0] for line in lines if line.startswith("bio-interp ")]


def refused(page: Path, text: str) -> list[str]:
    """List the commands of a page that the command line does not accept."""
    found = []
    for line in commands(text):
        try:
            build_app().parse_args(shlex.split(line)[1:], exit_on_error=False, print_error=False)
        except CycloptsError as error:
            found.append(f"{page}: {line}: {error}")
    return found


if __name__ == "__main__":
    written = (*sorted(Path("docs").rglob("*.md")), *sorted(Path("examples").rglob("*.md")))
    pages = [page for page in (*PAGES, *written) if page.exists()]
    texts = {page: page.read_text() for page in pages}
    found = [line for p, t in texts.items() for line in broken_links(p, t) + refused(p, t)]
    count = sum(len(commands(text)) for text in texts.values())
    print("\n".join(found) or f"{len(pages)} pages: links lead somewhere, {count} commands parse")
    sys.exit(bool(found))
