"""What a language model must offer, and how models are found by name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from bio_interp.errors import NotFoundError
from bio_interp.models._edits import Edit
from bio_interp.plugins import list_plugins, load_plugin

if TYPE_CHECKING:
    from torch import Tensor

Precision = Literal["auto", "fp32", "bf16", "int8"]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to load a model.

    Attributes
    ----------
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    precision
        ``"auto"`` is the fastest that the device does natively and that keeps results; a model
        that does not offer the one asked for raises `MismatchError`.
    offline
        True forbids any download; a missing file is then a `NotCachedError` that names it.
    weights
        A file to load the weights from, in place of the model's own place for them.
    """

    device: str = "auto"
    precision: Precision = "auto"
    offline: bool = True
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Facts about a loaded model.

    Attributes
    ----------
    name
        For example ``"esm2_t6_8M_UR50D"``.
    sites
        Width ``d_model`` of every site that can be tapped, by site name (``"layer.4"``).
    weights_sha256
        Hash of the weights as loaded; tells two models of one name apart.
    licence
        Licence of the weights.
    citation
        What to cite for the weights.
    objective
        ``"masked"`` (logits of a masked position) or ``"causal"`` (logits of the residue given
        those before it).
    window
        Longest protein read in one piece; longer ones are read in overlapping windows and
        stitched. None where there is no limit.
    """

    name: str
    sites: Mapping[str, int]
    weights_sha256: str
    licence: str
    citation: str
    objective: Literal["masked", "causal"]
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model said of one protein.

    Attributes
    ----------
    index
        Place of the protein in the input, from 0.
    rows
        Activations by site, each ``(residues, d_model)`` float32 on the model's device. Row 0 is
        residue 1: special tokens never leave the model.
    windowed
        True where the protein was read in overlapping windows.
    cuts
        Row that each window but the first begins with, where windows were stitched.
    """

    index: int
    rows: "Mapping[str, Tensor]"
    windowed: bool = False
    cuts: tuple[int, ...] = ()


@runtime_checkable
class LanguageModel(Protocol):
    """A model of protein sequences that can be tapped and edited."""

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        ...

    def activations(
        self,
        sequences: Iterable[str],
        sites: Sequence[str],
        *,
        edits: Mapping[str, Edit] | None = None,
    ) -> Iterator[Reading]:
        """Read proteins; yield one `Reading` a protein, in input order, in bounded memory.

        `edits` replaces the rows at a site before the layers after it read them; see `edit_rows`.
        """
        ...

    def logits(
        self,
        sequences: Iterable[str],
        *,
        masked: Iterable[Sequence[int]] | None = None,
        edits: Mapping[str, Edit] | None = None,
    ) -> "Iterator[Tensor]":
        """Yield ``(residues, 20)`` logits over ``ACDEFGHIKLMNPQRSTVWY``, in input order.

        `masked` gives for every protein the 0-based indices to hide from the model (masked
        models); a causal model's row is its guess of that residue from the ones before.
        """
        ...


@runtime_checkable
class ModelSource(Protocol):
    """A plugin that brings models (entry-point group ``bio_interp.models``)."""

    api_version: int

    def names(self) -> Sequence[str]:
        """Names of the models that `load` knows."""
        ...

    def load(self, name: str, options: LoadOptions) -> LanguageModel:
        """Load one of `names`."""
        ...


def load_model(name: str, options: LoadOptions | None = None) -> LanguageModel:
    """Load a language model by name, from whichever plugin brings it.

    Parameters
    ----------
    name
        For example ``"unirep"`` or ``"esm2_t6_8M_UR50D"``.
    options
        Device, precision, and whether downloads are allowed; nothing is downloaded by default.

    Raises
    ------
    NotFoundError
        No installed plugin knows the name; the message lists the names known.
    NotCachedError
        The weights are not on this machine.
    """
    known: list[str] = []
    for plugin in list_plugins("models"):
        source: ModelSource = load_plugin("models", plugin.name)
        if name in source.names():
            return source.load(name, options or LoadOptions())
        known += source.names()
    raise NotFoundError(
        f"the name of a model (known: {', '.join(known)})",
        repr(name),
        "Check the spelling; `bio-interp plugins` lists what is installed.",
    )


def split_address(address: str) -> tuple[str, str]:
    """Split ``model/site`` at the first slash.

    Examples
    --------
    >>> split_address("esm2_t6_8M_UR50D/layer.4")
    ('esm2_t6_8M_UR50D', 'layer.4')
    """
    model, slash, site = address.partition("/")
    if not (model and slash and site):
        raise NotFoundError(
            "a model and a site, as in 'esm2_t6_8M_UR50D/layer.4'",
            repr(address),
            "Write the model's name, a slash, and one of its sites.",
        )
    return model, site
