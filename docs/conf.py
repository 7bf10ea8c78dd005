"""How the pages are built: ``make docs``. Nothing is fetched."""

import sys
from functools import cached_property
from inspect import isroutine
from pathlib import Path
from typing import Any

from bio_interp import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "bio_interp"
author = "The bio_interp developers"
copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_nb",
    "cli_reference",
    "repository_links",
]
exclude_patterns = ["_ext"]
smartquotes = False  # would make a dash of the two in front of an option

# the docstrings' `names` are links where there is such an object, and code where there is none
default_role = "py:obj"
autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "member-order": "groupwise",
    "no-value": True,
}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
numpydoc_show_class_members = False  # autodoc lists them

myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

html_theme = "pydata_sphinx_theme"
html_title = f"bio_interp {version}"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_sidebars = {"**": ["globaltoc.html"]}  # all pages, by section, on every page
html_theme_options: dict[str, Any] = {
    "navbar_center": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
}


def skip_fields(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out the fields of classes: the Attributes of the class describe them."""
    if what == "module":
        return None
    described = isroutine(obj) or isinstance(obj, property | cached_property)
    return not (described and obj.__doc__) or None


def show_defaults(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """Write the default of a field that a factory makes as dots: Sphinx cannot parse <factory>."""
    return (signature.replace("<factory>", "..."), returns) if signature else None


def setup(app: Any) -> None:
    """Connect what this page defines."""
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("autodoc-process-signature", show_defaults)
