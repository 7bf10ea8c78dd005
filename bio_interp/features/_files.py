"""Files of codes, written piece by piece: npz for scipy, Parquet for tables."""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy import ndarray

from bio_interp.errors import InputError, MissingExtraError
from bio_interp.provenance import atomic_path

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FORMATS = (".npz", ".parquet", ".h5ad")
LINES_A_PIECE = 1_000_000


def file_format(path: Path) -> str:
    """Tell the format by the end of the name; `InputError` where it is none of ours."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"a file name that ends in {', '.join(FORMATS)}", repr(path.name), "Rename the output."
        )
    return suffix


def need_anndata() -> None:
    """Raise `MissingExtraError` where the package `anndata` is not installed."""
    if find_spec("anndata") is None:
        raise MissingExtraError(
            "the package anndata, which writes .h5ad",
            "an environment without it",
            "Run: pip install 'bio-interp[anndata]'",
        )


def need_pandas() -> None:
    """Raise `MissingExtraError` where the package `pandas` is not installed."""
    if find_spec("pandas") is None:
        raise MissingExtraError(
            "the package pandas", "an environment without it", "Run: pip install pandas"
        )


def write_npz(
    path: Path,
    pieces: "Iterable[tuple[str, csr_matrix]]",
    *,
    d_sae: int,
    pool: str | None,
    origin: Mapping[str, str],
) -> int:
    """Write the rows of proteins as `scipy.sparse.load_npz` reads them; give their number.

    The arrays grow in files beside `path`, so that memory holds one protein and the accessions.
    """
    names: list[str] = []
    offsets, ends = [0], 0
    with _folder_beside(path) as folder:
        parts = {name: folder / name for name in ("data", "indices", "indptr")}
        with (
            parts["data"].open("wb") as data,
            parts["indices"].open("wb") as indices,
            parts["indptr"].open("wb") as indptr,
        ):
            indptr.write(np.zeros(1, np.int64).tobytes())
            for accession, rows in pieces:
                data.write(rows.data.astype(np.float32).tobytes())
                indices.write(rows.indices.astype(np.int32).tobytes())
                indptr.write((rows.indptr[1:].astype(np.int64) + ends).tobytes())
                ends += rows.nnz
                names.append(accession)
                offsets.append(offsets[-1] + len(rows.indptr) - 1)
        small = {
            "format": np.array(b"csr"),
            "shape": np.array([offsets[-1], d_sae], dtype=np.int64),
            "accessions": np.array(names, dtype=np.str_),
            "offsets": np.array(offsets, dtype=np.int64),
            "origin": np.array(json.dumps({**origin, "pool": pool})),
        }
        _zip_arrays(path, parts, small)
    return len(names)


def _zip_arrays(path: Path, parts: Mapping[str, Path], small: Mapping[str, ndarray]) -> None:
    types = {"data": np.float32, "indices": np.int32, "indptr": np.int64}
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, part in parts.items():
            dtype = np.dtype(types[name])
            header = {
                "descr": np.lib.format.dtype_to_descr(dtype),
                "fortran_order": False,
                "shape": (part.stat().st_size // dtype.itemsize,),
            }
            with archive.open(f"{name}.npy", "w", force_zip64=True) as out, part.open("rb") as raw:
                np.lib.format.write_array_header_1_0(out, header)
                shutil.copyfileobj(raw, out, 1 << 20)
        for name, array in small.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as out:
                np.lib.format.write_array(out, array, allow_pickle=False)


def write_parquet(
    path: Path,
    pieces: "Iterable[tuple[str, csr_matrix]]",
    *,
    pool: str | None,
    origin: Mapping[str, str],
) -> int:
    """Write one line a code, in the order of the proteins; give the number of proteins.

    Pieces of a million lines are written beside `path` and joined at the end.
    """
    proteins, lines = 0, 0
    waiting: list[tuple[str, csr_matrix]] = []
    with _polars_errors(path), _folder_beside(path) as folder:
        for accession, rows in pieces:
            proteins += 1
            waiting.append((accession, rows))
            lines += rows.nnz
            if lines >= LINES_A_PIECE:
                _write_piece(folder, waiting)
                waiting, lines = [], 0
        _write_piece(folder, waiting)
        _join_pieces(folder, path, pool=pool, origin=origin)
    return proteins


def _write_piece(folder: Path, proteins: "Sequence[tuple[str, csr_matrix]]") -> None:
    import polars as pl

    # a piece without proteins still brings the columns
    positions: list[ndarray] = [np.zeros(0, np.int32)]
    features: list[ndarray] = [np.zeros(0, np.int32)]
    values: list[ndarray] = [np.zeros(0, np.float32)]
    for _, rows in proteins:
        place = np.arange(1, len(rows.indptr), dtype=np.int32)
        positions.append(np.repeat(place, np.diff(rows.indptr)))
        features.append(rows.indices)
        values.append(rows.data)
    names = pl.Series("accession", [accession for accession, _ in proteins], dtype=pl.String)
    owner = np.repeat(np.arange(len(proteins)), [rows.nnz for _, rows in proteins])
    table = pl.DataFrame(
        {
            "accession": names.gather(owner),
            "position": np.concatenate(positions).astype(np.int32),
            "feature": np.concatenate(features).astype(np.int32),
            "value": np.concatenate(values).astype(np.float32),
        }
    )
    table.write_parquet(folder / f"{sum(1 for _ in folder.iterdir()):06d}.parquet")


def _join_pieces(folder: Path, path: Path, *, pool: str | None, origin: Mapping[str, str]) -> None:
    import polars as pl

    table = pl.scan_parquet(sorted(folder.iterdir()))
    if pool:
        table = table.drop("position")
    metadata = {"bio_interp": json.dumps({**origin, "pool": pool})}
    with atomic_path(path) as temporary:
        table.sink_parquet(temporary, row_group_size=LINES_A_PIECE, metadata=metadata)


@contextmanager
def _polars_errors(path: Path) -> Generator[None]:
    """Say what polars says of a full disk as the system does."""
    import polars as pl

    try:
        yield
    except pl.exceptions.ComputeError as error:
        raise InputError(
            f"to write {path}", str(error)[:200], "Make room, or write elsewhere."
        ) from error


@contextmanager
def _folder_beside(path: Path) -> Generator[Path]:
    """Give a folder for unfinished parts on the disk of `path`; it vanishes at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as name:
        yield Path(name)
