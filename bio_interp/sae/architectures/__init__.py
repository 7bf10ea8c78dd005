"""How each architecture is trained: one file an idea, one registry.

All of them end as the same `bio_interp.sae.SparseAutoencoder`, which keeps the k largest of a row
or what is above a threshold; an architecture is what happens before that. A new one is a subclass
of `Objective` in a file of its own and a line in `ARCHITECTURES`.
"""

from bio_interp.sae.architectures._batchtopk import BatchTopK
from bio_interp.sae.architectures._gated import Gated
from bio_interp.sae.architectures._jumprelu import JumpRelu
from bio_interp.sae.architectures._objective import Objective, Outcome, Weights
from bio_interp.sae.architectures._relu import Relu
from bio_interp.sae.architectures._topk import TopK

ARCHITECTURES: dict[str, type[Objective]] = {
    "batchtopk": BatchTopK,
    "topk": TopK,
    "jumprelu": JumpRelu,
    "gated": Gated,
    "relu": Relu,
}

__all__ = ["ARCHITECTURES", "Objective", "Outcome", "Weights"]
