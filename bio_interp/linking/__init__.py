"""Features x concepts, in one pass; links, calls and how often calls are right.

Links are chosen on the *select* fold, calls are priced on *calibrate*, and the report is made on
*test*, once. The unit is the homology cluster. See `LinkTable` for the columns.
"""

from bio_interp.linking._calibration import CALIBRATION, calibrate, look_up
from bio_interp.linking._calls import Caller, CallRule, RawCall
from bio_interp.linking._choose import Choice, LinkType, choose
from bio_interp.linking._figures import (
    calibration_error,
    calibration_figures,
    link_figures,
    paired_bootstrap,
)
from bio_interp.linking._fold import Fold
from bio_interp.linking._intervals import Intervals
from bio_interp.linking._labels import Labels, lay_labels
from bio_interp.linking._link import CALLS, judged_calls, lay_split_labels, link
from bio_interp.linking._outcome import Outcome, cluster_sums, outcome, rescore
from bio_interp.linking._table import CALLERS, LINKS, LinkTable

__all__ = [
    "CALIBRATION",
    "CALLERS",
    "CALLS",
    "LINKS",
    "CallRule",
    "Caller",
    "Choice",
    "Fold",
    "Intervals",
    "Labels",
    "LinkTable",
    "LinkType",
    "Outcome",
    "RawCall",
    "calibrate",
    "calibration_error",
    "calibration_figures",
    "choose",
    "cluster_sums",
    "judged_calls",
    "lay_labels",
    "lay_split_labels",
    "link",
    "link_figures",
    "look_up",
    "outcome",
    "paired_bootstrap",
    "rescore",
]
