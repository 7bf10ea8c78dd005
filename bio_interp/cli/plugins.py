"""``bio-interp plugins``."""

from bio_interp.cli._options import Common
from bio_interp.cli._show import show_rows

_COMMON = Common()


def plugins(*, common: Common = _COMMON) -> None:
    """List the plugins that are installed, and what is wrong with broken ones."""
    common.start()
    from bio_interp.plugins import find_problem, list_plugins

    rows = [
        (p.kind, p.name, p.package, p.version, p.value, find_problem(p) or "ok")
        for p in list_plugins()
    ]
    show_rows(("kind", "name", "package", "version", "module", "state"), rows)
