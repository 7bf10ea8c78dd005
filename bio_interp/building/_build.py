"""Build an atlas: all stages in order."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from bio_interp.building._job import Job
from bio_interp.building._recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from bio_interp.atlas import Atlas

_log = logging.getLogger(__name__)


def build(
    recipe: Recipe | Path | str,
    *,
    work: Path | None = None,
    out: Path | None = None,
    device: str | None = None,
) -> Atlas:
    """Build an atlas, or go on with a build that was interrupted at any moment.

    Parameters
    ----------
    recipe
        A recipe or its file.
    work
        Folder of what is finished; ``<recipe>.work`` beside the recipe where None.
    out
        Folder of the atlas; ``atlas`` in the work folder where None. It appears when it is whole.
    device
        Where the model runs, in place of the recipe's.

    Raises
    ------
    MismatchError
        The work folder holds what was made with other settings; the message names them.
    InputError
        A file or key of the recipe is wrong, there are too few proteins or concepts, or `out`
        holds something else.
    NotCachedError
        The model's weights or a data set are not on this machine.
    """
    from bio_interp.building._pack import finished, pack
    from bio_interp.building._stages import annotate, encode, harvest, link, sample, train

    job = make_job(recipe, work=work, device=device)
    place = atlas_folder(job, out)
    finished(job, place)  # before hours of work: is there room for the atlas?
    for name, stage in (
        ("annotations", annotate),
        ("sample", sample),
        ("harvest", harvest),
        ("train", train),
        ("encode", encode),
        ("link", link),
    ):
        _log.info("build: %s", name)
        stage(job)
    _log.info("build: atlas")
    return pack(job, place)


def make_job(
    recipe: Recipe | Path | str, *, work: Path | None = None, device: str | None = None
) -> Job:
    """Put a recipe to work."""
    read = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    return Job(read, work, device=device)


def atlas_folder(job: Job, out: Path | None) -> Path:
    """Tell where the atlas goes."""
    return out or job.work / "atlas"
