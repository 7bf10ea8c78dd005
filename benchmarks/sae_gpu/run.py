"""Kernels for training on a GPU: are they right, how near to the roofline, how do peers do.

On a machine with CUDA every kernel is checked against plain torch, then whole training steps of
the plain-torch path, of the kernels and of the peers that are installed are timed in turn, in
bfloat16, beside the one product that no step can do without. ``--quick`` takes fewer steps and the
smallest size. Without CUDA the checks run in Triton's interpreter at small sizes and nothing is
timed; the record says so.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

HAS_CUDA = torch.cuda.is_available()
if not HAS_CUDA:
    os.environ["TRITON_INTERPRET"] = "1"  # before triton is imported

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from _correctness import check_all  # noqa: E402 - as the harness, beside or above this file
from _harness import finish, parse, record  # noqa: E402

TARGETS = {
    "time_over_fastest_peer": {"d_sae >= 40,960": 0.5, "d_sae = 10,240": 0.8},
    "encoder_share": {
        "batch_8k_d_sae_10k": 0.15, "batch_8k_d_sae_82k": 0.40, "batch_65k_d_sae_82k": 0.50,
    },
}  # fmt: skip


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    figures: dict[str, Any] = {"cuda": HAS_CUDA, "targets_on_one_h200": TARGETS}
    figures["correctness"] = correctness()
    if HAS_CUDA:
        figures |= speed(options.quick, options.seed)
    else:
        figures["timed"] = "nothing: there is no CUDA device"
    packages = ("bio-interp", "torch", "triton", "sae-lens", "dictionary-learning",
                "eai-sparsify", "overcomplete")  # fmt: skip
    finish(record("sae_gpu", options, figures, packages=packages), options)
    checked = figures["correctness"]
    if isinstance(checked, dict) and not checked["passed"]:
        sys.exit(f"not equal to the reference: {', '.join(checked['failed'])}")


def correctness() -> dict[str, Any] | str:
    """Check, on the device or in the interpreter."""
    if find_spec("triton") is None:
        return "not checked: triton is not installed"
    where = "cuda" if HAS_CUDA else "cpu"
    found = check_all(where)
    how = "on the device" if HAS_CUDA else "in Triton's interpreter, at small sizes"
    return {"how": how, **found}


def speed(quick: bool, seed: int) -> dict[str, Any]:
    """Time on the device."""
    from _speed import SIZES, measure

    properties = torch.cuda.get_device_properties(0)
    found: dict[str, Any] = {
        "device": properties.name,
        "device_memory_gb": round(properties.total_memory / 2**30, 1),
    }
    rounds, steps = (2, 3) if quick else (5, 10)
    for name, sizes in list(SIZES.items())[: 1 if quick else None]:
        try:
            found[name] = measure(sizes, rounds=rounds, steps=steps, seed=seed)
        except Exception as error:  # the next size may still fit
            found[name] = f"{type(error).__name__}: {str(error)[:300]}"
        torch.cuda.empty_cache()
    return found


if __name__ == "__main__":
    main()
