"""Which feature of one SAE is which of another, and whether that is more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._similarity import CoFiring, Cosine, Side, Similarity, blocks

if TYPE_CHECKING:
    import polars as pl

_EXACT_SCORES = 4096**2
_BLOCK_ROWS, _BLOCKS = 128, 50
_PARTNERS = 16
_STRATA, _STRATUM_FEATURES = 10, 100


@dataclass(frozen=True, slots=True)
class Match:
    """Pairs of features of two SAEs, one to one, in the order of the first's features.

    Attributes
    ----------
    measure
        ``"cosine"`` of decoder rows, or ``"co-firing"``: correlation of activations.
    exact
        Whether the pairs have the largest sum of scores that is possible; else they were taken
        greedily, best first.
    features_a, features_b
        The pairs: features of the first and of the second, int64, ``(pairs,)``.
    score
        Of each pair, ``(pairs,)``.
    p
        Share of chance partners that score as high, of features as easy to match, ``(pairs,)``.
    q
        Benjamini-Hochberg over all pairs, ``(pairs,)``.
    mean_best
        Mean over the features of the first of their best score with any of the second, and the
        other way round. With cosine this is the mean max cosine similarity (MMCS).
    d_sae
        Features of both.
    """

    measure: Literal["cosine", "co-firing"]
    exact: bool
    features_a: Tensor
    features_b: Tensor
    score: Tensor
    p: Tensor
    q: Tensor
    mean_best: tuple[float, float]
    d_sae: tuple[int, int]

    def __len__(self) -> int:
        return len(self.score)

    def summary(self) -> dict[str, Any]:
        """Sum up, as JSON: shares are of the features of the smaller SAE.

        ``above_null`` counts pairs above the 95 % quantile of chance, of which chance alone gives
        at most 5 %; ``significant`` those with ``q < 0.05``.
        """
        possible = min(self.d_sae)
        return {
            "measure": self.measure,
            "exact": self.exact,
            "pairs": len(self),
            "above_null": int((self.p <= 0.05).sum()) / possible,
            "significant": int((self.q < 0.05).sum()) / possible,
            "mean_best_a": self.mean_best[0],
            "mean_best_b": self.mean_best[1],
        }

    def to_polars(self) -> "pl.DataFrame":
        """Give a row a pair: ``feature_a``, ``feature_b``, ``score``, ``p``, ``q``."""
        import polars as pl

        columns = {"feature_a": self.features_a, "feature_b": self.features_b}
        columns |= {"score": self.score, "p": self.p, "q": self.q}
        return pl.DataFrame({name: column.numpy() for name, column in columns.items()})


def match(
    a: SparseAutoencoder,
    b: SparseAutoencoder,
    rows: Tensor | tuple[Tensor, Tensor] | None = None,
    *,
    lengths: Sequence[int] | None = None,
    permutations: int = 20,
    seed: int = 0,
) -> Match:
    """Match the features of two SAEs one to one.

    Up to 4,096 by 4,096 features the pairs are those with the largest sum of scores (Hungarian
    method, `scipy.optimize.linear_sum_assignment`). Above, the best pair that is left is taken,
    again and again, among the 16 best partners of every feature; one whose partners are all taken
    stays alone. Scores are made block after block, never all at once.

    Parameters
    ----------
    a, b
        Two SAEs: other seeds, widths, architectures; with `rows` also other sites and models.
    rows
        Match by co-firing on these rows, ``(rows, d_model)``: the correlation of activations. A
        pair is the same residues as `a` and as `b` read them. Without rows, features are matched
        by the cosine of their decoder rows, which says nothing between different spaces.
    lengths
        Rows of each protein, in order; chance keeps them whole. Where None, blocks of
        128 rows, or as many as there are 50 of.
    permutations
        How often chance is drawn: random directions of the mean and covariance of `b` for cosine,
        proteins of `b` in another order for co-firing. What a feature's best partner scores then
        is the null distribution of features as easy to match (ten classes of at least 100, by
        the variance of `b` along them, or by how often they fire). The best partner scores at
        least as high as one that has to be shared out one to one, so p is on the safe side.
    seed
        Of the draws.

    Raises
    ------
    MismatchError
        The SAEs write different widths and there are no rows, or rows do not fit.
    InputError
        No feature of one of them ever fires on the rows, or they are of too few proteins.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bio_interp.sae import TrainConfig, train
    >>> config = TrainConfig(d_sae=16, k=2, total_rows=1024, batch_rows=64)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sae = train([torch.randn(512, 8)], config, folder=Path(folder))
    >>> found = match(sae, sae)
    >>> bool((found.features_a == found.features_b).all()), found.summary()["pairs"]
    (True, 16)
    """
    if permutations < 1:
        raise InputError("permutations of at least 1", str(permutations), "Raise it.")
    scores = _cosine(a, b) if rows is None else _co_firing(a, b, rows, lengths)
    if not len(scores.names_a) or not len(scores.names_b):
        raise InputError("rows on which features fire", "none that does", "Give more rows.")
    (left, right, score), best, exact = _paired(scores)
    null = _null(scores, permutations, seed)
    p = _p_values(left, score, null, scores.difficulty)
    from scipy.stats import false_discovery_control

    return Match(
        "cosine" if rows is None else "co-firing",
        exact,
        scores.names_a[left],
        scores.names_b[right],
        score,
        p,
        torch.from_numpy(false_discovery_control(p.numpy())),
        best,
        (a.config.d_sae, b.config.d_sae),
    )


def _cosine(a: SparseAutoencoder, b: SparseAutoencoder) -> Similarity:
    if a.config.width_out != b.config.width_out:
        raise MismatchError(
            "two SAEs that write the same width",
            f"widths {a.config.width_out} and {b.config.width_out}",
            "Give rows, the same residues read at both sites, to match by co-firing.",
        )
    return Cosine(a.W_dec, b.W_dec)


def _co_firing(
    a: SparseAutoencoder,
    b: SparseAutoencoder,
    rows: Tensor | tuple[Tensor, Tensor],
    lengths: Sequence[int] | None,
) -> Similarity:
    of_a, of_b = rows if isinstance(rows, tuple) else (rows, rows)
    if lengths is None:
        size = max(1, min(_BLOCK_ROWS, len(of_a) // _BLOCKS))
        whole, rest = divmod(len(of_a), size)
        lengths = [size] * whole + [rest] * (rest > 0)
    return CoFiring(Side.of(a.encode(of_a)), Side.of(b.encode(of_b)), lengths)


_Pairs = tuple[Tensor, Tensor, Tensor]
"""Places of the features in `names_a` and `names_b`, ascending by the first, and scores."""


def _paired(scores: Similarity) -> tuple[_Pairs, tuple[float, float], bool]:
    """Pair features one to one: the pairs, both means of the best score, whether exactly."""
    if len(scores.names_a) * len(scores.names_b) > _EXACT_SCORES:
        return (*_greedy(scores), False)
    from scipy.optimize import linear_sum_assignment

    every = torch.cat([block.cpu() for block in blocks(scores)])
    left, right = map(torch.from_numpy, linear_sum_assignment(every.numpy(), maximize=True))
    best = float(every.amax(1).mean()), float(every.amax(0).mean())
    return (left, right, every[left, right]), best, True


def _greedy(scores: Similarity) -> tuple[_Pairs, tuple[float, float]]:
    """Take the best pair again and again, among the best partners of features of both sides."""
    of_a, with_a = _partners(scores)
    of_b, with_b = _partners(scores.swapped())
    left = torch.cat([torch.arange(len(of_a)).repeat_interleave(of_a.shape[1]), with_b.flatten()])
    right = torch.cat([with_a.flatten(), torch.arange(len(of_b)).repeat_interleave(of_b.shape[1])])
    score = torch.cat([of_a.flatten(), of_b.flatten()])
    best = float(of_a[:, 0].mean()), float(of_b[:, 0].mean())
    return _best_first(left, right, score), best


def _partners(scores: Similarity) -> tuple[Tensor, Tensor]:
    """Find the best partners of the features of `a`: scores and places, best first."""
    keep = min(_PARTNERS, len(scores.names_b))
    found = [block.topk(keep, dim=1) for block in blocks(scores)]
    return torch.cat([f.values for f in found]).cpu(), torch.cat([f.indices for f in found]).cpu()


def _best_first(left: Tensor, right: Tensor, score: Tensor) -> _Pairs:
    taken_a, taken_b = set[int](), set[int]()
    kept: list[int] = []
    order = score.argsort(descending=True)
    for place, one, other in zip(
        order.tolist(), left[order].tolist(), right[order].tolist(), strict=True
    ):
        if one not in taken_a and other not in taken_b:
            taken_a.add(one)
            taken_b.add(other)
            kept.append(place)
    chosen = torch.tensor(kept)
    chosen = chosen[left[chosen].argsort()]
    return left[chosen], right[chosen], score[chosen]


def _null(scores: Similarity, permutations: int, seed: int) -> Tensor:
    """Best score of every feature of `a` by chance, ``(permutations, features of a)``."""
    generator = torch.Generator().manual_seed(seed)
    drawn = (scores.scrambled(generator) for _ in range(permutations))
    return torch.stack([torch.cat([b.amax(1).cpu() for b in blocks(one)]) for one in drawn])


def _p_values(left: Tensor, score: Tensor, null: Tensor, difficulty: Tensor) -> Tensor:
    """Compare each pair with the null scores of features of like difficulty."""
    count = len(difficulty)
    strata = max(1, min(_STRATA, count // _STRATUM_FEATURES))
    ranks = difficulty.cpu().argsort().argsort()
    stratum = ranks * strata // count
    p = torch.empty(len(score), dtype=torch.float64)
    for one in range(strata):
        chance = null[:, stratum == one].flatten().sort().values
        mine = stratum[left] == one
        below = torch.searchsorted(chance, score[mine].contiguous())
        p[mine] = (1 + len(chance) - below).double() / (1 + len(chance))
    return p
