"""The frozen split: every protein's homology cluster, and the fold its cluster was dealt to."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from bio_interp.errors import InputError, NotFoundError
from bio_interp.provenance import atomic_path, sha256_text, versions
from bio_interp.sequences._source import numbered, open_lines

Fold = Literal["fit", "select", "calibrate", "test"]
"""What proteins of a fold may be used for: `fit` trains models, `select` chooses features and
thresholds, `calibrate` sets precisions, `test` is reported once."""

FOLDS: tuple[Fold, ...] = get_args(Fold)

_TITLE = "# bio_interp split 1"
_COLUMNS = "accession\tcluster\tfold"
_ENDS: tuple[tuple[float, Fold], ...] = (
    (0.5, "fit"),
    (0.65, "select"),
    (0.8, "calibrate"),
    (1.0, "test"),
)


@dataclass(frozen=True)
class Split:
    """Homology clusters dealt into folds, frozen before anything is trained.

    Attributes
    ----------
    rows
        ``(cluster, fold)`` by accession. A cluster is named after its smallest accession.
    facts
        How the clusters were made: ``method``, ``parameters``, ``versions``; one line of text each.
    """

    rows: Mapping[str, tuple[str, Fold]] = field(repr=False)
    facts: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, accession: object) -> bool:
        return accession in self.rows

    def fold(self, accession: str) -> Fold:
        """Look up the fold of a protein; `NotFoundError` where the split lacks it."""
        return self._row(accession)[1]

    def cluster(self, accession: str) -> str:
        """Look up the cluster of a protein; `NotFoundError` where the split lacks it."""
        return self._row(accession)[0]

    def accessions(self, fold: Fold) -> list[str]:
        """List the proteins of a fold, sorted."""
        if fold not in FOLDS:
            raise NotFoundError(f"a fold ({', '.join(FOLDS)})", repr(fold), "Choose one of them.")
        return sorted(accession for accession, row in self.rows.items() if row[1] == fold)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the sorted lines ``accession TAB cluster TAB fold``, 64 digits."""
        return sha256_text(self._lines())

    def save(self, path: Path) -> None:
        """Write the split as TSV, sorted, with its facts and hash in header comments.

        Raises
        ------
        InputError
            The file cannot be written.
        """
        facts = [f"# {key}: {value}" for key, value in self.facts.items()]
        lines = [_TITLE, *facts, f"# sha256: {self.hash}", _COLUMNS, *self._lines()]
        try:
            with atomic_path(path) as temporary:
                temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"to write the split to {path}",
                str(error.strerror),
                "Check that the folder is yours, and the space on its disk.",
            ) from error

    @classmethod
    def load(cls, path: Path) -> "Split":
        """Read what `save` wrote (gzip or zstandard are welcome).

        Raises
        ------
        InputError
            Not such a file, or the rows are not those that the hash in it was made of.
        """
        facts: dict[str, str] = {}
        rows: dict[str, tuple[str, Fold]] = {}
        with open_lines(path) as text:
            for number, latin in numbered(text, str(path)):
                line = latin.encode("latin-1").decode("utf-8", errors="replace").rstrip("\n")
                if number == 1 and line != _TITLE:
                    raise _broken(path, number, line)
                if line.startswith("# "):
                    key, _, value = line[2:].partition(": ")
                    facts[key] = value
                elif line != _COLUMNS:
                    accession, cluster, fold = _fields(path, number, line)
                    rows[accession] = (cluster, fold)
        facts.pop(_TITLE[2:], None)
        said, split = facts.pop("sha256", "no hash"), cls(rows, facts)
        if said != split.hash:
            raise InputError(
                "a split whose rows are those that its hash was made of",
                f"{path} with hash {split.hash[:12]} that says {said[:12]}",
                "It was changed or cut: take it again from where it was made.",
            )
        return split

    def _row(self, accession: str) -> tuple[str, Fold]:
        try:
            return self.rows[accession]
        except KeyError:
            raise NotFoundError(
                "a protein of the split",
                f"{accession!r}, which is not among its {len(self)} accessions",
                "Make the split with all sources together (`make_split`).",
            ) from None

    def _lines(self) -> list[str]:
        return sorted(f"{name}\t{cluster}\t{fold}" for name, (cluster, fold) in self.rows.items())


def deal(links: Iterable[tuple[str, str]], facts: Mapping[str, str]) -> Split:
    """Deal clusters into folds by the hash of their names: half, 15 %, 15 %, 20 %.

    The fold of a cluster depends on nothing but its name, so that clusters left as they are stay
    in their fold when others are added.

    Parameters
    ----------
    links
        Pairs of accessions that belong to one cluster; ``(a, a)`` for one that is alone. Clusters
        are what is joined by any chain of pairs.
    facts
        How the links were found; the version of bio-interp is added.

    Examples
    --------
    >>> split = deal([("P2", "P1"), ("P3", "P3")], {"method": "by hand"})
    >>> split.cluster("P2"), split.cluster("P3")
    ('P1', 'P3')
    >>> split.fold("P1") == split.fold("P2")
    True
    """
    smallest = _smallest_of_cluster(links)
    folds: dict[str, Fold] = {cluster: _fold_of(cluster) for cluster in set(smallest.values())}
    rows: dict[str, tuple[str, Fold]] = {
        name: (cluster, folds[cluster]) for name, cluster in smallest.items()
    }
    ours = " ".join(f"{name} {number}" for name, number in versions(("bio-interp",)).items())
    known = f"{facts['versions']}, {ours}" if "versions" in facts else ours
    return Split(rows, {**facts, "versions": known})


def _fold_of(cluster: str) -> Fold:
    digits = hashlib.sha256(f"bio_interp split 1:{cluster}".encode()).hexdigest()[:8]
    drawn = int(digits, 16) / 2**32
    return next(fold for end, fold in _ENDS if drawn < end)


def _smallest_of_cluster(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join links by union-find; the root of a cluster is its smallest member."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    for one, other in links:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {name: root(name) for name in parent}


def _fields(path: Path, number: int, line: str) -> tuple[str, str, Fold]:
    match line.split("\t"):
        case [accession, cluster, fold] if fold in FOLDS:
            return accession, cluster, fold
        case _:
            raise _broken(path, number, line)


def _broken(path: Path, number: int, line: str) -> InputError:
    return InputError(
        f"a split as bio_interp writes it ({_TITLE!r}, then accession, cluster, fold)",
        f"{line[:60]!r} at line {number} of {path}",
        "Give the file that `Split.save` wrote.",
    )
