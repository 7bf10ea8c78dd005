"""InterPLM's protocol to the letter, and what peers get wrong of it as switches.

A concept is scored by ``f1_per_domain``: precision over residues, recall over instances, of which
one residue finds the whole. It is generous, and here for comparison with what others publish; the
protocol of this package is `bio_interp.linking.link`.

`protocol` reads codes and annotations of two folds and gives a `Report`. In the order of its steps:
`interplm_concepts` names the concepts, `lay_truth` lays them along residues and leaves out the rare
ones, `lower_edges` turns thresholds into activations, `tallies` counts, `figures` scores. `Defects`
are the peers' mistakes, all off unless asked for.
"""

from bio_interp.linking.interplm._codes import encode_rows
from bio_interp.linking.interplm._concepts import interplm_concepts
from bio_interp.linking.interplm._defects import Defects
from bio_interp.linking.interplm._metrics import Figures, Tally, figures, lower_edges, table
from bio_interp.linking.interplm._protocol import protocol, tallies
from bio_interp.linking.interplm._rules import Rules, is_residue_level
from bio_interp.linking.interplm._select import Report
from bio_interp.linking.interplm._truth import Truth, lay_truth

__all__ = [
    "Defects",
    "Figures",
    "Report",
    "Rules",
    "Tally",
    "Truth",
    "encode_rows",
    "figures",
    "interplm_concepts",
    "is_residue_level",
    "lay_truth",
    "lower_edges",
    "protocol",
    "table",
    "tallies",
]
