"""``bio-interp doctor``."""

from dataclasses import asdict
from typing import Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import Common, Machine
from bio_interp.cli._show import show_json, show_rows

_COMMON, _MACHINE = Common(), Machine()


def doctor(
    *,
    atlas: str | None = None,
    format: Annotated[Literal["table", "json"], Parameter(alias="-f")] = "table",
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> int:
    """Check this machine: versions, devices, memory, disk, cache, plugins, atlases.

    Exits with 1 where something is wrong. Whether the SAE of an atlas and the model that is here
    belong together is told by reading 16 fixed sequences.

    Parameters
    ----------
    atlas
        Name of an installed atlas, or the folder of one: check this one, and call it wrong where
        its weights are missing. All installed atlases whose weights are here where not given.
    format
        table (TSV in a pipe) or json.
    """
    common.start()
    machine.start()
    from bio_interp.reports import examine

    findings = list(examine(atlas))
    if format == "json":
        show_json([asdict(finding) for finding in findings])
    else:
        rows = [(f.topic, f.name, f.value, f.problem or "ok") for f in findings]
        show_rows(("topic", "name", "value", "state"), rows)
    return 1 if any(f.problem for f in findings) else 0
