"""The same proteins, read intact, through SAEs, and with nothing at the sites."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from bio_interp.errors import MismatchError
from bio_interp.interventions._scored import Scored, log_probabilities
from bio_interp.models import Edit, LanguageModel, Splice, SpliceKey
from bio_interp.sae import SparseAutoencoder

Saes = Mapping[SpliceKey, SparseAutoencoder]

# columns of the sums over the scored residues of a protein
RESIDUES, INTACT, SPLICED, ZERO, MEAN, KL = range(6)


@dataclass(slots=True)
class Conditions:
    """Reads the same proteins under different conditions, and remembers those that are shared.

    Attributes
    ----------
    means
        Mean row of a site, ``(d_model,)``.
    intact
        Log-probabilities of each protein, ``(scored, 20)``, once they are read.
    ablated
        Losses of each protein with zeros and with means, ``(2, proteins)``, by sites.
    """

    model: LanguageModel
    proteins: list[Scored]
    means: dict[str, Tensor]
    intact: list[ndarray] = field(default_factory=list[ndarray])
    ablated: dict[tuple[str, ...], ndarray] = field(default_factory=dict[tuple[str, ...], ndarray])

    def find_means(self, sites: Iterable[str]) -> None:
        """Measure the mean row of each site that has none yet, all in one reading."""
        for site, mean in self.means.items():
            _check_width(mean, self.model.info.sites.get(site, 0), site)
        missing = [site for site in dict.fromkeys(sites) if site not in self.means]
        if not missing:
            return
        sums = {site: torch.zeros(()) for site in missing}
        for reading in self.model.activations((p.sequence for p in self.proteins), missing):
            for site in missing:
                sums[site] = sums[site] + reading.rows[site].float().cpu().double().sum(0)
        rows = sum(len(protein.sequence) for protein in self.proteins)
        self.means |= {site: total / rows for site, total in sums.items()}

    def sums(self, saes: Saes) -> Float[ndarray, "proteins 6"]:
        """Give the sums over the residues of each protein, see the columns above."""
        splice = Splice(self.model, saes, keep_error=False)
        if not self.intact:
            self.intact = list(self._read({}))
        sites = written_sites(saes)
        if sites not in self.ablated:
            zeros: dict[str, Edit] = dict.fromkeys(sites, torch.zeros_like)
            means: dict[str, Edit] = {site: _constant(self.means[site]) for site in sites}
            self.ablated[sites] = np.stack([self._losses(self._read(e)) for e in (zeros, means)])
        texts = [protein.sequence for protein in self.proteins]
        logits = splice.logits(texts, masked=self._masked())
        spliced = list(log_probabilities(logits, self.proteins))
        columns = np.empty((len(self.proteins), 6))
        columns[:, RESIDUES] = [len(protein.rows) for protein in self.proteins]
        columns[:, INTACT] = self._losses(self.intact)
        columns[:, SPLICED] = self._losses(spliced)
        columns[:, [ZERO, MEAN]] = self.ablated[sites].T
        pairs = zip(self.intact, spliced, strict=True)
        columns[:, KL] = [(np.exp(p) * (p - q)).sum() for p, q in pairs]
        return columns

    def _read(self, edits: Mapping[str, Edit]) -> Iterator[ndarray]:
        texts = [protein.sequence for protein in self.proteins]
        logits = self.model.logits(texts, masked=self._masked(), edits=edits)
        return log_probabilities(logits, self.proteins)

    def _losses(self, found: Iterable[ndarray]) -> Float[ndarray, "proteins"]:
        pairs = zip(found, self.proteins, strict=True)
        return np.array([-p[np.arange(len(p)), each.columns].sum() for p, each in pairs])

    def _masked(self) -> list[list[int]] | None:
        if self.model.info.objective == "causal":
            return None
        return [protein.rows.tolist() for protein in self.proteins]


def written_sites(saes: Saes) -> tuple[str, ...]:
    """Name the sites where rows are replaced."""
    return tuple(sorted(key[1] if isinstance(key, tuple) else key for key in saes))


def _constant(row: Tensor) -> Edit:
    return lambda rows: row.float().to(rows.device, rows.dtype).expand_as(rows).clone()


def _check_width(mean: Tensor, width: int, site: str) -> None:
    if tuple(mean.shape) != (width,):
        raise MismatchError(
            f"a mean row of {site}, of shape ({width},)",
            f"shape {tuple(mean.shape)}",
            "Give the mean of rows of this site.",
        )
