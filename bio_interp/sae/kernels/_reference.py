"""The functions of `Kernels` in plain torch, written to be checked by eye: any device, slow."""

import torch
from torch import Tensor

from bio_interp.sae.kernels._entries import Entries
from bio_interp.sae.kernels._functions import AdamStep, Decoded


class Reference:
    """Plain torch; dense where that is the simplest."""

    name = "torch"

    def select_topk(
        self, x: Tensor, encoder: Tensor, bias: Tensor, k: int, floor: Tensor
    ) -> Entries:
        """See `Kernels.select_topk`; `floor` is not looked at."""
        pre = pre_activations(x, encoder, bias)
        d_sae = pre.shape[1]
        top = pre.sort(dim=1, descending=True, stable=True)
        values, features = top.values[:, :k], top.indices[:, :k]
        features = features.where(values > 0, d_sae).sort(dim=1)
        values = values.relu().gather(1, features.indices)
        return Entries.of_rows(features.values.int(), values, d_sae)

    def select_batchtopk(
        self, x: Tensor, encoder: Tensor, bias: Tensor, k: int, floor: Tensor
    ) -> Entries:
        """See `Kernels.select_batchtopk`; `floor` is not looked at."""
        pre = pre_activations(x, encoder, bias)
        rows, d_sae = pre.shape
        slots = min(k, d_sae) * rows
        top = pre.flatten().sort(descending=True, stable=True)
        flat = top.indices[:slots].where(top.values[:slots] > 0, rows * d_sae).sort()
        values = top.values[:slots].relu().gather(0, flat.indices)
        empty = flat.values == rows * d_sae
        owner = (flat.values // d_sae).int()  # the number of rows where empty
        edges = torch.arange(rows + 1, dtype=torch.int32, device=x.device)
        indptr = torch.searchsorted(owner, edges, out_int32=True)
        features = (flat.values % d_sae).where(~empty, d_sae).int()
        return Entries(features, values, owner.where(~empty, 0), indptr, d_sae, 2 * k)

    def decode(self, entries: Entries, decoder: Tensor, bias: Tensor, target: Tensor) -> Decoded:
        """See `Kernels.decode`."""
        dense = entries.to_dense()
        residual = target.float() - (dense @ decoder.float() + bias.float())
        factor = -2.0 / residual.numel()
        grads = (residual @ decoder.float().T) * factor
        return Decoded(
            residual.to(target.dtype), residual.square().mean(), at_entries(entries, grads)
        )

    def weight_gradients(
        self, entries: Entries, decoded: Decoded, x: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `Kernels.weight_gradients`."""
        residual = decoded.residual.float()
        by_value = Entries.to_dense(entries)
        padded = x.new_zeros(len(entries), entries.d_sae + 1, dtype=torch.float32)
        padded[entries.rows.long(), entries.features.long()] = decoded.grad_values
        by_grad = padded[:, : entries.d_sae] * scale
        factor = -2.0 / residual.numel()
        return by_grad.T @ x.float(), by_grad.sum(0), by_value.T @ residual * (factor * scale)

    def squares(self, weights: Tensor, grad: Tensor, *, unit: bool) -> Tensor:
        """See `Kernels.squares`."""
        return projected(weights, grad, unit=unit).square().sum(1)

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
        grad = projected(weights, grad, unit=unit) * clip
        mean, square = moments
        mean.lerp_(grad, 1 - numbers.beta1)
        square.mul_(numbers.beta2).addcmul_(grad, grad, value=1 - numbers.beta2)
        root = (1 - numbers.beta2**numbers.step) ** 0.5
        rate = numbers.lr / (1 - numbers.beta1**numbers.step)
        weights.addcdiv_(mean, square.sqrt() / root + numbers.eps, value=-rate)
        if unit:
            weights.div_(torch.linalg.vector_norm(weights, dim=1, keepdim=True).clamp_min(1e-12))


def pre_activations(x: Tensor, encoder: Tensor, bias: Tensor) -> Tensor:
    """Multiply out, and give float32 of what a product in the dtype of `x` gives."""
    return torch.addmm(bias, x, encoder.T).float()


def at_entries(entries: Entries, dense: Tensor) -> Tensor:
    """Read a ``(rows, d_sae)`` matrix at the entries; 0 in empty slots."""
    features = entries.features.long().clamp_max(entries.d_sae - 1)
    return dense[entries.rows.long(), features].where(entries.values > 0, 0.0)


def projected(weights: Tensor, grad: Tensor, *, unit: bool) -> Tensor:
    """Remove the part of each row of the gradient along the row of the weights."""
    if not unit:
        return grad
    return grad - torch.linalg.vecdot(grad, weights).unsqueeze(1) * weights
