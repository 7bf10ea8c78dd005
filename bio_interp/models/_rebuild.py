"""What a spliced site makes of the rows that reach it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bio_interp.errors import MismatchError
from bio_interp.models._edits import Place
from bio_interp.models._feature_edits import FeatureEdit
from bio_interp.sae import SparseAutoencoder


@dataclass(frozen=True, slots=True)
class Rebuild:
    """An SAE, what is done to its features, and whether its error is kept.

    With `keep_error` rows become ``row + (edited - before) @ W_dec``, which is the reconstruction
    from the edited features plus the error ``row - reconstruction``: what was not edited cancels.
    """

    sae: SparseAutoencoder
    edits: tuple[FeatureEdit, ...]
    keep_error: bool

    @property
    def is_placed(self) -> bool:
        """Whether it needs to know which protein and residues it is given."""
        return any(edit.is_placed for edit in self.edits)

    def rows(
        self, read: Tensor, written: Tensor, place: Place, seen: list[Tensor] | None = None
    ) -> Tensor:
        """Rebuild the rows of one place.

        Parameters
        ----------
        read
            Rows that the SAE reads, ``(residues, d_model)``.
        written
            Rows that are replaced, ``(residues, d_out)``.
        place
            Where they come from.
        seen
            Where given, the edited activations ``(residues, d_sae)``, which take a gradient, are
            appended to it.
        """
        _check_device(self.sae, read)
        edits = [edit for edit in self.edits if edit.concerns(place)]
        if seen is not None or (torch.is_grad_enabled() and read.requires_grad):
            return self._with_gradient(read, written, place, edits, seen).to(written.dtype)
        base = written if self.keep_error else self.sae(read)
        if edits:
            columns = torch.cat([edit.features for edit in edits]).unique()
            before = _activations(self.sae, read, columns)
            change = _edited(before, columns, place, edits) - before
            base = base + change @ self.sae.W_dec[columns] / self.sae.out_norm.scale
        return base.to(written.dtype)

    def _with_gradient(
        self,
        read: Tensor,
        written: Tensor,
        place: Place,
        edits: list[FeatureEdit],
        seen: list[Tensor] | None,
    ) -> Tensor:
        """Do the same through dense activations, with a gradient to them and to the rows."""
        if seen is not None and len(read) != place.residues:
            raise MismatchError(
                "a protein that is read in one piece",
                f"one of {place.residues} residues, read in windows of {len(read)}",
                "Trace a part of it.",
            )
        before = self.sae.encode_dense(read)  # (residues, d_sae)
        columns = torch.arange(before.shape[1], device=before.device)
        after = _edited(before, columns, place, edits)
        if seen is not None:
            if after.requires_grad:
                after.retain_grad()
            else:
                after.requires_grad_()
            seen.append(after)
        base = written if self.keep_error else _decode(self.sae, read, before)
        return base + (after - before) @ self.sae.W_dec / self.sae.out_norm.scale


def _edited(before: Tensor, columns: Tensor, place: Place, edits: list[FeatureEdit]) -> Tensor:
    after = before.clone()
    for edit in edits:
        edit.apply_to(after, columns, place)
    return after


def _activations(sae: SparseAutoencoder, rows: Tensor, columns: Tensor) -> Tensor:
    """Encode some features, ascending, into ``(rows, columns)``."""
    codes = sae.encode(rows, features=None if sae.threshold is None else columns)
    features = codes.features.long()
    at = torch.searchsorted(columns, features).clamp_max(len(columns) - 1)
    wanted = columns[at] == features
    found = codes.values.new_zeros(len(codes), len(columns))
    found[codes.row_index()[wanted], at[wanted]] = codes.values[wanted]
    return found


def _decode(sae: SparseAutoencoder, rows: Tensor, activations: Tensor) -> Tensor:
    """Rebuild rows as ``sae(rows)`` does, with gradients."""
    rebuilt = activations @ sae.W_dec + sae.b_dec
    if sae.W_skip is not None:
        rebuilt = rebuilt + sae.norm.apply_to(rows.to(sae.W_enc.dtype)) @ sae.W_skip
    return sae.out_norm.undo(rebuilt)


def _check_device(sae: SparseAutoencoder, rows: Tensor) -> None:
    if sae.W_enc.device != rows.device:
        raise MismatchError(
            f"an SAE on {rows.device}, where the model runs",
            f"one on {sae.W_enc.device}",
            f"Move it with sae.to({str(rows.device)!r}).",
        )
