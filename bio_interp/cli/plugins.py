"""``bio-interp plugins``."""

import logging
import os
from dataclasses import asdict
from typing import Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import Common
from bio_interp.cli._show import show_json, show_rows

_COMMON = Common()
_LOG = logging.getLogger(__name__)


def plugins(
    *,
    format: Annotated[Literal["table", "json"], Parameter(alias="-f")] = "table",
    common: Common = _COMMON,
) -> None:
    """List the plugins that are installed, and what is wrong with broken ones.

    Parameters
    ----------
    format
        table (TSV in a pipe) or json.
    """
    common.start()
    from bio_interp.plugins import find_problem, list_plugins

    found = [{**asdict(p), "state": find_problem(p) or "ok"} for p in list_plugins()]
    broken = sum(plugin["state"] != "ok" for plugin in found)
    if format == "json":
        show_json(found)
    else:
        order = ("kind", "name", "package", "version", "value", "state")
        names = ("kind", "name", "package", "version", "module", "state")
        show_rows(names, [[plugin[key] for key in order] for plugin in found])
    if hidden := os.environ.get("BIO_INTERP_DISABLE"):
        _LOG.info("hidden by BIO_INTERP_DISABLE: %s", hidden)
    if broken:
        _LOG.warning("%s of %s plugins do not load; all others work", broken, len(found))
