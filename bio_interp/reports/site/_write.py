"""Write the explorer of an atlas: a folder of static pages."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from bio_interp import __version__
from bio_interp.errors import InputError
from bio_interp.provenance import write_json
from bio_interp.reports.site._data import columns, data_script, write_files
from bio_interp.reports.site._records import (
    CONCEPT_COLUMNS,
    FEATURE_COLUMNS,
    PROTEIN_COLUMNS,
    concept_row,
    feature_record,
    feature_row,
    protein_record,
)

if TYPE_CHECKING:
    from bio_interp.atlas import Atlas, AtlasConcept, AtlasFeature, ProteinView

FEATURES_A_FILE, CONCEPTS_A_FILE, PROTEINS_A_FILE = 32, 32, 8
MARK = "site.json"
DOWNLOADS = (
    *("atlas.json", "features.parquet", "examples.parquet", "links.parquet"),
    *("callers.parquet", "calibration.parquet", "concepts.parquet"),
)


@dataclass(frozen=True, slots=True)
class SiteTotals:
    """What a site holds: features, concepts, proteins (with a page), views, and bytes."""

    features: int
    concepts: int
    proteins: int
    views: int
    bytes: int


def write_site(
    atlas: Atlas,
    folder: Path,
    *,
    proteins: Iterable[ProteinView] = (),
    views: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> SiteTotals:
    """Write the explorer of an atlas.

    It appears when it is whole. A site that is there already is replaced then, and kept where
    something goes wrong.

    Parameters
    ----------
    atlas
        Neither its model nor its SAE is loaded.
    folder
        Is made; or is empty, or a site.
    proteins
        Get a page each, with calls and tracks; see `bio_interp.atlas.view_proteins`. They are
        read one by one. Those of the atlas's examples have a page without.
    views
        Folder with HTML pages of 3D views: ``f12.html`` of a feature, ``P12345.html`` of a
        protein by its accession. A page may hold scripts of its own; it is shown apart from the
        site's, and may ask for nothing.
    progress
        Is told after each protein how many there were.

    Raises
    ------
    InputError
        `folder` is there and is something else, or `views` is no folder.
    """
    _refuse_others(folder)
    if views is not None and not views.is_dir():
        raise InputError("a folder of 3D views", str(views), "Name a folder, or leave it out.")
    with _whole_folder(folder) as made:
        return _Site(atlas, made).write(proteins, views, progress)


class _Site:
    """A folder that is filled; the rows of tables gather until the index is written."""

    def __init__(self, atlas: Atlas, folder: Path) -> None:
        self.atlas, self.folder = atlas, folder
        self.features: list[dict[str, Any]] = []
        self.concepts: list[dict[str, Any]] = []
        self.proteins: dict[str, dict[str, Any]] = {}

    def write(
        self, proteins: Iterable[ProteinView], views: Path | None, progress: Callable[[int], None]
    ) -> SiteTotals:
        from bio_interp.atlas import each_concept, each_feature

        _copy_pages(self.folder)
        data = self.folder / "data"
        data.mkdir()
        concepts = self._concepts(each_concept(self.atlas))
        write_files(data, "c", concepts, CONCEPTS_A_FILE)
        write_files(data, "p", self._proteins(proteins, progress), PROTEINS_A_FILE)
        write_files(data, "f", self._features(each_feature(self.atlas)), FEATURES_A_FILE)
        shown = _copy_views(views, self.folder, list(self.proteins), len(self.features))
        content = self._index() | {"views": shown, "files": self._copy_downloads()}
        (data / "index.js").write_text(data_script("index", content), encoding="ascii")
        made = {"made_by": "bio-interp report", "version": __version__, "atlas": self.atlas.name}
        write_json(self.folder / MARK, made)
        size = sum(f.stat().st_size for f in self.folder.rglob("*") if f.is_file())
        counts = len(self.features), len(self.concepts), len(self.proteins)
        return SiteTotals(*counts, sum(map(len, shown.values())), size)

    def _concepts(self, concepts: Iterable[AtlasConcept]) -> Iterator[dict[str, Any]]:
        for concept in concepts:
            self.concepts.append(concept_row(concept))
            yield concept.to_dict()

    def _features(self, features: Iterable[AtlasFeature]) -> Iterator[dict[str, Any]]:
        named = self.atlas.feature_concepts()
        number = {row["id"]: i for i, row in enumerate(self.concepts)}
        for feature in features:
            row = feature_row(feature, named)
            row["concepts"] = [number[c] for c in row["concepts"] if c in number]
            self.features.append(row)
            for example in feature.examples.iter_rows(named=True):
                protein = self._protein(example["accession"], example["length"])
                if feature.index not in protein["features"]:
                    protein["features"].append(feature.index)
            yield feature_record(feature)

    def _proteins(
        self, views: Iterable[ProteinView], progress: Callable[[int], None]
    ) -> Iterator[dict[str, Any]]:
        for count, view in enumerate(views, start=1):
            status = view.result.protein
            row = self._protein(status.accession, status.length)
            row |= {"status": status.status, "calls": status.calls, "record": count - 1}
            yield protein_record(view)
            progress(count)

    def _protein(self, accession: str, length: int) -> dict[str, Any]:
        new = {name: None for name in PROTEIN_COLUMNS}
        new |= {"accession": accession, "length": length, "features": []}
        return self.proteins.setdefault(accession, new)

    def _index(self) -> dict[str, Any]:
        return {
            "atlas": {**asdict(self.atlas.info), "software": __version__},
            "sizes": {"f": FEATURES_A_FILE, "c": CONCEPTS_A_FILE, "p": PROTEINS_A_FILE},
            "features": columns(self.features, FEATURE_COLUMNS),
            "concepts": columns(self.concepts, CONCEPT_COLUMNS),
            "proteins": columns(list(self.proteins.values()), PROTEIN_COLUMNS),
        }

    def _copy_downloads(self) -> list[str]:
        target = self.folder / "files"
        target.mkdir()
        there = [name for name in DOWNLOADS if (self.atlas.folder / name).is_file()]
        for name in there:
            shutil.copyfile(self.atlas.folder / name, target / name)
        return there


def _copy_pages(folder: Path) -> None:
    with as_file(files("bio_interp.reports") / "site" / "static") as static:
        shutil.copytree(static, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    style = (files("bio_interp.reports") / "report.css").read_text(encoding="utf-8")
    (folder / "explorer/report.css").write_text(style, encoding="utf-8")


def _copy_views(
    views: Path | None, folder: Path, accessions: list[str], features: int
) -> dict[str, list[int]]:
    """Copy the pages that belong to a feature or protein; give the numbers of these."""
    numbers = {accession: i for i, accession in enumerate(accessions)}
    shown: dict[str, list[int]] = {"f": [], "p": []}
    for page in sorted(views.glob("*.html")) if views else ():
        if re.fullmatch(r"f\d{1,9}", page.stem, re.ASCII) and int(page.stem[1:]) < features:
            kind, number = "f", int(page.stem[1:])
        elif page.stem in numbers:
            kind, number = "p", numbers[page.stem]
        else:
            continue
        (folder / "views").mkdir(exist_ok=True)
        shutil.copyfile(page, folder / "views" / f"{kind}{number}.html")
        shown[kind].append(number)
    return {kind: sorted(there) for kind, there in shown.items()}


def _refuse_others(folder: Path) -> None:
    """Refuse to replace what no report has written."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError("a folder to write the site to", str(folder), "Name another with -o.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise InputError(
            "a new or empty folder, or one that `bio-interp report` wrote",
            f"{folder}, which holds something else",
            "Name another with -o, or empty it yourself.",
        )


@contextmanager
def _whole_folder(folder: Path) -> Generator[Path]:
    """Give a new folder that takes the place of `folder` when the block ends well."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        made = work / "new"
        made.mkdir()  # with the usual permissions, which `work` has not
        yield made
        if folder.exists():
            folder.replace(work / "old")
        try:
            made.replace(folder)
        except OSError:
            if (work / "old").exists():
                (work / "old").replace(folder)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
