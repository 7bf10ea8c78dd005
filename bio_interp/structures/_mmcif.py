"""Structures from mmCIF: `_atom_site`, SIFTS, `_struct_ref_seq`, sites."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gemmi

from bio_interp.errors import StructureError
from bio_interp.structures._build import build_models
from bio_interp.structures._components import component
from bio_interp.structures._records import ChainRecords, attach, gather_sites, whole
from bio_interp.structures._structure import (
    Chain,
    Difference,
    How,
    Reference,
    ResidueId,
    Site,
    Structure,
)

_NEEDED = (
    "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id",
    "label_seq_id", "Cartn_x", "Cartn_y", "Cartn_z",
)  # fmt: skip
_MISSING = frozenset({"?", ".", "nan"})

Row = Mapping[str, str]


def read_block(block: gemmi.cif.Block, name: str) -> Structure:
    """Read one block of mmCIF.

    Raises
    ------
    StructureError
        It has no atoms, or no columns of them that are needed, or coordinates that are no numbers.
    """
    _check_columns(block, name)
    records = _MmcifRecords(block)
    for category in ("_struct_ref.", "_struct_ref_seq.", "_struct_ref_seq_dif."):
        block.find_mmcif_category(category).erase()  # gemmi fails where columns are lacking
    parsed = gemmi.make_structure_from_block(block)
    models = attach(build_models(parsed), records)
    methods = [row["method"] for row in rows(block, "_exptl.", "method")]
    predicted = bool(list(rows(block, "_ma_qa_metric.", "id"))) or "theoretical model" in [
        method.lower() for method in methods
    ]
    return Structure(
        next((row["id"] for row in rows(block, "_entry.", "id") if row["id"]), name),
        models,
        method=", ".join(method.lower() for method in methods if method),
        resolution=parsed.resolution or None,
        predicted=predicted,
        disulfides=disulfides(parsed),
        sites=_sites(block),
    )


def disulfides(parsed: gemmi.Structure) -> tuple[tuple[ResidueId, ResidueId], ...]:
    """Read the disulfide bridges of a structure's records."""
    return tuple(
        (_address(bond.partner1), _address(bond.partner2))
        for bond in parsed.connections
        if bond.type is gemmi.ConnectionType.Disulf
    )


def _address(partner: gemmi.AtomAddress) -> ResidueId:
    seqid = partner.res_id.seqid
    return ResidueId(partner.chain_name, seqid.num or 0, seqid.icode.strip())


def rows(block: gemmi.cif.Block, category: str, *names: str) -> Iterator[Row]:
    """Iterate over the rows of a category that has the first column.

    Values that are not there are ``""``, and so are all of another column that is not there.
    """
    first, *others = names
    table = block.find(category, [first, *(f"?{name}" for name in others)])
    for row in table:
        yield {name: row.str(index) if row.has(index) else "" for index, name in enumerate(names)}


def _check_columns(block: gemmi.cif.Block, name: str) -> None:
    lacking = [c for c in _NEEDED if not block.find_values(f"_atom_site.{c}")]
    if lacking:
        raise StructureError(
            f"atoms in {name}",
            f"an mmCIF block {block.name!r} with no values of "
            f"{', '.join(f'_atom_site.{c}' for c in lacking)}",
            "Check that the file is a structure and whole.",
        )
    for axis in "xyz":
        for value in _no_numbers(block.find_values(f"_atom_site.Cartn_{axis}")):
            if value.lower() not in _MISSING:
                raise StructureError(
                    f"a number in _atom_site.Cartn_{axis} of {name}",
                    repr(value),
                    "Get the file again; it is damaged.",
                )


def _no_numbers(values: gemmi.cif.Column) -> list[str]:
    try:
        for value in values:
            float(value)
    except ValueError:
        # a standard uncertainty may stand behind a number: 1.234(5)
        return [value for value in values if math.isnan(gemmi.cif.as_number(value))]
    return []


class _MmcifRecords:
    def __init__(self, block: gemmi.cif.Block) -> None:
        self.sifts = _sifts(block)
        self.references = list(_references(block))
        self.differences = list(_differences(block))
        self.authors: dict[str, dict[int, tuple[int, str]]] = defaultdict(dict)
        names = ("asym_id", "seq_id", "pdb_seq_num", "pdb_ins_code")
        for row in rows(block, "_pdbx_poly_seq_scheme.", *names):
            label, author = whole(row["seq_id"]), whole(row["pdb_seq_num"])
            if label is not None and author is not None:
                self.authors[row["asym_id"]][label] = author, row["pdb_ins_code"]

    def of(self, chain: Chain) -> ChainRecords:
        sifts = segments(self.sifts.get(chain.label, ()), "sifts")
        recorded = [
            reference
            for strand, entity, reference in self.references
            if strand in ("", chain.name) and entity in ("", chain.entity)
        ]
        differences = [d for strand, d in self.differences if strand == chain.name]
        return ChainRecords([*sifts, *recorded], differences, self.authors.get(chain.label, {}))


_Places = list[tuple[int, str, int]]  # label, accession, position


def _sifts(block: gemmi.cif.Block) -> dict[str, _Places]:
    """Read SIFTS residue by residue, of missing residues too where the file has them."""
    found: dict[str, _Places] = defaultdict(list)
    names = ("asym_id", "seq_id", "unp_acc", "unp_num")
    for row in rows(block, "_pdbx_sifts_xref_db.", *names):
        _place(found[row["asym_id"]], row["seq_id"], row["unp_acc"], row["unp_num"])
    if any(found.values()):
        return found
    names = ("label_asym_id", "label_seq_id", "acc", "num", "name")
    tags = [f"_atom_site.{tag}" for tag in names[:2]]
    tags += [f"_atom_site.pdbx_sifts_xref_db_{tag}" for tag in names[2:]]
    before: list[str] = []
    for row in block.find(tags):
        now = list(row)
        if now != before and now[4] == "UNP":
            _place(found[now[0]], now[1], now[2], now[3])
        before = now
    return found


def _place(places: _Places, label: str, accession: str, position: str) -> None:
    at, to = whole(label), whole(position)
    if at is not None and to is not None and accession not in ("", "?", "."):
        places.append((at, accession, to))


def segments(places: Sequence[tuple[int, str, int]], how: How) -> list[Reference]:
    """Join residues that follow each other in the chain and in the database."""
    found: list[list[Any]] = []
    for label, accession, position in sorted(set(places)):
        last = found[-1] if found else None
        if last and last[0] == accession and last[2] + 1 == label and last[4] + 1 == position:
            last[2], last[4] = label, position
        else:
            found.append([accession, label, label, position, position])
    return [Reference(a, "UNP", how, start, end, p, q) for a, start, end, p, q in found]


def _references(block: gemmi.cif.Block) -> Iterator[tuple[str, str, Reference]]:
    names = ("id", "db_name", "pdbx_db_accession", "entity_id")
    known = {row["id"]: row for row in rows(block, "_struct_ref.", *names)}
    names = ("ref_id", "pdbx_strand_id", "pdbx_db_accession")
    names += ("seq_align_beg", "seq_align_end", "db_align_beg", "db_align_end")
    for row in rows(block, "_struct_ref_seq.", *names):
        of = known.get(row["ref_id"], {})
        numbers = [whole(row[name]) for name in names[3:]]
        accession = row["pdbx_db_accession"] or of.get("pdbx_db_accession", "")
        start, end, first, last = numbers
        if accession and None not in (start, end, first, last):
            places = (start or 0, end or 0, first or 0, last or 0)
            reference = Reference(accession, of.get("db_name", ""), "struct_ref", *places)
            yield row["pdbx_strand_id"], of.get("entity_id", ""), reference


def _differences(block: gemmi.cif.Block) -> Iterator[tuple[str, Difference]]:
    names = ("pdbx_pdb_strand_id", "seq_num", "mon_id", "db_mon_id", "pdbx_seq_db_seq_num")
    names += ("details", "pdbx_auth_seq_num", "pdbx_pdb_ins_code")
    for row in rows(block, "_struct_ref_seq_dif.", *names):
        yield (
            row["pdbx_pdb_strand_id"],
            Difference(
                whole(row["seq_num"]),
                whole(row["pdbx_auth_seq_num"]),
                row["pdbx_pdb_ins_code"],
                component(row["mon_id"]).letter if row["mon_id"] else "",
                component(row["db_mon_id"]).letter if row["db_mon_id"] else "",
                whole(row["pdbx_seq_db_seq_num"]),
                row["details"].lower() or "unexplained",
            ),
        )


def _sites(block: gemmi.cif.Block) -> tuple[Site, ...]:
    described = {row["id"]: row["details"] for row in rows(block, "_struct_site.", "id", "details")}
    names = ("site_id", "auth_asym_id", "auth_seq_id", "pdbx_auth_ins_code")
    members = [
        (row["site_id"], ResidueId(row["auth_asym_id"], number, row["pdbx_auth_ins_code"]))
        for row in rows(block, "_struct_site_gen.", *names)
        if (number := whole(row["auth_seq_id"])) is not None
    ]
    return gather_sites(members, described)
