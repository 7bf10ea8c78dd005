"""Give proteins that came later a fold of the frozen split, by their relatives in it.

A search of the new sequences in all frozen ones (MMseqs2, 30 % identity over half of the shorter)
and one clustering of the new ones together decide. A cluster of new sequences with a relative in a
``fit`` cluster is not used; one with relatives in one other fold takes that fold; one with
relatives in several folds is not used either; one without relatives is dealt by hash. The
``calibrate`` fold, which set precisions of the atlases and nothing else, serves to choose here (for
accessibility, where few proteins are left, to report).
Nothing was trained on clusters without relatives: their ``fit`` and ``select`` serve to choose,
their ``calibrate`` and ``test`` to report.
"""

import hashlib
import json
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from _sets import LabelledSet
from _settings import SPLIT, Settings, drawn_at

from bio_interp.provenance import write_json
from bio_interp.sequences import Fold, Protein, Split, find_mmseqs, make_split, read_proteins

IDENTITY, COVERAGE = 0.3, 0.5
TAKES: dict[str, Fold] = {"select": "select", "calibrate": "select", "test": "test"}
# of few proteins most have relatives that were trained on; to choose on, the others are enough
REPORTING: dict[str, dict[str, Fold]] = {"accessibility": {**TAKES, "calibrate": "test"}}
ALONE: dict[Fold, Fold] = {
    "fit": "select", "select": "select", "calibrate": "test", "test": "test",
}  # fmt: skip
FIT, MIXED, RELATIVE, ALONE_NAME = "fit", "mixed", "relative", "alone"


@dataclass(frozen=True)
class Placed:
    """Where one sequence went.

    Attributes
    ----------
    why
        ``fit`` (a relative was trained on: not used), ``mixed`` (relatives in several folds: not
        used), ``relative`` (takes the fold of its relatives), ``alone`` (no relatives: dealt).
    fold
        ``select``, ``test``, or empty where it is not used.
    cluster
        Frozen cluster of its nearest relative, or its own.
    """

    why: str
    fold: str
    cluster: str


def key_of(sequence: str) -> str:
    """Name a sequence by its hash."""
    return "s" + hashlib.sha256(sequence.encode()).hexdigest()[:16]


def place(
    clusters: Mapping[str, str],
    relatives: Mapping[str, Sequence[tuple[str, str]]],
    alone: Split,
    takes: Mapping[str, Fold] = TAKES,
) -> dict[str, Placed]:
    """Place new sequences by cluster.

    Parameters
    ----------
    clusters
        Cluster of every new sequence, of the new ones together.
    relatives
        ``(frozen cluster, fold)`` of the frozen relatives of some of them, the nearest first.
    alone
        Deals the clusters of the new ones.
    takes
        What each fold of relatives serves for here; what it lacks is not used.

    Examples
    --------
    >>> alone = Split({"a": ("a", "fit"), "b": ("a", "fit"), "c": ("c", "calibrate")}, {})
    >>> clusters = {"a": "a", "b": "a", "c": "c"}
    >>> placed = place(clusters, {"b": [("X", "test")]}, alone)
    >>> placed["a"].fold, placed["a"].cluster, placed["c"].fold, placed["c"].why
    ('test', 'X', 'test', 'alone')
    """
    near = defaultdict[str, list[tuple[str, str]]](list)
    for name in sorted(relatives):
        near[clusters[name]] += relatives[name]
    placed = dict[str, Placed]()
    for name, cluster in clusters.items():
        folds = {takes.get(fold, FIT) for _, fold in near[cluster]}
        if not folds:
            placed[name] = Placed(ALONE_NAME, ALONE[alone.fold(name)], cluster)
        elif FIT in folds or len(folds) > 1:
            placed[name] = Placed(FIT if FIT in folds else MIXED, "", cluster)
        else:
            placed[name] = Placed(RELATIVE, folds.pop(), near[cluster][0][0])
    return placed


def place_sets(sets: Sequence[LabelledSet], settings: Settings) -> dict[str, Mapping[str, Placed]]:
    """Place every sequence of each set that is not in the frozen split: ``{set: {key: place}}``.

    What was searched and clustered is kept in the work folder.
    """
    new = {key_of(p.sequence): p.sequence for s in sets if not s.frozen for p in s.proteins}
    if not new:
        return {}
    proteins = [Protein(name, sequence) for name, sequence in sorted(new.items())]
    near, alone = _relatives(proteins, settings), _alone(proteins, settings.work)
    # of all that were ever searched here: relatives of one set decide over clusters of another
    clusters = {name: alone.cluster(name) for name in near}
    usual = place(clusters, near, alone)
    own = {name: place(clusters, near, alone, takes) for name, takes in REPORTING.items()}
    return {s.name: own.get(s.name, usual) for s in sets}


def _relatives(proteins: Sequence[Protein], settings: Settings) -> dict[str, list[tuple[str, str]]]:
    """Search, or find what was searched for all of these."""
    path = settings.work / "relatives.json"
    if path.is_file():
        kept = json.loads(path.read_text())
        if {p.accession for p in proteins} <= set(kept):
            return kept
    split = Split.load(SPLIT)
    found = _search(proteins, _frozen(settings, split), split)
    every = {p.accession: found.get(p.accession, []) for p in proteins}
    write_json(path, every)
    return every


def _alone(proteins: Sequence[Protein], work: Path) -> Split:
    """Cluster the new sequences among themselves."""
    path = work / "alone.tsv"
    if path.is_file():
        kept = Split.load(path)
        if all(p.accession in kept for p in proteins):
            return kept
    split = make_split(proteins)
    split.save(path)
    return split


def split_of(one: LabelledSet, placed: Mapping[str, Placed]) -> tuple[Split, dict[str, int]]:
    """Make the split of one set; count how many proteins went where."""
    if one.frozen:
        frozen = Split.load(SPLIT)
        known = [p.accession for p in one.proteins if p.accession in frozen]
        rows = {a: frozen.rows[a] for a in known if frozen.fold(a) in ("select", "test")}
        went = Counter(frozen.fold(a) for a in known)
        return Split(rows, {"folds": "select and test of the frozen split"}), dict(went)
    rows, went = dict[str, tuple[str, Fold]](), Counter[str]()
    for protein in one.proteins:
        at = placed[key_of(protein.sequence)]
        went[f"{at.why} {at.fold}".strip()] += 1
        if at.fold == "select" or at.fold == "test":
            rows[protein.accession] = (at.cluster, at.fold)
    return Split(rows, {"folds": "of relatives in the frozen split, else by hash"}), dict(went)


def _frozen(settings: Settings, split: Split) -> list[Protein]:
    """Read every sequence of the frozen split; of accessions with several, all."""
    paths = [
        settings.shared / "corpus/swissprot_2014_reps50.fasta.zst",
        settings.shared / "proteome_yeast/yeast.fasta.gz",
        *sorted((settings.shared / "uniprot_flat").glob("*.dat.gz")),
    ]
    every = (p for path in paths for p in read_proteins(path) if p.accession in split)
    distinct = list({(p.accession, p.sequence): p for p in every}.values())
    return sorted(distinct, key=lambda p: drawn_at(p.sequence))[
        : round(len(distinct) * settings.searched)
    ]


def _search(
    new: Sequence[Protein], frozen: Sequence[Protein], split: Split
) -> dict[str, list[tuple[str, str]]]:
    """Find frozen relatives of new sequences, the nearest first."""
    program = find_mmseqs()
    with tempfile.TemporaryDirectory(prefix="known_annotations_") as name:
        folder = Path(name)
        for file, proteins in (("new", new), ("frozen", frozen)):
            with (folder / f"{file}.fasta").open("w") as fasta:
                fasta.writelines(f">n{i}\n{p.sequence}\n" for i, p in enumerate(proteins))
        names = [str(folder / part) for part in ("new.fasta", "frozen.fasta", "hits", "work")]
        options = ["--min-seq-id", str(IDENTITY), "--max-seqs", "300", "--threads", "2"]
        columns = "query,target,qcov,tcov,qlen,tlen,bits"
        command = [str(program), "easy-search", *names, *options, "--format-output", columns]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        lines = (folder / "hits").read_text().splitlines()
    found = defaultdict[str, list[tuple[float, str]]](list)
    for line in lines:
        query, target, qcov, tcov, qlen, tlen, bits = line.split("\t")
        shorter = float(qcov) if int(qlen) <= int(tlen) else float(tcov)
        if shorter >= COVERAGE:
            relative = frozen[int(target[1:])].accession
            found[new[int(query[1:])].accession].append((-float(bits), relative))
    return {
        name: [(split.cluster(a), split.fold(a)) for _, a in sorted(hits)]
        for name, hits in found.items()
    }
