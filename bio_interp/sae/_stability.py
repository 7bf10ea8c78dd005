"""Which features of an SAE are found again by SAEs of other seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._similarity import Cosine, blocks

_CHANCE = 0.95  # quantile over features and draws
_DRAWS = 5


@dataclass(frozen=True, slots=True)
class SeedStability:
    """How well each feature is found again.

    Attributes
    ----------
    score
        Cosine with the most similar decoder row of another SAE, averaged over the others,
        ``(d_sae,)``.
    chance
        What 95 % of features stay under where the others are as many random directions with the
        mean and covariance of their decoder rows.
    seeds
        Number of other SAEs.
    """

    score: Tensor
    chance: float
    seeds: int


def seed_stability(
    sae: SparseAutoencoder, others: Sequence[SparseAutoencoder], *, seed: int = 0
) -> SeedStability:
    """Compare the features of an SAE with those of SAEs trained alike from other seeds.

    Two features may have the same partner: a feature that another seed has split in two still
    counts as found. See `match` for pairs one to one. The decoder row of a feature that never
    fires is what it was drawn as, and scores like chance.

    Parameters
    ----------
    sae
        Whose features are looked for.
    others
        At the same site of the same model; widths may differ, and wider ones find more.
    seed
        Of the random directions.

    Raises
    ------
    InputError
        There are no others, or one of them is the SAE itself.
    MismatchError
        One of them writes another width.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bio_interp.sae import TrainConfig, train
    >>> found = []
    >>> for seed in (0, 1):
    ...     config = TrainConfig(d_sae=16, k=2, total_rows=1024, batch_rows=64, seed=seed)
    ...     with tempfile.TemporaryDirectory() as folder:
    ...         found.append(train([torch.randn(512, 8)], config, folder=Path(folder)))
    >>> seed_stability(found[0], found[1:]).score.shape
    torch.Size([16])
    """
    _check(sae, others)
    generator = torch.Generator().manual_seed(seed)
    scores, chances = list[Tensor](), list[Tensor]()
    for other in others:
        pairs = Cosine(sae.W_dec, other.W_dec)
        scores.append(_best(pairs))
        chances.append(torch.stack([_best(pairs.scrambled(generator)) for _ in range(_DRAWS)]))
    chance = torch.stack(chances).mean(0)  # (draws, d_sae)
    ranked = chance.flatten().sort().values
    limit = float(ranked[int(_CHANCE * (len(ranked) - 1))])
    return SeedStability(torch.stack(scores).mean(0), limit, len(others))


def _best(pairs: Cosine) -> Tensor:
    return torch.cat([block.amax(1).cpu() for block in blocks(pairs)])


def _check(sae: SparseAutoencoder, others: Sequence[SparseAutoencoder]) -> None:
    if not others:
        raise InputError("at least one SAE of another seed", "none", "Train one.")
    for other in others:
        if other.config.width_out != sae.config.width_out:
            raise MismatchError(
                f"SAEs that write the width {sae.config.width_out}",
                f"one of {other.config.width_out}",
                "Compare SAEs of one site.",
            )
        if other.W_dec.shape == sae.W_dec.shape and torch.equal(other.W_dec.cpu(), sae.W_dec.cpu()):
            raise InputError(
                "SAEs of other seeds", "the same SAE", "It is as stable as can be with itself."
            )
