"""The page: 3Dmol.js, what py3Dmol makes, our script, and the scenes as data."""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import py3Dmol

from bio_interp.render import Markup, element
from bio_interp.structures import Scene
from bio_interp_view3d._payload import describe_scene
from bio_interp_view3d._script import read_script

_NAME = "scene"
_PROMISE = "window.$3Dmolpromise = Promise.resolve();"  # so that py3Dmol fetches nothing


def write_page(scenes: Sequence[Scene]) -> str:
    """Write one page; see `bio_interp.structures.StructureViewer.page`."""
    script = read_script()
    made = [describe_scene(scene) for scene in scenes]
    title = " | ".join(panel["title"] for panel in made)
    start, canvas_script = _canvas(len(made))
    codes = [script.code, _PROMISE, canvas_script, _own("view.js")]
    scripts = [element("script", Markup(code)) for code in codes]
    data = element(
        "script", Markup(_json({"panels": made})), type="application/json", id="bio-interp-scenes"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(codes)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(_own("view.css"))),
        Markup(f"<!-- 3Dmol.js in this page:\n{script.notice.replace('--', '- -')}\n-->"),
    )
    body = element("body", Markup(_own("view.html").replace("CANVAS", start)), data, *scripts)
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _canvas(panels: int) -> tuple[str, str]:
    """Let py3Dmol make the element and the script of the viewers; give both."""
    size: Any = "100%"
    view: Any = py3Dmol.view(width=size, height=size, viewergrid=(1, panels), linked=True, js="")
    html: str = view.write_html()
    html = html.replace(view.uniqueid, _NAME)
    start, _, rest = html.partition("<script>")
    code, end, _ = rest.partition("</script>")
    assert end, "py3Dmol makes an element and one script"
    return start, code


def _policy(codes: Sequence[str]) -> str:
    """Allow these scripts and nothing else; a name that got through as a script would not run."""
    digests = [base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in codes]
    sources = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data: blob:"
    )


def _json(content: object) -> str:
    """JSON that cannot end its element."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _own(name: str) -> str:
    return (files("bio_interp_view3d") / name).read_text(encoding="utf-8")
