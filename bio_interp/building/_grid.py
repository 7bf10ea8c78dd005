"""Which SAEs a sweep trains, and on which proteins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bio_interp.errors import InputError
from bio_interp.sequences import Protein, Split

if TYPE_CHECKING:
    from bio_interp.models import ModelInfo
    from bio_interp.sae import Architecture, TrainConfig

_HELD_OUT = 0.1
ALL = "all"


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep trains: every combination of sites, architectures, widths, k and seeds.

    Attributes
    ----------
    model
        Such as ``"esm2_t6_8M_UR50D"``.
    widths, k
        Features of an SAE, and how many are on in a residue.
    sites
        Where the model is tapped; ``("all",)`` is all of its sites.
    architectures, seeds
        How SAEs are trained, and from which first weights.
    rows
        Residues to train on in all; every one once where None. More than there are read the
        proteins again.
    batch_rows, lr, checkpoint_every
        See `bio_interp.sae.TrainConfig`.
    buffer_rows
        Residues that are mixed in memory.
    heldout_proteins
        SAEs are measured on at most so many proteins that none was trained on.
    fidelity_proteins
        Of these, how many the model reads through each SAE; 0 leaves fidelity out.
    """

    model: str
    widths: tuple[int, ...]
    k: tuple[int, ...]
    sites: tuple[str, ...] = (ALL,)
    architectures: tuple[Architecture, ...] = ("batchtopk",)
    seeds: tuple[int, ...] = (0,)
    rows: int | None = None
    batch_rows: int = 2048
    lr: float | None = None
    checkpoint_every: int = 500
    buffer_rows: int = 262_144
    heldout_proteins: int = 500
    fidelity_proteins: int = 50

    def __post_init__(self) -> None:
        for name in ("sites", "widths", "k", "architectures", "seeds"):
            if not getattr(self, name):
                raise InputError(f"at least one of {name}", "none", f"Name {name} to sweep over.")
        for name in ("heldout_proteins", "buffer_rows"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of at least 1", str(getattr(self, name)), "Raise it.")

    def at(self, info: ModelInfo) -> tuple[str, ...]:
        """Name the sites; `NotFoundError` where the model lacks one."""
        from bio_interp.activations import check_sites

        sites = tuple(info.sites) if self.sites == (ALL,) else self.sites
        check_sites(info, sites)
        return sites

    def variants(self, sites: Sequence[str], total_rows: int) -> dict[str, Variant]:
        """List the SAEs by name."""
        from bio_interp.sae import TrainConfig

        found: dict[str, Variant] = {}
        for site, architecture, width, k, seed in product(
            sites, self.architectures, self.widths, self.k, self.seeds
        ):
            config = TrainConfig(
                d_sae=width,
                k=k,
                total_rows=total_rows,
                architecture=architecture,
                batch_rows=self.batch_rows,
                lr=self.lr,
                seed=seed,
                checkpoint_every=self.checkpoint_every,
            )
            name = f"{site}-{architecture}-{width}-k{k}-seed{seed}"
            found[name] = Variant(name, site, config)
        return found


@dataclass(frozen=True, slots=True)
class Variant:
    """One SAE of a sweep; its folder has its name."""

    name: str
    site: str
    config: TrainConfig


@dataclass(frozen=True, slots=True)
class Proteins:
    """The proteins of a sweep: those trained on and those held out, and what keeps them apart.

    `clusters` is the cluster of every held-out protein, where a split knows it.
    """

    fit: tuple[Protein, ...]
    heldout: tuple[Protein, ...]
    apart: Literal["cluster", "protein"]
    clusters: Mapping[str, str]

    @classmethod
    def deal(cls, proteins: Sequence[Protein], split: Path | None, most: int) -> Proteins:
        """Hold some proteins out.

        With a split, SAEs are trained on its fold ``fit`` and measured on ``select``, which has no
        homologue in it and is the fold to choose settings on. Without one, a tenth of the
        proteins, at most `most`, is held out in an order that their names decide.

        Raises
        ------
        InputError
            No protein is left on one of the two sides.
        NotFoundError
            The split lacks a protein.
        """
        ordered = sorted(proteins, key=lambda p: _draw(p.accession))
        clusters: dict[str, str] = {}
        if split is not None:
            folds = Split.load(split)
            fit = tuple(p for p in proteins if folds.fold(p.accession) == "fit")
            heldout = [p for p in ordered if folds.fold(p.accession) == "select"][:most]
            clusters = {p.accession: folds.cluster(p.accession) for p in heldout}
        else:
            heldout = ordered[: min(most, max(1, round(_HELD_OUT * len(ordered))))]
            taken = {p.accession for p in heldout}
            fit = tuple(p for p in proteins if p.accession not in taken)
        if not fit or not heldout:
            raise InputError(
                "proteins to train on, and others to measure on",
                f"{len(fit)} and {len(heldout)}",
                "Give more sequences, or a split whose folds fit and select have some of them.",
            )
        return cls(fit, tuple(heldout), "protein" if split is None else "cluster", clusters)


def _draw(accession: str) -> str:
    return hashlib.sha256(f"bio_interp sweep 1:{accession}".encode()).hexdigest()


def training_bytes(variants: Mapping[str, Variant], widths: Mapping[str, int]) -> int:
    """Estimate the memory that training takes, without the buffer.

    All SAEs at once have weights, gradients and two moments of Adam in float32; a step of one has
    three matrices of ``(batch_rows, d_sae)`` or so.
    """
    weights = step = 0
    for variant in variants.values():
        d_sae, d_model = variant.config.d_sae, widths[variant.site]
        weights += 2 * d_model * d_sae + 2 * d_sae + 2 * d_model
        step = max(step, 3 * variant.config.batch_rows * d_sae)
    return 16 * weights + 4 * step
