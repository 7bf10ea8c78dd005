"""Kernels for a training step on a GPU, and their reference in plain torch.

Every function has one meaning, written down in `Kernels`, and two implementations: `load_kernels`
gives ``"torch"``, the reference, which is short and dense, or ``"triton"``. Training uses them
where ``TrainConfig.kernels`` is ``"triton"``; the default is the plain-torch step of
`bio_interp.sae`. Importing this package imports no triton.

==================== =======================================================================
function             what the Triton kernel does
==================== =======================================================================
``select_topk``      lists what is above a running threshold, then takes exactly the k largest
                     of the list; a row whose list cannot do is selected from all of it
``select_batchtopk`` the same where all rows compete, by four histograms of eight bits
``decode``           decoded row, residual, loss and gradient of the values, each element of
                     the active decoder rows read once
``weight_gradients`` gradients of encoder, bias and decoder in one walk over the entries sorted
                     by feature; long runs in chunks; no float atomics, no ``(rows, k, d)``
``squares``          norms of the projected gradient, for clipping
``adam``             projection, clipping, Adam and unit rows in one pass
==================== =======================================================================

What the design rests on:

- *Shapes do not depend on data.* A batch has ``k * rows`` slots (`Entries`), so the host never
  waits in a step. It waits once in ``log_every`` steps, to learn how many features are dead.
- *Guesses change the time, never the result.* Thresholds come from the last batch. Where one was
  wrong a number on the device says so, and the same launch reads the dense row.
- *The same bits in every run.* Sums have a fixed order; ties go to the lowest feature; the only
  atomics are integers, and what they order is sorted afterwards.
- *Sizes are what they are.* Widths are walked in tiles that waste at most an eighth, so 1280
  stays 1280; the number of slots is padded by masked lanes that load nothing.
- *Sums are float32*, whether rows and weights are read as float32 or, with
  ``TrainConfig(precision="bf16")``, as bfloat16.
- `decoder_route` and `selection_route` choose by sizes between sparse and dense, with the
  arithmetic in their docstrings.

Unmeasured: no kernel has run on a GPU yet. Each is tested in Triton's interpreter against the
reference and compiles for compute capability 9.0 without spilling registers. Speeds, tile sizes
and the two break-evens are from paper; ``benchmarks/sae_gpu/run.py`` measures them.
"""

from bio_interp.sae.kernels._dispatch import load_kernels
from bio_interp.sae.kernels._entries import Entries, Segments
from bio_interp.sae.kernels._functions import AdamStep, Decoded, Kernels
from bio_interp.sae.kernels._loss import sparse_loss
from bio_interp.sae.kernels._optimizer import UnitRowAdam
from bio_interp.sae.kernels._plan import decoder_route, selection_route
from bio_interp.sae.kernels._trainable import KernelSae

__all__ = [
    "AdamStep",
    "Decoded",
    "Entries",
    "KernelSae",
    "Kernels",
    "Segments",
    "UnitRowAdam",
    "decoder_route",
    "load_kernels",
    "selection_route",
    "sparse_loss",
]
