"""Run an ESM-2 network fast: several sites at once, early stop, edits, long proteins."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.models._batching import map_by_length
from bio_interp.models._device import resolve_device, resolve_precision
from bio_interp.models._edits import Edit, edit_rows
from bio_interp.models._esm2_forward import Packed, consecutive, run_blocks, run_head
from bio_interp.models._esm2_weights import Esm2Weights, hash_state, take_weights
from bio_interp.models._protocol import LoadOptions, ModelInfo, Precision, Reading
from bio_interp.models._residue_tokens import ResidueTokens
from bio_interp.models._spliceable import Spliceable
from bio_interp.models._windows import Piece, cut_pieces, pair_masks, stitch, window_cuts

Result = TypeVar("Result")

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
_ROW_BYTES = 2**28  # rows held for one window of the input


class Esm2Module(Protocol):
    """What the engine reads of an ``esm.model.esm2.ESM2`` module."""

    attention_heads: int
    token_dropout: Any
    alphabet: Any

    def state_dict(self) -> dict[str, Tensor]:
        """Weights by fair-esm's names."""
        ...


class Esm2Engine(Spliceable):
    """A `LanguageModel` around an ``esm.model.esm2.ESM2`` module.

    Rows equal fair-esm's own ``repr_layers`` to 1e-4 in fp32. ``layer.0`` are the embeddings,
    ``layer.N`` of the last block is after the final layer norm. A reading shows a site after its
    edit. A protein longer than `window` is read in overlapping windows, and an edit is then
    called once for each of them. Gradients reach what an edit returns, not the weights.

    Parameters
    ----------
    module
        The network, in eval mode or not (ESM-2 has no dropout). Its weights are shared where the
        device and precision allow, so do not train it while this engine reads.
    name, licence, citation
        Copied to `info`.
    options
        Device and precision. ``"bf16"`` runs matrix products and attention in bf16 and keeps
        the residual stream in fp32; on a CPU without bf16 units it is several times slower.
    window, overlap
        Longest protein read in one piece, and residues that neighbouring windows share.
    token_budget
        Most tokens in a batch; by default 2,048 on a CPU, where more do not fit its caches, and
        32,768 elsewhere.
    weights_sha256
        Hash of the file that the weights came from; by default that of the tensors.

    Examples
    --------
    >>> from esm.model.esm2 import ESM2
    >>> model = Esm2Engine(ESM2(num_layers=2, embed_dim=16, attention_heads=2), name="toy")
    >>> [reading.rows["layer.1"].shape for reading in model.activations(["MKV"], ["layer.1"])]
    [torch.Size([3, 16])]
    """

    places_edits = True

    def __init__(
        self,
        module: Esm2Module,
        *,
        name: str,
        licence: str = "unknown",
        citation: str = "",
        options: LoadOptions | None = None,
        window: int = 1022,
        overlap: int = 256,
        token_budget: int | None = None,
        weights_sha256: str | None = None,
    ) -> None:
        _check_overlap(overlap, window)
        options = options or LoadOptions()
        self._device = resolve_device(options.device)
        self._precision: Precision = resolve_precision(options.precision, self._device)
        dtype = torch.bfloat16 if self._precision == "bf16" else torch.float32
        state = module.state_dict()
        self._weights = _take(module, state, self._device, dtype)
        vocabulary: dict[str, int] = module.alphabet.to_dict()
        self._tokens = ResidueTokens(vocabulary)
        self._letters = torch.tensor([vocabulary[c] for c in LETTERS], device=self._device)
        self._overlap = overlap
        self._budget = token_budget or (2048 if self._device.type == "cpu" else 32_768)
        sites = [f"layer.{layer}" for layer in range(len(self._weights.blocks) + 1)]
        self._info = ModelInfo(
            name=name,
            sites=dict.fromkeys(sites, self._weights.d_model),
            weights_sha256=weights_sha256 or hash_state(state),
            licence=licence,
            citation=citation,
            objective="masked",
            window=window,
        )

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self._info

    @property
    def precision(self) -> Precision:
        """Number format of the matrix products: ``"fp32"`` or ``"bf16"``."""
        return self._precision

    def activations(
        self,
        sequences: Iterable[str],
        sites: Sequence[str],
        *,
        edits: Mapping[str, Edit] | None = None,
    ) -> Iterator[Reading]:
        """Read proteins; see `LanguageModel.activations`.

        Raises
        ------
        NotFoundError
            A site, of `sites` or `edits`, that the model lacks.
        SequenceError
            The model has no token for a letter (while reading).
        """
        layers = {self._layer(site): site for site in sites}
        changes = {self._layer(site): edit for site, edit in (edits or {}).items()}

        def run(batch: list[Piece]) -> list[dict[int, Tensor]]:
            return self._rows(batch, set(layers), changes)

        encoded = (self._tokens.encode(s, number=i) for i, s in enumerate(sequences))
        columns = max(1, len(layers)) * self._weights.d_model
        return (
            Reading(
                protein.index,
                {
                    site: stitch([p[layer] for p in parts], protein.bounds)
                    for layer, site in layers.items()
                },
                windowed=len(protein.bounds) > 1,
                cuts=window_cuts(protein.bounds),
            )
            for protein, parts in self._map(run, encoded, columns)
        )

    def logits(
        self,
        sequences: Iterable[str],
        *,
        masked: Iterable[Sequence[int]] | None = None,
        edits: Mapping[str, Edit] | None = None,
    ) -> Iterator[Tensor]:
        """Yield logits over the 20 amino acids; see `LanguageModel.logits`.

        Raises
        ------
        NotFoundError
            A site of `edits` that the model lacks.
        MismatchError
            `masked` has another number of proteins, or an index outside its protein (while
            reading).
        """
        changes = {self._layer(site): edit for site, edit in (edits or {}).items()}
        last = len(self._weights.blocks)

        def run(batch: list[Piece]) -> list[Tensor]:
            rows = [taken[last] for taken in self._rows(batch, {last}, changes)]
            flat = run_head(self._weights.head, torch.cat(rows), self._letters)
            return [flat[place] for place in consecutive(len(r) for r in rows)]

        encoded = (
            self._tokens.encode(sequence, masked=hidden, number=i)
            for i, (sequence, hidden) in enumerate(pair_masks(sequences, masked))
        )
        found = self._map(run, encoded, len(LETTERS))
        return (stitch(parts, protein.bounds) for protein, parts in found)

    def _layer(self, site: str) -> int:
        if site not in self._info.sites:
            raise NotFoundError(
                f"a site of {self._info.name} (layer.0 to layer.{len(self._weights.blocks)})",
                repr(site),
                "Name one of these.",
            )
        return int(site.removeprefix("layer."))

    def _map(
        self,
        run: Callable[[list[Piece]], Sequence[Result]],
        encoded: Iterable[np.ndarray],
        columns: int,
    ) -> Iterator[tuple[Piece, list[Result]]]:
        """Run pieces in batches; give the results of all pieces of a protein, in input order."""

        def paired(batch: list[Piece]) -> list[tuple[Piece, Result]]:
            return list(zip(batch, run(batch), strict=True))

        results = map_by_length(
            paired,
            cut_pieces(encoded, window=self._info.window or 0, overlap=self._overlap),
            length=lambda piece: len(piece.tokens) + 2,
            token_budget=self._budget,
            window_residues=min(65_536, _ROW_BYTES // (4 * columns)),
            padded=self._device.type != "cpu",
        )
        parts: list[Result] = []
        for piece, result in results:
            parts.append(result)
            if len(parts) == len(piece.bounds):
                yield piece, parts
                parts = []

    def _rows(
        self, batch: list[Piece], layers: set[int], changes: Mapping[int, Edit]
    ) -> list[dict[int, Tensor]]:
        """Run one batch to its deepest layer; give each piece's residue rows by layer."""
        packed = self._pack(batch)
        found: list[dict[int, Tensor]] = [{} for _ in batch]

        def tap(layer: int, stream: Tensor) -> None:
            edit = changes.get(layer)
            tokens = consecutive(packed.lengths)
            for piece, rows, place in zip(batch, found, tokens, strict=True):
                # special tokens stay behind; the copy outlives the stream, which is reused
                residues = stream[place.start + 1 : place.stop - 1]
                if edit:
                    given = residues.clone()  # the edit may keep it, for its gradient
                    residues.copy_(edit_rows(edit, given, piece.place, site=f"layer.{layer}"))
                if layer in layers:
                    rows[layer] = residues.clone()

        deepest = max(layers, default=0)
        run_blocks(self._weights, packed, mask_token=self._tokens.mask, deepest=deepest, tap=tap)
        return found

    def _pack(self, batch: list[Piece]) -> Packed:
        cls, eos = [self._tokens.cls], [self._tokens.eos]
        tokens = np.concatenate([part for piece in batch for part in (cls, piece.tokens, eos)])
        lengths = tuple(len(piece.tokens) + 2 for piece in batch)
        return Packed(torch.as_tensor(tokens, device=self._device), lengths)


def _check_overlap(overlap: int, window: int) -> None:
    if not 0 <= overlap < window:
        raise MismatchError(
            "an overlap shorter than the window",
            f"overlap {overlap}, window {window}",
            "Choose a smaller overlap.",
        )


def _take(
    module: Esm2Module, state: dict[str, Tensor], device: torch.device, dtype: torch.dtype
) -> Esm2Weights:
    return take_weights(
        state,
        heads=module.attention_heads,
        token_dropout=bool(module.token_dropout),
        device=device,
        dtype=dtype,
    )
