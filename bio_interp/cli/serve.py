"""``bio-interp serve``."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from bio_interp.cli._options import Common

_COMMON = Common()


def serve(
    folder: Path,
    /,
    *,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 8765,
    no_browser: Annotated[bool, Parameter(negative="")] = False,
    common: Common = _COMMON,
) -> None:
    """Show a folder that `report` wrote in the browser of this machine; Ctrl-C ends it.

    It answers on 127.0.0.1 alone, and hands out nothing but files of the folder.

    Parameters
    ----------
    folder
        Holds index.html.
    port
        0 takes any that is free.
    no_browser
        Print the address only.
    """
    common.start()
    from bio_interp.reports.site import open_site

    with open_site(folder, port) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        if not no_browser:
            import webbrowser

            webbrowser.open(server.url)
        server.serve_forever()
