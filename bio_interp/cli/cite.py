"""``bio-interp cite``."""

import logging
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import AtlasName, Common
from bio_interp.cli._show import show_json, show_rows

_COMMON = Common()
_LOG = logging.getLogger(__name__)


def cite(
    atlas: AtlasName = "unirep",
    /,
    *,
    format: Annotated[Literal["table", "json", "bibtex"], Parameter(alias="-f")] = "table",
    common: Common = _COMMON,
) -> None:
    """Print what to cite for an atlas or a report, and under which licences it stands.

    Parameters
    ----------
    atlas
        Name of an installed atlas, or the folder of one; or a report that `annotate` wrote.
    format
        table (TSV in a pipe), json or bibtex.
    """
    common.start()
    from bio_interp.atlas import load_atlas
    from bio_interp.reports import bibtex, citations

    info = load_atlas(_named_in(Path(atlas)) if Path(atlas).is_file() else atlas).info
    if format == "bibtex":
        sys.stdout.write(bibtex(info))
    elif format == "json":
        show_json([{"what": what, "text": text} for what, text in citations(info)])
    else:
        show_rows(("what", "text"), citations(info))


def _named_in(report: Path) -> str:
    """Read the atlas out of a report; say so where the one installed is of another version."""
    from bio_interp.atlas import load_atlas
    from bio_interp.errors import InputError
    from bio_interp.reports import atlas_of_report

    found = atlas_of_report(report)
    if found is None:
        raise InputError(
            "a report that names its atlas (TSV, GFF3, JSON ...)",
            f"{report}, which does not",
            "Name the atlas: `bio-interp cite unirep`.",
        )
    name, version = found
    here = load_atlas(name).info.version
    if here != version:
        _LOG.warning("%s is of %s version %s; version %s is here", report, name, version, here)
    return name
