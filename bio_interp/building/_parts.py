"""The tables of a ``build.toml``, as records; every field is a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bio_interp.errors import InputError
from bio_interp.models import Precision


@dataclass(frozen=True, slots=True)
class DataPart:
    """``[data]``: the proteins.

    Attributes
    ----------
    sequences
        FASTA or Swiss-Prot files; the first that has an accession keeps it.
    split
        A `bio_interp.sequences.Split`; made from the sequences where not given.
    split_method
        How a split is made: see `bio_interp.sequences.make_split`.
    """

    sequences: tuple[Path, ...]
    split: Path | None = None
    split_method: Literal["auto", "mmseqs", "kmer"] = "auto"

    def __post_init__(self) -> None:
        if not self.sequences:
            raise InputError("at least one file in data.sequences", "none", "Name a FASTA file.")


@dataclass(frozen=True, slots=True)
class AnnotatorPart:
    """``[annotations.NAME]``: the files that the annotator plugin NAME reads, and its options."""

    files: tuple[Path, ...]
    options: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class AnnotationPart:
    """``[annotations]``: what is known about the proteins.

    Attributes
    ----------
    table
        Folder of a table that ``bio-interp concepts`` made.
    annotators
        Files by annotator.
    """

    table: Path | None
    annotators: Mapping[str, AnnotatorPart]


@dataclass(frozen=True, slots=True)
class ModelPart:
    """``[model]``: the language model and where it is tapped; see `LoadOptions`."""

    name: str
    site: str
    precision: Precision = "auto"
    device: str = "auto"
    weights: Path | None = None
    download: bool = False


@dataclass(frozen=True, slots=True)
class SamplePart:
    """``[sample]``: which proteins are read; all of them by default.

    Attributes
    ----------
    fit_residues
        Residues of fit proteins that the SAE is trained on.
    fit_members
        Proteins read of a cluster in the fit fold.
    fit_longest, longest, shortest
        Longest protein read for training, and of the other folds; shortest of all.
    families
        Kinds of concept (``"pfam"``) whose common ones are drawn densely: clusters that bear one
        give `members` proteins, of the others only a share gives one. Without these and `curated`,
        all clusters give `members`.
    curated
        Sources (``"uniprot"``): proteins that they looked at are drawn densely too.
    background
        The share.
    members
        Proteins read of a cluster; each cluster counts once however many it gives.
    common
        A concept is common where this many clusters of select, and of calibrate, bear it.
    seed
        Text that decides the order of the draw.
    """

    fit_residues: int | None = None
    fit_members: int | None = None
    fit_longest: int | None = None
    longest: int | None = None
    shortest: int = 30
    families: tuple[str, ...] = ()
    curated: tuple[str, ...] = ()
    background: float = 1.0
    members: int | None = None
    common: int = 5
    seed: str = "bio_interp sample 1"

    def __post_init__(self) -> None:
        for name in ("fit_residues", "fit_members", "fit_longest", "longest", "members"):
            if (number := getattr(self, name)) is not None and number < 1:
                raise InputError(f"{name} of at least 1", str(number), f"Raise {name}.")
        if not 0 < self.background <= 1:
            raise InputError(
                "background above 0 and at most 1", str(self.background), "Give a share."
            )


@dataclass(frozen=True, slots=True)
class SaePart:
    """``[sae]``: how the SAE is trained, or where a trained one lies.

    All keys of `bio_interp.sae.TrainConfig` but ``log_every``, ``validate_every`` and ``skip``,
    and:

    Attributes
    ----------
    load
        Folder of a trained SAE (or one of its files); then no other key but `storage` is given.
    storage
        How the atlas stores the weights. What is stored is what is linked.
    buffer_rows
        Rows that are mixed in memory while training; all of them where they are fewer.
    """

    load: Path | None = None
    d_sae: int | None = None
    k: int | None = None
    total_rows: int | None = None
    architecture: Literal["batchtopk", "topk", "jumprelu", "gated", "relu"] = "batchtopk"
    prefixes: tuple[int, ...] = ()
    sparsity: float | None = None
    sparsity_warmup: float = 0.05
    bandwidth: float = 1.0
    precision: Literal["fp32", "bf16"] = "fp32"
    kernels: Literal["torch", "triton"] = "torch"
    batch_rows: int = 2048
    lr: float | None = None
    warmup_steps: int | None = None
    decay_fraction: float = 0.2
    aux_coefficient: float = 1 / 32
    aux_k: int | None = None
    dead_after_rows: int | None = None
    norm_rows: int = 16_384
    centre: bool = True
    max_norm_ratio: float | None = 10.0
    grad_clip: float = 1.0
    seed: int = 0
    checkpoint_every: int = 500
    storage: Literal["int8", "float32"] = "int8"
    buffer_rows: int = 1_000_000

    def __post_init__(self) -> None:
        if self.load is not None:
            return
        for name in ("d_sae", "k", "total_rows"):
            if getattr(self, name) is None:
                raise InputError(
                    f"the key sae.{name} (a whole number), or sae.load",
                    "[sae] without it",
                    f"Add `{name} = ...` to train an SAE, or `load = ...` to start from one.",
                )
        for name in ("d_sae", "k", "batch_rows", "norm_rows", "checkpoint_every", "buffer_rows"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} of at least 1", str(getattr(self, name)), "Raise it.")
        if self.prefixes and self.architecture not in ("batchtopk", "topk"):
            raise InputError(
                "sae.prefixes with batchtopk or topk",
                f"architecture {self.architecture!r}",
                "Leave one of the two out.",
            )
        if self.prefixes and not 1 <= min(self.prefixes) <= max(self.prefixes) <= (self.d_sae or 0):
            raise InputError(
                f"sae.prefixes from 1 to d_sae = {self.d_sae}", str(self.prefixes), "Change them."
            )
        if (self.total_rows or 0) < self.batch_rows:
            raise InputError(
                "total_rows of at least batch_rows",
                f"{self.total_rows} and {self.batch_rows}",
                "Lower batch_rows, or train on more rows.",
            )


@dataclass(frozen=True, slots=True)
class LinkPart:
    """``[link]``: concepts borne by fewer clusters in these folds are left out."""

    min_select: int = 5
    min_calibrate: int = 3


@dataclass(frozen=True, slots=True)
class ReportPart:
    """``[report]``: what the features are benchmarked beside, on select and test.

    Attributes
    ----------
    baselines
        As of ``bio-interp bench --baselines``, such as ``["neurons"]`` or ``["default"]``; where
        there are none nothing is benchmarked.
    null
        Permutations of the claims that the SAE makes; 0 makes none.
    """

    baselines: tuple[str, ...] = ()
    null: int = 0

    def __post_init__(self) -> None:
        from bio_interp.benchmarking import names_of

        if self.baselines:
            names_of(",".join(self.baselines))


@dataclass(frozen=True, slots=True)
class AtlasPart:
    """``[atlas]``: what the atlas says of itself.

    Attributes
    ----------
    name, version
        Its name and version.
    licence
        The licence that it stands under; the model's own where not given.
    citation
        What to cite for the data, besides the model.
    notes
        Lines printed with every report.
    data, data_licence
        Names of the data's sources, and the licence of each.
    structures
        PDB and mmCIF files, or folders of them, on which it is measured what features mean in
        space; see `bio_interp.atlas.write_spatial`.
    """

    name: str
    version: str = "1"
    licence: str | None = None
    citation: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    data_licence: tuple[str, ...] = ()
    structures: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if len(self.data) != len(self.data_licence):
            raise InputError(
                "as many of data_licence as of data",
                f"{len(self.data_licence)} and {len(self.data)}",
                "Name the licence of every source.",
            )
