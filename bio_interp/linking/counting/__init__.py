"""Count every feature x concept x threshold of a fold in one pass, and score the counts.

========= ============================================ ==============
step      in -> out
========= ============================================ ==============
`bin_edges`  activations -> lower edges of the bins    ``(d_sae, bins)``
`count`      activations x concepts -> `Counts`        a block of features at a time
`scan`       counts -> `Scan`: F1, AUROC, AP ...       ``(concepts, d_sae)``
========= ============================================ ==============

What is counted is given by `Columns`: activations by feature along one axis of residues.
"""

from bio_interp.linking.counting._blocks import ranges
from bio_interp.linking.counting._columns import Block, Columns, StoreColumns
from bio_interp.linking.counting._counts import Counts, count
from bio_interp.linking.counting._edges import BINS, bin_edges
from bio_interp.linking.counting._ground import Totals, totals
from bio_interp.linking.counting._merge import all_reduced, save_counts, saved_counts
from bio_interp.linking.counting._scan import PRECISIONS, Best, Scan, scan
from bio_interp.linking.counting._scores import BlockScores, Truth

__all__ = [
    "BINS",
    "PRECISIONS",
    "Best",
    "Block",
    "BlockScores",
    "Columns",
    "Counts",
    "Scan",
    "StoreColumns",
    "Totals",
    "Truth",
    "all_reduced",
    "bin_edges",
    "count",
    "ranges",
    "save_counts",
    "saved_counts",
    "scan",
    "totals",
]
