"""The one dense product of a step: rows times encoder, in float32 or roughly in bfloat16.

Where the processor multiplies bfloat16 in hardware, a rough product is several times faster than
an exact one. It is used to find the few entries that can matter; those are then computed anew in
float32, so that codes are the exact ones: same features, float32 values.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from bio_interp.sae._by_feature import ByFeature
from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._search import can_search

Precision = Literal["fp32", "bf16"]

_DENSE_BYTES = 24 * 2**20
"""Pre-activations are held for this many bytes of rows at a time, which the C library keeps."""

_ROWS = 256
"""But of so many rows at least, or reading the weights would take longer than multiplying."""

_ROUNDING = 2.0**-8
"""Relative error of a product of two numbers that were rounded to bfloat16, at most."""

_SURE = 7.5
"""``sqrt(2 * log(2 / 1e-12))``: Hoeffding's bound for a sum of independent rounding errors."""

_ODD = 4.0
"""Times the median slack from which on a row is treated apart."""

_PAD = 32
"""Columns added for the bias: what the processor's tiles are wide."""

_WORTH_IT = 1024
"""Features from which on a rough product and a search cost less than the exact product."""


@dataclass(frozen=True, slots=True)
class PreActivations:
    """Pre-activations of consecutive rows.

    Attributes
    ----------
    dense
        Shape ``(rows, d_sae)``; bfloat16 where they are rough.
    slack
        How far an entry of `dense` may be from the exact one, ``(rows, 1)``; None where `dense`
        is taken as it is.
    x, weight, bias
        What the exact ones are computed from.
    """

    dense: Tensor
    slack: Tensor | None
    x: Tensor
    weight: Tensor
    bias: Tensor

    def codes_at(self, flat: Tensor) -> SparseCodes:
        """Give the exact entries at ascending places of the flattened matrix, ``(n,)``."""
        rows, d_sae = self.dense.shape
        if self.slack is None:
            values = self.dense.flatten().index_select(0, flat).to(self.x.dtype)
            return SparseCodes.at(flat, values, rows=rows, d_sae=d_sae)
        places = SparseCodes.at(flat, self.x, rows=rows, d_sae=d_sae)
        values = ByFeature.of(places).dots(self.weight, self.x)
        values += self.bias.index_select(0, places.features)
        return SparseCodes(places.indptr, places.features, values, d_sae)

    def widest_slack(self) -> float:
        """Give the largest `slack` of any row."""
        return 0.0 if self.slack is None or not self.slack.numel() else float(self.slack.max())

    def exact_floor(self, floor: Tensor) -> Tensor:
        """Give what entries exactly reach, at least, that reach `floor` in `dense`."""
        if self.slack is None:
            return floor
        return floor.float() * (1 - _ROUNDING) - self.slack


class Product:
    """An encoder made ready to be multiplied with many rows.

    Parameters
    ----------
    weight
        One feature a row, shape ``(d_sae, d_model)``.
    bias
        Shape ``(d_sae,)``.
    precision
        ``"fp32"`` gives exact values by whichever way is faster here; ``"bf16"`` takes the rough
        product as the result.
    screen
        Whether to search in a rough product and then compute exactly; by default where that is
        faster. For ``"fp32"`` only.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor,
        precision: Precision = "fp32",
        screen: bool | None = None,
    ) -> None:
        self.weight, self.bias = weight, bias
        if screen is None:
            screen = _is_faster_rough(weight)
        self.rough = precision == "bf16" or screen
        self.screened = self.rough and precision == "fp32"
        self._packed = _packed(weight, bias) if self.rough else weight
        self._norms = _norms(weight) if self.screened else (0.0, 0.0)

    def blocks(self, x: Tensor) -> Iterator[PreActivations]:
        """Multiply rows ``(rows, d_model)`` with the encoder, `block_rows` at a time."""
        return (self._block(rows) for rows in x.split(self.block_rows()))

    def block_rows(self) -> int:
        """Rows of a block, so many that memory stays bounded."""
        width = self.weight.shape[0] * (2 if self.rough else self.weight.element_size())
        return max(_ROWS, _DENSE_BYTES // max(1, width))

    def alike(self, x: Tensor) -> list[Tensor]:
        """Part the rows so that one floor suits all of a part: their numbers, ``(n,)`` each.

        A row of a far larger norm than others (an attention sink, say) has a far larger slack.
        """
        rows = torch.arange(x.shape[0], device=x.device)
        if not self.screened or not x.shape[0]:
            return [rows]
        slack = self._slack(x).squeeze(1)
        odd = slack > _ODD * slack.median()
        return [rows[~odd], rows[odd]] if bool(odd.any()) else [rows]

    def _block(self, x: Tensor) -> PreActivations:
        if self.rough:
            dense = _with_ones(x) @ self._packed.T  # (rows, d_sae)
        else:
            with _best_fp32(x):
                dense = torch.addmm(self.bias, x, self.weight.T)
        slack = self._slack(x) if self.screened else None
        return PreActivations(dense, slack, x, self.weight, self.bias)

    def _slack(self, x: Tensor) -> Tensor:
        """Bound the error of the rough product, a row.

        Two bounds hold and the smaller is taken. Cauchy's holds always; Hoeffding's, for rounding
        errors that do not conspire, fails for one entry in 10^12. Then what is left of the bias
        when its two bfloat16 are taken off. The rounding of the result is in proportion to it and
        is left to who compares.
        """
        squares = x.square()
        always = squares.sum(1).sqrt_() * self._norms[0]
        likely = _SURE * torch.linalg.vector_norm(squares, dim=1).sqrt_() * self._norms[1]
        of_bias = self.bias.abs().max() if self.bias.numel() else self.bias.new_zeros(())
        of_product = torch.minimum(always, likely)
        return ((of_product + of_bias * _ROUNDING) * _ROUNDING * 1.01).unsqueeze(1)


def has_bf16_units(device: torch.device) -> bool:
    """Tell whether the processor multiplies bfloat16 matrices in hardware."""
    return device.type == "cpu" and _can("avx512_bf16", "amx_bf16", "bf16")


@contextmanager
def _best_fp32(x: Tensor) -> Generator[None]:
    """Let oneDNN multiply, which MKL on AMD is up to twice as slow as.

    The switch allows bfloat16 too, so it stays off where oneDNN would use that: with AMX.
    """
    before = torch.get_float32_matmul_precision()
    if x.device.type != "cpu" or x.dtype != torch.float32 or _can("amx_bf16"):
        yield
        return
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _can(*names: str) -> bool:
    found: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict[str, Any])()
    return any(found.get(name) for name in names)


def _packed(weight: Tensor, bias: Tensor) -> Tensor:
    """Put the bias beside the weights, ``(d_sae, d_model + 32)``, all in bfloat16.

    Adding it to the result would be a pass over all of it, half as long as the product. Two
    bfloat16 hold it to 16 bits.
    """
    d_model = weight.shape[1]
    packed = weight.new_zeros(weight.shape[0], d_model + _PAD, dtype=torch.bfloat16)
    packed[:, :d_model] = weight
    packed[:, d_model] = bias
    packed[:, d_model + 1] = bias - packed[:, d_model].to(bias.dtype)
    return packed


def _with_ones(x: Tensor) -> Tensor:
    """Put the ones beside the rows that `_packed` expects, in bfloat16."""
    rows = x.new_zeros(x.shape[0], x.shape[1] + _PAD, dtype=torch.bfloat16)
    rows[:, : x.shape[1]] = x
    rows[:, x.shape[1] : x.shape[1] + 2] = 1.0
    return rows


def _is_faster_rough(weight: Tensor) -> bool:
    large = weight.shape[0] >= _WORTH_IT and can_search(weight.shape[0])
    return large and weight.dtype == torch.float32 and has_bf16_units(weight.device)


def _norms(weight: Tensor) -> tuple[float, float]:
    """Give the largest 2-norm and 4-norm of a row."""
    two = four = 0.0
    for part in weight.split(max(1, 2**18 // max(1, weight.shape[1]))):  # stays in the cache
        squares = part.square()
        two = max(two, float(squares.sum(1).max()))
        four = max(four, float(torch.linalg.vector_norm(squares, dim=1).max()))
    return two**0.5, four**0.5
