"""The forward of an ESM-2 network over packed proteins: no padding, no transposes.

Rows of all proteins of a batch lie one after the other, ``(tokens, d_model)``. Matrix products see
them as one matrix; attention runs once for every run of proteins of equal length (on an
accelerator: once, padded). Equations: Lin et al. 2023, doi:10.1126/science.ade2574, and fair-esm's
``esm/model/esm2.py``.

The weights take no gradient. So nothing is recorded, and the stream is changed in place, until a
tap puts rows into it that take one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from jaxtyping import Complex, Float, Int
from torch import Tensor

from bio_interp.models._esm2_weights import Affine, Block, Esm2Weights, Head

# of the tokens seen in training, 15 % were chosen and 80 % of those masked
_MASKED_IN_TRAINING = 0.15 * 0.8

Tap = Callable[[int, Tensor], None]
"""Called with a layer and the stream ``(tokens, d_model)``, which it may change in place."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch: tokens of all proteins one after the other, special tokens included."""

    tokens: Int[Tensor, "tokens"]
    lengths: tuple[int, ...]


def consecutive(lengths: Iterable[int]) -> Iterator[slice]:
    """Give the rows of each protein, where all lie one after the other.

    Examples
    --------
    >>> list(consecutive([3, 2]))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    start = 0
    for length in lengths:
        yield slice(start, start + length)
        start += length


def run_blocks(
    weights: Esm2Weights, batch: Packed, *, mask_token: int, deepest: int, tap: Tap
) -> Float[Tensor, "tokens d_model"]:
    """Run the embedding and the blocks up to layer `deepest`, calling `tap` after each.

    The last layer's rows are those after the final layer norm, as in fair-esm's ``repr_layers``.

    Returns
    -------
    Tensor
        The stream at layer `deepest`, float32.
    """
    x = _embed(weights, batch, mask_token)
    tap(0, x)
    rotation = _rotation(weights, batch.lengths)
    for number, block in enumerate(weights.blocks[:deepest], start=1):
        x = _add(x, _attention(block, x, rotation, batch.lengths, weights.heads))
        x = _add(x, _feed_forward(block, x))
        if number == len(weights.blocks):
            x = _norm(weights.head.norm, x)
        tap(number, x)
    return x


def run_head(
    head: Head, x: Float[Tensor, "rows d_model"], letters: Int[Tensor, "letters"]
) -> Float[Tensor, "rows letters"]:
    """Turn rows of the last layer into logits of some tokens of the vocabulary."""
    x = F.gelu(F.linear(x, head.dense.weight, head.dense.bias))
    x = _norm(head.norm_after, x)
    return F.linear(x, head.vocabulary.weight[letters], head.vocabulary.bias[letters])


def _embed(weights: Esm2Weights, batch: Packed, mask_token: int) -> Tensor:
    x = F.embedding(batch.tokens, weights.embeddings)  # (tokens, d_model)
    if not weights.token_dropout:
        return x
    masked = batch.tokens == mask_token
    x.masked_fill_(masked[:, None], 0.0)
    lengths = torch.tensor(batch.lengths, device=x.device)
    protein = torch.repeat_interleave(lengths)  # (tokens,), the protein of each token
    hidden = torch.zeros_like(lengths).index_add_(0, protein, masked.long())
    scale = (1 - _MASKED_IN_TRAINING) / (1 - hidden / lengths)
    return x.mul_(scale[protein][:, None])


def _add(x: Tensor, y: Tensor) -> Tensor:
    return x + y if x.requires_grad else x.add_(y)  # a norm keeps x for its gradient


def _attention(
    block: Block, x: Tensor, rotation: Tensor, lengths: Sequence[int], heads: int
) -> Tensor:
    tokens, d_model = x.shape
    head = d_model // heads
    y = _linear(block.qkv, _norm(block.norm, x))  # (tokens, 3 d_model)
    turned = y[:, : 2 * d_model].float()  # the same memory in fp32
    pairs = turned.view(tokens, 2 * heads, head // 2, 2)
    torch.view_as_complex(pairs).mul_(rotation)
    if turned.dtype != y.dtype:
        y[:, : 2 * d_model] = turned
    qkv = y.view(tokens, 3, heads, head)
    attend = _attend_packed if x.device.type == "cpu" else _attend_padded
    return _linear(block.out, attend(qkv, lengths))


def _attend_packed(
    qkv: Float[Tensor, "tokens 3 heads head"], lengths: Sequence[int]
) -> Float[Tensor, "tokens d_model"]:
    tokens, _, heads, head = qkv.shape
    out = qkv.new_empty(tokens, heads, head)
    start = 0
    for length, equal in groupby(lengths):
        count = sum(1 for _ in equal)
        rows = slice(start, start + count * length)
        q, k, v = qkv[rows].view(count, length, 3, heads, head).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)  # (count, heads, length, head)
        out[rows].view(count, length, heads, head).copy_(mixed.transpose(1, 2))
        start = rows.stop
    return out.view(tokens, heads * head)


def _attend_padded(
    qkv: Float[Tensor, "tokens 3 heads head"], lengths: Sequence[int]
) -> Float[Tensor, "tokens d_model"]:
    tokens, _, heads, head = qkv.shape
    sizes = torch.tensor(lengths, device=qkv.device)
    real = torch.arange(max(lengths), device=qkv.device) < sizes[:, None]  # (proteins, longest)
    padded = qkv.new_zeros(*real.shape, 3, heads, head)
    padded[real] = qkv
    q, k, v = padded.permute(2, 0, 3, 1, 4)
    mask = None if len(set(lengths)) == 1 else real[:, None, None, :]
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return mixed.transpose(1, 2)[real].view(tokens, heads * head)


def _feed_forward(block: Block, x: Tensor) -> Tensor:
    hidden = F.gelu(_linear(block.fc1, _norm(block.norm_after, x)))  # (tokens, 4 d_model)
    return _linear(block.fc2, hidden)


def _rotation(
    weights: Esm2Weights, lengths: Sequence[int]
) -> Complex[Tensor, "tokens 1 half_head"]:
    """Give the unit complex numbers that turn each token's queries and keys (Su et al. 2021)."""
    frequencies = weights.inverse_frequencies
    angles = torch.arange(max(lengths), device=frequencies.device)[:, None] * frequencies
    turns = torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turns[:length] for length in lengths])[:, None]


def _norm(norm: Affine, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias)


def _linear(affine: Affine, x: Tensor) -> Tensor:
    return F.linear(x.to(affine.weight.dtype), affine.weight, affine.bias)
