"""Options that several commands share."""

import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from cyclopts import CycloptsError, Parameter

from bio_interp.errors import printable

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")
_T = TypeVar("_T")

Format = Literal[
    "table", "tsv", "json", "gff3", "bed", "iprscan", "interproscan", "html", "parquet"
]
"""Formats of `annotate`, as `bio_interp.reports.FORMATS` has them."""

Source = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""A file, or ``-`` for standard input."""

AtlasName = Annotated[str, Parameter(env_var="BIO_INTERP_ATLAS")]
"""Name of an installed atlas, or the folder of one."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Common:
    """What is said on stderr."""

    quiet: Annotated[bool, Parameter(alias="-q", negative="")] = False
    "Say nothing on stderr but errors."
    verbose: Annotated[bool, Parameter(alias="-v", negative="")] = False
    "Say more on stderr."
    log_json: Annotated[bool, Parameter(negative="")] = False
    "Log on stderr as one JSON object a line."
    offline: Annotated[bool, Parameter(negative="")] = False
    "Never use the network. Only `data get` ever does."

    def start(self) -> None:
        """Set up the log."""
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JsonLines() if self.log_json else _Lines("%(message)s"))
        logger = logging.getLogger("bio_interp")
        logger.handlers, logger.propagate = [handler], False
        level = logging.DEBUG if self.verbose else logging.INFO
        logger.setLevel(logging.ERROR if self.quiet else level)

    @property
    def bars(self) -> bool:
        """Whether progress bars may be drawn on stderr."""
        return not (self.quiet or self.log_json) and sys.stderr.isatty()


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Machine:
    """Where the model runs."""

    device: str = "auto"
    "auto, cpu, cuda, cuda:1 or mps."
    threads: int | None = None
    "Processor threads; all cores where not given."

    def start(self) -> None:
        """Set the number of threads, before the libraries that read it are imported.

        Threads that wait for work spin for a moment and then sleep, unless the environment says
        otherwise: on a machine that others use too, ones that spin on cost a third of the speed;
        on an idle one, ones that sleep at once cost half as much again in a training step.
        """
        os.environ.setdefault("GOMP_SPINCOUNT", "50000")
        for name in _THREADS if self.threads else ():
            os.environ[name] = str(self.threads)

    def resolved(self) -> str:
        """Name the device that ``auto`` stands for."""
        from bio_interp.models import resolve_device

        return str(resolve_device(self.device))


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Output:
    """What the report looks like and where it goes."""

    out: Annotated[Path | None, Parameter(alias="-o")] = None
    "File to write; standard output where not given."
    format: Annotated[Format | None, Parameter(alias="-f")] = None
    "Guessed from the suffix of -o; else a table on a terminal, TSV in a pipe."
    columns: str | None = None
    "Columns of the TSV or Parquet, with commas between them."
    summary: Annotated[bool, Parameter(negative="")] = False
    "One row for every input protein, also those without calls."
    resume: bool | None = None
    "Go on with (TSV, GFF3, BED, InterProScan TSV), or throw away, the unfinished run beside -o."
    xref: Annotated[bool, Parameter(negative="")] = False
    "Fill the InterPro and GO columns of InterProScan TSV, from what the atlas knows."


def usage_error(message: str) -> CycloptsError:
    """Make the error of a command that is called wrongly: exit code 2."""
    return CycloptsError(msg=message)


def read_list(text: str, option: str, kind: Callable[[str], _T]) -> list[_T]:
    """Read values with commas between them; one that comes twice counts once."""
    try:
        values = [kind(part.strip()) for part in text.split(",")]
    except ValueError as error:
        raise usage_error(f"{option} takes values with commas between them: {error}") from error
    return list(dict.fromkeys(values))


class _Lines(logging.Formatter):
    """Lines for a terminal: names of files and records may hold what it would obey."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        content = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(content, ensure_ascii=False)
