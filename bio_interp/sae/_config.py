"""What an SAE is, and how one is trained: two plain records."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from bio_interp.errors import InputError
from bio_interp.sae._product import Precision

KernelName = Literal["torch", "triton"]
Architecture = Literal["topk", "batchtopk", "jumprelu", "gated", "relu"]
ARCHITECTURE_NAMES: tuple[str, ...] = get_args(Architecture)


@dataclass(frozen=True, slots=True)
class SaeConfig:
    """What an SAE is.

    Attributes
    ----------
    d_model
        Width of the activations it reads.
    d_sae
        How many features it has.
    architecture
        How it was trained: a ``"topk"`` SAE keeps the k largest of each row, all others what is
        above the threshold of each feature.
    k
        Features on in a row: at most k (topk), or about k on average.
    d_out
        Width of the activations it writes, for a transcoder; None is `d_model`, and the rows that
        are read are rebuilt.
    """

    d_model: int
    d_sae: int
    architecture: Architecture
    k: int
    d_out: int | None = None

    def __post_init__(self) -> None:
        for name in ("d_model", "d_sae", "k"):
            _at_least_one(name, getattr(self, name))
        if self.d_out is not None:
            _at_least_one("d_out", self.d_out)
        _known(self.architecture)

    @property
    def has_threshold(self) -> bool:
        """Whether features are on above a threshold, so that they do not compete."""
        return self.architecture != "topk"

    @property
    def width_out(self) -> int:
        """Width of the activations it writes."""
        return self.d_out or self.d_model


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to train an SAE.

    Attributes
    ----------
    d_sae
        How many features.
    k
        Features on in a row (see `SaeConfig`); where a penalty decides, what it is steered to.
    total_rows
        Rows to train on in all; the source is read again from its start until they are reached.
    architecture
        One of `Architecture`; see `bio_interp.sae.architectures`.
    prefixes
        Matryoshka: numbers of features, ascending, that alone must rebuild a row (arXiv
        2503.17547); all of them are added as the last. For topk and batchtopk.
    sparsity
        Weight of the penalty of jumprelu, gated and relu, in the units of their papers; None
        steers it so that about k features are on.
    sparsity_warmup
        Share of the steps over which the weight rises linearly.
    bandwidth
        Of jumprelu's straight-through gradient, in normalised units.
    skip
        Also learn a linear map past the features, for a skip-transcoder (arXiv 2501.18823).
    precision
        Of the encoder's product: ``"fp32"`` is exact (and uses bfloat16 to search, where the
        processor has it); ``"bf16"`` takes what bfloat16 gives, and is faster. Weights, gradients
        and the optimizer are float32 with both. Kernels then read bfloat16 in all products.
    batch_rows
        Rows a step.
    lr
        Peak learning rate; None is ``2e-4 / sqrt(d_sae / 2**14)``.
    warmup_steps
        Steps of linear warm-up; None is a twentieth of all steps, at most 1,000.
    decay_fraction
        Last part of training over which the learning rate falls linearly to 0; the inference
        threshold and the feature maxima come from this part.
    aux_coefficient
        Weight of the AuxK loss, once, on a loss normalised by the residual's variance.
    aux_k
        Dead features that AuxK lets explain the residual of a row; None is ``d_model // 2``.
    dead_after_rows
        A feature that was off for more rows than this is dead; None is a fiftieth of
        `total_rows`, at most 10 million: on planted features a tenth left five times as many dead.
    norm_rows
        Rows, from the start of the source, from which mean and scale of the inputs are measured.
    centre
        Subtract the mean of the inputs; without it, directions that all rows share take features.
    max_norm_ratio
        Rows whose norm is above this many times the median norm of the first `norm_rows` rows are
        left out of everything: attention sinks, some hundred times as long as others, would set
        the scale and the loss. Ordinary rows are within 3 times; 10 is what others use
        (dictionary_learning). None or infinity keeps all.
    grad_clip
        Largest norm of the gradient of all parameters together.
    seed
        Seed of the initial weights.
    log_every
        Steps between rows of the metrics file and calls of ``on_step``.
    checkpoint_every
        Steps between checkpoints.
    validate_every
        Steps between validations, where `train` is given rows for them; the last step has one too.
    kernels
        ``"triton"`` runs the step of topk and batchtopk by kernels for CUDA devices; see
        `bio_interp.sae.kernels`. They are opt-in until a run on a device has confirmed them.
    """

    d_sae: int
    k: int
    total_rows: int
    architecture: Architecture = "batchtopk"
    prefixes: tuple[int, ...] = ()
    sparsity: float | None = None
    sparsity_warmup: float = 0.05
    bandwidth: float = 1.0
    skip: bool = False
    precision: Precision = "fp32"
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
    log_every: int = 50
    checkpoint_every: int = 500
    validate_every: int = 500
    kernels: KernelName = "torch"

    def __post_init__(self) -> None:
        for name in ("d_sae", "k", "total_rows", "batch_rows", "norm_rows", "log_every"):
            _at_least_one(name, getattr(self, name))
        for name in ("checkpoint_every", "validate_every"):
            _at_least_one(name, getattr(self, name))
        if self.max_norm_ratio == float("inf"):
            object.__setattr__(self, "max_norm_ratio", None)
        if self.max_norm_ratio is not None and not self.max_norm_ratio > 1:
            raise InputError(
                "max_norm_ratio above 1, or None", str(self.max_norm_ratio), "Raise it."
            )
        _known(self.architecture)
        self._check_prefixes()
        self._check_kernels()
        if self.total_rows < self.batch_rows:
            raise InputError(
                "total_rows of at least one batch",
                f"{self.total_rows} rows in batches of {self.batch_rows}",
                "Lower batch_rows or give more rows.",
            )

    def _check_kernels(self) -> None:
        if self.kernels not in get_args(KernelName):
            raise InputError("kernels 'torch' or 'triton'", repr(self.kernels), "Choose one.")
        if self.kernels == "triton" and (
            self.prefixes or self.architecture not in ("topk", "batchtopk")
        ):
            raise InputError(
                "topk or batchtopk without prefixes for kernels='triton'",
                f"{self.architecture} with prefixes {self.prefixes}",
                "Set kernels='torch'.",
            )

    def _check_prefixes(self) -> None:
        if not self.prefixes:
            return
        if self.architecture not in ("topk", "batchtopk"):
            raise InputError(
                "prefixes with topk or batchtopk", f"prefixes with {self.architecture}", "Choose."
            )
        ends = tuple(sorted({*self.prefixes, self.d_sae}))
        if ends[0] < 1 or ends[-1] > self.d_sae:
            raise InputError(
                f"prefixes from 1 to d_sae = {self.d_sae}", str(self.prefixes), "Change them."
            )
        object.__setattr__(self, "prefixes", ends)

    @property
    def steps(self) -> int:
        """Optimizer steps in all; rows that do not fill a last batch are not used."""
        return self.total_rows // self.batch_rows

    @property
    def peak_lr(self) -> float:
        """Learning rate after warm-up."""
        return self.lr if self.lr is not None else 2e-4 / (self.d_sae / 2**14) ** 0.5

    @property
    def decay_start(self) -> int:
        """First step of the linear decay."""
        return self.steps - round(self.decay_fraction * self.steps)

    @property
    def dead_after(self) -> int:
        """Rows after which a feature that stayed off is dead."""
        return self.dead_after_rows or min(10_000_000, max(1, self.total_rows // 50))

    def lr_factor(self, step: int) -> float:
        """Share of the peak learning rate at a step, counted from 0."""
        warmup = self.warmup_steps
        if warmup is None:
            warmup = min(1000, self.steps // 20)
        rising = min(1.0, (step + 1) / (warmup + 1))
        falling = (self.steps - step) / max(1, self.steps - self.decay_start)
        return max(0.0, min(rising, falling, 1.0))

    def to_dict(self) -> dict[str, Any]:
        """Write the fields out for a JSON file."""
        return {**asdict(self), "prefixes": list(self.prefixes)}


def _known(architecture: str) -> None:
    if architecture not in ARCHITECTURE_NAMES:
        raise InputError(
            f"an architecture ({', '.join(ARCHITECTURE_NAMES)})", repr(architecture), "Choose one."
        )


def _at_least_one(name: str, number: int) -> None:
    if number < 1:
        raise InputError(f"{name} of at least 1", str(number), f"Set {name} to 1 or more.")
