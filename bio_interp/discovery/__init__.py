"""Finding things with an atlas: annotations that a database seems to miss.

`suggest` gives a `Suggestion` for each call where the database is silent; a table of them has the
columns `SUGGESTIONS`. Positions are 1-based and inclusive.
"""

from bio_interp.discovery._suggest import Suggestions, Tally, suggest
from bio_interp.discovery._suggestion import SUGGESTIONS, Suggestion

__all__ = [
    "SUGGESTIONS",
    "Suggestion",
    "Suggestions",
    "Tally",
    "suggest",
]
