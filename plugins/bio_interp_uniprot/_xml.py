"""UniProt XML, read entry by entry with the lines of its features.

Schema: https://www.uniprot.org/docs/uniprot.xsd
"""

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from bio_interp_uniprot._entry import (
    LONGEST_ENTRY,
    STATUS_CODES,
    UNKNOWN,
    Entry,
    Feature,
    Place,
    Position,
    eco_codes,
    read_kind,
    read_position,
)

_SOURCES = {"Swiss-Prot": "uniprot:swissprot", "TrEMBL": "uniprot:trembl"}
_MODIFIERS = {"less than": "<", "greater than": ">", "uncertain": "?"}


def read_xml(lines: Iterable[str], file: str) -> Iterator[Entry]:
    """Read the entries of a UniProt XML file, one at a time.

    Raises
    ------
    AnnotationError
        The XML is broken, or a feature in it.
    """
    parser = _EntryParser(file)
    try:
        for part in lines:
            parser.feed(part.encode())
            yield from _entries(parser, file)
        parser.close()
    except expat.ExpatError as error:
        Place(file, error.lineno).fail("well-formed XML", expat.ErrorString(error.code))
    yield from _entries(parser, file)


def _entries(parser: "_EntryParser", file: str) -> Iterator[Entry]:
    while parser.found:
        yield _entry(parser.found.pop(0), file)


class _EntryParser:
    """Build an element tree of each entry; ``line`` becomes an attribute of every element.

    A DOCTYPE is refused: UniProt writes none, and its entities could expand without end, read
    other files, or vanish from the text where they are not defined.
    """

    def __init__(self, file: str) -> None:
        self.found: list[Element] = []
        self._file = file
        self._builder: TreeBuilder | None = None
        self._began = 0
        # the lines were decoded before, whatever encoding the XML declares
        self._expat = expat.ParserCreate("utf-8")
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._text

    def feed(self, data: bytes) -> None:
        self._expat.Parse(data, False)
        if self._builder is not None and self._expat.CurrentByteIndex - self._began > LONGEST_ENTRY:
            self._place().fail(f"entries of at most {LONGEST_ENTRY:,} bytes", "a larger one")

    def close(self) -> None:
        self._expat.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "entry":
            if self._builder is not None:
                self._place().fail("the end of an entry before the next", "an entry within another")
            self._builder, self._began = TreeBuilder(), self._expat.CurrentByteIndex
        if self._builder is not None:
            line = str(self._expat.CurrentLineNumber)
            self._builder.start(name, attributes | {"line": line})

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if self._builder is not None:
            self._builder.end(name)
            if name == "entry":
                self.found.append(self._builder.close())
                self._builder = None

    def _doctype(self, name: str, *_: object) -> None:
        self._place().fail(
            "XML without a DOCTYPE", f"one ({name})", "Fetch the file from UniProt, or remove it."
        )

    def _place(self) -> Place:
        return Place(self._file, self._expat.CurrentLineNumber)

    def _text(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)


def _entry(element: Element, file: str) -> Entry:
    place = Place(file, int(element.get("line", "0")))
    accession = (element.findtext("accession") or "").strip()
    if not accession:
        place.fail("an entry with an accession", "none")
    codes = {e.get("key", ""): e.get("type", "") for e in element.iterfind("evidence")}
    sequence = "".join((element.findtext("sequence") or "").split())
    features = [_feature(f, codes, file, accession) for f in element.iterfind("feature")]
    source = _SOURCES.get(element.get("dataset", ""), "uniprot")
    return Entry(accession, source, place, sequence, len(sequence), features)


def _feature(element: Element, codes: dict[str, str], file: str, accession: str) -> Feature:
    place = Place(file, int(element.get("line", "0")))
    record = f"feature {element.get('type', '')!r} of {accession}"
    kind = read_kind(element.get("type", ""), place, record)
    location = element.find("location")
    if location is None:
        place.fail("a feature with a location", f"{record} without")
    start, end = (_position(location, name, place, record) for name in ("begin", "end"))
    keys = element.get("evidence", "").split()
    unknown = [key for key in keys if key not in codes]
    if unknown:
        place.fail(f"evidence {unknown[0]!r} among those of {accession}", f"none for {record}")
    evidence = [*eco_codes(" ".join(codes[key] for key in keys))]  # words in files until 2013
    evidence += filter(None, [STATUS_CODES.get(element.get("status", ""))])
    ligands = [(_text(ligand, "name"), _chebi(ligand)) for ligand in element.iterfind("ligand")]
    return Feature(
        kind,
        start,
        end,
        note=element.get("description", ""),
        ligands=tuple(ligands),
        evidence=tuple(dict.fromkeys(evidence)),
        isoform=location.get("sequence", ""),
        line=place.line,
    )


def _position(location: Element, name: str, place: Place, record: str) -> Position:
    end = location.find(name)
    if end is None:
        end = location.find("position")
    if end is None:
        place.fail(f"a location with <{name}> or <position>", record)
    if end.get("status") == "unknown" or end.get("position") is None:
        return UNKNOWN
    modifier = _MODIFIERS.get(end.get("status", ""), "")
    return read_position(modifier + end.get("position", ""), place, record)


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _chebi(ligand: Element) -> str:
    return next((f"ChEBI:{r.get('id')}" for r in ligand.iterfind("dbReference")), "")
