"""The command line: one file a command, imported when that command runs."""

from bio_interp.cli._app import main

__all__ = ["main"]
