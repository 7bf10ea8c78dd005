"""The motif of a feature: which letters stand around its peaks, and whether chance has them too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.atlas._decoys import LETTERS
from bio_interp.atlas._shown import Shown
from bio_interp.render import Markup, element

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 10  # residues on either side of the peak
WINDOWS = 200  # one a cluster; a count of them fits in a byte
FEWEST_WINDOWS = 10
RANDOM_LOGOS = 1000  # a logo is shown that has more information than all of these
CONSENSUS_BITS = 0.5  # information of a position that has a letter in the consensus, at least
_BY_CHANCE = 0.99  # quantile of random positions that such a position is above, too
_SIZES = (10, 14, 20, 28, 40, 56, 80, 112, 160, 200)
_OTHER = len(LETTERS)  # X, B, Z, U, O, J and beyond the ends
_CODE = np.full(256, _OTHER, dtype=np.uint8)
_CODE[np.frombuffer(LETTERS.encode(), np.uint8)] = np.arange(len(LETTERS))


@dataclass(frozen=True)
class Logo:
    """Letters around the peaks of a feature, one peak a homology cluster.

    ``numpy.asarray(logo)`` is `pssm`. Columns are the letters ``ACDEFGHIKLMNPQRSTVWY``, rows the
    positions from ten before the peak to ten after it.

    Attributes
    ----------
    counts
        How many windows have the letter there, ``(window, 20)``. Other letters, and what lies
        beyond an end of a protein, are not counted.
    background
        Composition of the proteins that were looked at, ``(20,)``, with sum 1.
    windows
        Number of windows. Where a position has fewer letters, the others count as background: two
        windows that reach so far make no motif.
    floor
        Bits that 1 in 100 positions of random logos of so many windows has.

    Examples
    --------
    >>> counts = np.zeros((21, 20), int)
    >>> counts[10, LETTERS.index("W")] = 100
    >>> logo = Logo(counts, np.full(20, 1 / 20), 100, 0.2)
    >>> logo.consensus, round(float(logo.information[10]), 2)
    ('..........W..........', 3.53)
    """

    counts: Int[ndarray, "window 20"]
    background: Float[ndarray, "20"]
    windows: int
    floor: float

    @cached_property
    def probabilities(self) -> Float[ndarray, "window 20"]:
        """Letters at each position; ``sqrt(windows)`` pseudocounts are spread as the background is.

        So many as Lawrence et al. (1993, Science 262:208) take. A position without any letter has
        the background itself.
        """
        return _probabilities(self.counts, self.background, self.windows)

    @property
    def pssm(self) -> Float[ndarray, "window 20"]:
        """Log-odds in bits, ``log2(probability / background)``."""
        return np.log2(self.probabilities / self.background)

    @property
    def information(self) -> Float[ndarray, "window"]:
        """Bits at each position: relative entropy to the background."""
        return _information(self.counts, self.background, self.windows)

    @property
    def consensus(self) -> str:
        """The commonest letter of each position.

        A capital where half of the windows or more have it, small where not, and ``.`` where the
        position has less than `CONSENSUS_BITS`, or less than `floor`.
        """
        share = self.counts / self.windows
        best = self.counts.argmax(1)
        letters = ""
        for place, (letter, bits) in enumerate(zip(best, self.information, strict=True)):
            name = LETTERS[letter] if share[place, letter] >= 0.5 else LETTERS[letter].lower()
            letters += name if bits >= max(CONSENSUS_BITS, self.floor) else "."
        return letters

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ndarray:
        return np.asarray(self.pssm, dtype=dtype)

    def __repr__(self) -> str:
        return f"Logo({self.consensus!r}, {self.information.sum():.1f} bits)"

    def figure(self) -> Figure:
        """Draw it: letters as high as ``probability * information``."""
        from bio_interp.atlas._logo_picture import draw_logo

        return draw_logo(self)

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        buffer = BytesIO()
        self.figure().savefig(buffer, format="png", dpi=100, metadata={"Software": None})
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        return self.image()

    def image(self) -> Markup:
        """Give the picture as an HTML element that holds it, with the motif in words."""
        from base64 import b64encode

        data = b64encode(self._repr_png_()).decode("ascii")
        about = f"motif {self.consensus}, {self.information.sum():.1f} bits"
        return element("img", src=f"data:image/png;base64,{data}", alt=about)


def letter_counts(
    rows: Int[ndarray, "*logos windows"], shown: Shown
) -> Int[ndarray, "*logos window 20"]:
    """Count the letters around some rows of a store, whose residues are at hand."""
    protein = np.searchsorted(shown.starts, rows, side="right") - 1
    at = rows[..., None] + np.arange(-SIDE, SIDE + 1)
    inside = (at >= shown.starts[protein][..., None]) & (at < shown.starts[protein + 1][..., None])
    codes = np.full(at.shape, _OTHER, dtype=np.int64)
    codes[inside] = _CODE[shown.letters[at[inside]]]
    width, logos = 2 * SIDE + 1, int(np.prod(rows.shape[:-1]))
    codes = codes.reshape(logos, -1, width) + (len(LETTERS) + 1) * np.arange(width)
    codes += (len(LETTERS) + 1) * width * np.arange(logos)[:, None, None]
    counts = np.bincount(codes.ravel(), minlength=logos * width * (len(LETTERS) + 1))
    return counts.reshape(*rows.shape[:-1], width, -1)[..., : len(LETTERS)]


def composition(shown: Shown) -> Float[ndarray, "20"]:
    """Count the letters of the proteins that are looked at, as shares; one is added to each."""
    counts = np.bincount(_CODE[shown.letters], minlength=_OTHER + 1)[:_OTHER] + 1
    return counts / counts.sum()


class RandomLogos:
    """How much information the letters around random residues of the same proteins have.

    Residues are drawn from all that are looked at, by accession, so that the order of the store
    changes nothing; the same seed for all features.
    """

    def __init__(self, shown: Shown, background: Float[ndarray, "20"]) -> None:
        self._shown, self._background = shown, background
        self._known: dict[int, tuple[float, float]] = {}
        self._order = np.flatnonzero(shown.kept)[np.argsort(shown.rank[shown.kept])]
        self._ends = np.cumsum(np.diff(shown.starts)[self._order])

    def limits(self, windows: int) -> tuple[float, float]:
        """Give the most bits of `RANDOM_LOGOS` random logos, and what few of their positions have.

        They are of so many windows, or of some fewer, which have more information by chance: it
        errs on the side of no logo.
        """
        size = max(s for s in _SIZES if s <= windows)
        if size not in self._known:
            logos = letter_counts(self._rows((RANDOM_LOGOS, size)), self._shown)
            bits = _information(logos, self._background, size)
            whole, one = bits.sum(-1).max(), np.quantile(bits, _BY_CHANCE)
            self._known[size] = float(whole), float(one)
        return self._known[size]

    def _rows(self, shape: tuple[int, int]) -> Int[ndarray, "logos windows"]:
        drawn = np.random.default_rng(shape[1]).integers(0, self._ends[-1], shape)
        which = np.searchsorted(self._ends, drawn, side="right")
        lengths = np.diff(self._shown.starts)[self._order]
        before = self._ends[which] - lengths[which]
        return self._shown.starts[self._order[which]] + drawn - before


def logo_columns(
    rows: Int[ndarray, "clusters"], shown: Shown, chance: RandomLogos, background: ndarray
) -> dict[str, Any]:
    """Measure the motif of one feature; columns of ``features.parquet``.

    Parameters
    ----------
    rows
        Its best residue in each cluster, `WINDOWS` at most.
    shown
        The proteins that are looked at, with letters.
    chance
        What random residues of them have.
    background
        See `composition`.

    Returns
    -------
    dict
        ``logo_windows, logo_information`` (bits, sum over positions) and ``logo_null`` (see
        `RandomLogos.limits`), and where there is more than that, ``logo`` (counts, position by
        position), ``background``, ``logo_floor`` and ``consensus``. The first alone for fewer than
        `FEWEST_WINDOWS`.
    """
    if len(rows) < FEWEST_WINDOWS:
        return {"logo_windows": len(rows)}
    counts = letter_counts(rows, shown)
    bits = float(_information(counts, background, len(rows)).sum())
    null, floor = chance.limits(len(rows))
    measured = {"logo_windows": len(rows), "logo_information": bits, "logo_null": null}
    if bits <= null:
        return measured
    logo = Logo(counts, background, len(rows), floor)
    shares = background.astype(np.float32).tolist()
    return {
        **measured,
        "logo": counts.ravel().tolist(),
        "background": shares,
        "logo_floor": floor,
        "consensus": logo.consensus,
    }


def _probabilities(
    counts: Int[ndarray, "*logos window 20"], background: Float[ndarray, "20"], windows: int
) -> Float[ndarray, "*logos window 20"]:
    lacking = windows - counts.sum(-1, keepdims=True)
    return (counts + (lacking + sqrt(windows)) * background) / (windows + sqrt(windows))


def _information(
    counts: Int[ndarray, "*logos window 20"], background: Float[ndarray, "20"], windows: int
) -> Float[ndarray, "*logos window"]:
    """Bits of the positions of logos."""
    p = _probabilities(counts, background, windows)
    return (p * np.log2(p / background)).sum(-1)
