"""Encoded proteins in memory, and as tables for other tools."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from bio_interp.errors import NotFoundError
from bio_interp.features._files import (
    file_format,
    need_anndata,
    need_pandas,
    write_npz,
    write_parquet,
)
from bio_interp.provenance import atomic_path

if TYPE_CHECKING:
    import pandas
    from anndata import AnnData
    from scipy.sparse import csr_matrix

Pool = Literal["max", "mean"]


@dataclass(frozen=True, slots=True)
class FeatureConcept:
    """The concept that a feature is best linked with.

    Attributes
    ----------
    concept, name
        An id such as ``pfam:PF00069``, and its name.
    link_type
        ``family_marker``, ``locator`` or ``delineator``.
    select_f1, test_f1
        F1 of the link on the fold where it was chosen, and on the test fold.
    """

    concept: str
    name: str
    link_type: str
    select_f1: float
    test_f1: float


@dataclass(frozen=True, eq=False)
class EncodedProteins:
    """Sparse codes of proteins, one row a residue, or one a protein where pooled.

    Attributes
    ----------
    accessions
        Names of the proteins, in the order of the input.
    codes
        ``(rows, d_sae)`` float32; `scikit-learn` takes it as it is.
    offsets
        The rows of protein ``p`` are ``offsets[p]`` to ``offsets[p + 1]``; where pooled, row ``p``.
    pool
        ``"max"`` or ``"mean"`` over the residues of a protein (residues where a feature is off
        count as 0); None where every residue has its row.
    origin
        Where the codes came from: ``name`` (of the atlas), ``model``, ``site``,
        ``weights_sha256`` and ``licence`` of the model's weights.
    lengths
        Residues of each protein.
    concepts
        Of the features that the atlas has a name for, by feature.
    """

    accessions: list[str]
    codes: "csr_matrix"
    offsets: Int[ndarray, "proteins_plus_1"]
    pool: Pool | None = None
    origin: dict[str, str] = field(default_factory=dict[str, str])
    lengths: Sequence[int] = ()
    concepts: Mapping[int, FeatureConcept] = field(default_factory=dict[int, FeatureConcept])

    def __len__(self) -> int:
        return len(self.accessions)

    def __repr__(self) -> str:
        pooled = f"{self.pool} over residues" if self.pool else "one row a residue"
        return f"EncodedProteins({len(self)} proteins, codes {self.codes.shape}, {pooled})"

    def __getitem__(self, accession: str) -> "csr_matrix":
        """Rows of one protein; `NotFoundError` where there is none of that name."""
        if accession not in self._index:
            raise NotFoundError(
                "the accession of an encoded protein", repr(accession), "See `accessions`."
            )
        index = self._index[accession]
        return self.codes[self.offsets[index] : self.offsets[index + 1]]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {accession: index for index, accession in enumerate(self.accessions)}

    @property
    def d_sae(self) -> int:
        """Number of features."""
        return int(self.codes.shape[1])  # pyright: ignore[reportOptionalSubscript]

    @property
    def addresses(self) -> list[str]:
        """Address of each feature, such as ``unirep/f1234``."""
        name = self.origin.get("name", "sae")
        return [f"{name}/f{index}" for index in range(self.d_sae)]

    def pieces(self) -> "Iterator[tuple[str, csr_matrix]]":
        """Iterate over the proteins: accession and rows."""
        for index, accession in enumerate(self.accessions):
            yield accession, self.codes[self.offsets[index] : self.offsets[index + 1]]

    def to_anndata(self) -> "AnnData":
        """Hand the codes to scanpy: ``obs`` are residues (or proteins), ``var`` are features.

        A residue is called ``P12345:17``, and ``obs`` has its ``accession`` and 1-based
        ``position``; of a protein, its ``accession`` and ``length``. ``var`` has the columns of
        `FeatureConcept` (empty for features without a name), where the atlas knows any;
        ``uns["bio_interp"]`` holds `origin` and `pool`.

        Raises
        ------
        MissingExtraError
            The package `anndata` is not installed.
        """
        need_anndata()
        import anndata

        obs, var = self._rows(), self._features()
        if self.pool is None:
            obs.index = obs["accession"] + ":" + obs["position"].astype(str)
        else:
            obs.index = obs["accession"].to_numpy()
        table = anndata.AnnData(X=self.codes, obs=obs, var=var)
        table.uns["bio_interp"] = {**self.origin, "pool": self.pool or "none"}
        return table

    def to_pandas(self) -> "pandas.DataFrame":
        """Hand the codes to pandas: a sparse column a feature, such as ``unirep/f1234``.

        The index is the accession; where there is a row a residue, accession and 1-based position.

        Raises
        ------
        MissingExtraError
            The package `pandas` is not installed.
        """
        need_pandas()
        import pandas

        index = pandas.MultiIndex.from_frame(self._rows().drop(columns="length", errors="ignore"))
        if self.pool:
            index = index.get_level_values("accession")
        return pandas.DataFrame.sparse.from_spmatrix(self.codes, index, self.addresses)

    def _rows(self) -> "pandas.DataFrame":
        import pandas

        lengths = np.diff(self.offsets)
        rows = pandas.DataFrame(
            {"accession": np.repeat(np.array(self.accessions, dtype=object), lengths)}
        )
        if self.pool is None:
            rows["position"] = np.concatenate([np.arange(1, n + 1) for n in [0, *lengths]])
        elif self.lengths:
            rows["length"] = np.asarray(self.lengths, dtype=np.int64)
        return rows

    def _features(self) -> "pandas.DataFrame":
        import pandas

        names = pandas.Index(self.addresses)
        if not self.concepts:
            return pandas.DataFrame(index=names)
        nothing = FeatureConcept("", "", "", math.nan, math.nan)
        known = [asdict(self.concepts.get(index, nothing)) for index in range(self.d_sae)]
        return pandas.DataFrame(known, index=names)

    def save(self, path: Path | str) -> None:
        """Write the codes to a file; `encode_file` does so without holding them in memory.

        ``.npz`` is read by `scipy.sparse.load_npz`, and holds ``accessions``, ``offsets`` and
        ``origin`` too. ``.parquet`` has a row a code: ``accession``, ``position`` (1-based; not
        where pooled), ``feature``, ``value``. ``.h5ad`` is `to_anndata`, and needs `anndata`.

        Raises
        ------
        InputError
            The name ends in something else.
        """
        target = Path(path)
        kind = file_format(target)
        if kind == ".npz":
            write_npz(target, self.pieces(), d_sae=self.d_sae, pool=self.pool, origin=self.origin)
        elif kind == ".parquet":
            write_parquet(target, self.pieces(), pool=self.pool, origin=self.origin)
        else:
            with atomic_path(target) as temporary:
                self.to_anndata().write_h5ad(temporary)


def gather(
    pieces: "Sequence[tuple[str, csr_matrix]]",
    *,
    d_sae: int,
    pool: Pool | None,
    origin: dict[str, str],
    lengths: Sequence[int],
    concepts: Mapping[int, FeatureConcept],
) -> EncodedProteins:
    """Stack the rows of proteins; none give a matrix without rows."""
    from scipy.sparse import csr_matrix, vstack

    none = csr_matrix((0, d_sae), dtype=np.float32)
    codes = csr_matrix(vstack([none, *(rows for _, rows in pieces)], format="csr"))
    offsets = np.cumsum([0, *(len(rows.indptr) - 1 for _, rows in pieces)])
    names = [name for name, _ in pieces]
    return EncodedProteins(names, codes, offsets, pool, origin, lengths, concepts)
