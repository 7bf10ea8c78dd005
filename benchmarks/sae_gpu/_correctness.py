"""Every kernel against its reference in plain torch, twice, on one device."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bio_interp.sae import InputNorm, TrainConfig
from bio_interp.sae.kernels import (
    AdamStep,
    Entries,
    Kernels,
    KernelSae,
    UnitRowAdam,
    load_kernels,
)


@dataclass(frozen=True)
class Sizes:
    """Sizes of one check."""

    rows: int
    d_model: int
    d_sae: int
    k: int


INTERPRETED = [Sizes(5, 13, 40, 3), Sizes(3, 17, 30, 1)]
ON_DEVICE = [
    Sizes(1000, 320, 5120, 32),
    Sizes(777, 1280, 10_240, 64),
    Sizes(513, 1280, 30_001, 1),
    Sizes(300, 481, 999, 50),
]
ALLOWED = {torch.float32: 1e-4, torch.bfloat16: 1e-2}
"""Relative error of norms; float32 sums in another order, bfloat16 rounded once more."""


def check_all(device: str) -> dict[str, Any]:
    """Run every check; `passed` says whether all of them did."""
    sizes = ON_DEVICE if device == "cuda" else INTERPRETED
    checks: dict[str, dict[str, Any]] = {}
    for size in sizes:
        for dtype in (torch.float32, torch.bfloat16):
            for name, check in CHECKS.items():
                label = f"{name} {size} {str(dtype).removeprefix('torch.')}"
                checks[label] = _attempt(check, size, dtype, device)
    if device == "cuda":
        checks["no host synchronisation in a step"] = _attempt(no_waiting, sizes[0], None, device)
    failed = [label for label, found in checks.items() if not found["passed"]]
    return {"passed": not failed, "count": len(checks), "failed": failed, "checks": checks}


def _attempt(check: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
    try:
        return check(*args)
    except Exception as error:  # a kernel that does not run is a figure too
        return {"passed": False, "error": f"{type(error).__name__}: {str(error)[:300]}"}


def selection(size: Sizes, dtype: torch.dtype, device: str) -> dict[str, Any]:
    """Compare the entries that are selected, with and without a good guess."""
    x, encoder, bias = _encoder(size, dtype, device)
    pre = torch.addmm(bias, x, encoder.T).float()
    found: dict[str, Any] = {"passed": True}
    for rule in ("select_topk", "select_batchtopk"):
        good = 0.9 * pre.topk(min(size.k, size.d_sae), dim=1).values[:, -1]
        for guess, floor in (("none", torch.full_like(good, torch.inf)), ("good", good)):
            wanted = _reference(rule, x, encoder, bias, size.k, floor)
            for route in ("dense", "fused"):
                share = _shared(
                    getattr(_kernels(selection=route), rule)(x, encoder, bias, size.k, floor),
                    wanted if route == "dense" else _exact(rule, x, encoder, bias, size.k, floor),
                )
                least = 1.0 if route == "dense" else 0.999  # sums in another order, near ties
                found[f"{rule} {route} guess {guess}: share of entries equal"] = round(share, 6)
                found["passed"] &= share >= least
    return found


def decoding(size: Sizes, dtype: torch.dtype, device: str) -> dict[str, Any]:
    """Compare residual, loss and gradient of the values, sparse and dense."""
    entries, decoder, b_dec, target, _ = _decoder(size, dtype, device)
    wanted = load_kernels("torch", device).decode(entries, decoder, b_dec, target)
    errors: dict[str, float] = {}
    for route in ("sparse", "dense"):
        found = _kernels(decoder=route).decode(entries, decoder, b_dec, target)
        for part in ("residual", "loss", "grad_values"):
            errors[f"{route} {part}"] = _error(getattr(found, part), getattr(wanted, part))
    return _judged(errors, dtype)


def gradients(size: Sizes, dtype: torch.dtype, device: str) -> dict[str, Any]:
    """Compare the weight gradients, with short and long chunks, and two runs bit for bit."""
    entries, decoder, b_dec, target, x = _decoder(size, dtype, device)
    scale = torch.full((), 0.7, device=device)
    reference = load_kernels("torch", device)
    decoded = reference.decode(entries, decoder, b_dec, target)
    wanted = reference.weight_gradients(entries, decoded, x, scale)
    errors: dict[str, float] = {}
    same = True
    for chunk in (16, 256):
        kernels = _kernels(decoder="sparse", chunk=chunk)
        first, second = (kernels.weight_gradients(entries, decoded, x, scale) for _ in range(2))
        for name, mine, again, theirs in zip(
            ("encoder", "bias", "decoder"), first, second, wanted, strict=True
        ):
            errors[f"chunks of {chunk}, {name}"] = _error(mine, theirs)
            same &= torch.equal(mine, again)
    judged = _judged(errors, torch.float32)
    return {**judged, "two runs equal": same, "passed": judged["passed"] and same}


def optimizer(size: Sizes, dtype: torch.dtype, device: str) -> dict[str, Any]:
    """Compare a step of Adam; weights are float32 whatever `dtype`."""
    shape = (size.d_sae, size.d_model)
    weights = F.normalize(torch.randn(shape, device=device))
    grad, mean = torch.randn(shape, device=device), torch.randn(shape, device=device)
    square, clip = torch.rand(shape, device=device), torch.full((), 0.5, device=device)
    errors: dict[str, float] = {}
    for unit in (True, False):
        states = []
        for kernels in (_kernels(), load_kernels("torch", device)):
            mine = [tensor.clone() for tensor in (weights, mean, square)]
            numbers = AdamStep(1e-2, 0.9, 0.999, 1e-8, 3)
            kernels.adam(mine[0], grad, (mine[1], mine[2]), clip, numbers, unit=unit)
            states.append([*mine, kernels.squares(weights, grad, unit=unit)])
        for name, a, b in zip(("weights", "mean", "square", "squares"), *states, strict=True):
            errors[f"unit={unit} {name}"] = _error(a, b)
    return _judged(errors, torch.float32)


def no_waiting(size: Sizes, dtype: None, device: str) -> dict[str, Any]:
    """Take steps while torch raises an error wherever the host would wait for the device."""
    for architecture in ("topk", "batchtopk"):
        rows = torch.randn(size.rows, size.d_model)
        settings = {
            "total_rows": 10**9,
            "log_every": 10**6,
            "kernels": "triton",
            "precision": "bf16",
        }
        config = TrainConfig(size.d_sae, size.k, architecture=architecture, **settings)
        trainable = KernelSae(InputNorm.measure(rows), config).to(device)
        rows = rows.to(device)
        adam = UnitRowAdam([{"params": list(trainable.parameters())}], [trainable])
        for number in range(4):
            torch.cuda.set_sync_debug_mode("error" if number > 1 else "default")
            try:
                trainable(rows).total.backward()
                trainable.finish_gradient()
                adam.step()
                adam.zero_grad()
            finally:
                torch.cuda.set_sync_debug_mode("default")
    return {"passed": True}


CHECKS = {
    "selection": selection,
    "decoding": decoding,
    "gradients": gradients,
    "optimizer": optimizer,
}


def _kernels(**choices: Any) -> Kernels:
    from bio_interp.sae.kernels.device._triton import TritonKernels

    return TritonKernels(**choices)


def _reference(rule: str, *args: Any) -> Entries:
    return getattr(load_kernels("torch", args[0].device), rule)(*args)


def _exact(rule: str, x: Tensor, encoder: Tensor, bias: Tensor, *more: Any) -> Entries:
    return _reference(rule, x.float(), encoder.float(), bias.float(), *more)


def _encoder(size: Sizes, dtype: torch.dtype, device: str) -> tuple[Tensor, Tensor, Tensor]:
    x = torch.randn(size.rows, size.d_model, device=device)
    encoder = torch.randn(size.d_sae, size.d_model, device=device) / size.d_model**0.5
    bias = 0.1 * torch.randn(size.d_sae, device=device)
    x[0] = 0
    return x.to(dtype), encoder.to(dtype), bias.to(dtype)


def _decoder(size: Sizes, dtype: torch.dtype, device: str) -> tuple[Entries, Tensor, ...]:
    """Entries of a batch in which one feature is on in every row."""
    x, encoder, bias = _encoder(size, dtype, device)
    bias[size.d_sae // 2] = 100.0
    floor = torch.zeros(size.rows, device=device)
    entries = _reference("select_batchtopk", x, encoder, bias, size.k, floor)
    decoder = F.normalize(torch.randn(size.d_sae, size.d_model, device=device)).to(dtype)
    b_dec, target = torch.randn(size.d_model, device=device), torch.randn_like(x)
    return entries, decoder, b_dec.to(dtype), target, x


def _shared(found: Entries, wanted: Entries) -> float:
    """Give the share of the wanted entries that were found, with equal counts of both."""
    mine, theirs = found.to_dense() > 0, wanted.to_dense() > 0
    return float((mine & theirs).sum() / torch.maximum(mine.sum(), theirs.sum()).clamp_min(1))


def _error(found: Tensor, wanted: Tensor) -> float:
    norm = wanted.double().norm().clamp_min(1e-30)
    return float((found.double() - wanted.double()).norm() / norm)


def _judged(errors: dict[str, float], dtype: torch.dtype) -> dict[str, Any]:
    passed = all(error <= ALLOWED[dtype] for error in errors.values())  # NaN never passes
    return {"passed": passed, **{name: float(f"{error:.3g}") for name, error in errors.items()}}
