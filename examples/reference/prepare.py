"""Build the training set of the reference model: family-rich crops of proteins of `fit` clusters.

One command, resumable: every file that is already in ``--out`` is kept. Families are the Pfam
families with enough unrelated members in the fold `test` to judge them later. Proteins of other
folds never enter. More members come from the Debian package metastudent-data: those with at least
50 % identity over 80 % of their length to a `fit` protein of one of the families, and no
relative (30 % over half of the shorter) among the proteins of the other folds.
"""

import argparse
import csv
import gzip
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FLANK = 10
DATABASES = ("BPO", "CCO", "MFO")
NEAR = "-k 6 --exact-kmer-matching 1 --max-seqs 20 --min-seq-id 0.5 -c 0.8 --cov-mode 2"
FAR = "-k 6 -s 3 --max-seqs 20 --min-seq-id 0.3 -c 0.5 --cov-mode 5"


class Hit(NamedTuple):
    """One domain of one protein, 1-based inclusive."""

    accession: str
    family: str
    start: int
    end: int


def read_fasta(path: Path) -> dict[str, str]:
    """Read plain FASTA into accession and sequence."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    with path.open() as handle:
        for line in handle:
            if line.startswith(">"):
                lines = found.setdefault(line[1:].split()[0], [])
            else:
                lines.append(line.strip())
    return {name: "".join(parts) for name, parts in found.items()}


def write_fasta(path: Path, sequences: dict[str, str]) -> None:
    """Write FASTA in one go, so that a file that exists is whole."""
    text = "".join(f">{name}\n{sequence}\n" for name, sequence in sequences.items())
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.rename(path)


def write_rows(path: Path, rows: list[list[str]]) -> None:
    """Write a table without a header."""
    with path.open("w", newline="") as handle:
        csv.writer(handle, delimiter="\t", lineterminator="\n").writerows(rows)


def read_hits(paths: list[Path]) -> Iterator[Hit]:
    """Yield domains (envelopes) of Pfam hit tables, plain or gzipped, with or without a header."""
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt") as handle:
            for row in csv.reader(handle, delimiter="\t"):
                if row[0] != "accession":
                    yield Hit(row[0], row[1], int(row[5]), int(row[6]))


def choose_families(
    hits: list[Hit], split: dict[str, tuple[str, str]], test_clusters: int, fit_members: int
) -> list[str]:
    """Families with enough test clusters and fit members, most fit clusters first."""
    clusters: dict[tuple[str, str], set[str]] = defaultdict(set)
    members: dict[str, set[str]] = defaultdict(set)
    for hit in hits:
        cluster, fold = split[hit.accession]
        clusters[hit.family, fold].add(cluster)
        if fold == "fit":
            members[hit.family].add(hit.accession)
    good = [
        family
        for family, proteins in members.items()
        if len(proteins) >= fit_members and len(clusters[family, "test"]) >= test_clusters
    ]
    return sorted(good, key=lambda family: (-len(clusters[family, "fit"]), family))


def dump_metastudent(folder: Path, out: Path, known: set[str]) -> dict[str, str]:
    """Sequences of the package that the corpus lacks (needs ``blastdbcmd``)."""
    if out.exists():
        return read_fasta(out)
    found: dict[str, str] = {}
    for name in DATABASES:
        command = ["blastdbcmd", "-db", str(folder / name / "goasp.fasta"), "-entry", "all"]
        command += ["-outfmt", "%t %s"]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for line in text.splitlines():
            title, sequence = line.rsplit(" ", 1)
            accession = title.split("|")[0].split()[0]
            if accession not in known:
                found[accession] = sequence
    write_fasta(out, found)
    return found


def mmseqs_search(
    query: Path, target: Path, out: Path, options: str, threads: str
) -> list[list[str]]:
    """Rows of an MMseqs2 search: query, target, identity, then the two alignment ranges."""
    if not out.exists():
        partial = out.with_suffix(".partial")
        command = ["mmseqs", "easy-search", str(query), str(target), str(partial)]
        command += [str(out.with_suffix(".tmp")), *options.split()]
        columns = "query,target,fident,qstart,qend,tstart,tend"
        command += ["--threads", threads, "--format-output", columns]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        partial.rename(out)
    with out.open() as handle:
        return list(csv.reader(handle, delimiter="\t"))


def merge(hits: list[Hit]) -> list[Hit]:
    """Join overlapping domains of one protein; the longest one names the family."""
    merged: list[Hit] = []
    for hit in sorted(hits, key=lambda h: h.start):
        if merged and hit.start <= merged[-1].end:
            last = merged.pop()
            longer = max((last, hit), key=lambda h: h.end - h.start)
            hit = Hit(hit.accession, longer.family, last.start, max(last.end, hit.end))
        merged.append(hit)
    return merged


def more_members(
    args: argparse.Namespace, corpus: dict[str, str]
) -> tuple[dict[str, str], list[list[str]]]:
    """Find allowed members in metastudent-data, and the search row that allows each."""
    out: Path = args.out
    extra = dump_metastudent(args.metastudent, out / "metastudent.fasta", set(corpus))
    rows = mmseqs_search(
        out / "metastudent.fasta", out / "fit.fasta", out / "near.tsv", NEAR, args.threads
    )
    best: dict[str, list[str]] = {}
    for row in rows:
        if row[0] not in best or float(row[2]) > float(best[row[0]][2]):
            best[row[0]] = row
    write_fasta(out / "near.fasta", {name: extra[name] for name in best})
    rows = mmseqs_search(
        out / "near.fasta", out / "others.fasta", out / "leaks.tsv", FAR, args.threads
    )
    leaks = {row[0] for row in rows}
    kept = [row for name, row in best.items() if name not in leaks]
    print(f"{len(best)} relatives, {len(best) - len(kept)} left out as near to another fold")
    return {row[0]: extra[row[0]] for row in kept}, kept


def crops_of(accession: str, group: str, sequence: str, domains: list[Hit]) -> Iterator[list[str]]:
    """Rows accession, group, family, start, end of the crops of one protein."""
    for hit in merge(domains):
        start, end = max(1, hit.start - FLANK), min(len(sequence), hit.end + FLANK)
        if end - start >= 20:
            yield [accession, group, hit.family, str(start), str(end)]


def carry_over(hits: list[Hit], row: list[str], length: int) -> list[Hit]:
    """Place the domains of a fit protein on its relative, by the start of their alignment."""
    query, (q_start, q_end, t_start, t_end) = row[0], (int(v) for v in row[3:7])
    shift = q_start - t_start
    placed = []
    for hit in hits:
        start, end = max(hit.start, t_start) + shift, min(hit.end, t_end) + shift
        start, end = max(start, 1), min(end, q_end + FLANK, length)
        if end - start >= 0.5 * (hit.end - hit.start):
            placed.append(Hit(query, hit.family, start, end))
    return placed


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="plain FASTA, accession as id")
    parser.add_argument("--split", type=Path, required=True, help="accession, cluster, fold")
    parser.add_argument("--hits", type=Path, nargs="+", required=True, help="Pfam hit tables")
    parser.add_argument("--metastudent", type=Path, help="the folder dataset_201401")
    parser.add_argument("--test-clusters", type=int, default=12)
    parser.add_argument("--fit-members", type=int, default=25)
    parser.add_argument("--threads", default="1")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Write ``sequences.fasta``, ``crops.tsv``, ``others.fasta`` and ``held_out.tsv``."""
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    with args.split.open() as handle:
        split = {row[0]: (row[1], row[2]) for row in csv.reader(handle, delimiter="\t")}
    corpus = read_fasta(args.corpus)
    hits = [hit for hit in read_hits(args.hits) if hit.accession in split and "#" not in hit[0]]
    families = choose_families(hits, split, args.test_clusters, args.fit_members)
    (args.out / "families.txt").write_text("\n".join(families) + "\n")
    domains: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        if hit.family in families:
            domains[hit.accession].append(hit)
    fit = {name: corpus[name] for name in domains if split[name][1] == "fit"}
    others = {name: corpus[name] for name in domains if split[name][1] != "fit"}
    write_fasta(args.out / "fit.fasta", fit)
    write_fasta(args.out / "others.fasta", others)
    held_out = [[*split[hit.accession], *map(str, hit)] for name in others for hit in domains[name]]
    write_rows(args.out / "held_out.tsv", held_out)
    rows = [row for name in fit for row in crops_of(name, name, fit[name], domains[name])]
    if args.metastudent:
        extra, allowed = more_members(args, corpus)
        fit |= extra
        for row in allowed:
            placed = carry_over(domains[row[1]], row, len(extra[row[0]]))
            rows += crops_of(row[0], row[1], extra[row[0]], placed)
    used = {row[0] for row in rows}
    write_fasta(args.out / "sequences.fasta", {name: fit[name] for name in fit if name in used})
    write_rows(args.out / "crops.tsv", rows)
    residues = sum(int(row[4]) - int(row[3]) + 1 for row in rows)
    print(f"{len(families)} families, {len(used)} proteins, {len(rows)} crops, {residues} residues")


if __name__ == "__main__":
    main()
