"""Whether the residues where a feature fires belong together in space.

A feature's residues in a chain are *blocks*: runs, joined over gaps of up to 5 residues. The null
hypothesis is that the feature is blind to the structure: its blocks may as well lie anywhere
else in the chain, in any order, with any gaps. The unit is the homology cluster, of which one
chain is taken; what is observed is compared with sums over clusters (`sum_p`), one-sided.

=============== ===================================================================================
statistic       mean in a chain, over
=============== ===================================================================================
``distance``    pairs of firing residues of different blocks: angstrom between CB. *Compact* is
                what has less than random placements
``beyond``      the same pairs: angstrom above what is usual for two residues that far apart along
                the sequence, that deep in the chain, of these letters. Blocks that are neighbours
                in the sequence are near for that reason alone, as are greasy letters in the core
``separation``  the same pairs: residues along the sequence; not tested
`PROPERTIES`    firing residues: 1 where one is within 5 angstrom of a ``ligand``, ``metal``,
                ``nucleic`` chain, named ``site`` or another chain (``interface``), in the ``core``
                or at the ``surface`` (relative accessibility below 0.25, or not), in a ``helix``,
                a ``strand`` or a ``loop``
=============== ===================================================================================

`SPATIAL` are the columns of the table: clusters where the feature fires and where it has two
blocks or more, the mean of each statistic and what random placements have (``_null``), the effect
in their standard deviations (``compact``, ``beyond``, ``around_effect``: above 0 for closer, and
for more), p and q. What fewer than `FEWEST` clusters tell of is null: it is not tested.
"""

from bio_interp.linking.spatial._adaptive import ENOUGH, MOST, standardised, sum_p
from bio_interp.linking.spatial._blocks import Blocks, blocks_of, draw_starts
from bio_interp.linking.spatial._chains import (
    CONFIDENT,
    NEAR,
    PROPERTIES,
    SHORTEST,
    SpatialChain,
    one_a_cluster,
    spatial_chains,
)
from bio_interp.linking.spatial._ground import PAIRS, STATISTICS
from bio_interp.linking.spatial._measure import FEWEST, POOL, Measured, measure_spatial
from bio_interp.linking.spatial._table import SPATIAL, spatial_table
from bio_interp.linking.spatial._usual import depths, excess_of_letters, usual_distances

__all__ = [
    "CONFIDENT",
    "ENOUGH",
    "FEWEST",
    "MOST",
    "NEAR",
    "PAIRS",
    "POOL",
    "PROPERTIES",
    "SHORTEST",
    "SPATIAL",
    "STATISTICS",
    "Blocks",
    "Measured",
    "SpatialChain",
    "blocks_of",
    "depths",
    "draw_starts",
    "excess_of_letters",
    "measure_spatial",
    "one_a_cluster",
    "spatial_chains",
    "spatial_table",
    "standardised",
    "sum_p",
    "usual_distances",
]
