"""Whether a link holds up: tails, nulls, intervals, prevalence, evidence and the winner's curse.

The unit is the homology cluster. To *screen* all pairs, `cluster_tail` and `benjamini_hochberg`; to
*claim* a concept, `null_maxima` against permuted labels, `claim_p`, and `benjamini_hochberg` over
the concepts; to *report*, `cluster_intervals` beside `prevalence`.

=======================  ==========================================================================
`SUMS`                   ``concept, cluster, right, runs, found, spans``: what `cluster_intervals`
                         resamples
`ClusterIntervals`       ``concepts``: value, ``_low`` and ``_high`` of ``precision``, ``recall``
                         and ``f1`` (0 to 1); ``figures``: ``figure, value, low, high``
`PREVALENCE`             shares of known ``residues``, ``proteins`` and ``clusters`` that bear a
                         concept, and the counts behind them
`EVIDENCE`               ``positives``, ``proteins`` and ``clusters`` of a ``concept`` left in a
                         ``fold`` at a ``level`` of evidence or stronger; whether it is ``testable``
`Curse`                  scores of chosen pairs on ``select``, ``calibrate`` and ``test``, and the
                         ``drop``
=======================  ==========================================================================
"""

from bio_interp.linking.statistics._curse import BestScore, Curse, best_score, winners_curse
from bio_interp.linking.statistics._evidence import EVIDENCE, MIN_TEST_CLUSTERS, evidence_left
from bio_interp.linking.statistics._null import (
    Best,
    claim_p,
    null_maxima,
    one_per_cluster,
    permute_labels,
)
from bio_interp.linking.statistics._prevalence import PREVALENCE, prevalence
from bio_interp.linking.statistics._resample import (
    SUMS,
    ClusterIntervals,
    cluster_intervals,
    paired_intervals,
)
from bio_interp.linking.statistics._tails import (
    benjamini_hochberg,
    cluster_tail,
    matched_total,
    size_strata,
)

__all__ = [
    "EVIDENCE",
    "MIN_TEST_CLUSTERS",
    "PREVALENCE",
    "SUMS",
    "Best",
    "BestScore",
    "ClusterIntervals",
    "Curse",
    "benjamini_hochberg",
    "best_score",
    "claim_p",
    "cluster_intervals",
    "cluster_tail",
    "evidence_left",
    "matched_total",
    "null_maxima",
    "one_per_cluster",
    "paired_intervals",
    "permute_labels",
    "prevalence",
    "size_strata",
    "winners_curse",
]
