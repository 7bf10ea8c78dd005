"""What peers do otherwise than their definitions say, each as a switch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defects:
    """Which of the peers' defects to commit; none unless asked.

    The numbers are those of ``docs/peer-defects.md``.

    Attributes
    ----------
    bearing_proteins_only
        B1, BioNeMo: false positives are counted in proteins that bear the concept only, so that a
        feature that fires everywhere is precise.
    labels_one_early
        B2, BioNeMo: activations keep the row of the start token, labels do not. Each label is held
        against the activation of the residue before it, and a protein's last activation is lost.
    raw_thresholds
        B5, InterPLM 1.0: thresholds cut activations as they are, not as shares of the largest.
    notes_only
        B6, InterPLM: sub-concepts are found by ``/note`` alone. Binding sites, which carry
        ``/ligand``, have no labels; what has no note is in no ``_any``; nor are rare sub-concepts.
    threshold_chosen_again
        B7, InterPLM, and BioNeMo: of a pair, the best threshold on test is reported, not the one
        that was chosen on valid.
    failures_left_out
        B7, InterPLM: a concept whose feature has no true positive on test is left out of the mean
        instead of counting 0.
    relu_codes
        B8, InterPLM: the codes are those of a plain ReLU and not of the TopK that was trained.
        Acts in `encode_rows`.
    zero_maxima
        B11, InterPLM: activations are divided by a largest activation of 0 where a feature did not
        fire in the sample. It is NaN where it is off and infinite, above every threshold, where on.
    batch_topk
        B15, Evo 2: the k a row are dealt over the whole batch, so that what a residue activates
        depends on the others. Acts in `encode_rows`.
    bonds_as_ranges
        BioNeMo: a disulfide bond labels all residues between its two cysteines.

    Examples
    --------
    >>> Defects.of_interplm().raw_thresholds, Defects().raw_thresholds
    (True, False)
    """

    bearing_proteins_only: bool = False
    labels_one_early: bool = False
    raw_thresholds: bool = False
    notes_only: bool = False
    threshold_chosen_again: bool = False
    failures_left_out: bool = False
    relu_codes: bool = False
    zero_maxima: bool = False
    batch_topk: bool = False
    bonds_as_ranges: bool = False

    @classmethod
    def of_interplm(cls) -> Defects:
        """Switch on what InterPLM 1.0 does with a TopK SAE that its user trained."""
        return cls(
            raw_thresholds=True,
            notes_only=True,
            threshold_chosen_again=True,
            failures_left_out=True,
            relu_codes=True,
            zero_maxima=True,
        )

    @classmethod
    def of_bionemo(cls) -> Defects:
        """Switch on what BioNeMo's evaluation of ESM-2 does."""
        return cls(
            bearing_proteins_only=True,
            labels_one_early=True,
            threshold_chosen_again=True,
            bonds_as_ranges=True,
        )
