"""The sparse autoencoder as it is used: encode, decode, measure, save."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import SaeConfig
from bio_interp.sae._norm import InputNorm
from bio_interp.sae._product import Product
from bio_interp.sae._select import select_threshold, select_topk
from bio_interp.sae._sparse_ops import decode_values
from bio_interp.sae._wide import WideBuffers


class SparseAutoencoder(WideBuffers):
    """A trained SAE or transcoder: what a row activates never depends on the other rows.

    In normalised units ``pre = x @ W_enc + b_enc``; the codes are the k largest entries of `pre`
    above 0 (topk), or those above the threshold of their feature (every other architecture);
    ``x_hat = codes @ W_dec + b_dec``, and ``+ x @ W_skip`` in a skip-transcoder.

    ``sae.to(dtype)`` sets the dtype of the weights, and with it of codes and reconstructions.
    Rows may come in any dtype. Normalisation, thresholds and feature maxima stay in float32 or
    wider, so that a narrower dtype rounds sums but never moves a threshold: where a dtype holds
    weights, normalised rows and sums exactly, the codes are those of float32 bit for bit.

    Parameters
    ----------
    config
        Sizes and rule.
    tensors
        ``W_enc (d_model, d_sae)``, ``b_enc (d_sae,)``, ``W_dec (d_sae, d_out)`` with rows of
        unit norm, ``b_dec (d_out,)``; unless it is a topk SAE ``threshold (d_sae,)``; if it has
        one ``W_skip (d_model, d_out)``; and if known ``feature_maxima (d_sae,)``: the largest
        activation of each feature seen at the end of training.
    norm
        Input normalisation; copied, as is `out_norm`.
    out_norm
        Normalisation of what a transcoder writes; `norm` where None.
    provenance
        Where it came from, for the JSON file: parent model, hash of its weights, site,
        tokenisation, dtype, hash of the data, training settings.
    fingerprint
        What `bio_interp.sae.fingerprint` gave on the pinned probe rows.
    """

    wide = ("threshold", "feature_maxima")
    W_enc: nn.Parameter
    b_enc: nn.Parameter
    W_dec: nn.Parameter
    b_dec: nn.Parameter
    threshold: Tensor | None
    W_skip: Tensor | None
    feature_maxima: Tensor

    def __init__(
        self,
        config: SaeConfig,
        tensors: Mapping[str, Tensor],
        norm: InputNorm,
        *,
        out_norm: InputNorm | None = None,
        provenance: Mapping[str, Any] | None = None,
        fingerprint: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        _check_shapes(config, tensors, norm, out_norm)
        self.config = config
        self.norm = deepcopy(norm)
        self.out_norm = self.norm if out_norm in (None, norm) else deepcopy(out_norm)
        # a column of W_enc is contiguous in memory: `encode` gathers columns
        self.W_enc = _frozen(tensors["W_enc"].T.contiguous().T)
        self.b_enc, self.W_dec = _frozen(tensors["b_enc"]), _frozen(tensors["W_dec"])
        self.b_dec = _frozen(tensors["b_dec"])
        self.register_buffer("threshold", tensors.get("threshold"))
        self.register_buffer("W_skip", tensors.get("W_skip"))
        maxima = tensors.get("feature_maxima", torch.zeros(config.d_sae))
        self.register_buffer("feature_maxima", maxima)
        self._ready: tuple[Any, Product] | None = None
        self.provenance = dict(provenance or {})
        self.fingerprint = dict(fingerprint) if fingerprint else None

    def __repr__(self) -> str:
        c = self.config
        return f"SparseAutoencoder({c.architecture}, d_model={c.d_model}, d_sae={c.d_sae}, k={c.k})"

    def tensors(self) -> dict[str, Tensor]:
        """Give all its tensors by name, as the constructor takes them."""
        names = ("W_enc", "b_enc", "W_dec", "b_dec", "threshold", "W_skip", "feature_maxima")
        found = {name: getattr(self, name) for name in names}
        return {name: tensor.detach() for name, tensor in found.items() if tensor is not None}

    @torch.no_grad()
    def encode(self, x: Tensor, *, features: Tensor | None = None) -> SparseCodes:
        """Encode rows into sparse codes.

        Parameters
        ----------
        x
            Activations in the model's units, shape ``(rows, d_model)``.
        features
            Compute only these features (int, shape ``(n,)``, any order): exact where features
            have thresholds and do not compete, and as much faster as there are fewer. The codes
            keep the SAE's own numbering.

        Raises
        ------
        MismatchError
            `x` has another width, or `features` is given for a topk SAE.
        InputError
            `features` are not integers: a mask, say.
        NotFoundError
            `features` names one that the SAE does not have.
        """
        rows = self._checked(x)
        columns = None if features is None else self._columns(features)
        normalised = self._normalised(rows)
        if self.threshold is None:
            return select_topk(self._product(), normalised, self.config.k)
        if columns is None:
            return select_threshold(self._product(), normalised, self.threshold)
        part = Product(self.W_enc.T[columns], self.b_enc[columns])
        codes = select_threshold(part, normalised, self.threshold[columns])
        named = columns[codes.features.long()].int()
        return SparseCodes(codes.indptr, named, codes.values, self.config.d_sae)

    def encode_dense(self, x: Tensor) -> Tensor:
        """Encode rows into a dense ``(rows, d_sae)`` matrix; gradients reach `x`."""
        codes = self.encode(x)
        if not (x.requires_grad and torch.is_grad_enabled()):
            return codes.to_dense()
        pre = torch.addmm(self.b_enc, self._normalised(x), self.W_enc)  # (rows, d_sae)
        at = (codes.row_index(), codes.features.long())
        values = codes.values + (pre[at] - pre[at].detach())  # of `encode`, with a gradient
        return torch.zeros_like(pre).index_put(at, values)

    def decode(self, codes: SparseCodes) -> Tensor:
        """Rebuild rows, in the model's units, ``(rows, d_out)``; gradients reach values.

        What a skip-transcoder adds to it does not come from codes; see `forward`.
        """
        if codes.d_sae != self.config.d_sae:
            raise MismatchError(
                f"codes of {self.config.d_sae} features",
                f"codes of {codes.d_sae}",
                "Decode with the SAE that encoded.",
            )
        return self.out_norm.undo(self._summed(codes))

    def forward(self, x: Tensor) -> Tensor:
        """Encode and decode rows."""
        return self.rebuild(x, self.encode(x))

    def rebuild(self, x: Tensor, codes: SparseCodes) -> Tensor:
        """Rebuild rows from their codes, with what a skip-transcoder adds to them from `x`."""
        if self.W_skip is None:
            return self.decode(codes)
        return self.out_norm.undo(self._summed(codes) + self._normalised(x) @ self.W_skip)

    def fvu(self, x: Tensor, target: Tensor | None = None) -> float:
        """Measure the share of variance unexplained, as `SaeMetrics` defines it; 0 of no rows.

        `target` is what a transcoder shall write, ``(rows, d_out)``; `x` where None.
        """
        from bio_interp.sae._metrics import sum_up

        return sum_up(self, x, target).fvu

    def save(self, folder: Path | str, *, weights: Literal["float32", "int8"] = "float32") -> None:
        """Write ``sae.safetensors`` and ``sae.json`` into `folder`.

        ``"int8"`` stores each feature's encoder column and decoder row as 8-bit integers times
        one scale: a quarter of the size. Loading gives float32 again.
        """
        from bio_interp.sae._files import write_sae

        write_sae(self, Path(folder), weights)

    @classmethod
    def load(cls, folder: Path | str, *, d_model: int | None = None) -> "SparseAutoencoder":
        """Read what `save` wrote.

        Parameters
        ----------
        folder
            Folder of ``sae.safetensors`` and ``sae.json``.
        d_model
            Width of the activations it shall read, to refuse an SAE of another model.

        Raises
        ------
        InputError
            A file is absent, broken, or not the one that the JSON names.
        MismatchError
            The SAE reads another width.
        """
        from bio_interp.sae._files import read_sae

        return read_sae(Path(folder), d_model)

    def _checked(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1] != self.config.d_model:
            raise MismatchError(
                f"activations of shape (rows, {self.config.d_model})",
                f"shape {tuple(x.shape)}",
                "Another width belongs to another model or site; see `provenance` in sae.json.",
            )
        return x

    def _normalised(self, rows: Tensor) -> Tensor:
        return self.norm.apply_to(rows).to(self.W_enc.dtype)

    def _summed(self, codes: SparseCodes) -> Tensor:
        values = codes.values.to(self.W_dec.dtype)
        return decode_values(codes, values, self.W_dec) + self.b_dec

    def _product(self) -> Product:
        """Give the encoder made ready; made anew where a weight has changed."""
        tensors = (self.W_enc, self.b_enc)
        state = tuple((t.data_ptr(), t._version, t.dtype, t.device) for t in tensors)
        if self._ready is None or self._ready[0] != state:
            self._ready = (state, Product(self.W_enc.T, self.b_enc))
        return self._ready[1]

    def _columns(self, features: Tensor) -> Tensor:
        if self.threshold is None:
            raise MismatchError(
                "a threshold SAE to encode some features alone",
                f"a {self.config.architecture} SAE, whose features compete within a row",
                "Encode all features and choose among the codes.",
            )
        if features.numel() and (features.dtype == torch.bool or features.is_floating_point()):
            raise InputError(
                "indices of features, integers", str(features.dtype), "Give mask.nonzero()[:, 0]."
            )
        columns = features.to(self.W_enc.device).long().unique()
        if columns.numel() and not 0 <= int(columns[0]) <= int(columns[-1]) < self.config.d_sae:
            raise NotFoundError(
                f"features from 0 to {self.config.d_sae - 1}",
                f"{int(columns[0])} to {int(columns[-1])}",
                "Give indices of this SAE's features.",
            )
        return columns


def _frozen(tensor: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor.detach(), requires_grad=False)


def _check_shapes(
    config: SaeConfig, tensors: Mapping[str, Tensor], norm: InputNorm, out_norm: InputNorm | None
) -> None:
    d_model, d_sae, d_out = config.d_model, config.d_sae, config.width_out
    shapes = {
        "W_enc": (d_model, d_sae),
        "b_enc": (d_sae,),
        "W_dec": (d_sae, d_out),
        "b_dec": (d_out,),
    }
    if config.has_threshold:
        shapes["threshold"] = (d_sae,)
    if tensors.get("W_skip") is not None:
        shapes["W_skip"] = (d_model, d_out)
    found = {name: tuple(tensors[name].shape) for name in shapes if name in tensors}
    widths = (tuple(norm.mean.shape), tuple((out_norm or norm).mean.shape))
    if found != shapes or widths != ((d_model,), (d_out,)):
        raise MismatchError(
            f"tensors of shapes {shapes}, means of widths {d_model} and {d_out}",
            f"{found}, means of shapes {widths[0]} and {widths[1]}",
            "The file or tensors belong to another SAE.",
        )
