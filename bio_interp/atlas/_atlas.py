"""An atlas: a model, an SAE, links and calibration in one folder; annotate proteins with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bio_interp.atlas._calls import (
    SHORTEST,
    Annotations,
    Call,
    ProteinResult,
    ProteinStatus,
    Status,
    activations_behind,
    flag_window_edges,
    too_short,
)
from bio_interp.atlas._concept import AtlasConcept, read_concept
from bio_interp.atlas._feature import AtlasFeature
from bio_interp.atlas._feature_tables import read_feature
from bio_interp.atlas._find import find_links
from bio_interp.atlas._info import AtlasInfo
from bio_interp.atlas._named import named_features
from bio_interp.atlas._notebook import show_atlas
from bio_interp.atlas._price import Pricer, ranked
from bio_interp.atlas._probe import probe_rows
from bio_interp.errors import MismatchError
from bio_interp.features import FeatureConcept
from bio_interp.linking import LinkTable
from bio_interp.models import LanguageModel, LoadOptions, Reading, load_model
from bio_interp.sequences import Protein, as_proteins

if TYPE_CHECKING:
    import polars as pl
    from scipy.sparse import csr_matrix
    from torch import Tensor

    from bio_interp.sae import SparseAutoencoder

CHECKED_RESIDUES = 32  # residues of a protein whose reconstruction is checked


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a report wants of each protein; see `Atlas.annotate`."""

    min_precision: float
    all_features: bool
    activations: bool


class Atlas:
    """A model, an SAE, links and calibration.

    Parameters
    ----------
    folder
        Holds ``atlas.json``, ``sae.safetensors``, ``sae.json`` and the Parquet files of
        `LinkTable`.
    options
        How to load the language model, when it is first needed.
    """

    def __init__(self, folder: Path, options: LoadOptions | None = None) -> None:
        self.folder, self.options = folder, options or LoadOptions()
        self.info = AtlasInfo.load(folder)
        self.links = LinkTable.load(folder)

    def __repr__(self) -> str:
        return f"Atlas({self.info.name!r}, model={self.info.model!r}, {self.links!r})"

    def _repr_html_(self) -> str:
        return show_atlas(self)

    @property
    def site(self) -> str:
        """Site of the model that is tapped."""
        return self.info.site

    @property
    def name(self) -> str:
        """Name of the atlas; its features are ``<name>/f1234``."""
        return self.info.name

    @property
    def sae(self) -> SparseAutoencoder:
        """The sparse autoencoder, loaded when first asked for."""
        return self._sae

    @cached_property
    def _sae(self) -> SparseAutoencoder:
        from bio_interp.sae import SparseAutoencoder

        return SparseAutoencoder.load(self.folder)

    @property
    def model(self) -> LanguageModel:
        """The language model, loaded when first asked for.

        Raises
        ------
        NotCachedError
            Its weights are not on this machine.
        MismatchError
            Its weights are not those that the atlas was made with.
        """
        return self._model

    @cached_property
    def _model(self) -> LanguageModel:
        model = load_model(self.info.model, self.options)
        if model.info.weights_sha256 != self.info.model_sha256:
            raise MismatchError(
                f"the weights of {self.info.model} with SHA-256 {self.info.model_sha256[:12]}",
                model.info.weights_sha256[:12],
                "Fetch the weights that the atlas names; see `bio-interp cite`.",
            )
        return model

    @cached_property
    def pricer(self) -> Pricer:
        """Looks up names, link types and precisions."""
        return Pricer(self.links, self.folder)

    def annotate(
        self,
        proteins: str | Path | Mapping[str, str] | Iterable[Protein],
        *,
        min_precision: float = 0.8,
        all_features: bool = False,
        activations: bool = False,
    ) -> Annotations:
        """Find named features in proteins.

        Parameters
        ----------
        proteins
            A sequence, ``{accession: sequence}``, a path, or proteins; see
            `bio_interp.sequences.as_proteins`.
        min_precision
            Calls whose lower bound of precision is at least this.
        all_features
            Also weaker calls, flagged ``weak``, and features without a link.
        activations
            Also how the features behind the calls fire along the protein.

        Returns
        -------
        Annotations
            One `ProteinResult` a protein, in input order, read as they come; memory does not grow
            with the number of proteins.
        """
        asked = _Asked(min_precision, all_features, activations)
        return Annotations(self._annotate(as_proteins(proteins), asked))

    def _annotate(self, proteins: Iterable[Protein], asked: _Asked) -> Iterator[ProteinResult]:
        # proteins on their way through the model; those too short to read pass by
        queue: deque[Protein] = deque()

        def sequences() -> Iterator[str]:
            for protein in proteins:
                queue.append(protein)
                if len(protein) >= SHORTEST:
                    yield protein.sequence

        for reading in self.model.activations(sequences(), [self.site]):
            while len(queue[0]) < SHORTEST:
                yield too_short(queue.popleft())
            yield self._result(queue.popleft(), reading, asked)
        yield from map(too_short, queue)

    def _result(self, protein: Protein, reading: Reading, asked: _Asked) -> ProteinResult:
        rows = reading.rows[self.site]
        from scipy.sparse import csc_matrix

        codes = csc_matrix(self.encode(rows, all_features=asked.all_features))
        raw = self.pricer.caller.calls(codes)
        calls, weak = self.pricer.price(protein, raw, asked.min_precision)
        if asked.all_features:
            calls = calls + weak + self.pricer.unlinked(protein, codes)
        calls = flag_window_edges(ranked(calls), reading.cuts)
        status, note = _status(calls, windowed=reading.windowed), ""
        if not calls and weak:
            best = max(call.precision_low for call in weak)
            note = f"{len(weak)} weaker calls; --min-precision {floor(best * 20) / 20:g} shows some"
        error = self.reconstruction_error(rows)
        if error > self.info.domain_limit:
            status = "out_of_domain"
            note = f"reconstruction error {error:.2f} above {self.info.domain_limit:.2f}"
        summary = ProteinStatus(protein.accession, len(protein), status, len(calls), note)
        fired = activations_behind(calls, codes) if asked.activations else {}
        return ProteinResult(summary, tuple(calls), protein.sequence, fired)

    def feature(self, feature: int | str) -> AtlasFeature:
        """Look at one feature: links, how it fires, where it fires most.

        `feature` is a number or an address such as ``"unirep/f1234"``; `NotFoundError` where there
        is no such feature. Neither the model nor the SAE is loaded.
        """
        return read_feature(self, feature)

    def concept(self, concept: str) -> AtlasConcept:
        """Look at one concept: its features, and what its calls are worth.

        `concept` is an id, a name or a part of one; `NotFoundError` where it fits no concept, or
        several (the message lists them). Neither the model nor the SAE is loaded.
        """
        return read_concept(self, concept)

    def find(self, text: str) -> pl.DataFrame:
        """List the features linked to what a text may mean, best first; see `find_links`."""
        return find_links(self, text)

    def feature_concepts(self) -> dict[int, FeatureConcept]:
        """Name the features that are well linked; see `named_features`."""
        return named_features(self.links.links)

    def check(self) -> list[str]:
        """Tell whether model, site and SAE belong together; empty where they do.

        Reads the pinned probe and compares with the fingerprint stored in the SAE.
        """
        from bio_interp.sae import check_fingerprint

        return check_fingerprint(self.sae, probe_rows(self.model, self.site))

    def encode(self, rows: Tensor, *, all_features: bool = True) -> csr_matrix:
        """Encode the rows of a protein, ``(residues, d_sae)``; linked features alone are quicker.

        Activations are rounded to float16, as in the store that thresholds were chosen on.
        """
        import torch

        features = None if all_features else torch.from_numpy(self.pricer.features)
        codes = self.sae.encode(rows.float(), features=features).to_scipy()
        codes.data = codes.data.astype(np.float16).astype(np.float32)
        return codes

    def reconstruction_error(self, rows: Tensor) -> float:
        """Residual over variance of evenly spaced residues, 32 at most."""
        import torch

        at = torch.linspace(0, len(rows) - 1, min(len(rows), CHECKED_RESIDUES)).long()
        some = rows[at].float()
        missed = (some - self.sae(some)).square().sum()
        total = (some - self.sae.norm.mean).square().sum()
        return float(missed / total.clamp_min(1e-12))


def _status(calls: list[Call], *, windowed: bool) -> Status:
    if not calls:
        return "no_known_concept"
    return "windowed" if windowed else "ok"
