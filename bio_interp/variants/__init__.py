"""What a mutation does to the features of a protein.

================ ===================== ===========================================================
object           columns or attributes meaning
================ ===================== ===========================================================
`Mutation`       position              one substitution; 1-based
                 wild_type, mutant     one-letter codes
`Variant`        mutations             substitutions that come together; none is the wild type
`FeatureChanges` features, changes     every feature that a variant changes, as arrays
`EFFECTS`                              columns of `variant_effects`: a row a variant and feature
`Scan`           table                 columns `SCAN`: a row a variant
                 changes               sparse ``(variants, d_sae)``: relative change of features
================ ===================== ===========================================================

A change is the activation in the mutant minus that in the wild type, residue by residue. A model
that reads from left to right changes at the mutated residue and after it; one that reads both
ways may change everywhere.
"""

from bio_interp.variants._changes import FeatureChanges, feature_changes
from bio_interp.variants._effects import EFFECTS, RANKINGS, Ranking, one_protein, variant_effects
from bio_interp.variants._likelihood import log_likelihood_ratios
from bio_interp.variants._notation import (
    LETTERS,
    Mutation,
    Variant,
    all_substitutions,
    parse_variant,
)
from bio_interp.variants._scan import SCAN, Scan, scan
from bio_interp.variants._view import view_variant

__all__ = [
    "EFFECTS",
    "LETTERS",
    "RANKINGS",
    "SCAN",
    "FeatureChanges",
    "Mutation",
    "Ranking",
    "Scan",
    "Variant",
    "all_substitutions",
    "feature_changes",
    "log_likelihood_ratios",
    "one_protein",
    "parse_variant",
    "scan",
    "variant_effects",
    "view_variant",
]
