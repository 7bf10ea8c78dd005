"""Choose the device and the number format that a model runs in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bio_interp.errors import MismatchError
from bio_interp.models._protocol import Precision

if TYPE_CHECKING:
    import torch


def resolve_device(device: str = "auto") -> "torch.device":
    """Turn a name into a device that this machine has.

    ``"auto"`` is CUDA where there is one, then MPS, then the CPU.

    Raises
    ------
    MismatchError
        The name is no device, or this machine lacks it.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    import torch

    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    try:
        found = torch.device(device)
    except RuntimeError:
        found = None
    count = torch.cuda.device_count() if found and found.type == "cuda" else 1
    if found is None or not present.get(found.type) or (found.index or 0) >= count:
        known = ", ".join(kind for kind, there in present.items() if there)
        raise MismatchError(
            f"a device of this machine (auto, {known})", repr(device), "Name one of these."
        )
    return found


def native_bf16(device: "torch.device") -> bool:
    """Tell whether the device multiplies bf16 matrices in hardware.

    A CPU without AVX512-BF16 or AMX computes bf16 products in software, several times slower
    than fp32.
    """
    import torch

    from bio_interp.sae import has_bf16_units

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return has_bf16_units(device)


def resolve_precision(
    precision: Precision,
    device: "torch.device",
    *,
    offered: Sequence[Precision] = ("fp32", "bf16"),
) -> Precision:
    """Turn ``"auto"`` into a number format, and refuse one that the model does not offer.

    ``"auto"`` is bf16 where it is offered and the device has it in hardware, else fp32.

    Raises
    ------
    MismatchError
        The model does not offer this precision.

    Examples
    --------
    >>> import torch
    >>> resolve_precision("fp32", torch.device("cpu"))
    'fp32'
    """
    if precision == "auto":
        return "bf16" if "bf16" in offered and native_bf16(device) else "fp32"
    if precision not in offered:
        raise MismatchError(
            f"a precision that this model offers ({', '.join(offered)}, auto)",
            repr(precision),
            "Choose one of these.",
        )
    return precision
