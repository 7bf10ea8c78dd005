"""Edits: what replaces the rows at a site, and where those rows come from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bio_interp.errors import MismatchError

if TYPE_CHECKING:
    from torch import Tensor

Edit = Callable[["Tensor"], "Tensor"]
"""Takes and returns the rows of one protein at a site, shape ``(residues, d_model)``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows that an edit is given come from.

    Attributes
    ----------
    index
        Place of the protein in the input, from 0.
    offset
        Residues of the protein before the first row: 0, but in windows of a long protein.
    residues
        Residues of the whole protein.
    """

    index: int
    offset: int
    residues: int


@runtime_checkable
class PlacedEdit(Protocol):
    """An edit that does not do the same to all proteins and residues."""

    def __call__(self, rows: "Tensor") -> "Tensor":
        """Edit rows of a model that reads one protein at a time, in one piece."""
        ...

    def at(self, place: Place) -> Edit:
        """Give the edit for the rows of one place."""
        ...


def edit_rows(edit: Edit, rows: "Tensor", place: Place, *, site: str) -> "Tensor":
    """Apply an edit as a model should: say where the rows come from, and check what comes back.

    A model that applies all edits with this sets `Spliceable.places_edits`.

    Parameters
    ----------
    edit
        An `Edit` or a `PlacedEdit`.
    rows
        Rows of one protein or window, ``(residues, d_model)``, which the model does not change in
        place afterwards: the edit may keep them.
    place
        Where they come from.
    site
        For the error.

    Raises
    ------
    MismatchError
        The edit returns another shape.

    Examples
    --------
    >>> import torch
    >>> edit_rows(torch.zeros_like, torch.ones(2, 1), Place(0, 0, 2), site="layer.1").tolist()
    [[0.0], [0.0]]
    """
    if isinstance(edit, PlacedEdit):
        edit = edit.at(place)
    changed = edit(rows)
    if changed.shape != rows.shape:
        raise MismatchError(
            f"an edit of {site} to return rows of shape {tuple(rows.shape)}",
            str(tuple(changed.shape)),
            "Return as many rows, of the same width, as came in.",
        )
    return changed
