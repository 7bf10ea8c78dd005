"""What a build would read, fetch and write, and how long it takes on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bio_interp.annotations import AnnotationTable
from bio_interp.building._build import atlas_folder, make_job
from bio_interp.building._job import Job
from bio_interp.building._recipe import Recipe
from bio_interp.building._sample import EVALUATED, Drawn, Sampler, load_draw
from bio_interp.errors import NotCachedError, NotFoundError
from bio_interp.sequences import Split, deal

if TYPE_CHECKING:
    from bio_interp.building._measure import Measured

_DECOYS = 4 * 100  # kinds of decoy, and proteins of each
_CODE_BYTES_IN_MEMORY = 50  # of a code while its shard is written
_SHARD_PROTEINS = 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plan: ``kind`` is reads, downloads, writes, memory, time or note."""

    kind: str
    name: str
    value: float | None
    text: str = ""


@dataclass
class Plan:
    """What a build would do.

    Attributes
    ----------
    lines
        Sizes are bytes, times are seconds; None where a missing download hides it.
    """

    lines: list[Line] = field(default_factory=list[Line])

    def add(self, kind: str, name: str, value: float | None = None, text: str = "") -> None:
        """Add a line."""
        self.lines.append(Line(kind, name, value, text))

    def of(self, kind: str) -> dict[str, float | None]:
        """Values of all lines of a kind, by name."""
        return {line.name: line.value for line in self.lines if line.kind == kind}

    def total(self, kind: str) -> float:
        """Sum of the known values of a kind."""
        return sum(line.value or 0.0 for line in self.lines if line.kind == kind)

    def rows(self) -> list[tuple[str, str, str]]:
        """Lines as text: kind, name, value with unit."""
        rows = [(line.kind, line.name, _text(line)) for line in self.lines]
        for kind in ("writes", "time"):
            if known := [
                line for line in self.lines if line.kind == kind and line.value is not None
            ]:
                whole = Line(kind, "in all", sum(line.value or 0.0 for line in known))
                rows.append((kind, whole.name, _text(whole)))
        return rows


def plan(
    recipe: Recipe | Path | str, *, work: Path | None = None, device: str | None = None
) -> Plan:
    """Say what `build` would read, fetch and write, its memory and time, writing nothing.

    Times are measured here and now on a sample: some proteins through the model, some steps of
    training, some proteins encoded and linked. Stages that are finished take no time.

    Raises
    ------
    InputError
        A file or key of the recipe is wrong.
    """
    job = make_job(recipe, work=work, device=device).offline()
    made = Plan()
    _files(job, made)
    split = _split(job, made)
    drawn = _draw(job, split, made)
    residues = {
        fold: sum(len(job.proteins[d.accession]) for d in drawn if d.fold == fold)
        for fold in ("fit", *EVALUATED)
    }
    for fold, count in residues.items():
        proteins = sum(d.fold == fold for d in drawn)
        made.add("proteins", fold, proteins, f"{proteins:,} proteins, {count:,} residues")
    try:
        _ = job.model
    except NotCachedError as error:
        made.add(
            "downloads", job.recipe.model.name, _megabytes(job.recipe.model.name), _wanted(error)
        )
        made.add("note", "time, memory, sizes", None, "can be measured once the weights are there")
        return made
    from bio_interp.building._measure import measure

    measured = measure(job, split, drawn)
    _writes(job, made, measured, residues)
    _times(job, made, measured, drawn, residues)
    made.add("memory", "peak", _memory(job, measured, drawn, residues))
    return made


def _files(job: Job, made: Plan) -> None:
    part = job.recipe.annotations
    paths = [*job.recipe.data.sequences, *(f for a in part.annotators.values() for f in a.files)]
    paths += [p for p in (job.recipe.data.split, part.table, job.recipe.sae.load) if p]
    if job.recipe.atlas.structures:
        paths += job.recipe.atlas.structures
        made.add("note", "structures", None, "testing features on them is not in the time")
    for path in dict.fromkeys(paths):
        try:
            made.add("reads", str(path), _size(job.file(path)))
        except NotCachedError as error:
            name = path.parts[0].removeprefix("data:")
            made.add("downloads", name, _megabytes(name), _wanted(error))


def _megabytes(name: str) -> float | None:
    """Bytes of a named data set, where it is one."""
    from bio_interp.cache import find_data_set

    try:
        megabytes = find_data_set(name).megabytes
    except NotFoundError:
        return None
    return None if megabytes is None else 1e6 * megabytes


def _wanted(error: NotCachedError) -> str:
    return f"{error.wanted}. {error.todo}"


def _size(path: Path) -> int:
    inside = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in inside)


def _split(job: Job, made: Plan) -> Split:
    known = job.work / "split" / "split.tsv"
    if job.recipe.data.split is not None or known.is_file():
        return job.split
    made.add("note", "split", None, "not made yet: every protein counts as a cluster of its own")
    return deal(((a, a) for a in job.proteins), {"method": "none"})


def _draw(job: Job, split: Split, made: Plan) -> list[Drawn]:
    known = job.work / "sample" / "sample.tsv"
    if known.is_file():
        job.claim("sample")
        return load_draw(known)
    table = AnnotationTable.concat([])
    if job.sample_needs_annotations:
        if (job.work / "annotations" / "annotations.json").is_file():
            table = AnnotationTable.load(job.claim("annotations"))
        else:
            made.add("note", "sample", None, "families are not known yet: more may be drawn")
    sampler = Sampler(job.proteins, split, job.recipe.sample)
    return sampler.draw(table, fit=job.recipe.sae.load is None)


def _writes(job: Job, made: Plan, measured: Measured, residues: dict[str, int]) -> None:
    everything, evaluated = sum(residues.values()), sum(residues[f] for f in EVALUATED)
    sae = measured.sae_parameters
    training = 0 if job.recipe.sae.load else 4 * sae
    stored = sae if job.recipe.sae.storage == "int8" else 4 * sae
    made.add("writes", "activations", 2.0 * everything * measured.d_model)
    made.add("writes", "sae", float(training + stored))
    made.add("writes", "codes", measured.code_bytes_per_residue * evaluated)
    made.add("writes", str(atlas_folder(job, None)), stored + measured.link_bytes)
    if training:
        made.add("note", "sae", None, f"and {_bytes(12 * sae)} of checkpoints while it trains")


def _times(
    job: Job,
    made: Plan,
    measured: Measured,
    drawn: Sequence[Drawn],
    residues: dict[str, int],
) -> None:
    evaluated = sum(residues[fold] for fold in EVALUATED)
    tested = [len(job.proteins[d.accession]) for d in drawn if d.fold == "test"][: _DECOYS // 4]
    each = measured.seconds_per_residue
    seconds = {
        "split": 0.0 if job.recipe.data.split else measured.split_seconds,
        "annotations": measured.annotate_seconds,
        "activations": each["harvest"] * sum(residues.values()),
        "sae": measured.training_seconds,
        "codes": each["encode"] * evaluated,
        "links": measured.link_seconds,
        "pack": (each["harvest"] + each["encode"]) * 4 * sum(tested),
    }
    for stage, taken in seconds.items():
        done = _done(job, stage)
        made.add("time", stage, 0.0 if done else taken, "done" if done else "")
    made.add("time", "start", measured.start_seconds)


def _done(job: Job, stage: str) -> bool:
    mark = {
        "split": "split.tsv",
        "annotations": "annotations.json",
        "sae": "sae.json",
        "links": "figures.json",
        "pack": "done.json",
    }.get(stage)
    return bool(mark) and (job.work / stage / mark).is_file()


def _memory(
    job: Job, measured: Measured, drawn: Sequence[Drawn], residues: dict[str, int]
) -> float:
    """Peak of the measurement, and what grows with the data: buffer of rows, shard of codes."""
    buffer = 2 * min(job.recipe.sae.buffer_rows, residues["fit"]) * measured.d_model
    evaluated = [len(job.proteins[d.accession]) for d in drawn if d.fold in EVALUATED]
    mean = sum(evaluated) / max(1, len(evaluated))
    codes = min(_SHARD_PROTEINS, len(evaluated)) * mean * measured.l0 * _CODE_BYTES_IN_MEMORY
    window = 4 * min(65_536, sum(residues.values())) * measured.d_model
    texts = sum(len(p.sequence) for p in job.proteins.values())
    return (
        measured.peak_bytes
        + texts
        + max(buffer if job.recipe.sae.load is None else 0, codes, window)
    )


def _text(line: Line) -> str:
    if line.kind == "downloads" and line.value is not None:
        return f"{_bytes(line.value)}: {line.text}"
    if line.text:
        return line.text
    if line.value is None:
        return "not known yet"
    return _seconds(line.value) if line.kind == "time" else _bytes(line.value)


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
