"""How much likelier a model finds a variant than the wild type, without any training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.models import Edit, LanguageModel, Place
from bio_interp.variants._notation import LETTERS, Variant

if TYPE_CHECKING:
    from torch import Tensor


def log_likelihood_ratios(
    model: LanguageModel, sequence: str, variants: Sequence[Variant]
) -> list[float]:
    """Score variants by the log-likelihood ratio of mutant and wild type.

    Of a masked model the masked marginals of Meier et al. (2021, NeurIPS, eq. 1): the wild type
    is read with all residues of the variant hidden, and ``log p(mutant) - log p(wild type)`` is
    summed over them. Of a causal model the log-likelihood of the whole mutant sequence minus that
    of the wild type (natural logarithms).

    Returns
    -------
    list of float
        One a variant, 0 for the wild type; NaN where a residue replaced is none of the 20 amino
        acids.
    """
    if model.info.objective == "masked":
        return _masked(model, sequence, variants)
    (wild,) = (log_likelihood(logits, sequence) for logits in model.logits([sequence]))
    mutants = [variant.apply(sequence) for variant in variants]
    found = zip(mutants, model.logits(mutants), variants, strict=True)
    return [causal_ratio(log_likelihood(x, text), wild, v) for text, x, v in found]


def log_likelihood(logits: Float[Tensor, "residues 20"], sequence: str) -> float:
    """Sum ``log p`` of the residues that are among the 20 amino acids."""
    log_p = logits.double().log_softmax(dim=1).cpu().numpy()
    rows = [index for index, letter in enumerate(sequence) if letter in LETTERS]
    columns = [LETTERS.index(sequence[index]) for index in rows]
    return float(log_p[rows, columns].sum())


def causal_ratio(mutant: float, wild: float, variant: Variant) -> float:
    """Subtract log-likelihoods; NaN where they are not over the same residues."""
    return mutant - wild if _is_scored(variant) else float("nan")


def read_with_logits(
    model: LanguageModel, sequences: Iterable[str], site: str
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield the rows at a site, and the logits that came with them, by one reading a protein.

    Logits are None for models that would need another reading for them: masked ones, and those
    that do not say which protein an edit is given.
    """
    if not _gives_both(model):
        for reading in model.activations(sequences, [site]):
            yield reading.rows[site], None
        return
    keeper = _Keeper()
    for index, logits in enumerate(model.logits(sequences, edits={site: keeper})):
        yield keeper.rows.pop(index), logits


def _gives_both(model: LanguageModel) -> bool:
    placed: bool = getattr(model, "places_edits", False)
    return model.info.objective == "causal" and model.info.window is None and placed


class _Keeper:
    """An edit that changes nothing and keeps the rows it is given, by protein."""

    def __init__(self) -> None:
        self.rows: dict[int, Tensor] = {}

    def __call__(self, rows: Tensor) -> Tensor:
        return rows

    def at(self, place: Place) -> Edit:
        """Give the edit that keeps the rows of one protein."""

        def keep(rows: Tensor) -> Tensor:
            self.rows[place.index] = rows
            return rows

        return keep


def _masked(model: LanguageModel, sequence: str, variants: Sequence[Variant]) -> list[float]:
    """Read once for each set of residues that some variant replaces."""
    places = list(dict.fromkeys(v.indices for v in variants if v.indices))
    found = model.logits([sequence] * len(places), masked=[list(place) for place in places])
    log_p: dict[tuple[int, ...], Float[ndarray, "replaced 20"]] = {
        place: logits[list(place)].double().log_softmax(dim=1).cpu().numpy()
        for place, logits in zip(places, found, strict=True)
    }
    return [_marginal(log_p.get(v.indices, np.zeros((0, 20))), v) for v in variants]


def _marginal(log_p: Float[ndarray, "replaced 20"], variant: Variant) -> float:
    if not _is_scored(variant):
        return float("nan")
    rows = zip(log_p, variant.mutations, strict=True)
    return sum(
        (float(row[LETTERS.index(m.mutant)] - row[LETTERS.index(m.wild_type)]) for row, m in rows),
        0.0,
    )


def _is_scored(variant: Variant) -> bool:
    return all(m.wild_type in LETTERS and m.mutant in LETTERS for m in variant.mutations)
