"""Annotations from files of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bio_interp.annotations._protocol import Annotator
from bio_interp.annotations._table import AnnotationTable
from bio_interp.errors import AnnotationError, PluginError
from bio_interp.plugins import list_plugins, load_plugin
from bio_interp.sequences import Protein


def collect(
    files: Sequence[Path | str],
    *,
    proteins: Sequence[Protein] | None = None,
    annotator: str | None = None,
    options: Mapping[str, str] | None = None,
) -> AnnotationTable:
    r"""Read annotations from files, each with the annotator that knows what it holds.

    Parameters
    ----------
    files
        Files or folders that installed annotators read. One that none of them knows by its content
        goes to the annotator of the file before it (such as a list of scanned accessions after its
        table of hits).
    proteins
        Sequences, for annotators that search them or need their lengths.
    annotator
        Name of the plugin that reads all files; told by content where None.
    options
        Options of the annotator; refused where files need several annotators.

    Returns
    -------
    AnnotationTable
        The tables of all annotators, in the order of their first files.

    Raises
    ------
    AnnotationError
        A file is not there or of a kind that no annotator reads, options are meant for one of
        several annotators, or a record cannot be read.
    PluginError
        No annotator has that name.

    Examples
    --------
    >>> import tempfile
    >>> from bio_interp.sequences import Protein
    >>> path = Path(tempfile.mkdtemp(), "one.dat")
    >>> _ = path.write_text("ID   RGD; PATTERN.\nAC   PS00016;\nDE   Cell attachment.\n"
    ...     "PA   R-G-D.\n//\n")
    >>> collect([path], proteins=[Protein("P1", "MARGDW")]).rows.select("start", "end").rows()
    [(3, 5)]
    """
    if not files:
        raise AnnotationError("at least one file of annotations", "none", "Name a file.")
    chosen = _choose([Path(f) for f in files], annotator)
    if options and len(chosen) > 1:
        raise AnnotationError(
            "options for one annotator",
            f"{', '.join(options)} with files for {' and '.join(chosen)}",
            "Read the files of each annotator in a call of its own.",
        )
    return AnnotationTable.concat(
        [_load(name).annotate(paths, proteins, options=options) for name, paths in chosen.items()]
    )


def read_annotations(
    paths: Sequence[Path | str], *, proteins: Sequence[Protein] | None = None
) -> AnnotationTable:
    """Read annotations from folders that ``bio-interp concepts`` wrote, and from source files.

    Parameters
    ----------
    paths
        Folders with ``annotations.json``; all others go to `collect` together.
    proteins
        Sequences for `collect`.

    Raises
    ------
    AnnotationError, NotFoundError, InputError
        See `collect` and `AnnotationTable.load`.
    """
    folders = [Path(path) for path in paths if is_table(path)]
    files = [path for path in paths if not is_table(path)]
    tables = [AnnotationTable.load(folder) for folder in folders]
    if files or not folders:
        tables.append(collect(files, proteins=proteins))
    return AnnotationTable.concat(tables)


def is_table(path: Path | str) -> bool:
    """Tell whether a path is a folder that `AnnotationTable.save` wrote."""
    return (Path(path) / "annotations.json").is_file()


def _choose(files: Sequence[Path], annotator: str | None) -> dict[str, list[Path]]:
    for path in files:
        _check_readable(path)
    if annotator:
        return {annotator: list(files)}
    known, broken = _installed()
    chosen: dict[str, list[Path]] = {}
    last = None
    for path in files:
        last = next((name for name, plugin in known.items() if plugin.reads(path)), last)
        if last is None:
            hint = f" Broken: {'; '.join(broken)}." if broken else ""
            raise AnnotationError(
                f"a file that an annotator reads ({', '.join(known) or 'none is installed'})",
                f"{path}, of another kind",
                f"Name the annotator, or convert the file.{hint}",
            )
        chosen.setdefault(last, []).append(path)
    return chosen


def _check_readable(path: Path) -> None:
    """Say why a file cannot be opened, which no annotator could tell from another kind of file."""
    try:
        if not path.exists():
            raise AnnotationError("a file of annotations", f"{path}, not found", "Check the path.")
        if not path.is_dir():
            path.open("rb").close()
    except OSError as error:
        raise AnnotationError(
            "a file of annotations", f"{path}: {error.strerror}", "Check the path."
        ) from error


def _installed() -> tuple[dict[str, Annotator], list[str]]:
    """Load the annotators; a broken one is named and breaks no other."""
    known: dict[str, Annotator] = {}
    broken: list[str] = []
    for info in list_plugins("annotators"):
        try:
            known[info.name] = _load(info.name)
        except PluginError as error:
            broken.append(str(error))
    return known, broken


def _load(name: str) -> Annotator:
    return load_plugin("annotators", name)
