"""``bio-interp train``."""

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from bio_interp.cli._job import Work, make_job
from bio_interp.cli._options import Common, Machine, read_list, usage_error

_LOG = logging.getLogger(__name__)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Training:
    """How an SAE is trained on --activations; a recipe has its own keys for all this."""

    d_sae: int | None = None
    "Features; needed without a recipe."
    k: int | None = None
    "Features on in a row, or about k on average; needed without a recipe."
    rows: int | None = None
    "Rows to train on in all, read again where there are fewer; every row once where not given."
    architecture: Literal["batchtopk", "topk", "jumprelu", "gated", "relu"] | None = None
    "batchtopk where not given."
    prefixes: str | None = None
    "Matryoshka, for batchtopk and topk: numbers of features, with commas between them."
    sparsity: float | None = None
    "Weight of the penalty of jumprelu, gated and relu; steered to k where not given."
    batch_rows: int | None = None
    "Rows a step; 2048 where not given."
    lr: float | None = None
    "Peak learning rate; by d_sae where not given."
    seed: int | None = None
    "Seed of the first weights; 0 where not given."
    checkpoint_every: int | None = None
    "Steps, of which a kill loses no more; 500 where not given."
    buffer_rows: int | None = None
    "Rows of a harvest that are mixed in memory; a million where not given."

    def given(self) -> dict[str, Any]:
        """Collect what was given, by the names that Python has for it."""
        found = {name: value for name, value in asdict(self).items() if value is not None}
        if "rows" in found:
            found["total_rows"] = found.pop("rows")
        if "prefixes" in found:
            found["prefixes"] = tuple(read_list(found["prefixes"], "--prefixes", int))
        return found


_COMMON, _MACHINE, _TRAINING = Common(), Machine(), Training()


def train(
    recipe: Path | None = None,
    /,
    *,
    activations: Path | None = None,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    work: Work = None,
    training: Training = _TRAINING,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Train an SAE: that of a recipe on its harvest, or one on activations of your own.

    Killed at any time, it goes on where the same command is given again. Metrics go to stderr, and
    to logs/ in the folder.

    Parameters
    ----------
    recipe
        The build.toml; its SAE is trained on its harvest, or the one it starts from is checked.
    activations
        In place of a recipe: folder that `harvest` wrote, or a .npy or .safetensors file of one
        matrix, a row a token.
    out
        Folder of the SAE that is not of a recipe.
    """
    common.start()
    machine.start()
    given = training.given()
    if (recipe is None) == (activations is None):
        raise usage_error("train takes a build.toml or --activations, one of the two.")
    if recipe is not None:
        if given or out:
            raise usage_error("With a build.toml, its keys say how to train; leave options out.")
        from bio_interp.building import train

        _LOG.info("SAE in %s", train(make_job(recipe, work, machine)))
    elif activations is not None:
        if out is None or work is not None or not given.keys() >= {"d_sae", "k"}:
            raise usage_error("--activations needs --d-sae, --k and -o FOLDER, and no --work.")
        from bio_interp.building import train_file

        train_file(activations, out, given, device=machine.resolved())
        _LOG.info("SAE in %s", out)
