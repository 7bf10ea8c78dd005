"""The directive ``cli-reference``: every command and option, from the code of the command line."""

import re
from typing import Any

from cyclopts import App
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bio_interp.cli._app import build_app


def reference() -> str:
    """Write all commands as Markdown: a heading a command, arguments and options below it."""
    return "\n".join(_command(app, names) for names, app in commands(build_app()))


def commands(app: App, before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], App]]:
    """List the commands that do something, in the order of the code, with the words to type."""
    found: list[tuple[tuple[str, ...], App]] = []
    for name in app:
        if not name.startswith("-"):
            inner, words = app[name], (*before, name)
            found += commands(inner, words) or [(words, inner)]
    return found


def _command(app: App, words: tuple[str, ...]) -> str:
    typed = " ".join(["bio-interp", *words])
    text = app.generate_docs(heading_level=2, recursive=False, usage_name=typed)
    body = text.partition("\n")[2].replace("```console", "```text")
    body = body.replace("**Parameters**", "**Options**").replace(" *[default: False]*", "")
    body = re.sub(r"docs/([\w-]+\.md)", r"[\1](\1)", body)
    return f"## {' '.join(words)}\n{body}\n"


class CliReference(SphinxDirective):
    """Put the reference where the directive stands."""

    def run(self) -> list[nodes.Node]:
        """Parse the Markdown as part of the page."""
        return self.parse_text_to_nodes(reference(), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("cli-reference", CliReference)
    return {"parallel_read_safe": True}
