"""Runs the program as a real process, and judges how it ended."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

COMMAND = [sys.executable, "-c", "from bio_interp.cli import main; main()"]
SECONDS = 600
Faults = dict[str, str]


@dataclass
class Bench:
    """Where the processes run, and the files they are given."""

    folder: Path
    atlas: Path
    proteins: Path
    some: Path
    many: Path
    count: int = field(default=0)

    def fresh(self) -> Path:
        """Make an empty folder."""
        self.count += 1
        path = self.folder / f"live{self.count}"
        path.mkdir()
        return path

    def annotate(self, source: Path | str, *more: str) -> list[str]:
        """Give the tokens to annotate."""
        return ["annotate", str(source), "--atlas", str(self.atlas), "--all-features", *more]


def run(tokens: list[str], codes: tuple[int, ...], **options: Any) -> tuple[str, Faults]:
    given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    try:
        done = subprocess.run([*COMMAND, *tokens], timeout=SECONDS, check=False, **given)
    except subprocess.TimeoutExpired:
        return "", {"hang": f"after {SECONDS} s"}
    err = (done.stderr or b"").decode(errors="replace")
    return err, judge(done.returncode, err, codes)


def judge(code: int, err: str, codes: tuple[int, ...]) -> Faults:
    faults: Faults = {}
    if "Traceback" in err or "Exception ignored" in err:
        faults["traceback"] = err[-300:]
    if code not in codes:
        faults["wrong_code"] = f"{code}, not {codes}: {err[-200:]}"
    if code == 1 and not re.search(r"(?s)Wanted .+; got .+\. \S.+", err):
        faults["message"] = f"not of three parts: {err[-200:]}"
    return faults


def encode(bench: Bench) -> list[str]:
    return ["encode", str(bench.some), "--atlas", str(bench.atlas)]


def concepts(bench: Bench) -> list[str]:
    path = bench.folder / "many.csv"
    rng = Random(0)
    rows = [f"P{i},DOMAIN,1,{rng.randrange(2, 10**6)},note {rng.random()}" for i in range(20_000)]
    path.write_text("\n".join(["protein_id,feature,start,end,note", *rows]) + "\n")
    return ["concepts", str(path)]


def split(bench: Bench) -> list[str]:
    return ["split", str(bench.many), "--method", "kmer"]


WRITING: dict[str, Callable[[Bench, Path], list[str]]] = {
    "tsv": lambda b, out: b.annotate(b.proteins, "-o", str(out / "a.tsv")),
    "npz": lambda b, out: [*encode(b), "-o", str(out / "a.npz")],
    "table": lambda b, out: [*concepts(b), "-o", str(out / "table")],
    "split": lambda b, out: [
        "split",
        str(b.proteins),
        "-o",
        str(out / "s.tsv"),
        "--method",
        "kmer",
    ],
}
