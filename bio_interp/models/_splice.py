"""Run a model through SAEs, edit their features, and take gradients at them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

import torch
from torch import Tensor

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.models._feature_edits import SplicedSite
from bio_interp.models._protocol import LanguageModel, ModelInfo, Reading
from bio_interp.models._rebuild import Rebuild
from bio_interp.models._splice_run import SpliceKey, SpliceRun
from bio_interp.models._windows import pair_masks
from bio_interp.sae import SparseAutoencoder


@dataclass(frozen=True, slots=True)
class Trace:
    """One protein, with the features that its logits came from.

    Attributes
    ----------
    index
        Place of the protein in the input, from 0.
    logits
        Shape ``(residues, 20)``.
    features
        Activations as they were decoded, after all edits, ``(residues, d_sae)``, by the key that
        was spliced. Logits depend on them: `torch.autograd.grad` gives the derivative at every
        feature and residue, with the errors of all SAEs held as they are.
    """

    index: int
    logits: Tensor
    features: Mapping[SpliceKey, Tensor]


class Splice:
    """A model whose rows pass through SAEs on their way to the next layer.

    ``spliced[site]`` is a `SplicedSite`: its methods edit features, in all that is read
    afterwards. Special tokens pass by the SAEs. After the ``with`` block it reads no more.

    Parameters
    ----------
    model
        Any model, see `Spliceable.splice`.
    saes, keep_error
        See there.

    Examples
    --------
    >>> from bio_interp import load_atlas, load_model
    >>> atlas, model = load_atlas("reference"), load_model("reference")
    >>> with model.splice({atlas.site: atlas.sae}) as spliced:
    ...     (before,) = spliced.logits(["MKTAYIAKQR"])
    ...     spliced[atlas.site].set(7, 30.0, positions=[5])
    ...     (after,) = spliced.logits(["MKTAYIAKQR"])
    >>> bool((after - before).abs().max() > 1e-3)
    True
    """

    def __init__(
        self,
        model: LanguageModel,
        saes: Mapping[SpliceKey, SparseAutoencoder],
        *,
        keep_error: bool = True,
    ) -> None:
        _check_sites(model.info, saes)
        self._model, self._keep_error = model, keep_error
        self._sites = {key: SplicedSite(sae) for key, sae in saes.items()}
        self._open = True

    def __enter__(self) -> "Splice":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False

    def __getitem__(self, key: SpliceKey) -> SplicedSite:
        if key not in self._sites:
            raise NotFoundError(
                f"a site that is spliced ({', '.join(map(str, self._sites))})",
                repr(key),
                "Name it as it was given to splice.",
            )
        return self._sites[key]

    def activations(self, sequences: Iterable[str], sites: Sequence[str]) -> Iterator[Reading]:
        """Read proteins; a reading shows a spliced site as the next layer sees it."""
        run = self._start()
        if not run.is_one_by_one():
            return run.forgetting(self._model.activations(sequences, sites, edits=run.edits()))
        return (
            replace(reading, index=i)
            for i, sequence in enumerate(sequences)
            for reading in self._model.activations([sequence], sites, edits=run.edits(i))
        )

    def logits(
        self, sequences: Iterable[str], *, masked: Iterable[Sequence[int]] | None = None
    ) -> Iterator[Tensor]:
        """Yield logits over the 20 amino acids, ``(residues, 20)``; see `LanguageModel.logits`."""
        run = self._start()
        if not run.is_one_by_one():
            found = self._model.logits(sequences, masked=masked, edits=run.edits())
            return run.forgetting(found)
        return (
            logits
            for i, (sequence, hidden) in enumerate(pair_masks(sequences, masked))
            for logits in self._logits_of(sequence, None if masked is None else hidden, run, i)
        )

    def trace(
        self, sequences: Iterable[str], *, masked: Iterable[Sequence[int]] | None = None
    ) -> Iterator[Trace]:
        """Yield logits that are a differentiable function of the features, a protein at a time.

        Raises
        ------
        MismatchError
            The model keeps no gradients, or reads a protein in several windows.

        Examples
        --------
        >>> from bio_interp import load_atlas, load_model
        >>> atlas, model = load_atlas("reference"), load_model("reference")
        >>> with model.splice({atlas.site: atlas.sae}) as spliced:
        ...     (trace,) = spliced.trace(["MKTAYIAKQR"], masked=[[4]])
        >>> logit = trace.logits[4, 0]  # of A at position 5
        >>> (slope,) = torch.autograd.grad(logit, trace.features[atlas.site])
        >>> slope.shape == trace.features[atlas.site].shape
        True
        """
        run = self._start(trace=True)
        run.is_one_by_one()  # refuses a model that cannot
        return (
            self._trace(sequence, None if masked is None else hidden, run, i)
            for i, (sequence, hidden) in enumerate(pair_masks(sequences, masked))
        )

    def _trace(
        self, sequence: str, hidden: Sequence[int] | None, run: SpliceRun, index: int
    ) -> Trace:
        with torch.enable_grad():
            (logits,) = self._logits_of(sequence, hidden, run, index)
        features = {key: seen.pop() for key, seen in run.seen.items() if seen}
        if not logits.requires_grad:
            raise MismatchError(
                "logits that are a function of the features",
                f"logits without a gradient from {self._model.info.name}",
                "Let the model run without torch.no_grad or inference_mode after its edits.",
            )
        return Trace(index, logits, features)

    def _logits_of(
        self, sequence: str, hidden: Sequence[int] | None, run: SpliceRun, index: int
    ) -> Iterator[Tensor]:
        masked = None if hidden is None else [hidden]
        return self._model.logits([sequence], masked=masked, edits=run.edits(index))

    def _start(self, *, trace: bool = False) -> SpliceRun:
        if not self._open:
            raise MismatchError(
                "a splice inside its `with` block",
                "one whose block has ended",
                "Read inside the block, or splice again.",
            )
        rebuilds = {
            key: Rebuild(site.sae, tuple(site.edits), self._keep_error)
            for key, site in self._sites.items()
        }
        return SpliceRun(self._model, rebuilds, {key: [] for key in rebuilds} if trace else {})


def _check_sites(info: ModelInfo, saes: Mapping[SpliceKey, SparseAutoencoder]) -> None:
    written: set[str] = set()
    for key, sae in saes.items():
        read, write = key if isinstance(key, tuple) else (key, key)
        for site, width in ((read, sae.config.d_model), (write, sae.config.width_out)):
            _check_width(info, site, width)
        if write in written:
            raise MismatchError(
                "SAEs that write different sites", f"two that write {write}", "Splice one of them."
            )
        written.add(write)


def _check_width(info: ModelInfo, site: str, width: int) -> None:
    if site not in info.sites:
        raise NotFoundError(
            f"a site of {info.name} ({', '.join(info.sites)})", repr(site), "Name one of these."
        )
    if info.sites[site] != width:
        raise MismatchError(
            f"an SAE for {site} of {info.name}, of width {info.sites[site]}",
            f"one of width {width}",
            "Splice an SAE that was trained on this site.",
        )
