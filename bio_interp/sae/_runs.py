"""What shall be trained in one pass over one stream of rows: one record an SAE."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bio_interp.errors import InputError
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._sites import READ, UNNAMED, WRITE

_SHARED = (
    *("total_rows", "batch_rows", "norm_rows", "max_norm_ratio"),
    *("log_every", "checkpoint_every", "validate_every"),
)
"""Settings of the stream, not of one SAE."""


@dataclass(frozen=True, slots=True)
class SaeRun:
    """One SAE or transcoder of `train_many`.

    Attributes
    ----------
    config
        How it is trained.
    read
        The site that it reads, by its name in the parts of the stream; empty where the parts have
        one site only. A tuple because crosscoders will read several.
    write
        The site that it writes; empty is the site that it reads, and a transcoder's is another.

    Examples
    --------
    >>> config = TrainConfig(d_sae=64, k=4, total_rows=100_000)
    >>> SaeRun(config, read=("layer.3",)).settings()["read"]
    ['layer.3']
    """

    config: TrainConfig
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, sites in (("read", self.read), ("write", self.write)):
            if isinstance(sites, str) or len(sites) > 1:
                raise InputError(
                    f"one site to {name}, in a tuple",
                    repr(sites),
                    "Train an SAE or transcoder for each; crosscoders are not trained yet.",
                )

    def taps(self, sites: Iterable[str]) -> tuple[str, str]:
        """Give the sites to read and to write, of those that the stream has.

        Raises
        ------
        InputError
            The stream has no such site, or has several and the run names none.
        """
        known = tuple(sites)
        default = (READ, WRITE) if known == (READ, WRITE) else known * 2
        if not self.read and len(default) != 2:
            raise InputError(f"a site to read of {', '.join(known)}", "none", "Set `read`.")
        read = self.read[0] if self.read else default[0]
        write = self.write[0] if self.write else (read if self.read else default[1])
        for name in (read, write):
            if name not in known:
                raise InputError(
                    f"a site of the stream ({', '.join(known) or 'none'})",
                    repr(name),
                    "Name one of them, or add the site to the stream.",
                )
        return read, write

    def settings(self) -> dict[str, Any]:
        """Write out what decides the result, for a JSON file."""
        return {
            "config": self.config.to_dict(),
            "read": list(self.read),
            "write": list(self.write),
        }

    def facts(self) -> dict[str, Any]:
        """Say which sites it was trained on, where they have names."""
        named = {"site": self.read, "write_site": self.write}
        return {key: sites[0] for key, sites in named.items() if sites and sites[0] != UNNAMED}


def check_runs(runs: Mapping[str, SaeRun]) -> None:
    """Refuse names that are no folders, and runs that cannot share a stream.

    Raises
    ------
    InputError
        There is no run, or one has a name that is not fit, or two differ in what they share.
    """
    if not runs:
        raise InputError("at least one run", "none", "Give a SaeRun for each SAE.")
    for name in runs:
        if not re.fullmatch(r"[\w.+=,@-]*\w[\w.+=,@-]*", name) or name in ("checkpoints", "logs"):
            raise InputError(
                "names of runs that can be folders (letters, digits, . _ - + = , @)",
                repr(name),
                "Call it otherwise than that, 'checkpoints' and 'logs'.",
            )
    for field in _SHARED:
        values = {name: getattr(run.config, field) for name, run in runs.items()}
        if len(set(values.values())) > 1:
            raise InputError(
                f"runs of one {field}, since they share a stream",
                ", ".join(f"{value} ({name})" for name, value in values.items()),
                "Set it alike, or train them in two passes.",
            )
