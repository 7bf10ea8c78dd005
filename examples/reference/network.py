"""The ESM-2 network of fair-esm, and a faster forward pass over the same parameters."""

import math

import torch
from esm.data import Alphabet
from esm.model.esm2 import ESM2
from torch import Tensor
from torch.nn import functional

Rotation = tuple[Tensor, Tensor]


def build(layers: int, width: int, heads: int, seed: int) -> ESM2:
    """Make an untrained ESM-2 whose embedding is small and whose residual writers start low."""
    torch.manual_seed(seed)
    model = ESM2(layers, width, heads, Alphabet.from_architecture("ESM-1b"))
    with torch.no_grad():
        model.embed_tokens.weight.normal_(std=0.05)
        model.embed_tokens.weight[model.padding_idx].zero_()
        for layer in model.layers:
            layer.self_attn.out_proj.weight.mul_(0.3)
            layer.fc2.weight.mul_(0.3)
    for parameter in model.contact_head.parameters():
        parameter.requires_grad_(False)
    return model


def rotation(length: int, width: int) -> Rotation:
    """Cosines and sines of fair-esm's rotary embedding, ``(length, width)``."""
    frequency = 1.0 / 10000 ** (torch.arange(0, width, 2).float() / width)
    angle = torch.outer(torch.arange(length).float(), frequency).repeat(1, 2)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, by: Rotation) -> Tensor:
    """Rotate the halves of the last dimension of `x`."""
    left, right = x.chunk(2, dim=-1)
    return x * by[0] + torch.cat((-right, left), dim=-1) * by[1]


def hidden(model: ESM2, tokens: Tensor) -> Tensor:
    """Compute the final states ``(batch, length, width)``, as fair-esm does up to rounding."""
    keep = tokens.ne(model.padding_idx)
    masked = tokens.eq(model.mask_idx)
    x = model.embed_tokens(tokens).masked_fill(masked[..., None], 0.0)
    # fair-esm rescales by the share of masks seen, against the 0.15 * 0.8 of its own training
    share = masked.sum(1) / keep.sum(1)
    x = x * (0.88 / (1 - share))[:, None, None] * keep[..., None]
    heads = model.attention_heads
    by = rotation(tokens.shape[1], x.shape[-1] // heads)
    visible = None if bool(keep.all()) else keep[:, None, None, :]
    for layer in model.layers:
        x = x + attend(layer.self_attn, layer.self_attn_layer_norm(x), heads, by, visible)
        x = x + layer.fc2(functional.gelu(layer.fc1(layer.final_layer_norm(x))))
    return model.emb_layer_norm_after(x)


def attend(
    attention: torch.nn.Module, x: Tensor, heads: int, by: Rotation, visible: Tensor | None
) -> Tensor:
    """Self-attention with rotary positions, through one fused call."""
    query, key, value = (
        projection(x).unflatten(-1, (heads, -1)).transpose(1, 2)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    mixed = functional.scaled_dot_product_attention(
        rotate(query, by), rotate(key, by), value, attn_mask=visible
    )
    return attention.out_proj(mixed.transpose(1, 2).flatten(2))


def logits_at(model: ESM2, tokens: Tensor, where: Tensor) -> Tensor:
    """Logits ``(positions, 33)`` at the positions that `where` marks."""
    return model.lm_head(hidden(model, tokens)[where])


def orthogonal(update: Tensor, steps: int = 5) -> Tensor:
    """Push the singular values of a stack of matrices towards 1 (Newton-Schulz, as in Muon)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = update.shape[-2] > update.shape[-1]
    x = update.mT if tall else update
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon:
    """Momentum with orthogonal updates (Jordan 2024), for the matrices of the layers.

    Matrices of one shape are handled in one stack. In float32 throughout: processors without
    native bfloat16 would be slowed by the usual half-precision iteration.
    """

    def __init__(self, model: ESM2, momentum: float = 0.95, decay: float = 0.05) -> None:
        self.momentum, self.decay = momentum, decay
        self.groups: dict[torch.Size, list[torch.nn.Parameter]] = {}
        for parameter in model.layers.parameters():
            if parameter.ndim == 2:
                self.groups.setdefault(parameter.shape, []).append(parameter)
        self.buffers = {
            shape: torch.zeros(len(members), *shape) for shape, members in self.groups.items()
        }

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every matrix by `rate` along its orthogonalised momentum."""
        for shape, members in self.groups.items():
            gradient = torch.stack([member.grad for member in members if member.grad is not None])
            buffer = self.buffers[shape].lerp_(gradient, 1 - self.momentum)
            update = orthogonal(gradient.lerp(buffer, self.momentum))
            scale = rate * math.sqrt(max(1.0, shape[0] / shape[1]))
            for member, one in zip(members, update, strict=True):
                member.mul_(1 - rate * self.decay).add_(one, alpha=-scale)
                member.grad = None
