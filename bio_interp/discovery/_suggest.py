"""Calls of an atlas where a database is silent."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import Atlas, Call, ProteinResult
from bio_interp.discovery._examples import Examples
from bio_interp.discovery._known import Knowledge, Known
from bio_interp.discovery._suggestion import Suggestion, ranked_table
from bio_interp.errors import InputError, MismatchError, NotFoundError, printable
from bio_interp.sequences import Protein, as_proteins

MARGIN = 5  # residues by which a call may lag behind an annotation and still echo it
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What became of the proteins and calls so far.

    Attributes
    ----------
    proteins
        Read by the model.
    not_annotated
        Proteins that the annotations do not speak of: not read.
    other_sequence
        Proteins that end before their annotations do: not read.
    calls
        Calls of `proteins`: the sum of the next four.
    annotated
        Calls where the database says the same or more.
    not_looked
        Calls where nobody looked for their kind on half of them or more.
    unknown
        Calls of which half or more is masked for their concept or kind.
    suggested
        Calls where it is silent.
    """

    proteins: int = 0
    not_annotated: int = 0
    other_sequence: int = 0
    calls: int = 0
    annotated: int = 0
    not_looked: int = 0
    unknown: int = 0
    suggested: int = 0

    def __str__(self) -> str:
        left_out = f"{self.annotated:,} annotated, {self.not_looked:,} where nobody looked"
        proteins = f"{self.not_annotated:,} others without annotations"
        if self.other_sequence:
            proteins += f", {self.other_sequence:,} of another sequence"
        return (
            f"{self.suggested:,} suggestions of {self.calls:,} calls ({left_out}, "
            f"{self.unknown:,} masked) in {self.proteins:,} proteins ({proteins})"
        )

    def to_dict(self) -> dict[str, int]:
        """Give the counts by name."""
        return asdict(self)


class Suggestions(Iterator[Suggestion]):
    """Suggestions as they come, in the order of the proteins; read once.

    Attributes
    ----------
    tally
        What became of the proteins and calls read so far.
    """

    def __init__(self, suggestions: Iterable[Suggestion], tally: Tally) -> None:
        self._suggestions, self.tally = iter(suggestions), tally

    def __next__(self) -> Suggestion:
        return next(self._suggestions)

    def frame(self, progress: Callable[[int], None] | None = None) -> pl.DataFrame:
        """Read what is left and rank it: columns of `SUGGESTIONS`, the best first.

        `progress` is called, at each suggestion, with the number of proteins read so far.
        """
        return ranked_table(self if progress is None else self._told(progress))

    def _told(self, progress: Callable[[int], None]) -> Iterator[Suggestion]:
        for suggestion in self:
            progress(self.tally.proteins)
            yield suggestion


def suggest(
    atlas: Atlas,
    proteins: str | Path | Mapping[str, str] | Iterable[Protein],
    annotations: AnnotationTable,
    *,
    min_precision: float = 0.8,
    margin: int = MARGIN,
    kinds: Collection[str] | None = None,
) -> Suggestions:
    """Find annotations that a database seems to miss.

    Every protein that the annotations speak of is annotated with the atlas. A call is left out
    where the database has the concept, or one that says the same or more (members of its group,
    subkinds, concepts of the same InterPro entry or on the same residues in these annotations), and
    where nobody looked for its kind. What is left is suggested.

    The precision of a suggestion was calibrated on all calls of its concept and strength. Where a
    database is nearly complete most right calls are annotated already, and those that are left are
    right less often: it ranks, and it is no promise.

    Parameters
    ----------
    atlas
        Makes the calls.
    proteins
        As for `Atlas.annotate`; read as they come.
    annotations
        What the database has, and where it looked.
    min_precision
        Calls whose lower bound of precision is at least this.
    margin
        A call of a span this many residues or fewer away from an annotation that says the same is
        left out as well.
    kinds
        Calls of these kinds of concept only (``uniprot:BINDING``, ``pfam``); all where None.

    Raises
    ------
    MismatchError
        The atlas knows no kind of concept that the annotations looked for; or, once all proteins
        are read, all of them end before their annotations do.
    NotFoundError
        The atlas has no concept of one of `kinds`; or, once all proteins are read, the annotations
        speak of none of them.
    """
    if margin < 0:
        raise InputError("a margin of 0 residues or more", str(margin), "Give 5, or 0 for none.")
    knowledge = Knowledge(annotations, atlas.links.concepts, margin)
    wanted = _check_kinds(atlas, knowledge, kinds)
    tally = Tally()
    finder = _Finder(atlas, knowledge, wanted, tally)
    return Suggestions(finder.each(as_proteins(proteins), min_precision), tally)


def _check_kinds(
    atlas: Atlas, knowledge: Knowledge, kinds: Collection[str] | None
) -> frozenset[str]:
    """Choose the kinds of call to look at: those asked for, and looked for by the database."""
    known = frozenset(atlas.links.concepts["kind"])
    for kind in kinds or ():
        if kind not in known:
            raise NotFoundError(
                f"kinds of concept of the atlas {atlas.name!r} ({', '.join(sorted(known))})",
                repr(kind),
                "Choose some of those.",
            )
    wanted = known if kinds is None else frozenset(kinds)
    if not wanted & knowledge.looked_kinds:
        looked = ", ".join(sorted(map(printable, knowledge.looked_kinds))) or "nothing"
        raise MismatchError(
            f"annotations that looked for what the atlas {atlas.name!r} knows "
            f"({', '.join(sorted(wanted))})",
            f"annotations that looked for {looked}",
            "Give annotations of these kinds, or an atlas of those.",
        )
    left = wanted - knowledge.looked_kinds
    if left:
        _LOG.info("not looked for in these annotations, so left out: %s", ", ".join(sorted(left)))
    return wanted


class _Finder:
    """Reads proteins, and keeps the calls where the database is silent."""

    def __init__(
        self, atlas: Atlas, knowledge: Knowledge, kinds: frozenset[str], tally: Tally
    ) -> None:
        self._atlas, self._knowledge, self._kinds, self._tally = atlas, knowledge, kinds, tally
        self._examples = Examples(atlas)

    def each(self, proteins: Iterable[Protein], min_precision: float) -> Iterator[Suggestion]:
        """Give the suggestions of each protein, in input order."""
        names: deque[str] = deque()
        other = ""

        def spoken_of() -> Iterator[Protein]:
            nonlocal other
            for protein in proteins:
                if self._is_spoken_of(protein):
                    names.append(" ".join(printable(protein.description).split()))
                    yield protein
                else:
                    other = other or protein.accession

        for result in self._atlas.annotate(spoken_of(), min_precision=min_precision):
            self._tally.proteins += 1
            yield from self._of(result, names.popleft())
        if not self._tally.proteins:
            raise self._nothing(other)

    def _is_spoken_of(self, protein: Protein) -> bool:
        if protein.accession not in self._knowledge:
            self._tally.not_annotated += 1
            return False
        last = self._knowledge.last_residue(protein.accession)
        if last > len(protein):
            self._tally.other_sequence += 1
            text = "left out: %s has %d residues and annotations up to %d"
            _LOG.warning(text, protein.accession, len(protein), last)
            return False
        return True

    def _of(self, result: ProteinResult, name: str) -> Iterator[Suggestion]:
        known = self._knowledge.of(result.protein.accession)
        for call in result.calls:
            if self._knowledge.kind(call.concept) not in self._kinds:
                continue
            verdict = self._knowledge.verdict(call, known)
            self._tally.calls += 1
            counted = "suggested" if verdict == "silent" else verdict
            setattr(self._tally, counted, getattr(self._tally, counted) + 1)
            if verdict == "silent":
                out = result.protein.status == "out_of_domain"
                yield self._suggestion(call, known, name, out_of_domain=out)

    def _suggestion(
        self, call: Call, known: list[Known], name: str, *, out_of_domain: bool
    ) -> Suggestion:
        knowledge = self._knowledge
        flags = call.flags + ("open_world",) * knowledge.is_open(call.concept)
        flags += ("out_of_domain",) * out_of_domain
        near = knowledge.nearest(call, known)
        return Suggestion(
            call=replace(call, flags=flags),
            features=tuple(f"{self._atlas.name}/f{f}" for f in call.features),
            nearest=near.text if near else "",
            nearest_distance=near.distance(call) if near else None,
            overlapping=tuple(k.text for k in knowledge.overlapping(call, known)),
            evidence_elsewhere=knowledge.evidence(call, known),
            examples=self._examples.of(call, knowledge.related(call.concept)),
            protein_name=name,
        )

    def _nothing(self, other: str) -> NotFoundError | MismatchError:
        if self._tally.other_sequence:
            return MismatchError(
                "proteins with the sequences that were annotated",
                f"{self._tally.other_sequence:,} that all end before their annotations do, such as "
                f"{other}",
                "Give the sequences of the annotated release.",
            )
        return NotFoundError(
            "proteins that the annotations speak of, by accession",
            f"{self._tally.not_annotated:,} others, such as {other!r}; the annotations have "
            f"{self._knowledge.some_accession()!r}",
            "Give proteins and annotations of the same accessions.",
        )
