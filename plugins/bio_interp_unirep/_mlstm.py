"""The multiplicative LSTM of UniRep in torch, with continuous batching.

One step reads one residue of every protein in flight (Krause et al. 2016; Alley et al. 2019)::

    m = (x W_mx) * (h W_mh)
    i, f, o, u = split(x W_x + m W_h + b)
    c = sigmoid(f) * c + sigmoid(i) * tanh(u)
    h = sigmoid(o) * tanh(c)

Every matrix is l2-normalised by column and scaled by its gain ``g``. The products with ``x`` take
one of 26 values each, so they are looked up in tables.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

Product = Callable[[Tensor], Tensor]
START = 24
ALPHABET = {letter: index for index, letter in enumerate("MRHKDESTNQCUGPAVIFYWLO", start=1)}
ALPHABET |= dict.fromkeys("XZBJ", 23)


@dataclass(frozen=True, slots=True)
class State:
    """Hidden and cell state of the proteins in flight, each ``(proteins, d_model)``."""

    h: Float[Tensor, "proteins d_model"]
    c: Float[Tensor, "proteins d_model"]


class Mlstm:
    """UniRep's cell with its tables and state products.

    Parameters
    ----------
    weights
        The arrays of ``model_weights.npz`` as float32 tensors.
    precision
        ``"fp32"``, ``"bf16"`` (state products in bfloat16) or ``"int8"`` (state products with
        int8 weights, one scale a column, and activations quantised by step).
    device
        Where to compute.
    """

    def __init__(self, weights: Mapping[str, Tensor], precision: str, device: torch.device) -> None:
        cell = {k.removeprefix("mlstm.0."): v for k, v in weights.items()}
        w_mh, w_h = _normalised(cell, "wmh", "gmh"), _normalised(cell, "wh", "gh")
        embedding = weights["embedding"]
        self.d_model = w_mh.shape[0]
        self.table_m = (embedding @ _normalised(cell, "wmx", "gmx")).to(device)  # (26, d_model)
        self.table_z = (embedding @ _normalised(cell, "wx", "gx") + cell["b"]).to(device)
        make = {"fp32": _fp32, "bf16": _bf16, "int8": _int8}[precision]
        self._h_to_m, self._m_to_z = make(w_mh.to(device)), make(w_h.to(device))
        self.head = (weights["dense.w"].to(device), weights["dense.b"].to(device))
        self.device = device

    def start(self) -> State:
        """State after the start token, for one protein."""
        zero = torch.zeros(1, self.d_model, device=self.device, dtype=self.table_m.dtype)
        return self.step(torch.tensor([START], device=self.device), State(zero, zero))

    def step(self, tokens: Int[Tensor, "proteins"], state: State) -> State:
        """Read one residue of every protein."""
        m = self.table_m[tokens].mul_(self._h_to_m(state.h))  # (proteins, d_model)
        z = self._m_to_z(m).add_(self.table_z[tokens])  # (proteins, 4 * d_model)
        i, f, o, u = z.split(self.d_model, dim=1)
        c = f.sigmoid().mul_(state.c).addcmul_(i.sigmoid(), u.tanh())
        return State(o.sigmoid().mul_(c.tanh()), c)


def _normalised(cell: Mapping[str, Tensor], weight: str, gain: str) -> Tensor:
    """Weight normalisation: unit columns times the gain."""
    w = cell[weight]
    return w / w.pow(2).sum(0, keepdim=True).clamp_min(1e-12).sqrt() * cell[gain]


def _fp32(w: Tensor) -> Product:
    return lambda rows: rows @ w


def _bf16(w: Tensor) -> Product:
    w_bf16 = w.t().contiguous().bfloat16()  # linear() wants (out, in): the layout oneDNN packs best
    return lambda rows: torch.nn.functional.linear(rows.bfloat16(), w_bf16).float()


def _int8(w: Tensor) -> Product:
    """Pack for fbgemm's int8 GEMM, 2.4x as fast as fp32 on CPUs without native bf16."""
    columns = w.t().contiguous()  # (out, in)
    scale = columns.abs().amax(1).clamp_min(1e-12).double() / 127
    with warnings.catch_warnings():
        # torch 2.13 announces that quantised tensors will go; fbgemm has no other door yet
        warnings.simplefilter("ignore")
        zeros = torch.zeros(len(scale), dtype=torch.long)
        packed = torch.ops.quantized.linear_prepack(
            torch.quantize_per_channel(columns, scale, zeros, 0, torch.qint8), None
        )
    # reduce_range: 7-bit activations, since AVX2's 16-bit sums of 8-bit products can overflow
    return lambda rows: torch.ops.quantized.linear_dynamic(rows.contiguous(), packed, True)
