"""Bad files of proteins: cut, in other encodings and formats, with hostile headers or sequences."""

import json
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

from _cases import LETTERS, PACKERS, Maker, cuts, fasta, protein, proteome


def truncated(maker: Maker, count: int) -> None:
    """Cut plain and packed files at random bytes, some within a character or the last member."""
    for number in range(count):
        suffix = list(PACKERS)[number % 3]
        whole = proteome(maker.rng)
        packed = PACKERS[suffix](whole)
        if number % 6 >= 3:  # two members or frames, cut in the second
            packed += PACKERS[suffix](whole.replace(b"P0000", b"Q0000"))
        half = len(packed) // 2 if number % 6 >= 3 else 1
        cut = packed[: maker.rng.randrange(half, len(packed))]
        maker.proteins("truncated", f"cut{number}.fasta{suffix}", cut)
    accent = fasta([("a é", "MKV" * 9)])
    within = accent[: accent.index("é".encode()) + 1]
    maker.proteins("truncated", "within_a_character.fasta", within, accepted=False)


def damaged(maker: Maker, count: int) -> None:
    """Flip bytes of packed files, or put zeros or garbage after them."""
    for number in range(count):
        suffix = (".gz", ".zst")[number % 2]
        packed = bytearray(PACKERS[suffix](proteome(maker.rng)))
        if number % 4 < 2:
            for at in maker.rng.sample(range(len(packed)), 3):
                packed[at] ^= 1 << maker.rng.randrange(8)
        else:
            packed += maker.rng.choice([b"garbage", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xff"])
        maker.proteins("damaged", f"damaged{number}.fasta{suffix}", bytes(packed))


def encodings(maker: Maker, count: int) -> None:
    """Write text as UTF-16 and UTF-32 with and without mark, Latin-1, EBCDIC, with NULs, marks."""
    for number in range(count):
        text = proteome(maker.rng, 3).decode()
        name = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp500", "latin-1", "utf-8-sig")[
            number % 7
        ]
        accepted = name in ("latin-1", "utf-8-sig")
        content = text.encode(name, errors="replace")
        maker.proteins("encoding", f"{name}{number}.fasta", content, accepted=accepted)
    nul = proteome(maker.rng, 3)
    for number in range(6):
        at = maker.rng.randrange(len(nul))
        maker.proteins("encoding", f"nul{number}.fasta", nul[:at] + b"\0" + nul[at:])
    latin = fasta([("name", "MKV" * 9)]).replace(b"name", b"n\xe9m")
    maker.proteins("encoding", "latin1_name.fasta", latin, accepted=False)


_FORMATS: dict[str, bytes] = {
    "a.gff3": b"##gff-version 3\nP1\tUniProtKB\tDomain\t1\t9\t.\t.\t.\tNote=x\n",
    "features.gff3": b"P1\tUniProtKB\tDomain\t1\t9\t.\t.\t.\tNote=x\n",
    "a.pdb": b"HEADER    HYDROLASE\nATOM      1  N   MET A   1      27.340  24.430\n",
    "a.cif": b"data_1ABC\nloop_\n_atom_site.id\n1\n",
    "list.json": b'[{"primaryAccession": "P1"}]',
    "error.html": b"<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>",
    "page.html": b"<html>\n<script>alert(1)</script></html>\n",
    "a.xml": b'<?xml version="1.0"?>\n<uniprot><entry/></uniprot>\n',
    "elf": b"\x7fELF\x02\x01\x01" + bytes(64),
    "a.bz2": b"BZh91AY&SY" + bytes(30),
    "a.xz": b"\xfd7zXZ\0\0\4" + bytes(30),
    "a.png": b"\x89PNG\r\n\x1a\n" + bytes(30),
    "a.pdf": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n",
    "a.pickle": b"\x80\x04\x95" + bytes(20),
    "a.npy": b"\x93NUMPY\x01\0v\0{'descr': '|O'}\n",
    "a.safetensors": struct.pack("<Q", 40) + b'{"a":{"dtype":"F32"}}',
    "a.parquet": b"PAR1" + bytes(20) + b"PAR1",
    "a.gb": b"LOCUS       AB000263  368 bp  mRNA\nORIGIN\n        1 acaagatgcc\n//\n",
    "a.embl": b"ID   X56734; SV 1; linear; mRNA; STD; PLN; 1859 BP.\nSQ   Sequence\n//\n",
    "prosite.dat": b"ID   RGD; PATTERN.\nAC   PS00016;\nPA   R-G-D.\n//\n",
    "a.sto": b"# STOCKHOLM 1.0\nP1 MKV\n//\n",
    "a.aln": b"CLUSTAL W (1.82)\n\nP1 MKV\n",
    "a.hmm": b"HMMER3/f [3.3 | Nov 2019]\nNAME  x\n",
    "a.fastq": b"@r1\nACGT\n+\nIIII\n",
    "a.pir": b">P1;CRAB_ANAPL\nALPHA CRYSTALLIN B CHAIN\nMKV*\n",
    "a.csv": b"id,sequence\nP1,MKV\n",
    "a.toml": b'[model]\nname = "reference"\n',
    "a.yaml": b"proteins:\n  - P1: MKV\n",
    "a.py": b"import os\nprint(1)\n",
    "a.phy": b" 2 10\nP1        MKVMKVMKVM\nP2        MKVMKVMKVM\n",
    "a.nex": b"#NEXUS\nbegin data;\n",
    "words.txt": b"these are some words\nand some more\n",
    "digits.txt": b"123456\n",
    "empty": b"",
    "blank": b"\n\n \t\n",
    "one_nul": b"\0",
    "mark": b"\xef\xbb\xbf",
    "angle": b">",
}


def _formats(maker: Maker) -> dict[str, bytes]:
    rng = maker.rng
    table = "\n".join(f"P{i}\tx\t{protein(rng)}" for i in range(4))
    zipped, sheet = BytesIO(), BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.fasta", proteome(rng))
    with zipfile.ZipFile(sheet, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return _FORMATS | {
        "a.json": json.dumps({"P1": protein(rng)}).encode(),
        "a.zip": zipped.getvalue(),
        "a.xlsx": sheet.getvalue(),
        "a.tsv": table.encode(),
        "random": bytes(rng.randrange(256) for _ in range(2000)),
        "sequence.txt": protein(rng).encode() + b"\n",
    }


def swapped(maker: Maker, count: int) -> None:
    """Give other formats as proteins, plain and packed."""
    formats = list(_formats(maker).items())
    for number in range(count):
        name, content = formats[number % len(formats)]
        suffix = list(PACKERS)[number // len(formats) % 3]
        packed = PACKERS[suffix](content)
        maker.proteins("swapped format", f"{number}_{name}{suffix}", packed, accepted=False)


_HEADERS: dict[str, tuple[str, bool | None]] = {
    "long": ("name " + "x" * 1_000_000, True),
    "long_name": ("x" * 1_000_000, None),
    "tabs": ("a\tb\tc\td", True),
    "escape": ("\x1b[31mred\x1b[0m", False),
    "title": ("a\x1b]0;owned\x07", False),
    "bell_later": ("name \x07\x07 \x1b[2J", True),
    "delete": ("a\x7fb", False),
    "c1": ("a\x9bm", False),
    "backspace": ("a\b\bzz", False),
    "vertical": ("a\vb\fc", True),
    "separators": ("a\x1cb\x85c\u2028d", True),
    "nothing": ("", False),
    "spaces": ("   ", False),
    "path": ("../../etc/passwd", True),
    "slash": ("/", True),
    "dots": ("..", True),
    "windows": ("C:\\con\\nul", True),
    "script": ("<script>alert('x')</script>", True),
    "quotes": ("\"a'b`c", True),
    "shell": ("$(rm -rf ~);`id`|&", True),
    "format": ("%s%n{0}{__class__}", True),
    "markup": ("[bold red]x[/] [link=http://x]y", True),
    "formula": ("=cmd|'/c calc'!A1", True),
    "comment": ("# bio_interp", True),
    "dash": ("-o", True),
    "cyrillic": ("Р12345", True),
    "override": ("abc\u202edef", False),
    "zero_width": ("P1\u200b2345", False),
    "emoji": ("🧬", True),
    "combining": ("a" + "\u0301" * 200, True),
    "pipes": ("sp||||", True),
    "second_angle": ("> > >", True),
    "none": ("None", True),
    "nan": ("nan", True),
    "pir": ("P1;X", None),
}


def headers(maker: Maker, count: int) -> None:
    """Write hostile headers, alone and as the third record of a good file."""
    items = list(_HEADERS.items())
    for number in range(count):
        name, (header, accepted) = items[number % len(items)]
        before = [("first", protein(maker.rng)), ("second", protein(maker.rng))]
        records = [(header, protein(maker.rng)), ("last", protein(maker.rng))]
        where = number // len(items) % 2
        content = fasta(before * where + records)
        accepted = True if name == "pir" and where else accepted
        maker.proteins("hostile header", f"{number}_{name}.fasta", content, accepted=accepted)
    alike = b">same\nMKVLWAALLV\n" * 100_000
    maker.proteins("hostile header", "100000_alike.fasta", alike, accepted=False)


_SEQUENCES: dict[str, tuple[str, bool]] = {
    "digits": ("MKV123", False),
    "gaps": ("MK-V..LL", False),
    "only_gaps": ("-" * 50, False),
    "only_x": ("X" * 50, True),
    "empty": ("", False),
    "stop": ("MKV*LL", False),
    "stops_at_end": ("MKVLLWAAGG**", True),
    "only_stop": ("*", False),
    "lower": ("mkvllwaagg", True),
    "dna": ("ACGT" * 20, False),
    "rna": ("ACGU" * 20, False),
    "n_only": ("N" * 50, True),
    "spaces": ("MKV LLW AAG GST", True),
    "tabs": ("MKV\tLLW\tAAGGST", True),
    "accent": ("MKVé", False),
    "fullwidth": ("ＭＫＶ", False),
    "escape": ("MKV\x1b[31m", False),
    "nul": ("MKV\0", False),
    "plus": ("MKV+LL", False),
    "brackets": ("MKV[Oxidation]LL", False),
    "one": ("M", True),
    "selenocysteine": ("MKUOBZJXLLWWAA", True),
    "semicolon": (";comment\nMKV", False),
    "header_within": ("MKV\n >x\nMKV", False),
    "quoted": ('"MKV"', False),
    "underscore": ("MKV_LL", False),
}


def sequences(maker: Maker, count: int) -> None:
    """Write bad and odd sequences between good ones."""
    items = list(_SEQUENCES.items())
    for number in range(count):
        name, (sequence, accepted) = items[number % len(items)]
        before, after = protein(maker.rng), protein(maker.rng)
        content = f">a\n{before}\n>odd\n{sequence}\n>b\n{after}\n".encode()
        if number >= len(items):
            content = content.replace(b"\n", (b"\r\n", b"\r")[number % 2])
        maker.proteins("bad sequence", f"{number}_{name}.fasta", content, accepted=accepted)
    titin = fasta([("titin", "".join(maker.rng.choices(LETTERS, k=35_000)))])
    maker.proteins("bad sequence", "35000_residues.fasta", titin, accepted=True)


def flat(maker: Maker, count: int) -> None:
    """Cut and edit Swiss-Prot flat records given as proteins."""
    whole = b"".join(
        f"ID   P{i}_X   Reviewed;   30 AA.\nAC   P0000{i};\nDE   RecName: Full=Thing;\n"
        f"SQ   SEQUENCE   30 AA;\n     {LETTERS[:10]} {LETTERS[5:15]} {LETTERS[10:]}\n//\n".encode()
        for i in range(4)
    )
    edits = [
        (b"30 AA;", b"31 AA;"),
        (b"AC   P00002;\n", b""),
        (b"//\nID   P2", b"ID   P2"),
        (b"SQ   ", b"XX   "),
        (b"P00002", b"P00001"),
        (b"P00002", b"P\x1b[1m"),
        (b"30 AA.", b"999999999999 AA."),
        (b"     ACDEF", b"ACDEF"),
    ]
    for number in range(count):
        if number < len(edits):
            content, accepted = whole.replace(*edits[number]), None
        else:
            content, accepted = next(cuts(maker.rng, whole, 1)), None
        maker.proteins("flat records", f"{number}.dat", content, accepted=accepted)


MAKERS: list[tuple[Callable[[Maker, int], None], int]] = [
    (truncated, 59),
    (damaged, 24),
    (encodings, 23),
    (swapped, 60),
    (headers, 59),
    (sequences, 44),
    (flat, 16),
]
