"""Bad files of UniProt: its six formats cut, edited and re-typed, and what XML parsers fear."""

import json
from collections.abc import Callable
from typing import Any

from _cases import FEATURES, LETTERS, PACKERS, Maker, cuts

SEQUENCE = LETTERS * 3
KINDS = (("DOMAIN", "Domain", "domain"), ("ACT_SITE", "Active site", "active site"))


def _entries(maker: Maker) -> list[tuple[str, list[tuple[str, str, str, int, int]]]]:
    """Draw three proteins with features: keyword, title, XML name, start, end."""
    found: list[tuple[str, list[tuple[str, str, str, int, int]]]] = []
    for number in range(3):
        features: list[tuple[str, str, str, int, int]] = []
        for _ in range(FEATURES):
            kind = maker.rng.choice(KINDS)
            start = maker.rng.randint(1, 50)
            features.append((*kind, start, start + maker.rng.randint(0, 9)))
        found.append((f"P1234{number}", features))
    return found


def _flat(entries: Any) -> bytes:
    text = ""
    for name, features in entries:
        text += f"ID   {name}_X   Reviewed;   60 AA.\nAC   {name};\n"
        for kind, _, _, start, end in features:
            text += f'FT   {kind:15} {start}..{end}\nFT                   /note="A note"\n'
        text += f"SQ   SEQUENCE   60 AA;\n     {SEQUENCE}\n//\n"
    return text.encode()


def _xml(entries: Any) -> bytes:
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<uniprot xmlns="http://uniprot.org/uniprot">\n'
    for name, features in entries:
        text += f'<entry dataset="Swiss-Prot">\n<accession>{name}</accession>\n'
        for _, _, kind, start, end in features:
            text += (
                f'<feature type="{kind}" description="A note"><location>'
                f'<begin position="{start}"/><end position="{end}"/></location></feature>\n'
            )
        text += f'<sequence length="60">{SEQUENCE}</sequence>\n</entry>\n'
    return f"{text}</uniprot>\n".encode()


def _json(entries: Any) -> bytes:
    results = [
        {
            "entryType": "UniProtKB reviewed (Swiss-Prot)",
            "primaryAccession": name,
            "features": [
                {
                    "type": title,
                    "location": {"start": {"value": start}, "end": {"value": end}},
                    "description": "A note",
                }
                for _, title, _, start, end in features
            ],
            "sequence": {"value": SEQUENCE},
        }
        for name, features in entries
    ]
    return json.dumps({"results": results}).encode()


def _gff(entries: Any) -> bytes:
    text = "##gff-version 3\n"
    for name, features in entries:
        text += f"##sequence-region {name} 1 60\n"
        for _, title, _, start, end in features:
            text += f"{name}\tUniProtKB\t{title}\t{start}\t{end}\t.\t.\t.\tNote=A note\n"
    return text.encode()


def _tsv(entries: Any) -> bytes:
    text = "Entry\tReviewed\tLength\tDomain [FT]\tActive site\n"
    for name, features in entries:
        cells = [
            " ".join(f'{k} {s}..{e}; /note="A note";' for k, _, _, s, e in features if k == kind)
            for kind, *_ in KINDS
        ]
        text += "\t".join([name, "reviewed", "60", *cells]) + "\n"
    return text.encode()


def _csv(entries: Any) -> bytes:
    text = "protein_id,feature,start,end,note\n"
    for name, features in entries:
        text += "".join(f"{name},{kind},{s},{e},A note\n" for kind, _, _, s, e in features)
    return text.encode()


WRITERS: dict[str, Callable[[Any], bytes]] = {
    "dat": _flat,
    "xml": _xml,
    "json": _json,
    "gff": _gff,
    "tsv": _tsv,
    "csv": _csv,
}
# (old, new) for files of any format; an edit that finds nothing leaves a good file
_EDITS: list[tuple[bytes, bytes]] = [
    (b"A note", b"A \x1b[31mnote\x07"),
    (b"A note", "A nöte \u202e".encode()),
    (b"A note", b"A note\xff"),
    (b"A note", b"note" * 50_000),
    (b"P12341", b"P12340"),
    (b"P12341", b""),
    (b"P12341", b"P\x1b12341"),
    (b"P12341", b"../P12341"),
    (b"omain", b"omane"),
    (b"DOMAIN", b"DOMANE"),
    (b"Active site", b"Passive site"),
    (b"60", b"5"),
    (b"60", b"99999999999999999999"),
    (b"60", "²".encode()),
    (b"..", b".."),
]
_POSITIONS = [
    "0",
    "-3",
    "?",
    "<1",
    "999999",
    "99999999999",
    "9" * 5000,
    "1e3",
    "ten",
    "",
    "٣",
    "2.5",
]


def uniprot(maker: Maker, count: int) -> None:
    """Cut, edit and re-type the six formats of UniProt, and put in what XML parsers fear."""
    names = list(WRITERS)
    for number in range(count - len(_XML) - len(_JSON)):
        suffix, entries = names[number % len(names)], _entries(maker)
        round_ = number // len(names)
        if round_ < 6:
            whole = WRITERS[suffix](entries)
            content = next(cuts(maker.rng, whole, 1))
            packing = list(PACKERS)[round_ % 3]
            content = PACKERS[packing](content)
        elif round_ < 6 + len(_EDITS) // 2:
            packing = ""
            edits = _EDITS[(round_ - 6) * 2 : (round_ - 6) * 2 + 2]
            content = WRITERS[suffix](entries)
            for edit in edits[: 1 + maker.rng.randrange(2)]:
                content = content.replace(*edit, 1)
        else:
            packing = ""
            entries[1][1][1] = (*KINDS[0], 77_777, entries[1][1][1][4])
            content = WRITERS[suffix](entries)
            content = content.replace(b"77777", maker.rng.choice(_POSITIONS).encode())
        name = f"{number}.{suffix}{packing}"
        maker.concepts("UniProt " + suffix, name, content, "uniprot", options=ALL)
    for name, content in _XML.items():
        maker.concepts("UniProt xml", name, content, "uniprot", accepted=False, options=ALL)
    for name, content in _JSON.items():
        maker.concepts("UniProt json", name, content, "uniprot", accepted=False, options=ALL)


ALL = ("--option.kinds", "all")
_ENTRY = b"<entry><accession>P1</accession>%s<sequence>MKV</sequence></entry>"
_SITE = (
    b'<feature type="domain" description="%s"><location><begin position="1"/>'
    b'<end position="3"/></location></feature>'
)


def _document(head: bytes, note: bytes) -> bytes:
    return (
        b'<?xml version="1.0"?>\n' + head + b"<uniprot>" + _ENTRY % (_SITE % note) + b"</uniprot>"
    )


_LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10 if i else b"lol") for i in range(9)
)
_XML = {
    "laughs.xml": _document(b"<!DOCTYPE uniprot [" + _LAUGHS + b"]>", b"&l8;"),
    "quadratic.xml": _document(
        b'<!DOCTYPE uniprot [<!ENTITY a "' + b"x" * 50_000 + b'">]>', b"&a;" * 5_000
    ),
    "external.xml": _document(
        b'<!DOCTYPE uniprot [<!ENTITY x SYSTEM "file:///etc/passwd">]>', b"ok"
    ).replace(b"P1<", b"&x;<"),
    "outside.xml": _document(b'<!DOCTYPE uniprot SYSTEM "http://127.0.0.1:9/x.dtd">', b"&x;"),
    "undefined.xml": _document(b"", b"&nbsp;"),
    "nested.xml": b"<uniprot>" + _ENTRY % (_ENTRY % b"") + b"</uniprot>",
    "deep.xml": b"<uniprot>" + b"<a>" * 200_000,
    "attribute.xml": _document(b"", b"x").replace(b'type="domain"', b"type=domain"),
    "no_location.xml": b"<uniprot>" + _ENTRY % b'<feature type="domain"/>' + b"</uniprot>",
    "namespace.xml": b'<x:uniprot xmlns:x="u">' + _ENTRY % b"" + b"</y:uniprot>",
}
_ONE = '{"primaryAccession": "P1", "features": [%s], "sequence": {"value": "MKV"}}'
_JSON = {
    "deep.json": b'{"primaryAccession": ' + b"[" * 100_000,
    "digits.json": b'{"primaryAccession": ' + b"9" * 10_000 + b"}",
    "number.json": b'{"primaryAccession": 5, "features": []}',
    "null.json": b'{"primaryAccession": null}',
    "list.json": b'{"primaryAccession": ["P1"]}',
    "features.json": b'{"primaryAccession": "P1", "features": {"type": "Domain"}}',
    "no_type.json": (_ONE % '{"location": {"start": {"value": 1}, "end": {"value": 2}}}').encode(),
    "no_start.json": (_ONE % '{"type": "Domain", "location": {"end": {"value": 2}}}').encode(),
    "text.json": (
        _ONE % '{"type": "Domain", "location": {"start": {"value": "x"}, "end": {"value": 2}}}'
    ).encode(),
    "true.json": (
        _ONE % '{"type": "Domain", "location": {"start": {"value": true}, "end": {"value": 2}}}'
    ).encode(),
    "note.json": (
        _ONE % '{"type": "Domain", "description": 7, "location": {"start": {"value": 1}, '
        '"end": {"value": 2}}}'
    ).encode(),
    "surrogate.json": b'{"primaryAccession": "P\\ud800", "features": []}',
}


MAKERS: list[tuple[Callable[[Maker, int], None], int]] = [(uniprot, 108)]
