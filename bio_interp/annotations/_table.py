"""The table of what is known about proteins, and where anyone looked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from bio_interp.errors import AnnotationError, InputError, NotFoundError
from bio_interp.provenance import atomic_path, write_json

ROWS: dict[str, Any] = {
    "accession": pl.String,
    "start": pl.Int32,
    "end": pl.Int32,
    "concept": pl.String,
    "evidence": pl.String,
    "source": pl.String,
    "pair": pl.Int32,
}
COVERAGE: dict[str, Any] = {
    "accession": pl.String,
    "start": pl.Int32,
    "end": pl.Int32,
    "kind": pl.String,
    "state": pl.String,
    "source": pl.String,
}
CONCEPTS: dict[str, Any] = {
    "concept": pl.String,
    "name": pl.String,
    "kind": pl.String,
    "level": pl.String,
    "world": pl.String,
    "source": pl.String,
    "release": pl.String,
    "members": pl.List(pl.String),
    "xrefs": pl.List(pl.String),
}


@dataclass(frozen=True)
class AnnotationTable:
    """Concepts as residue spans, with evidence, and the spans where each kind was looked for.

    Attributes
    ----------
    rows
        One row an annotation: ``accession``, ``start``, ``end`` (1-based inclusive), ``concept``
        (id such as ``pfam:PF00069`` or ``uniprot:BINDING/ATP``), ``evidence`` (an ECO code, or
        ``""`` where unknown), ``source``, ``pair`` (rows with the same number are the endpoints of
        one annotation, such as a disulfide bond; null else). Sources may add columns.
    coverage
        One row a span that a source looked at: ``accession``, ``start``, ``end``, ``kind`` (the
        kind of concept looked for, as in `concepts`), ``state`` (``"looked"``: residues without an
        annotation are negatives; ``"unknown"``: to be ignored, such as a sibling family's hit, and
        then ``kind`` may be one concept id), ``source``. Anything not covered is unknown.
    concepts
        One row a concept: ``concept``, ``name``, ``kind`` (``"pfam"``, ``"uniprot:BINDING"``),
        ``level`` (``"residue"`` for sites, ``"span"``), ``world`` (``"closed"``: the source finds
        all; ``"open"``: absence is not evidence), ``source``, ``release``, ``members`` (of a group
        concept), ``xrefs`` (InterPro, GO).
    """

    rows: pl.DataFrame
    coverage: pl.DataFrame
    concepts: pl.DataFrame

    def __post_init__(self) -> None:
        for frame, schema in (
            (self.rows, ROWS),
            (self.coverage, COVERAGE),
            (self.concepts, CONCEPTS),
        ):
            missing = [c for c in schema if frame.schema.get(c) != schema[c]]
            if missing:
                raise AnnotationError(
                    f"columns {list(schema)} of their types",
                    f"missing or of another type: {missing} in {dict(frame.schema)}",
                    "Build the frames with the schemas of bio_interp.annotations.",
                )

    def __repr__(self) -> str:
        return (
            f"AnnotationTable(rows={self.rows.height}, concepts={self.concepts.height}, "
            f"proteins={self.coverage['accession'].n_unique()})"
        )

    @classmethod
    def from_records(
        cls,
        rows: Sequence[dict[str, Any]],
        coverage: Sequence[dict[str, Any]],
        concepts: Sequence[dict[str, Any]],
    ) -> AnnotationTable:
        """Build a table from dictionaries; absent keys become nulls."""
        return cls(
            pl.DataFrame(rows, schema=ROWS),
            pl.DataFrame(coverage, schema=COVERAGE),
            pl.DataFrame(concepts, schema=CONCEPTS),
        )

    @classmethod
    def concat(cls, tables: Sequence[AnnotationTable]) -> AnnotationTable:
        """Join tables of several sources; a concept that two bring is kept once."""
        if not tables:
            return cls.from_records([], [], [])
        offset, rows = 0, []
        for table in tables:
            rows.append(table.rows.with_columns(pl.col("pair") + offset))
            offset += int(table.rows["pair"].max() or 0) + 1  # type: ignore[arg-type]
        return cls(
            pl.concat(rows, how="diagonal"),
            pl.concat([t.coverage for t in tables]).unique(maintain_order=True),
            pl.concat([t.concepts for t in tables]).unique("concept", maintain_order=True),
        )

    def save(self, folder: Path, provenance: dict[str, Any] | None = None) -> None:
        """Write the table as a folder of Parquet files and ``annotations.json``.

        The JSON is taken away first and written last: a folder with it is whole.

        Raises
        ------
        InputError
            The folder cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "annotations.json").unlink(missing_ok=True)
            for name in ("rows", "coverage", "concepts"):
                with atomic_path(folder / f"{name}.parquet") as path:
                    getattr(self, name).write_parquet(path)
            write_json(folder / "annotations.json", {"schema": 1, **(provenance or {})})
        except (OSError, pl.exceptions.ComputeError) as error:
            raise InputError(
                f"to write annotations to the folder {folder}",
                str(error),
                "Check that it is a folder of yours, and the space on its disk.",
            ) from error

    @classmethod
    def load(cls, folder: Path) -> AnnotationTable:
        """Read a folder that `save` wrote.

        Raises
        ------
        NotFoundError
            The folder or one of its files is not there.
        InputError
            One of its files is damaged.
        """
        try:
            json.loads((folder / "annotations.json").read_text())
            frames = [
                pl.read_parquet(folder / f"{n}.parquet", glob=False)
                for n in ("rows", "coverage", "concepts")
            ]
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(
                "a folder of annotations written by `bio-interp concepts`",
                f"{folder} without {Path(str(error.filename)).name}",
                "Name the folder that `bio-interp concepts -o` wrote.",
            ) from error
        except (OSError, ValueError, RecursionError, pl.exceptions.PolarsError) as error:
            raise InputError(
                "a folder of annotations with whole files",
                f"{folder}: {str(error)[:200]}",
                "Run `bio-interp concepts` again.",
            ) from error
        try:
            return cls(*frames)
        except AnnotationError as error:
            got = f"{error.got} of {folder}"
            raise AnnotationError(error.wanted, got, "Run `bio-interp concepts` again.") from error
