"""Features for a question, features that separate two sets, annotations that a database misses.

============= ============================ ========================================================
object        made by                      what is in it
============= ============================ ========================================================
`Found`       `find`                       features (`bio_interp.atlas.LINKED`, or `FOUND`), and
                                           the places where they fire for nothing (`NEGATIVES`)
`Contrast`    `contrast`                   features and baselines in one table (`SCORES`), and how
                                           alike the sets are (`BALANCE`)
`Suggestions` `suggest`                    a `Suggestion` for each call where the database is
                                           silent; as a table, columns `SUGGESTIONS`
============= ============================ ========================================================

What `find` and `contrast` choose is chosen on one half of the homology clusters and scored on the
other.
"""

from bio_interp.discovery._contrast import ContrastOptions, contrast
from bio_interp.discovery._contrasted import Contrast
from bio_interp.discovery._find import FindOptions, find
from bio_interp.discovery._found import FOUND, NEGATIVES, Found
from bio_interp.discovery._matching import BALANCE
from bio_interp.discovery._scored import SCORES
from bio_interp.discovery._spans import LabelledSpan, read_spans
from bio_interp.discovery._suggest import Suggestions, Tally, suggest
from bio_interp.discovery._suggestion import SUGGESTIONS, Suggestion

__all__ = [
    "BALANCE",
    "FOUND",
    "NEGATIVES",
    "SCORES",
    "SUGGESTIONS",
    "Contrast",
    "ContrastOptions",
    "FindOptions",
    "Found",
    "LabelledSpan",
    "Suggestion",
    "Suggestions",
    "Tally",
    "contrast",
    "find",
    "read_spans",
    "suggest",
]
