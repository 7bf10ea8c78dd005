"""Make links work on the built pages that are written for readers of the repository.

A page links to ``../CONTRIBUTING.md`` or ``../examples/laptop/README.md``, as one reads it in the
repository. Files that a page here includes become links to that page, a page is called by its title
and not by its file, other files are offered for download, and of a link to a folder only the words
are kept.
"""

import os
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "plugins/README.md": "plugins.md",
    "examples/README.md": "examples.md",
}
"""Pages that stand for files of the repository; every README below examples is on one page."""


def relink(text: str, written_in: Path, page: Path, root: Path) -> str:
    """Rewrite the relative links of `text`, which lies in the folder `written_in`, for `page`.

    `root` is the repository. Links to places on the web and within a page are left alone.
    """

    def rewrite(found: re.Match[str]) -> str:
        words, target, anchor = found.groups()
        path = (written_in / target).resolve()
        if path.is_dir():
            return words
        if path.is_relative_to(root):
            name = re.sub(r"^examples/\w+/", "examples/", path.relative_to(root).as_posix())
            path = root / "docs" / PAGES[name] if name in PAGES else path
        link = os.path.relpath(path, page.parent)
        if not path.is_relative_to(root / "docs"):
            return f"[{words}](path:{link})"  # MyST would take any .md for a page
        if words.endswith(path.name) and not anchor:
            words = ""  # MyST puts the title of the page there
        return f"[{words}]({link}{anchor or ''})"

    return re.sub(r"\[([^\]\[]+)\]\((?![a-z]+:)([^)#\s]+)(#[^)\s]*)?\)", rewrite, text)


def _page(app: Sphinx, docname: str, source: list[str]) -> None:
    page = Path(app.env.doc2path(docname))
    source[0] = relink(source[0], page.parent, page, Path(app.srcdir).parent)


def _included(app: Sphinx, path: Path, docname: str, source: list[str]) -> None:
    page, root = Path(app.env.doc2path(docname)), Path(app.srcdir).parent
    source[0] = relink(source[0], (Path(app.srcdir) / path).resolve().parent, page, root)


def setup(app: Sphinx) -> dict[str, Any]:
    """Rewrite pages and what they include as they are read."""
    app.connect("source-read", _page)
    app.connect("include-read", _included)
    return {"parallel_read_safe": True}
