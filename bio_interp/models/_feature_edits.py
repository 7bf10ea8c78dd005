"""What is done to the features of a site: set, scale, ablate, patch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.models._edits import Place
from bio_interp.sae import SparseAutoencoder, SparseCodes

Numbers = int | Sequence[int]


@dataclass(frozen=True, slots=True)
class FeatureEdit:
    """One thing done to some features.

    Attributes
    ----------
    kind
        Whether `values` replace activations or multiply them.
    features
        Which, shape ``(n,)``.
    values
        Shape ``(1 or residues edited, 1 or n)``.
    positions
        1-based positions of the residues edited; None is all of a protein.
    index
        Places of the proteins in the call, from 0; None is all.
    """

    kind: Literal["set", "scale"]
    features: Tensor
    values: Tensor
    positions: tuple[int, ...] | None
    index: frozenset[int] | None

    @property
    def is_placed(self) -> bool:
        """Whether it needs to know which protein and residues it is given."""
        whole = self.positions is None and self.index is None
        return not whole or self.values.shape[0] > 1

    def concerns(self, place: Place) -> bool:
        """Tell whether it edits the protein."""
        return self.index is None or place.index in self.index

    def apply_to(self, activations: Tensor, columns: Tensor, place: Place) -> None:
        """Edit activations ``(rows, columns)`` of one place; `columns` are features, ascending."""
        rows, values = self._rows(len(activations), place)
        if not len(rows):
            return
        where = (rows[:, None], torch.searchsorted(columns, self.features)[None])
        new = values.to(activations.dtype)
        activations[where] = new if self.kind == "set" else activations[where] * new

    def _rows(self, count: int, place: Place) -> tuple[Tensor, Tensor]:
        """Give the rows it edits, counted from 0, and the values for them."""
        device = self.features.device
        if self.positions is None:
            self._check_length(place)
            end = place.offset + count
            values = self.values if len(self.values) == 1 else self.values[place.offset : end]
            return torch.arange(count, device=device), values
        if max(self.positions) > place.residues:
            raise MismatchError(
                f"positions up to {place.residues}, the residues of protein {place.index + 1}",
                str(max(self.positions)),
                "Edit positions that the protein has, or name its place with `index`.",
            )
        rows = torch.tensor(self.positions, device=device) - 1 - place.offset
        inside = ((rows >= 0) & (rows < count)).nonzero().squeeze(1)
        return rows[inside], self.values if len(self.values) == 1 else self.values[inside]

    def _check_length(self, place: Place) -> None:
        if len(self.values) not in (1, place.residues):
            raise MismatchError(
                f"values for the {place.residues} residues of protein {place.index + 1}",
                f"values for {len(self.values)}",
                "Say with `positions` which residues they are for.",
            )


class SplicedSite:
    """The features of one spliced site, to be edited; edits add up in the order they are made.

    Where a method takes them, `features` are indices of the SAE, one or several; `positions`
    count residues from 1, None is all of them; `index` counts the proteins of a call from 0, as
    `Reading.index` does, None is all of them.
    """

    def __init__(self, sae: SparseAutoencoder) -> None:
        self.sae = sae
        self.edits: list[FeatureEdit] = []

    def set(
        self,
        features: Numbers,
        value: float | Tensor,
        *,
        positions: Numbers | None = None,
        index: Numbers | None = None,
    ) -> None:
        """Give features an activation.

        Parameters
        ----------
        features, positions, index
            Which features, where, in which proteins.
        value
            In the SAE's units, as `SparseAutoencoder.encode` gives: one number, or a tensor that
            broadcasts to ``(positions, features)``. Gradients reach a tensor.

        Raises
        ------
        NotFoundError
            A feature that the SAE lacks.
        MismatchError
            `value` has another shape, or a position is under 1. A position that a protein lacks
            is found when the protein is read.
        """
        self._add("set", features, value, positions, index)

    def scale(
        self,
        features: Numbers,
        factor: float | Tensor,
        *,
        positions: Numbers | None = None,
        index: Numbers | None = None,
    ) -> None:
        """Multiply activations by a factor; a feature that is off stays off. See `set`."""
        self._add("scale", features, factor, positions, index)

    def ablate(
        self,
        features: Numbers,
        *,
        positions: Numbers | None = None,
        index: Numbers | None = None,
    ) -> None:
        """Turn features off. See `set`."""
        self._add("set", features, 0.0, positions, index)

    def patch(
        self,
        codes: SparseCodes,
        *,
        features: Numbers | None = None,
        positions: Numbers | None = None,
        source_positions: Numbers | None = None,
        index: Numbers | None = None,
    ) -> None:
        """Give features the activations that they have elsewhere.

        Parameters
        ----------
        codes
            Of another protein or run, one row a residue: what `SparseAutoencoder.encode` makes of
            the rows of a `Reading`.
        features
            Which; None is all.
        positions
            Residues that are edited; None is all, and `codes` must then have as many.
        source_positions
            Residues of `codes` that values are taken from, one for each of `positions`; the same
            positions where None.
        index
            Proteins that are edited.

        Raises
        ------
        MismatchError
            The codes are of another SAE, or lack a position.
        """
        if codes.d_sae != self.sae.config.d_sae:
            raise MismatchError(
                f"codes of {self.sae.config.d_sae} features",
                f"codes of {codes.d_sae}",
                "Patch with codes of the SAE that is spliced in.",
            )
        chosen = range(codes.d_sae) if features is None else _numbers(features)
        source = source_positions if source_positions is not None else positions
        values = codes.to_dense()
        if source is not None:
            rows = _positions(source)
            if max(rows) > len(codes):
                raise MismatchError(
                    f"source positions up to {len(codes)}, the rows of the codes",
                    str(max(rows)),
                    "Name residues of the protein that the codes are of.",
                )
            values = values[[position - 1 for position in rows]]
        self._add("set", chosen, values[:, list(chosen)], positions, index)

    def reset(self) -> None:
        """Forget all edits."""
        self.edits.clear()

    def _add(
        self,
        kind: Literal["set", "scale"],
        features: Numbers,
        value: float | Tensor,
        positions: Numbers | None,
        index: Numbers | None,
    ) -> None:
        columns = torch.tensor(_numbers(features), device=self.sae.W_enc.device)
        self._check(columns)
        where = None if positions is None else _positions(positions)
        values = torch.as_tensor(value, device=columns.device)
        values = values.reshape((1,) * (2 - values.ndim) + values.shape)  # (rows, features)
        rows = None if where is None else len(where)
        _check_values(values, rows, len(columns))
        proteins = None if index is None else frozenset(_numbers(index))
        self.edits.append(FeatureEdit(kind, columns, values, where, proteins))

    def _check(self, columns: Tensor) -> None:
        d_sae = self.sae.config.d_sae
        if not len(columns) or int(columns.min()) < 0 or int(columns.max()) >= d_sae:
            raise NotFoundError(
                f"features from 0 to {d_sae - 1}",
                str(columns.tolist() or "none"),
                "Give indices of this SAE's features.",
            )


def _check_values(values: Tensor, rows: int | None, columns: int) -> None:
    fits = values.ndim == 2 and values.shape[1] in (1, columns)
    if not fits or (rows is not None and values.shape[0] not in (1, rows)):
        raise MismatchError(
            f"one number, or values of shape ({'residues' if rows is None else rows}, {columns})",
            f"shape {tuple(values.shape)}",
            "Give a row for each position and a column for each feature.",
        )


def _numbers(given: Numbers) -> tuple[int, ...]:
    return (given,) if isinstance(given, int) else tuple(int(n) for n in given)


def _positions(given: Numbers) -> tuple[int, ...]:
    positions = _numbers(given)
    if not positions or min(positions) < 1:
        raise MismatchError(
            "positions from 1", str(list(positions)), "Positions of residues count from 1."
        )
    return positions
