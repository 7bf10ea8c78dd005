"""The weights of an ESM-2 network, laid out for a fast forward."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Affine:
    """Weight and bias of a linear map or a layer norm."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, slots=True)
class Block:
    """One transformer block; `qkv` is the three projections in one matrix."""

    norm: Affine
    qkv: Affine
    out: Affine
    norm_after: Affine
    fc1: Affine
    fc2: Affine


@dataclass(frozen=True, slots=True)
class Head:
    """The final layer norm and the language-model head."""

    norm: Affine
    dense: Affine
    norm_after: Affine
    vocabulary: Affine


@dataclass(frozen=True, slots=True)
class Esm2Weights:
    """All that a forward needs, on one device.

    Linear maps of the blocks are in the precision asked for; embeddings, layer norms and the head
    are float32, as is the residual stream.
    """

    embeddings: Float[Tensor, "tokens d_model"]
    inverse_frequencies: Float[Tensor, "half_head"]
    blocks: tuple[Block, ...]
    head: Head
    heads: int
    token_dropout: bool

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self.embeddings.shape[1]


def take_weights(
    state: Mapping[str, Tensor],
    *,
    heads: int,
    token_dropout: bool,
    device: torch.device,
    dtype: torch.dtype,
) -> Esm2Weights:
    """Lay out the state of a fair-esm module; tensors are shared with it where they can be."""
    reader = _Reader(state, device, dtype)
    layers = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    vocabulary = Affine(reader.exact("lm_head.weight"), reader.exact("lm_head.bias"))
    return Esm2Weights(
        embeddings=reader.exact("embed_tokens.weight"),
        # the frequencies are the same in every block
        inverse_frequencies=reader.exact("layers.0.self_attn.rot_emb.inv_freq"),
        blocks=tuple(_block(reader, f"layers.{layer}", heads) for layer in range(layers)),
        head=Head(
            norm=reader.norm("emb_layer_norm_after"),
            dense=reader.norm("lm_head.dense"),
            norm_after=reader.norm("lm_head.layer_norm"),
            vocabulary=vocabulary,
        ),
        heads=heads,
        token_dropout=token_dropout,
    )


def hash_state(state: Mapping[str, Tensor]) -> str:
    """Hash names, shapes and values of tensors; contact-head weights, which nothing reads, apart.

    Examples
    --------
    >>> hash_state({"a": torch.zeros(2)}) == hash_state({"a": torch.zeros(2, dtype=torch.float64)})
    False
    """
    digest = sha256()
    for name in sorted(state):
        if name.startswith("contact_head."):
            continue
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads tensors of a state onto a device."""

    state: Mapping[str, Tensor]
    device: torch.device
    dtype: torch.dtype

    def exact(self, name: str) -> Tensor:
        return self.state[name].detach().to(self.device, torch.float32)

    def norm(self, name: str) -> Affine:
        return Affine(self.exact(f"{name}.weight"), self.exact(f"{name}.bias"))

    def linear(self, name: str) -> Affine:
        return self.place(self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def place(self, weight: Tensor, bias: Tensor) -> Affine:
        return Affine(
            weight.detach().to(self.device, self.dtype), bias.detach().to(self.device, self.dtype)
        )


def _block(reader: _Reader, name: str, heads: int) -> Block:
    return Block(
        norm=reader.norm(f"{name}.self_attn_layer_norm"),
        qkv=_fuse_qkv(reader, f"{name}.self_attn", heads),
        out=reader.linear(f"{name}.self_attn.out_proj"),
        norm_after=reader.norm(f"{name}.final_layer_norm"),
        fc1=reader.linear(f"{name}.fc1"),
        fc2=reader.linear(f"{name}.fc2"),
    )


def _fuse_qkv(reader: _Reader, name: str, heads: int) -> Affine:
    """Stack the projections; order queries and keys so that rotary pairs are neighbours.

    fair-esm rotates element i of a head with element i + half. The same permutation of queries
    and keys leaves their products unchanged, and neighbours can be rotated as complex numbers in
    place, which is 17 times faster on a CPU.
    """
    half = len(reader.state[f"{name}.q_proj.bias"]) // heads // 2

    def pair(tensor: Tensor) -> Tensor:
        halves = tensor.detach().reshape(heads, 2, half, *tensor.shape[1:])  # (heads, 2, half, ...)
        return halves.transpose(1, 2).reshape(tensor.shape)

    fused: dict[str, Tensor] = {}
    for part in ("weight", "bias"):
        q, k, v = (reader.state[f"{name}.{each}_proj.{part}"] for each in "qkv")
        fused[part] = torch.cat([pair(q), pair(k), v.detach()])
    return reader.place(fused["weight"], fused["bias"])
