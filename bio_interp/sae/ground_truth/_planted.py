"""Planted superposition: sparse sums of known directions that overlap."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bio_interp.errors import InputError
from bio_interp.sae._codes import SparseCodes, compact
from bio_interp.sae._sparse_ops import decode_values

_MOST = 0.5  # of the rows, that a feature may be on in
_LEAST = 1e-3  # magnitude of a feature that is on
_WORLDS, _ROWS = 0x57000000, 0xA5000000
"""Added to seeds, of which torch uses 32 bits: else the first weights of an SAE, which are normal
numbers of the same seed, would be the truth itself."""


@dataclass(frozen=True, slots=True, eq=False)
class PlantedFeatures:
    """A world of known features, after SynthSAEBench (arXiv 2602.14687), and rows of it.

    A row is ``sum of magnitude * direction over the features that are on, + mean + noise``.

    *Roots*, the first ``n_features - parents * children`` features, are on at frequencies that
    fall as ``rank ** -exponent`` (Zipf), scaled so that `on` features are on in a row on average,
    children included, and none in more than half of the rows. Roots of one group go together: a
    Gaussian copula with correlation `correlation` within a group and none between groups, which
    leaves the frequencies as they are. The most frequent roots are *parents*: each of their
    children is on with `child_probability` in the rows where its parent is on, and in no others.
    Children of parent 0 come first after the roots, then those of parent 1, and so on.

    Parameters
    ----------
    d_model
        Width of the rows.
    n_features
        How many features; superposition where more than `d_model`.
    on
        Features on in a row, on average.
    exponent
        Of the frequencies; 0 makes all roots equally frequent.
    parents, children
        How many roots have children, and how many each has.
    child_probability
        That a child is on where its parent is.
    group_size
        Roots a group; groups take their members from all frequencies.
    correlation
        Of the latent normals of two roots of a group, from 0 to below 1.
    spread
        Standard deviation of a magnitude, a normal number about 1, folded at 0.
    noise
        Standard deviation of normal noise in every coordinate.
    offset
        Norm of the mean that is added to every row, in a random direction.
    seed
        Of directions and mean. Rows have a seed of their own.

    Attributes
    ----------
    directions
        Random unit rows, ``(n_features, d_model)``.
    frequencies
        Expected share of the rows that each feature is on in, ``(n_features,)``.
    parent_of
        Parent of each feature, -1 for roots; int64, ``(n_features,)``.
    mean
        Shape ``(d_model,)``.

    Examples
    --------
    >>> world = PlantedFeatures(16, 40, on=3, parents=2, children=3)
    >>> x, truth = world.sample(100, torch.Generator().manual_seed(0))
    >>> x.shape, truth.to_scipy().shape
    (torch.Size([100, 16]), (100, 40))
    >>> round(float(world.frequencies.sum()), 2), world.parent_of[-6:].tolist()
    (3.0, [0, 0, 0, 1, 1, 1])
    """

    d_model: int
    n_features: int
    on: float = 8.0
    exponent: float = 1.0
    parents: int = 0
    children: int = 0
    child_probability: float = 0.3
    group_size: int = 1
    correlation: float = 0.0
    spread: float = 0.2
    noise: float = 0.0
    offset: float = 0.0
    seed: int = 0
    directions: Tensor = field(init=False)
    frequencies: Tensor = field(init=False)
    parent_of: Tensor = field(init=False)
    mean: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self._check()
        generator = torch.Generator().manual_seed(_WORLDS + self.seed)
        drawn = torch.randn(self.n_features + 1, self.d_model, generator=generator)
        units = torch.nn.functional.normalize(drawn)
        parent = torch.arange(self.parents).repeat_interleave(self.children)
        roots = torch.full((self.roots,), -1)
        object.__setattr__(self, "directions", units[:-1])
        object.__setattr__(self, "mean", self.offset * units[-1])
        object.__setattr__(self, "parent_of", torch.cat([roots, parent]))
        object.__setattr__(self, "frequencies", self._frequencies())

    @property
    def roots(self) -> int:
        """How many features have no parent; they are the first."""
        return self.n_features - self.parents * self.children

    def sample(self, rows: int, generator: torch.Generator) -> tuple[Tensor, SparseCodes]:
        """Draw rows.

        Returns
        -------
        tuple of Tensor and SparseCodes
            Activations, ``(rows, d_model)``, and the magnitudes of the features that are on.
        """
        normal = torch.randn(rows, self.roots, generator=generator)
        if self.correlation > 0:
            groups = -(-self.roots // self.group_size)
            shared = torch.randn(rows, groups, generator=generator)
            member = torch.arange(self.roots) % groups
            own = (1 - self.correlation) ** 0.5
            normal = normal.mul_(own).add_(shared[:, member], alpha=self.correlation**0.5)
        on = normal > torch.special.ndtri(1 - self.frequencies[: self.roots].double()).float()
        if self.parents:
            chance = torch.rand(rows, self.n_features - self.roots, generator=generator)
            allowed = on[:, self.parent_of[self.roots :]]
            on = torch.cat([on, allowed & (chance < self.child_probability)], 1)
        found = compact(on, on)
        drawn = torch.randn(found.features.shape[0], generator=generator)
        values = (1 + self.spread * drawn).abs().clamp_min(_LEAST)
        truth = SparseCodes(found.indptr, found.features, values, self.n_features)
        x = decode_values(truth, values, self.directions) + self.mean
        if self.noise:
            x = x.add_(torch.randn(rows, self.d_model, generator=generator), alpha=self.noise)
        return x, truth

    def parts(
        self, rows: int, seed: int, *, part_rows: int = 4096
    ) -> Iterator[tuple[Tensor, SparseCodes]]:
        """Draw `rows` rows in parts of at most `part_rows`; the same for the same seed."""
        generator = torch.Generator().manual_seed(_ROWS + seed)
        for first in range(0, rows, part_rows):
            yield self.sample(min(part_rows, rows - first), generator)

    def source(self, rows: int, seed: int = 0) -> Callable[[int], Iterator[Tensor]]:
        """Give a `RowSource` for `train`: fresh rows in each epoch, drawn as they are read.

        Parameters
        ----------
        rows
            Rows an epoch.
        seed
            Of the first epoch; the next has the next seed, so keep seeds of rows to be scored
            (`recovery` takes negative ones) apart.
        """

        def epoch(number: int) -> Iterator[Tensor]:
            return (x for x, _ in self.parts(rows, seed + number))

        return epoch

    def _frequencies(self) -> Tensor:
        """Find the scale at which the frequencies sum to `on`, by bisection."""
        falling = torch.arange(1, self.roots + 1, dtype=torch.float64) ** -self.exponent
        weight = torch.ones(self.roots, dtype=torch.float64)
        weight[: self.parents] += self.children * self.child_probability
        low, high = 0.0, self.roots**self.exponent
        if float(weight.sum()) * _MOST < self.on:
            raise InputError(
                f"at most {float(weight.sum()) * _MOST:.1f} features on in a row",
                f"on = {self.on}",
                "Lower `on` or plant more features.",
            )
        for _ in range(100):
            middle = (low + high) / 2
            total = float((weight * (middle * falling).clamp_max(_MOST)).sum())
            low, high = (middle, high) if total < self.on else (low, middle)
        roots = (high * falling).clamp_max(_MOST)
        children = roots[: self.parents].repeat_interleave(self.children) * self.child_probability
        return torch.cat([roots, children]).float()

    def _check(self) -> None:
        for name in ("d_model", "n_features", "group_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of at least 1", str(getattr(self, name)), "Raise it.")
        if not 0 <= self.parents <= self.roots or self.children < 0:
            raise InputError(
                "parents among the features that are no children",
                f"{self.parents} parents with {self.children} children of {self.n_features}",
                "Plant more features or fewer parents.",
            )
        if not 0 <= self.correlation < 1 or not 0 <= self.child_probability <= 1 or self.on <= 0:
            raise InputError(
                "correlation from 0 to below 1, child_probability from 0 to 1, on above 0",
                f"{self.correlation}, {self.child_probability}, {self.on}",
                "Change what lies outside.",
            )
