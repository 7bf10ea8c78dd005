"""Proteins in, sparse codes out: a model reads them, an SAE splits what it read."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bio_interp.features._encoded import EncodedProteins, FeatureConcept, Pool, gather
from bio_interp.features._files import file_format, need_anndata, write_npz, write_parquet
from bio_interp.features._store import FeatureStore
from bio_interp.features._writer import to_csr
from bio_interp.models import LanguageModel
from bio_interp.sequences import Protein, as_proteins

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor

    from bio_interp.features._writer import Codes


class Encoder(Protocol):
    """The part of an SAE that encoding needs."""

    @property
    def config(self) -> Any:
        """Sizes; ``config.d_sae`` is the number of features."""
        ...

    def encode(self, x: "Tensor", /) -> "Codes":
        """Encode ``(rows, d_model)`` activations."""
        ...


class CodeSource(Protocol):
    """What makes codes: a model, the site where it is tapped, and an SAE. An atlas is one.

    Features are called ``<name>/f1234`` after the attribute `name`, where there is one, else
    after the model.
    """

    @property
    def model(self) -> LanguageModel:
        """Reads the proteins."""
        ...

    @property
    def site(self) -> str:
        """One of the model's sites, such as ``layer.4``."""
        ...

    @property
    def sae(self) -> Encoder:
        """Splits the activations at `site`."""
        ...


def encode(sequences: Any, source: CodeSource, *, pool: Pool | None = None) -> EncodedProteins:
    """Encode proteins into sparse features, for other tools to build on.

    Parameters
    ----------
    sequences
        A path, a sequence, a dict from accession to sequence, or proteins; as
        `bio_interp.sequences.as_proteins` takes them.
    source
        An atlas, or anything with `model`, `site` and `sae`.
    pool
        ``"max"`` or ``"mean"`` gives one row a protein, and None one a residue. Every code takes
        8 bytes of memory: 0.3 GB for a million residues of 32 codes. `encode_file` needs less.
    """
    lengths: list[int] = []
    pieces = list(encode_each(_measure(as_proteins(sequences), lengths), source, pool=pool))
    return gather(
        pieces,
        d_sae=source.sae.config.d_sae,
        pool=pool,
        origin=origin_of(source),
        lengths=lengths,
        concepts=_concepts_of(source),
    )


def encode_file(
    sequences: Any, source: CodeSource, path: Path | str, *, pool: Pool | None = None
) -> int:
    """Encode proteins into a file, holding a few proteins at a time; give their number.

    The file is as `EncodedProteins.save` writes it, and whole or absent. ``.npz`` and
    ``.parquet`` are written piece by piece; ``.h5ad`` is put together in memory (see `encode`).

    Raises
    ------
    InputError
        The name ends in none of these.
    MissingExtraError
        ``.h5ad`` is asked for, and the package `anndata` is not installed.
    """
    target = Path(path)
    kind = file_format(target)
    if kind == ".h5ad":
        need_anndata()
        encoded = encode(sequences, source, pool=pool)
        encoded.save(target)
        return len(encoded)
    pieces, origin = encode_each(sequences, source, pool=pool), origin_of(source)
    if kind == ".npz":
        d_sae = source.sae.config.d_sae
        return write_npz(target, pieces, d_sae=d_sae, pool=pool, origin=origin)
    return write_parquet(target, pieces, pool=pool, origin=origin)


def encode_store(sequences: Any, source: CodeSource, store: FeatureStore) -> None:
    """Encode the proteins that a store does not hold yet into it.

    Run again after an interruption, it goes on where it stopped.
    """
    done = store.done()
    missing = (protein for protein in as_proteins(sequences) if protein.accession not in done)
    with store.writer() as writer:
        for accession, codes in encode_each(missing, source):
            writer.add(accession, codes)


def encode_each(
    sequences: Any, source: CodeSource, *, pool: Pool | None = None
) -> "Iterator[tuple[str, csr_matrix]]":
    """Encode proteins one by one, in input order and bounded memory: accession and rows."""
    waiting: deque[Protein] = deque()
    texts = _remember(as_proteins(sequences), waiting)
    for reading in source.model.activations(texts, [source.site]):
        rows = to_csr(source.sae.encode(reading.rows[source.site]))
        yield waiting.popleft().accession, rows if pool is None else _pooled(rows, pool)


def origin_of(source: CodeSource) -> dict[str, str]:
    """Say where codes come from, for the files that hold them."""
    info = source.model.info
    return {
        "name": str(getattr(source, "name", info.name)),
        "model": info.name,
        "site": source.site,
        "weights_sha256": info.weights_sha256,
        "licence": info.licence,
    }


def _concepts_of(source: CodeSource) -> Mapping[int, FeatureConcept]:
    named = getattr(source, "feature_concepts", None)  # of an atlas
    return named() if named else {}


def _measure(proteins: Iterable[Protein], lengths: list[int]) -> Iterator[Protein]:
    for protein in proteins:
        lengths.append(len(protein))
        yield protein


def _remember(proteins: Iterable[Protein], waiting: deque[Protein]) -> Iterator[str]:
    for protein in proteins:
        waiting.append(protein)
        yield protein.sequence


def _pooled(rows: "csr_matrix", pool: Pool) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    summary: Any = rows.max(axis=0) if pool == "max" else rows.mean(axis=0)
    pooled = csr_matrix(summary, dtype=np.float32)
    pooled.eliminate_zeros()
    return pooled
