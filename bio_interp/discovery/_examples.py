"""Examples of an atlas that speak for a call."""

from __future__ import annotations

from bio_interp.atlas import Atlas, Call
from bio_interp.errors import printable

SHOWN = 3


class Examples:
    """Where the features of an atlas fire most; each feature is looked up once."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._known: dict[int, list[tuple[str, frozenset[str]]]] = {}

    def of(self, call: Call, concepts: frozenset[str]) -> tuple[str, ...]:
        """Find examples of the call's features, the strongest feature first, that bear a concept.

        Up to 3, ``accession:position``; none where the atlas was packed without examples.
        """
        places = (
            place
            for feature in call.features
            for place, there in self._of_feature(feature)
            if concepts & there
        )
        return tuple(dict.fromkeys(places))[:SHOWN]

    def _of_feature(self, feature: int) -> list[tuple[str, frozenset[str]]]:
        if feature not in self._known:
            frame = self._atlas.feature(feature).examples
            rows = frame.select("accession", "position", "concepts").iter_rows()
            self._known[feature] = [
                (f"{printable(accession)}:{position}", frozenset(concepts))
                for accession, position, concepts in rows
            ]
        return self._known[feature]
