"""``bio-interp doctor``."""

from bio_interp.cli._options import Common, Machine
from bio_interp.cli._show import show_rows

_COMMON, _MACHINE = Common(), Machine()


def doctor(*, machine: Machine = _MACHINE, common: Common = _COMMON) -> int:
    """Check this machine: versions, devices, cache, plugins, atlases.

    Exits with 1 where something is wrong.
    """
    common.start()
    machine.start()
    from bio_interp.reports import examine

    findings = list(examine())
    rows = [(f.topic, f.name, f.value, f.problem or "ok") for f in findings]
    show_rows(("topic", "name", "value", "state"), rows)
    return 1 if any(f.problem for f in findings) else 0
