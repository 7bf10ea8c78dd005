"""The functions of `Kernels` by Triton; imported only where triton is there to run them."""

import torch
from torch import Tensor

from bio_interp.sae.kernels._dense import decode_dense, weight_gradients_dense
from bio_interp.sae.kernels._entries import Entries, Segments
from bio_interp.sae.kernels._functions import AdamStep, Decoded
from bio_interp.sae.kernels._plan import CHUNK, decoder_route, power_of_two, tile
from bio_interp.sae.kernels.device import _jit_adam as adam_kernels
from bio_interp.sae.kernels.device import _jit_decode as decode_kernels
from bio_interp.sae.kernels.device import _jit_segments as segment_kernels
from bio_interp.sae.kernels.device._choice import batchtopk, topk
from bio_interp.sae.kernels.device._launch import launch

_TILE = 8192
"""Elements of a tile of decoder rows in registers: 64 a thread of 4 warps."""


class TritonKernels:
    """Triton on a CUDA device, or in Triton's interpreter on tensors of the CPU.

    Parameters
    ----------
    decoder, selection
        Overrule `decoder_route` and `selection_route`; for tests and measurements.
    chunk
        See `CHUNK`.
    """

    name = "triton"

    def __init__(
        self, *, decoder: str | None = None, selection: str | None = None, chunk: int = CHUNK
    ) -> None:
        self._decoder, self._selection, self._chunk = decoder, selection, chunk

    def select_topk(
        self, x: Tensor, encoder: Tensor, bias: Tensor, k: int, floor: Tensor
    ) -> Entries:
        """See `Kernels.select_topk`."""
        return topk(x, encoder, bias, k, floor, route=self._selection)

    def select_batchtopk(
        self, x: Tensor, encoder: Tensor, bias: Tensor, k: int, floor: Tensor
    ) -> Entries:
        """See `Kernels.select_batchtopk`."""
        return batchtopk(x, encoder, bias, k, floor, route=self._selection)

    def decode(self, entries: Entries, decoder: Tensor, bias: Tensor, target: Tensor) -> Decoded:
        """See `Kernels.decode`."""
        if self._dense(entries, decoder.shape[1], decoder.element_size()):
            return decode_dense(entries, decoder, bias, target)
        rows, d = target.shape
        residual = torch.empty_like(target)
        losses = torch.empty(rows, dtype=torch.float32, device=target.device)
        grads = torch.zeros_like(entries.values)  # slots of no row are not visited
        slots = min(power_of_two(entries.widest), 128)
        weights = decoder, bias, target
        launch(
            decode_kernels.decode_rows, (rows,),
            entries.indptr, entries.features, entries.values, *weights, residual, losses, grads,
            d, -2.0 / target.numel(), BK=slots, BD=tile(d, _TILE // slots),
        )  # fmt: skip
        return Decoded(residual, losses.sum() / target.numel(), grads)

    def weight_gradients(
        self, entries: Entries, decoded: Decoded, x: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `Kernels.weight_gradients`."""
        residual, d_sae = decoded.residual, entries.d_sae
        d_in, d_out = x.shape[1], residual.shape[1]
        if self._dense(entries, d_out, residual.element_size()):
            return weight_gradients_dense(entries, decoded, x, scale)
        segments = Segments.of(entries, self._chunk)
        sums = _sums(d_sae, d_in, d_out, x.device)
        parts = _sums(segments.partials, d_in, d_out, x.device)
        block = tile(max(d_in, d_out), 256)
        tiles = -(-max(d_in, d_out) // block)
        factor = -2.0 / residual.numel()
        cuts = segments.owner, segments.starts, segments.long_starts, segments.indptr
        launch(
            segment_kernels.sum_chunks, (segments.owner.shape[0], tiles),
            *cuts, segments.order, entries.rows, entries.values, decoded.grad_values, x, residual,
            scale, *sums, *parts, d_sae, d_in, d_out, factor, CHUNK=self._chunk, BE=16, BD=block,
        )  # fmt: skip
        launch(
            segment_kernels.sum_partials, (d_sae, tiles),
            segments.long_starts, segments.indptr, scale, *sums, *parts, d_in, d_out, factor,
            CHUNK=self._chunk, BD=block,
        )  # fmt: skip
        grad_encoder, grad_decoder, grad_bias = sums
        return grad_encoder, grad_bias, grad_decoder

    def squares(self, weights: Tensor, grad: Tensor, *, unit: bool) -> Tensor:
        """See `Kernels.squares`."""
        rows, d = weights.shape
        out = torch.empty(rows, dtype=torch.float32, device=weights.device)
        launch(adam_kernels.row_squares, (rows,), weights, grad, out, d, UNIT=unit, BD=tile(d, 512))
        return out

    def adam(
        self,
        weights: Tensor,
        grad: Tensor,
        moments: tuple[Tensor, Tensor],
        clip: Tensor,
        numbers: AdamStep,
        *,
        unit: bool,
    ) -> None:
        """See `Kernels.adam`."""
        rows, d = weights.shape
        rate = numbers.lr / (1 - numbers.beta1**numbers.step)
        root = (1 - numbers.beta2**numbers.step) ** 0.5
        launch(
            adam_kernels.adam_rows, (rows,),
            weights, grad, *moments, clip, d, rate, numbers.eps, root,
            1 - numbers.beta1, numbers.beta2, 1 - numbers.beta2, UNIT=unit, BD=tile(d, 512),
        )  # fmt: skip

    def _dense(self, entries: Entries, d_out: int, bytes_each: int) -> bool:
        k = max(1, entries.features.shape[0] // max(1, len(entries)))
        route = self._decoder or decoder_route(entries.d_sae, k, d_out, bytes_each=bytes_each)
        return route == "dense"


def _sums(count: int, d_in: int, d_out: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Make room for sums of encoder, decoder and bias; every element that counts is written."""
    encoder, decoder, bias = (
        torch.empty(shape, dtype=torch.float32, device=device)
        for shape in ((count, d_in), (count, d_out), (count,))
    )
    return encoder, decoder, bias
