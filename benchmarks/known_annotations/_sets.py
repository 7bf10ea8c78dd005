"""Sets of proteins with a label at every residue, each read into an `AnnotationTable`.

A residue without a label (not resolved in the structure, outside of the mask, symbol ``U``) is not
covered, and so unknown. Sources that label every residue they cover are closed world; cleavage
sites and UniProt features are open world, where absence is weak evidence.
"""

import csv
import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from _records import SHORTEST, Concept, Record, make_table, merged, usable
from _settings import Settings, drawn_at

from bio_interp.annotations import AnnotationTable, at_least, collect, filter_evidence
from bio_interp.sequences import Protein, read_proteins


@dataclass(frozen=True)
class LabelledSet:
    """Proteins and what is known of them.

    Attributes
    ----------
    name, title
        Short name, and what a reader is shown.
    proteins
        Each sequence once.
    tables
        Annotations; several where the set is judged at several levels of evidence.
    frozen
        True where the proteins are in the frozen split themselves.
    left_out
        Records that were not used, by reason.
    first
        Accessions that are drawn before all others.
    """

    name: str
    title: str
    proteins: Sequence[Protein]
    tables: Mapping[str, AnnotationTable]
    frozen: bool
    left_out: Mapping[str, int]
    first: frozenset[str] = frozenset()


_SS = (
    Concept("dssp:helix", "helix (DSSP 3-state H)", "H"),
    Concept("dssp:strand", "strand (DSSP 3-state E)", "E"),
    Concept("dssp:coil", "coil (DSSP 3-state C)", "C"),
)
_MEMBRANE = (
    Concept("topology:tm_helix", "transmembrane helix", "Hh"),
    Concept("topology:tm_strand", "transmembrane strand", "Bb"),
    Concept("topology:inside", "not in the membrane, inside", "1"),
    Concept("topology:outside", "not in the membrane, outside", "2"),
    Concept("topology:signal", "signal peptide", "S"),
)
# ConSurf classes: 8 and 9 are what is called conserved, 1 and 2 variable; 3 to 7 are neither, and
# negatives of both. A conserved residue has no neighbours of its kind to make a span with.
_CONSERVATION = (
    Concept("consurf:conserved", "conserved (ConSurf 8-9)", "89", "residue"),
    Concept("consurf:variable", "variable (ConSurf 1-2)", "12", "residue"),
)


def read_set(name: str, settings: Settings) -> LabelledSet:
    """Read a set of `SETS` by name."""
    one = SETS[name](settings)
    order = sorted(one.proteins, key=lambda p: drawn_at(p.sequence))
    return one if one.frozen else replace(one, proteins=order[: settings.pool])


def _secondary(settings: Settings) -> LabelledSet:
    folder = settings.shared / "flip_secondary_structure"
    masks = _fasta(folder / "mask.fasta.gz")
    symbols = {
        name: "".join(s if m == "1" else "-" for s, m in zip(text, masks[name], strict=True))
        for name, text in _fasta(folder / "sampled.fasta.gz").items()
    }
    sequences = _fasta(folder / "sequences.fasta.gz")
    records = [Record(n, sequences[n], s) for n, s in symbols.items() if n in sequences]
    records = _drawn(records, settings.pool)
    return _labelled("secondary_structure", "secondary structure, FLIP", records, _SS)


def _cb513(settings: Settings) -> LabelledSet:
    path = settings.shared / "cb513/CB513_HHblits.csv.gz"
    known = dict[str, str]()
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            inside = [float(m) > 0 for m in row["cb513_mask"].split()]
            states = zip(row["dssp3"].split(), inside, strict=True)
            symbols = "".join(s if k else "-" for s, k in states)
            sequence = "".join(row["input"].split())
            # a chain comes once a domain, each time with another part inside of the mask
            known[sequence] = merged(known.get(sequence, symbols), symbols)
    records = [Record(f"cb513_{i}", *row) for i, row in enumerate(known.items(), start=1)]
    return _labelled("cb513", "secondary structure, CB513", records, _SS)


def _membrane(settings: Settings) -> LabelledSet:
    records = list[Record]()
    for part in ("alpha", "beta"):
        lines = (settings.shared / f"tmbed/{part}.3line.fasta").read_text().split()
        for header, sequence, symbols in zip(*(lines[i::3] for i in range(3)), strict=True):
            name = header[1:].replace("|", "_")
            records.append(Record(name, sequence, symbols.replace("U", "-")))
    return _labelled("membrane", "membrane topology, TMbed", records, _MEMBRANE)


def _conservation(settings: Settings) -> LabelledSet:
    folder = settings.shared / "flip_conservation"
    sequences = _fasta(folder / "sequences.fasta.gz")
    labels = _fasta(folder / "sampled.fasta.gz")
    records = [Record(n, sequences[n], s) for n, s in labels.items() if n in sequences]
    records = _drawn(records, settings.pool)
    return _labelled("conservation", "conservation, FLIP", records, _CONSERVATION)


def _cleavage(settings: Settings) -> LabelledSet:
    """Join three proteases; each was looked for in its own proteins only."""
    parts = list[LabelledSet]()
    for file, name in (("CASPASE3", "caspase-3"), ("FURIN", "furin"), ("MMP2", "MMP2")):
        what = Concept(f"cleavage:{name}", f"next to a bond that {name} cuts", "1", "residue")
        parts.append(_labelled("", "", _aaanalysis(settings, file), (what,), world="open"))
    return _joined("cleavage", "cleavage sites, aaanalysis", parts)


def _disorder(settings: Settings) -> LabelledSet:
    what = Concept("disorder:long", "long disordered region", "1")
    records = _aaanalysis(settings, "LDR")
    return _labelled("disorder", "long disordered regions, aaanalysis", records, (what,))


def _accessibility(settings: Settings) -> LabelledSet:
    what = (
        Concept("accessibility:exposed", "exposed to solvent", "1", "residue"),
        Concept("accessibility:buried", "buried", "0", "residue"),
    )
    records = _aaanalysis(settings, "SA")
    return _labelled("accessibility", "solvent accessibility, aaanalysis", records, what)


def _uniprot(settings: Settings) -> LabelledSet:
    """Take reviewed entries; those of the flat files, which state evidence, come first."""
    files = sorted((settings.shared / "uniprot_flat").glob("swissprot_*.dat.gz"))
    proteome = settings.shared / "proteome_yeast"
    flat = {p.accession: p for path in files for p in read_proteins(path)}
    yeast = {p.accession: p for p in read_proteins(proteome / "yeast.fasta.gz")}
    proteins = [p for p in {**yeast, **flat}.values() if len(p) >= SHORTEST]
    table = collect([*files, proteome / "yeast_features.csv.gz"], proteins=proteins)
    tables = {
        "uniprot": table,
        "uniprot_curator": filter_evidence(table, at_least("curator")),
        "uniprot_experimental": filter_evidence(table, at_least("combinatorial")),
    }
    title = "curated features, UniProt"
    return LabelledSet("uniprot", title, proteins, tables, True, {}, frozenset(flat))


SETS: dict[str, Callable[[Settings], LabelledSet]] = {
    "secondary_structure": _secondary,
    "cb513": _cb513,
    "membrane": _membrane,
    "conservation": _conservation,
    "cleavage": _cleavage,
    "disorder": _disorder,
    "accessibility": _accessibility,
    "uniprot": _uniprot,
}


def _labelled(
    name: str,
    title: str,
    records: Iterable[Record],
    concepts: Sequence[Concept],
    *,
    world: str = "closed",
) -> LabelledSet:
    kept, left = usable(records)
    proteins = [Protein(r.accession, r.sequence) for r in kept]
    table = make_table(kept, concepts, world=world)
    return LabelledSet(name, title, proteins, {name: table}, False, left)


def _joined(name: str, title: str, parts: Sequence[LabelledSet]) -> LabelledSet:
    """Join sets whose proteins may be the same sequences under several names."""
    proteins, tables = dict[str, Protein](), list[AnnotationTable]()
    for part in parts:
        first = {p.accession: proteins.setdefault(p.sequence, p).accession for p in part.proteins}
        (table,) = part.tables.values()
        rows = table.rows.with_columns(accession=table.rows["accession"].replace(first))
        looked = table.coverage.with_columns(accession=table.coverage["accession"].replace(first))
        tables.append(AnnotationTable(rows, looked, table.concepts))
    left = {key: sum(p.left_out[key] for p in parts) for key in parts[0].left_out}
    joined = {name: AnnotationTable.concat(tables)}
    return LabelledSet(name, title, list(proteins.values()), joined, False, left)


def _drawn(records: list[Record], count: int) -> list[Record]:
    """Draw by sequence, so that sets of the same proteins keep the same ones."""
    return sorted(records, key=lambda r: drawn_at(r.sequence))[:count]


def _aaanalysis(settings: Settings, name: str) -> list[Record]:
    with gzip.open(settings.shared / f"aaanalysis/AA_{name}.tsv.gz", "rt") as file:
        return [
            Record(row["entry"], row["sequence"], row["label"].replace(",", ""))
            for row in csv.DictReader(file, delimiter="\t")
        ]


def _fasta(path: Path) -> dict[str, str]:
    """Read FASTA of anything by the first word of its headers; labels are no sequences."""
    with gzip.open(path, "rt") as file:
        parts = (record.partition("\n") for record in file.read().split(">")[1:])
        return {head.split()[0]: "".join(body.split()) for head, _, body in parts}
