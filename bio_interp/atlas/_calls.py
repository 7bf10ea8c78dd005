"""What an atlas says of a protein."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jaxtyping import Float
from numpy import ndarray

from bio_interp.atlas._notebook import show_result
from bio_interp.errors import MissingExtraError, NotFoundError
from bio_interp.render import element
from bio_interp.sequences import Protein

if TYPE_CHECKING:
    import pandas
    import polars as pl
    from scipy.sparse import csc_matrix

    from bio_interp.structures import Structure, StructureView, Style

SHORTEST = 10  # residues of a protein that is read
_SHOWN = 20  # proteins in a notebook
Status = Literal["ok", "no_known_concept", "out_of_domain", "too_short", "windowed"]


@dataclass(frozen=True, slots=True)
class Call:
    """One annotation of a protein.

    Attributes
    ----------
    accession
        The protein.
    start, end
        The firing residues, 1-based and inclusive. They are evidence, not a predicted extent.
    concept, name
        What is called: an id such as ``pfam:PF00069``, and its name. ``feature:12`` is a feature
        without a link (only with ``all_features``).
    link_type
        ``family_marker``, ``locator`` or ``delineator``; ``unlinked`` for a bare feature.
    features
        Features behind the call, the strongest first.
    peak
        Largest activation of the strongest feature.
    precision, precision_low, precision_high
        Share of such calls that were right on homology clusters kept for calibration, and its
        95 % interval. NaN for a bare feature.
    n
        Calibration calls of this concept and strength behind the precision; 0 means that it
        rests on the other concepts of its class alone.
    exposure
        Whether the SAE, links or calibration have seen this very sequence; see the model card
        for what the language model has seen.
    flags
        ``weak`` (lower bound below the one asked for), ``low_complexity``, ``window_edge`` (it
        reaches a residue where two windows of a long protein were stitched, so that each side was
        read without some of the other).
    strength
        Probability that the call is right as its rule puts it, which only ranks the calls of one
        concept; 0 for a bare feature.
    """

    accession: str
    start: int
    end: int
    concept: str
    name: str
    link_type: str
    features: tuple[int, ...]
    peak: float
    precision: float
    precision_low: float
    precision_high: float
    n: int
    exposure: str
    flags: tuple[str, ...] = ()
    strength: float = 0.0


@dataclass(frozen=True, slots=True)
class ProteinStatus:
    """How a protein fared.

    Attributes
    ----------
    status
        ``ok``; ``no_known_concept`` (nothing to report at the precision asked for);
        ``out_of_domain`` (the SAE rebuilds its activations worse than 99 % of the calibration
        proteins: read its calls with care); ``too_short`` (not read); ``windowed`` (read in
        overlapping windows).
    """

    accession: str
    length: int
    status: Status
    calls: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProteinResult:
    """A protein's status and calls, the calls by region and then by precision.

    Attributes
    ----------
    sequence
        What was read; empty where whoever made the result left it out.
    activations
        Of the features behind the calls, a value a residue, by feature; empty unless
        `Atlas.annotate` was asked for them.
    """

    protein: ProteinStatus
    calls: tuple[Call, ...]
    sequence: str = ""
    activations: Mapping[int, Float[ndarray, "residues"]] = field(
        default_factory=dict[int, ndarray], compare=False
    )

    def _repr_html_(self) -> str:
        return show_result(self)

    def view(
        self, structure: Structure | Path | str | None = None, *, style: Style = "cartoon"
    ) -> StructureView:
        """Show on a structure how the features behind the calls fire; see `view_result`."""
        from bio_interp.atlas._view_calls import view_result

        return view_result(self, structure, style=style)


class Annotations(Iterator[ProteinResult]):
    """Results of proteins as they come, in input order; each comes once.

    What is asked for out of turn is kept until its turn: all results for `df` and for how a
    notebook shows them, those up to a protein for ``annotations["P12345"]``.
    """

    def __init__(self, results: Iterable[ProteinResult]) -> None:
        self._results = iter(results)
        self._ahead: deque[ProteinResult] = deque()

    def __repr__(self) -> str:
        return f"Annotations({len(self._ahead)} results read ahead; `df` reads and keeps all)"

    def __next__(self) -> ProteinResult:
        return self._ahead.popleft() if self._ahead else next(self._results)

    def __getitem__(self, protein: str | Protein) -> ProteinResult:
        accession = protein if isinstance(protein, str) else protein.accession
        for result in self._ahead:
            if result.protein.accession == accession:
                return result
        for result in self._results:
            self._ahead.append(result)
            if result.protein.accession == accession:
                return result
        raise NotFoundError(
            "a protein that was annotated, and not read before",
            repr(accession),
            "Annotate it, or ask before you read on.",
        )

    def _repr_html_(self) -> str:
        self._ahead.extend(self._results)
        shown = "".join(map(show_result, islice(self._ahead, _SHOWN)))
        rest = len(self._ahead) - _SHOWN
        return shown + (
            element("p", f"{rest} more proteins; `df` has all calls") if rest > 0 else ""
        )

    @property
    def df(self) -> pl.DataFrame:
        """The calls of all results to come as a table, a row a call; the results are kept."""
        import polars as pl

        self._ahead.extend(self._results)
        rows = [[getattr(c, f.name) for f in fields(Call)] for r in self._ahead for c in r.calls]
        text, whole, real = pl.String, pl.Int64, pl.Float64
        schema = {
            f.name: {"str": text, "int": whole, "float": real}.get(str(f.type), pl.List(text))
            for f in fields(Call)
        }
        schema["features"] = pl.List(pl.Int64)
        for row in rows:
            row[6], row[13] = list(row[6]), list(row[13])
        return pl.DataFrame(rows, schema=schema, orient="row")

    def to_pandas(self) -> pandas.DataFrame:
        """Give `df` to pandas.

        Raises
        ------
        MissingExtraError
            The package `pandas` is not installed.
        """
        if find_spec("pandas") is None:
            raise MissingExtraError(
                "the package pandas", "an environment without it", "Run: pip install pandas"
            )
        import pandas

        frame = self.df
        numbers = {name: type_ for name, type_ in frame.schema.items() if type_.is_numeric()}
        # by way of lists: polars' own way needs pyarrow too
        table = pandas.DataFrame(frame.to_dict(as_series=False))
        return table.astype(
            {name: "int64" if t.is_integer() else "float64" for name, t in numbers.items()}
        )


def too_short(protein: Protein) -> ProteinResult:
    """Make the result of a protein that no model was asked about."""
    note = f"shorter than {SHORTEST} residues: not read"
    status = ProteinStatus(protein.accession, len(protein), "too_short", 0, note)
    return ProteinResult(status, (), protein.sequence)


def activations_behind(
    calls: Iterable[Call], codes: csc_matrix
) -> dict[int, Float[ndarray, "residues"]]:
    """Take the activations of the features behind calls, by feature.

    `codes` is ``(residues, d_sae)``, by column.
    """
    features = sorted({feature for call in calls for feature in call.features})
    return {feature: codes[:, feature].toarray()[:, 0] for feature in features}


def flag_window_edges(calls: Iterable[Call], cuts: Sequence[int]) -> list[Call]:
    """Flag the calls that reach the residue before or after a cut; see `Reading.cuts`."""

    def reaches(call: Call) -> bool:
        return any(call.start <= cut + 1 and cut <= call.end for cut in cuts)

    return [
        replace(call, flags=(*call.flags, "window_edge")) if reaches(call) else call
        for call in calls
    ]
