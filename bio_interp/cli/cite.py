"""``bio-interp cite``."""

from bio_interp.cli._options import Common
from bio_interp.cli._show import show_rows

_COMMON = Common()


def cite(atlas: str = "unirep", /, *, common: Common = _COMMON) -> None:
    """Print what to cite for an atlas, and under which licences it stands.

    Parameters
    ----------
    atlas
        Name of an installed atlas, or the folder of one.
    """
    common.start()
    from bio_interp.atlas import load_atlas
    from bio_interp.reports import citations

    show_rows(("what", "text"), citations(load_atlas(atlas).info))
