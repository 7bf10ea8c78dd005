"""Write calls as one HTML page: no network, no scripts, nothing beside it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, TextIO
from urllib.parse import quote

from bio_interp.render import Markup, concept_color, element, join
from bio_interp.reports._columns import RunHeader, as_text, call_values
from bio_interp.reports._tracks import tracks

if TYPE_CHECKING:
    from bio_interp.atlas import Call, ProteinResult

_COLUMNS = {
    "start": "start",
    "end": "end",
    "concept": "concept",
    "name": "name",
    "link_type": "link type",
    "precision": "precision",
    "interval": "95 % interval",
    "n": "n",
    "peak": "peak",
    "features": "features",
    "exposure": "exposure",
    "flags": "flags",
}
_NUMBERS = frozenset({"start", "end", "precision", "interval", "n", "peak"})
_LETTERS_A_LINE = 60
_LEGEND = (
    "Each bar is a call: the residues where features of the concept fire, which is evidence and "
    "not a predicted extent. A dashed bar is weak: the lower bound of its precision is under the "
    "one asked for. A concept has the same colour in every report. The lowest rows show how the "
    "features behind the calls fire, in fifths of each one's peak in this protein, coarsened to "
    "200 steps. Precision is the share of such calls that were right on unseen homology clusters. "
    "Positions are 1-based and inclusive."
)


class HtmlWriter:
    """One page with a section a protein: tracks, and the calls as a table.

    Sections are written as they come. The page works without network and scripts, in light and in
    dark, and says in words and in the table what it draws.
    """

    def __init__(self, stream: TextIO, header: RunHeader, beside: str = "") -> None:
        self.stream, self.header, self.beside = stream, header, beside
        self.proteins = self.with_calls = self.calls = 0

    def begin(self) -> None:
        """Write the head of the page and where the calls come from."""
        start = _page_start(f"bio-interp annotate: {self.header.atlas}")
        self.stream.write(start + self._about() + "\n<main>\n")

    def write(self, result: ProteinResult) -> None:
        """Write the section of one protein."""
        self.proteins += 1
        self.calls += len(result.calls)
        self.with_calls += bool(result.calls)
        status, anchor = result.protein, f"p{self.proteins}"
        calls = "1 call" if status.calls == 1 else f"{status.calls} calls"
        facts = f"{status.length} residues, {status.status}, {calls}"
        parts = [element("h2", status.accession, " ", element("small", facts), id=f"{anchor}-name")]
        if status.note:
            parts.append(element("p", status.note, class_="note"))
        if result.calls:
            parts.append(tracks(result, anchor=anchor, atlas=self.header.atlas))
            parts.append(self._table(result, anchor))
            if result.sequence:
                parts.append(_sequence(result.sequence))
        section = element(
            "section",
            join(parts, "\n"),
            class_="protein",
            id=anchor,
            aria_labelledby=f"{anchor}-name",
        )
        self.stream.write(section + "\n")

    def end(self, *, complete: bool) -> None:
        """Write the sums and close the page."""
        counts = f"{self.calls} calls in {self.with_calls} of {self.proteins} proteins."
        self.stream.write("</main>\n<footer>")
        if not complete:
            words = f"Interrupted: the proteins after the first {self.proteins} are not here."
            self.stream.write(element("p", words, class_="stopped"))
        self.stream.write(element("p", counts) + "</footer>\n</body>\n</html>\n")

    def _about(self) -> Markup:
        header = self.header
        facts = {
            "Atlas": f"{header.atlas} {header.atlas_version}",
            "Model": header.model,
            "Licence": header.licence,
            "Least precision": f"{header.min_precision:g} (lower bound)",
            "Software": f"bio_interp {header.version}",
        }
        pairs = [element("dt", name) + element("dd", text) for name, text in facts.items()]
        if header.command:
            pairs.append(element("dt", "Command") + element("dd", element("code", header.command)))
        if self.beside:
            link = element("a", self.beside, href=f"./{quote(self.beside)}")
            pairs.append(element("dt", "Structure") + element("dd", link))
        pairs += [element("dt", "Note") + element("dd", note) for note in header.notes]
        return element(
            "header",
            element("h1", "Named features of proteins"),
            element("dl", *map(Markup, pairs)),
            element("p", _LEGEND, class_="note"),
        )

    def _table(self, result: ProteinResult, anchor: str) -> Markup:
        head = (
            element("th", text, scope="col", class_="number" if column in _NUMBERS else None)
            for column, text in _COLUMNS.items()
        )
        rows = (
            element("tr", *self._cells(call), id=f"{anchor}-{number}")
            for number, call in enumerate(result.calls, start=1)
        )
        table = element(
            "table",
            element("caption", f"Calls in {result.protein.accession}"),
            element("thead", element("tr", *head)),
            element("tbody", join(rows, "\n")),
        )
        label = f"Table of calls in {result.protein.accession}"
        return element("div", table, class_="scroll", role="region", tabindex=0, aria_label=label)

    def _cells(self, call: Call) -> list[Markup]:
        values = call_values(call, self.header.atlas)
        known = call.precision == call.precision  # not NaN
        values["interval"] = (
            f"{call.precision_low:.3f} to {call.precision_high:.3f}" if known else ""
        )
        texts = {column: as_text(column, values[column]) for column in _COLUMNS}
        texts["features"] = texts["features"].replace(",", ", ")
        cells = {
            column: element("td", text, class_="number" if column in _NUMBERS else None)
            for column, text in texts.items()
        }
        swatch = element("span", class_="swatch", style=f"--c:{concept_color(call.concept)}")
        cells["concept"] = element("td", swatch, texts["concept"])
        return list(cells.values())


def html_page(title: str, body: Markup) -> str:
    """Write one page around what a notebook shows: no network, no scripts, pictures inside.

    Parameters
    ----------
    title
        Its heading; escaped.
    body
        HTML.
    """
    head = _page_start(title, images=True)
    return f"{head}<main>\n{element('h1', title)}{body}\n</main>\n</body>\n</html>\n"


def _page_start(title: str, *, images: bool = False) -> str:
    # what a hostile name might ask for is not to be had, should it ever get through
    policy = "default-src 'none'; style-src 'unsafe-inline'" + "; img-src data:" * images
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(_style())),
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n{head}\n<body>\n'


def _sequence(sequence: str) -> Markup:
    width = len(str(len(sequence)))
    lines = (
        f"{start + 1:>{width}} {sequence[start : start + _LETTERS_A_LINE]}"
        for start in range(0, len(sequence), _LETTERS_A_LINE)
    )
    summary = element("summary", "Sequence")
    return element("details", summary, element("pre", "\n".join(lines)))


def _style() -> str:
    return (files("bio_interp.reports") / "report.css").read_text(encoding="utf-8")
