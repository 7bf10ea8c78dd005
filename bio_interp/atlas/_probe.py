"""Do a model and an SAE belong together? Pinned sequences, and what the SAE made of them."""

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from bio_interp.models import LanguageModel

PROBES, PROBE_LENGTH = 16, 128
LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def probe_sequences() -> list[str]:
    """List the pinned probe: 16 random sequences of 128 residues, the same for ever.

    Examples
    --------
    >>> probe_sequences()[0][:12]
    'LTLCWRITDKKL'
    """
    rng = Random("bio_interp probe 1")
    return ["".join(rng.choices(LETTERS, k=PROBE_LENGTH)) for _ in range(PROBES)]


def probe_rows(model: "LanguageModel", site: str) -> "Tensor":
    """Read the probe's activations at a site, ``(2048, d_model)`` float32."""
    import torch

    from bio_interp.activations import read_rows

    return torch.cat(list(read_rows(model, probe_sequences(), site))).float().cpu()
