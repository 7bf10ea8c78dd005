"""How long ``bio-interp annotate`` takes, start-up included, and how much memory.

Beside it, for speed only, pyhmmer scans the same proteins with the 2,766 Pfam profiles that our
labels come from.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from _harness import SHARED, finish, parse, record

from bio_interp.atlas import load_atlas
from bio_interp.cache import data_folder
from bio_interp.errors import BioInterpError
from bio_interp.sequences import Protein, read_proteins

COMMAND = [sys.executable, "-c", "from bio_interp.cli import main; main()"]


def main() -> None:
    options = parse(__doc__)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    count = 24 if options.quick else 1000
    proteins = corpus(count, options.seed)
    figures: dict[str, Any] = {"proteins": count, "residues": sum(map(len, proteins))}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for atlas in ("reference", "unirep"):
            if usable(atlas):
                figures[atlas] = measure(atlas, proteins, folder, rounds=1 if options.quick else 3)
            else:
                figures[atlas] = "atlas or weights not on this machine"
    figures["pyhmmer_residues_per_second"] = hmmer(proteins[: 8 if options.quick else 200])
    packages = ("bio-interp", "torch", "pyhmmer")
    finish(record("annotate", options, figures, packages=packages), options)


def corpus(count: int, seed: int) -> list[Protein]:
    """Draw proteins of the corpus, spread over the whole file."""
    step = 115_794 // count
    everything = read_proteins(SHARED / "corpus/swissprot_2014_reps50.fasta.zst")
    return list(islice(everything, seed % step, None, step))[:count]


def usable(atlas: str) -> bool:
    try:
        return load_atlas(atlas).model is not None
    except BioInterpError:
        return False


def measure(
    atlas: str, proteins: Sequence[Protein], folder: Path, *, rounds: int
) -> dict[str, Any]:
    """Time one protein of about 300 residues, all proteins, and a quarter of them."""
    one = min(proteins, key=lambda p: abs(len(p) - 300))
    quarter = proteins[: len(proteins) // 4]
    single = [annotate(atlas, [one], folder) for _ in range(max(3, rounds))]
    whole = [annotate(atlas, proteins, folder) for _ in range(rounds)]
    part = annotate(atlas, quarter, folder)
    seconds = median(s for s, _ in whole)
    return {
        "one_protein_residues": len(one),
        "one_protein_seconds": round(median(s for s, _ in single), 2),
        "all_seconds": round(seconds, 2),
        "residues_per_second": round(sum(map(len, proteins)) / seconds),
        "peak_memory_mb_all": max(m for _, m in whole),
        "peak_memory_mb_quarter": part[1],
    }


def annotate(atlas: str, proteins: Sequence[Protein], folder: Path) -> tuple[float, int]:
    """Run the command; return seconds and peak memory in megabytes."""
    fasta, out = folder / "in.fasta", folder / "out.tsv"
    fasta.write_text("".join(f">{p.accession}\n{p.sequence}\n" for p in proteins))
    out.unlink(missing_ok=True)
    start = time.perf_counter()
    words = ["annotate", str(fasta), "--atlas", atlas, "-o", str(out), "--quiet"]
    process = subprocess.Popen([*COMMAND, *words])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"bio-interp {' '.join(words)} failed")
    return time.perf_counter() - start, usage.ru_maxrss // 1024


def hmmer(proteins: Sequence[Protein]) -> float | str:
    """Scan with the profiles of gecco's wheel; residues a second, loading included."""
    try:
        profiles = data_folder("pfam-gecco") / "Pfam.h3m"
    except BioInterpError:
        return "profiles not in the cache: bio-interp data get pfam-gecco"
    from bio_interp_pfam import scan

    start = time.perf_counter()
    for _ in scan(proteins, [profiles]):
        pass
    return round(sum(map(len, proteins)) / (time.perf_counter() - start))


if __name__ == "__main__":
    main()
