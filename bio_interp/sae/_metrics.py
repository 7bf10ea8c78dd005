"""How well an SAE does on rows: one pass, constant memory, the same however rows are cut."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._model import SparseAutoencoder

Rows = Tensor | tuple[Tensor, Tensor]
"""Rows ``(any, d_model)``; for a transcoder with what it shall write."""

_CHUNK = 4096
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class SaeMetrics:
    """What `measure` found; ``y`` is a row to rebuild and ``y_hat`` what the SAE made of it.

    Attributes
    ----------
    rows
        How many rows were measured.
    fvu
        Share of variance unexplained, ``sum |y - y_hat|^2 / sum |y - mean(y)|^2``, the mean being
        that of these rows. 0 is perfect, 1 no better than the mean. Rows without variance give 0
        where they are rebuilt exactly and infinity where not.
    l0
        Features on in a row, on average.
    dead
        Share of the features that were off in all of these rows.
    cosine
        Mean cosine of ``y - m`` and ``y_hat - m``, where ``m`` is the mean of the rows that the
        SAE was trained on (`InputNorm.mean`). A cosine about 0 would mostly tell how far from it
        the rows lie. Rows where either difference is zero count as 0.
    density
        Share of the rows in which each feature is on; float64, shape ``(d_sae,)``.
    maxima
        Largest activation of each feature, 0 where it was never on; shape ``(d_sae,)``.
    """

    rows: int
    fvu: float
    l0: float
    dead: float
    cosine: float
    density: Tensor
    maxima: Tensor

    @property
    def density_quantiles(self) -> dict[str, float]:
        """Density of the feature at each quantile over features, by its name such as ``"0.5"``."""
        ordered = self.density.sort().values
        last = ordered.shape[0] - 1
        return {str(q): float(ordered[round(q * last)]) for q in _QUANTILES}

    def to_dict(self) -> dict[str, Any]:
        """Write the figures out for a JSON file, all but the two tensors; infinity is None."""
        names = ("fvu", "l0", "dead", "cosine")
        figures = {name: getattr(self, name) for name in names}
        finite = {name: value if isfinite(value) else None for name, value in figures.items()}
        return {"rows": self.rows, **finite, "density_quantiles": self.density_quantiles}


def measure(
    sae: SparseAutoencoder, rows: Tensor | Iterable[Rows], *, target: Tensor | None = None
) -> SaeMetrics:
    """Measure an SAE or transcoder on rows, in one pass over them.

    Sums are kept in float64, and variance is summed about the mean of the rows so far (Chan, Golub
    and LeVeque 1983), so that the figures do not depend on how the rows are cut into parts or on
    the order of the parts (to 1e-9, tested).

    Parameters
    ----------
    sae
        What to measure.
    rows
        Activations in the model's units, ``(rows, d_model)``, or parts of them, read once; pairs
        of what is read and what shall be written for a transcoder.
    target
        What a transcoder shall write, ``(rows, d_out)``, where `rows` is one tensor.

    Raises
    ------
    InputError
        There are no rows.
    MismatchError
        Rows or targets have another width than the SAE reads or writes.

    Examples
    --------
    >>> from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
    >>> tensors = {"W_enc": torch.eye(2), "b_enc": torch.zeros(2), "W_dec": torch.eye(2)}
    >>> tensors |= {"b_dec": torch.zeros(2), "threshold": torch.zeros(2)}
    >>> norm = InputNorm(torch.zeros(2), 1.0)
    >>> sae = SparseAutoencoder(SaeConfig(2, 2, "relu", 1), tensors, norm)
    >>> found = measure(sae, torch.tensor([[1.0, 0.0], [3.0, 0.0]]))
    >>> found.fvu, found.l0, found.dead, found.maxima.tolist()
    (0.0, 1.0, 0.5, [3.0, 0.0])
    """
    return sum_up(sae, rows, target).metrics()


def sum_up(
    sae: SparseAutoencoder, rows: Tensor | Iterable[Rows], target: Tensor | None
) -> "MetricSums":
    """Add up what `measure` needs, with its arguments."""
    sums = MetricSums.of(sae)
    for x, y in _pairs(rows, target):
        for some, wanted in zip(x.split(_CHUNK), y.split(_CHUNK), strict=True):
            sums.add(sae, some, wanted)
    return sums


@dataclass(slots=True)
class MetricSums:
    """What `measure` adds up; sums of parts merge into the sums of all, in any order.

    Attributes
    ----------
    on
        Rows in which each feature is on; int64, ``(d_sae,)``.
    maxima
        Largest activation of each feature, ``(d_sae,)``.
    mean
        Mean of the targets so far; float64, ``(d_out,)``.
    rows
        Rows so far.
    scatter
        ``sum |y - mean|^2`` so far.
    missed
        ``sum |y - y_hat|^2`` so far.
    cosine
        Sum of the cosines so far.
    """

    on: Tensor
    maxima: Tensor
    mean: Tensor
    rows: int = 0
    scatter: float = 0.0
    missed: float = 0.0
    cosine: float = 0.0

    @classmethod
    def of(cls, sae: SparseAutoencoder) -> "MetricSums":
        """Start with no rows."""
        zeros = torch.zeros_like(sae.feature_maxima)
        mean = torch.zeros_like(sae.b_dec, dtype=torch.float64)
        return cls(torch.zeros_like(zeros, dtype=torch.int64), zeros, mean)

    @torch.no_grad()
    def add(self, sae: SparseAutoencoder, x: Tensor, y: Tensor) -> None:
        """Add rows `x` ``(rows, d_model)`` that shall become `y` ``(rows, d_out)``."""
        codes = sae.encode(x)
        if y.shape != (x.shape[0], sae.config.width_out):
            raise MismatchError(
                f"{x.shape[0]} targets of width {sae.config.width_out}",
                f"shape {tuple(y.shape)}",
                "Give the rows that this SAE was trained to rebuild or write.",
            )
        rebuilt, wanted = sae.rebuild(x, codes).double(), y.double()
        features = codes.features.long()
        part = MetricSums.of(sae)
        part.on.add_(torch.bincount(features, minlength=codes.d_sae))
        part.maxima.scatter_reduce_(0, features, codes.values.to(part.maxima.dtype), "amax")
        part.rows = y.shape[0]
        part.mean = wanted.mean(0) if part.rows else part.mean
        part.scatter = float((wanted - part.mean).square().sum())
        part.missed = float((wanted - rebuilt).square().sum())
        centre = sae.out_norm.mean.double()
        cosines = torch.cosine_similarity(wanted - centre, rebuilt - centre, dim=1)
        part.cosine = float(cosines.sum())
        self.merge(part)

    def merge(self, other: "MetricSums") -> None:
        """Add the sums of other rows."""
        rows = self.rows + other.rows
        if other.rows == 0:
            return
        apart = other.mean - self.mean
        self.scatter += other.scatter
        self.scatter += float(apart.square().sum()) * self.rows * other.rows / rows
        self.mean = self.mean + apart * (other.rows / rows)
        self.rows = rows
        self.missed += other.missed
        self.cosine += other.cosine
        self.on = self.on + other.on
        self.maxima = torch.maximum(self.maxima, other.maxima)

    @property
    def fvu(self) -> float:
        """See `SaeMetrics`; 0 of no rows."""
        if self.scatter > 0:
            return self.missed / self.scatter
        return 0.0 if self.missed == 0 else float("inf")

    def metrics(self) -> SaeMetrics:
        """Work the figures out."""
        if self.rows == 0:
            raise InputError("at least one row to measure", "none", "Check the source of rows.")
        return SaeMetrics(
            rows=self.rows,
            fvu=self.fvu,
            l0=float(self.on.sum()) / self.rows,
            dead=float((self.on == 0).double().mean()),
            cosine=self.cosine / self.rows,
            density=self.on.double() / self.rows,
            maxima=self.maxima,
        )


def _pairs(rows: Tensor | Iterable[Rows], target: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
    if isinstance(rows, Tensor):
        yield rows, rows if target is None else target
        return
    if target is not None:
        raise InputError(
            "rows in one tensor beside `target`", "rows in parts", "Give pairs of parts instead."
        )
    for part in rows:
        yield part if isinstance(part, tuple) else (part, part)
