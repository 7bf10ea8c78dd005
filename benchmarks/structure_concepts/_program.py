"""The program mkdssp on a file as it is."""

import gzip
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

HEAD = b"HEADER    CHAIN\nCRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1\n"
STATES = {"H": "H", "G": "H", "I": "H", "E": "E", "B": "E"}


class Said(NamedTuple):
    """State, of three, and accessible surface in square angstrom."""

    state: str
    surface: float


def run_on_file(path: Path) -> dict[tuple[str, int | None, str], Said]:
    """Give what mkdssp says by chain, number and insertion code; empty where it fails.

    It takes a file that begins with ATOM for mmCIF, so `HEAD` is put before those.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, answer = Path(folder, path.stem), Path(folder, "answer.dssp")
        content = gzip.decompress(path.read_bytes())
        source.write_bytes(HEAD + content if content.startswith(b"ATOM") else content)
        subprocess.run(["mkdssp", source, answer], capture_output=True, check=False)
        text = answer.read_text() if answer.exists() else ""
    lines = text.partition("  #  RESIDUE AA")[2].splitlines()[1:]
    return {
        (line[11].strip(), int(line[5:10]), line[10].strip()): Said(
            STATES.get(line[16], "-"), float(line[34:38])
        )
        for line in lines
        if line[13] != "!"
    }
