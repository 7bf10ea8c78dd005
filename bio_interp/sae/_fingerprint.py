"""Do an SAE and a model belong together? What the SAE makes of pinned probe rows tells."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bio_interp.errors import InputError
from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._model import SparseAutoencoder

_FEWEST_ROWS = 2000
_PINNED_ROWS = 256


def fingerprint(sae: SparseAutoencoder, rows: Tensor) -> dict[str, Any]:
    """Measure an SAE on probe rows, to be stored with it.

    Parameters
    ----------
    sae
        The SAE.
    rows
        Activations of a pinned probe set at the SAE's site, ``(rows, d_model)``: at least 2,000
        rows of at least 16 inputs, in a fixed order.

    Returns
    -------
    dict
        ``rows``; ``fvu``; ``l0``; ``top``, the strongest feature (-1 for none) of 256 rows evenly
        apart; and ``tolerance``: how far each may move between precisions, storage as int8, and
        machines.

    Raises
    ------
    InputError
        There are fewer than 2,000 rows.
    """
    if rows.shape[0] < _FEWEST_ROWS:
        raise InputError(
            f"at least {_FEWEST_ROWS} probe rows", str(rows.shape[0]), "Give more probe inputs."
        )
    codes = sae.encode(rows)
    pinned = torch.linspace(0, rows.shape[0] - 1, _PINNED_ROWS).long()
    fvu = sae.fvu(rows)
    return {
        "rows": rows.shape[0],
        "fvu": round(fvu, 5),
        "l0": round(codes.values.shape[0] / len(codes), 3),
        "top": strongest(codes)[pinned.to(rows.device)].tolist(),
        "tolerance": {"fvu": round(0.01 + 0.05 * fvu, 4), "l0_share": 0.1, "top_share": 0.1},
    }


def check_fingerprint(
    sae: SparseAutoencoder, rows: Tensor, stored: Mapping[str, Any] | None = None
) -> list[str]:
    """Compare an SAE on the probe rows with what was stored.

    Parameters
    ----------
    sae
        The SAE.
    rows
        The same probe set as when it was stored, read by the model and site at hand.
    stored
        A fingerprint; the SAE's own where None.

    Returns
    -------
    list of str
        One sentence a problem; empty where they belong together.
    """
    before = stored if stored is not None else sae.fingerprint
    if before is None:
        return ["This SAE was saved without a fingerprint."]
    if rows.shape[1:] != (sae.config.d_model,):
        width = tuple(rows.shape)
        return [f"The SAE reads width {sae.config.d_model}; these rows have shape {width}."]
    if rows.shape[0] != before["rows"]:
        return [f"The probe set had {before['rows']} rows; these are {rows.shape[0]}."]
    return _compare(before, fingerprint(sae, rows))


def _compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    tolerance = before["tolerance"]
    problems: list[str] = []
    if not abs(now["fvu"] - before["fvu"]) <= tolerance["fvu"]:
        problems.append(f"FVU is {now['fvu']:.3g}, was {before['fvu']:.3g}.")
    if not abs(now["l0"] - before["l0"]) <= tolerance["l0_share"] * before["l0"]:
        problems.append(f"{now['l0']:.3g} features are on in a row, were {before['l0']:.3g}.")
    pairs = list(zip(now["top"], before["top"], strict=True))
    moved = sum(new != old for new, old in pairs) / len(pairs)
    if moved > tolerance["top_share"]:
        problems.append(f"The strongest feature is another one in {moved:.0%} of the rows.")
    return problems


def strongest(codes: SparseCodes) -> Tensor:
    """Find the strongest feature of each row; -1 where none is on."""
    rows = codes.row_index()
    peak = codes.values.new_zeros(len(codes)).scatter_reduce(0, rows, codes.values, "amax")
    at_peak = torch.where(codes.values == peak[rows], codes.features.long(), -1)
    top = torch.full((len(codes),), -1, device=rows.device)
    return top.scatter_reduce(0, rows, at_peak, "amax")
