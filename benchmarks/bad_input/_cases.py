"""One bad file and what a good program does with it; what the makers of files share."""

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
FEATURES = 3  # of every UniProt entry that is made
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".zst": zstandard.compress,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One file, and the command that is given it.

    Attributes
    ----------
    kind
        Row of the table that the case counts in.
    name
        Unique; the file's name.
    tokens
        Of ``bio-interp``; ``{out}`` stands for a fresh place to write to.
    call
        In place of tokens, a function of Python as ``module:name``, called with `path`.
    path
        The bad file; a message must name it.
    counter
        How `_account` counts what is in the file, to compare with what a run accounts for; "" where
        a run that succeeds says nothing to count.
    accepted
        Whether the file must be read (True) or refused (False); None where either is right.
    """

    kind: str
    name: str
    path: Path
    tokens: tuple[str, ...] = ()
    call: str = ""
    counter: str = ""
    accepted: bool | None = None


@dataclass
class Maker:
    """Writes files below `folder`, and knows the good files that commands need beside bad ones."""

    folder: Path
    atlas: Path
    rng: random.Random
    cases: list[Case] = field(default_factory=list)

    def good(self) -> Path:
        """Give a FASTA file of two good proteins."""
        path = self.folder / "good.fasta"
        if not path.exists():
            path.write_bytes(fasta([("P1", LETTERS * 4), ("P2", LETTERS[::-1] * 3)]))
        return path

    def file(self, kind: str, name: str, content: bytes) -> Path:
        """Write one file."""
        folder = self.folder / kind
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(content)
        return path

    def proteins(
        self, kind: str, name: str, content: bytes, *, accepted: bool | None = None
    ) -> None:
        """Add a file given as proteins; every fourth goes to encode, every ninth to split."""
        path = self.file(kind, name, content)
        number = len(self.cases)
        tokens = ("annotate", str(path), "--atlas", str(self.atlas), "--summary")
        counter = "summary"
        if number % 4 == 3:
            tokens = ("encode", str(path), "--atlas", str(self.atlas), "-o", "{out}.npz")
            counter = "npz"
        elif number % 9 == 4:
            tokens = ("split", str(path), "-o", "{out}.tsv", "--method", "kmer")
            counter = "split"
        case = Case(kind, f"{kind}/{name}", path, tokens, counter=counter, accepted=accepted)
        self.cases.append(case)

    def concepts(
        self,
        kind: str,
        name: str,
        content: bytes,
        counter: str,
        *,
        accepted: bool | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        """Add a file given as annotations."""
        path = self.file(kind, name, content)
        if counter != "uniprot":
            options = ("--proteins", str(self.good()), *options)
        tokens = ("concepts", str(path), "-o", "{out}", *options)
        case = Case(kind, f"{kind}/{name}", path, tokens, counter=counter, accepted=accepted)
        self.cases.append(case)

    def call(self, kind: str, path: Path, call: str, *, accepted: bool | None = False) -> None:
        """Add a file or folder given to a function."""
        name = f"{kind}/{path.name}"
        self.cases.append(Case(kind, name, path, call=call, accepted=accepted))


def protein(rng: random.Random, low: int = 30, high: int = 90) -> str:
    """Draw a sequence."""
    return "M" + "".join(rng.choices(LETTERS, k=rng.randint(low, high)))


def fasta(records: list[tuple[str, str]], width: int = 60) -> bytes:
    """Write FASTA."""
    lines: list[str] = []
    for header, sequence in records:
        lines += [f">{header}"]
        lines += [sequence[i : i + width] for i in range(0, len(sequence), width)]
    return ("\n".join(lines) + "\n").encode()


def proteome(rng: random.Random, count: int = 8) -> bytes:
    """Write a good FASTA file, with some words beyond ASCII in its headers."""
    return fasta([(f"sp|P0000{i}|X_Y Protéine µ {i}", protein(rng)) for i in range(count)])


def cuts(rng: random.Random, content: bytes, count: int) -> Iterator[bytes]:
    """Cut a file at random bytes."""
    for _ in range(count):
        yield content[: rng.randrange(1, len(content))]
