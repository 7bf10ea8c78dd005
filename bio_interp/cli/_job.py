"""What the commands that run a recipe share."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bio_interp.cli._options import Machine
from bio_interp.errors import InputError

if TYPE_CHECKING:
    from bio_interp.building import Job, Shard

Work = Annotated[Path | None, Parameter(help="Folder of what is finished: beside the recipe.")]
ShardText = Annotated[
    str, Parameter(help="i/n: do the i-th of n parts; all parts may run at once.")
]


def make_job(recipe: Path, work: Path | None, machine: Machine) -> "Job":
    """Read a recipe and put it to work."""
    from bio_interp.building import make_job

    device = None if machine.device == "auto" else machine.device
    return make_job(recipe, work=work, device=device)


def read_shard(text: str) -> "Shard":
    """Read ``i/n``."""
    found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", text)
    if not found or int(found[1]) > int(found[2]):
        raise InputError("--shard i/n with i from 1 to n", repr(text), "Write 1/4, 2/4 and so on.")
    return int(found[1]), int(found[2])
