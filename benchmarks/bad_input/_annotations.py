"""Bad files of annotations: Pfam hits and profiles, PROSITE, splits."""

from collections.abc import Callable
from pathlib import Path

from _cases import LETTERS, PACKERS, Maker, cuts

HIT = "{}\tPF{:05d}.3\tName{}\t{}\t{}\t{}\t{}\t80.5\t1e-20"
HEADER = "accession\tpfam\tname\tali_start\tali_end\tenv_start\tenv_end\tbits\ti_evalue"
_FIELDS = ["", "x", "nan", "inf", "-1", "0", "2.5", "99999999999", "9" * 5000, "\x1b[1m", "1_0"]


def pfam_hits(maker: Maker, count: int) -> None:
    """Cut tables of hits, and give them wrong types, missing columns and unknown proteins."""
    for number in range(count):
        rows = [HIT.format(p, i, i, 9 * i, 9 * i + 8, 9 * i, 9 * i + 8) for p, i in _WHERE]
        content = "\n".join([HEADER, *rows]) + "\n"
        accepted: bool | None = None
        if number % 4 == 0:
            content = content[: maker.rng.randrange(len(HEADER) + 2, len(content))]
        elif number % 4 == 1:
            cells = rows[2].split("\t")
            cells[maker.rng.randrange(9)] = maker.rng.choice(_FIELDS)
            content = "\n".join([HEADER, *rows[:2], "\t".join(cells), *rows[3:]]) + "\n"
        elif number % 4 == 2:
            cells = rows[2].split("\t")
            del cells[maker.rng.randrange(9)]
            content = "\n".join([HEADER, *rows[:2], "\t".join(cells), *rows[3:]]) + "\n"
            accepted = False
        else:
            old, new = maker.rng.choice(
                [("P1", "Q9"), ("\t", " "), ("accession", "protein"), ("\tbits", ""), ("\n", "\r")]
            )
            content = content.replace(old, new)
        options = ("--annotator", "pfam")
        packed = list(PACKERS)[number % 3]
        maker.concepts(
            "Pfam hits",
            f"{number}.tsv{packed}",
            PACKERS[packed](content.encode()),
            "pfam",
            accepted=accepted,
            options=options,
        )


_WHERE = [("P1", 1), ("P1", 2), ("P1", 4), ("P2", 1), ("P2", 5)]


def profiles(maker: Maker, count: int) -> None:
    """Cut and edit an HMMER profile, text and binary."""
    try:
        from io import BytesIO

        import pyhmmer
    except ImportError:
        return
    alphabet = pyhmmer.easel.Alphabet.amino()
    builder = pyhmmer.plan7.Builder(alphabet)
    background = pyhmmer.plan7.Background(alphabet)
    motif = pyhmmer.easel.TextSequence(name="m", sequence=LETTERS).digitize(alphabet)
    hmm, _, _ = builder.build(motif, background)
    for number in range(count):
        written = BytesIO()
        hmm.write(written, binary=number % 3 == 2)
        content = written.getvalue()
        if number % 4 != 3:
            content = content[: maker.rng.randrange(8, len(content) - 1)]
        elif number % 3 != 2:
            content = content.replace(b"LENG  20", maker.rng.choice([b"LENG  0", b"LENG  x", b""]))
        suffix = "h3m" if number % 3 == 2 else "hmm"
        maker.concepts(
            "HMM profiles", f"{number}.{suffix}", content, "", options=("--annotator", "pfam")
        )


_PATTERNS = (
    *("A-", "A--C", "A-[C", "A-{}", "[]", "A(2", "A(3,2)", "A(0)", "x(99999)", "A-1", "A*", "AC"),
    *("x(0,3)", "[AC>](2)", "é", "\x1b[1m", "(A)", "A-(C)", "A|C", ".*", "(?:a+)+", "A{2}", "A-<C"),
    *("x(" + "9" * 5000 + ")", "A-" * 20_000, "[" * 5000, "A-x(0,10000)-A-x(0,10000)-A-x*-W"),
)


def prosite(maker: Maker, count: int) -> None:
    """Give patterns of broken grammar, and records that lack lines."""
    good = "ID   RGD; PATTERN.\nAC   PS00016;\nDE   Cell.\nPA   {}.\n//\n"
    for number in range(count):
        if number < len(_PATTERNS):
            text = good.format(_PATTERNS[number])
        else:
            text = good.format("R-G-D") + good.format("A-C").replace("PS00016", "PS00017")
            lines = text.split("\n")
            at = maker.rng.randrange(len(lines) - 1)
            lines[at] = maker.rng.choice(
                ["", lines[at][: len(lines[at]) // 2], "ID   x", "//", "AC   P"]
            )
            text = "\n".join(lines)
        maker.concepts(
            "PROSITE",
            f"{number}.dat",
            text.encode(),
            "prosite",
            options=("--annotator", "prosite"),
        )


def splits(maker: Maker, count: int) -> None:
    """Cut and edit a split file."""
    from bio_interp.sequences import deal

    good = maker.folder / "good_split.tsv"
    deal([(f"P{i}", f"P{i // 2}") for i in range(9)], {"method": "by hand"}).save(good)
    whole = good.read_bytes()
    edits = [
        (b"fit", b"fitt"),
        (b"\t", b" "),
        (b"P3", b"P30"),
        (b"split 1", b"split 2"),
        (b"sha256: ", b"sha256: 0"),
        (b"accession\t", b"acc\t"),
        (b"P1", b"P\xff1"),
        (b"# sha256", b"# md5"),
    ]
    for number in range(count):
        edited = number < len(edits)
        content = whole.replace(*edits[number]) if edited else next(cuts(maker.rng, whole, 1))
        path = maker.file("split file", f"{number}.tsv", content)
        # a cut that takes the last line end only leaves every row
        accepted = None if content == whole[:-1] else False
        maker.call("split file", Path(path), "bio_interp.sequences:Split.load", accepted=accepted)


MAKERS: list[tuple[Callable[[Maker, int], None], int]] = [
    (pfam_hits, 28),
    (profiles, 12),
    (prosite, 36),
    (splits, 16),
]
