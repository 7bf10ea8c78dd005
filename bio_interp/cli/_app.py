"""The list of commands, and what happens when one ends badly."""

import errno
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from cyclopts import App, CycloptsError

from bio_interp import BioInterpError, __version__

_COMMANDS = {
    "annotate": "Find named features in proteins: table, TSV, JSON, GFF3, BED, HTML, Parquet ...",
    "encode": "Write the features of proteins as numbers: npz, Parquet or h5ad.",
    "build": "Make an atlas of your own from a TOML file; killed at any time, it goes on.",
    "harvest": "Read proteins with a model, and keep the activations of a site.",
    "train": "Train an SAE: that of a recipe on its harvest, or one on activations of your own.",
    "sweep": "Train SAEs of many sites, widths and k in one pass of a model, and measure them.",
    "link": "Link the features of a recipe to concepts, and price their calls.",
    "bench": "Benchmark features against known annotations, with baselines beside them.",
    "concepts": "Turn annotation files (UniProt, Pfam, PROSITE ...) into a table of concepts.",
    "split": "Cluster proteins by homology and deal the clusters into four folds.",
    "show": "Look at one feature, one concept, or proteins.",
    "view": "Show features, or the calls of proteins, on a 3D structure: a page to turn.",
    "find": "Find features for a concept, for words, or, in proteins, for a motif or spans.",
    "contrast": "Find the features that separate two sets of proteins, or spans from the rest.",
    "variants": "Find the features of a protein that mutations change; scan every substitution.",
    "suggest": "Find annotations that a database seems to miss, ranked for a curator.",
    "report": "Write an atlas as a folder of pages: search, sort, look, from a disk or the web.",
    "serve": "Show a folder that `report` wrote in the browser of this machine.",
    "compare": "Compare two atlases: what each knows, and how well.",
    "doctor": "Check this machine: versions, devices, cache, plugins, atlases.",
    "plugins": "List the plugins that are installed, and what is wrong with broken ones.",
    "cite": "Print what to cite for an atlas, and under which licences it stands.",
}
_GROUPS = {
    "data": {
        "list": "List the named data sets.",
        "get": "Fetch a named data set, a UniProt query or published weights.",
    },
    "cache": {
        "path": "Print the folder of the cache.",
        "list": "List what the cache holds.",
        "clear": "Remove one entry of the cache, or all of them.",
    },
}
_GROUP_HELP = {
    "data": "Named data sets with hashes: list, get.",
    "cache": "The cache: path, list, clear.",
}


def build_app() -> App:
    """Build the application; commands are strings, so none of their modules is imported."""
    app = App(
        name="bio-interp",
        version=__version__,
        help="From protein sequences to named, calibrated features of protein language models.",
        help_format="plaintext",
        suppress_keyboard_interrupt=False,  # `run` turns it into exit code 130
    )
    for name, text in _COMMANDS.items():
        app.command(f"bio_interp.cli.{name}:{name}", name=name, help=text)
    for group, commands in _GROUPS.items():
        branch = App(name=group, help=_GROUP_HELP[group], help_format="plaintext")
        for name, text in commands.items():
            branch.command(f"bio_interp.cli.{group}:{name}_", name=name, help=text)
        app.command(branch)
    return app


def main(tokens: Sequence[str] | None = None) -> None:
    """Run one command and exit.

    Exit codes: 0 well, 1 an error of ours (a message, no traceback), 2 usage, 3 nothing matched
    with ``--fail-empty``, 130 interrupted. Anything else is a bug and shows a traceback.
    A terminated run (SIGTERM, 143) tidies up as an interrupted one does.
    """
    signal.signal(signal.SIGTERM, _terminated)
    sys.exit(run(tokens))


def run(tokens: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of `main`."""
    if cast(Any, sys.stdout) is None:  # closed by the caller (``>&-``)
        sys.stdout = _Closed()
    try:
        code = build_app()(
            sys.argv[1:] if tokens is None else list(tokens),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
        sys.stdout.flush()
    except CycloptsError as error:
        return _say(f"{error}\nRun with --help to see the options.", 2)
    except BioInterpError as error:
        return _say(str(error), 1)
    except KeyboardInterrupt:
        return _say("interrupted", 130)
    except BrokenPipeError:
        _let_go_of_stdout()  # the reader has seen enough
        return 0
    except OSError as error:
        if error.errno is None:
            raise
        _let_go_of_stdout()
        return _say(_disk_text(error), 1)
    return code if isinstance(code, int) else 0


def _terminated(number: int, _: object) -> None:
    sys.exit(128 + number)


class _Closed(io.TextIOBase):
    """Standard output that is closed: nothing is lost without an error."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EBADF, "it is closed", "standard output")


def _let_go_of_stdout() -> None:
    """Keep Python from trying again, and complaining, when it flushes at exit."""
    with suppress(OSError, ValueError):  # no file descriptor: a test or a notebook reads us
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _disk_text(error: OSError) -> str:
    """Say what the system refused: a full disk, a missing permission, a folder that went away."""
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    todo = "Make room, or write elsewhere" if full else "Check that it is there and yours"
    return str(
        BioInterpError(
            f"to read or write {' and '.join(names) or 'a file'}",
            error.strerror or str(error),
            f"{todo}; what was finished is kept.",
        )
    )


def _say(message: str, code: int) -> int:
    sys.stderr.write(f"bio-interp: {message}\n")
    return code
