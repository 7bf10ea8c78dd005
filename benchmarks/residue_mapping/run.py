"""Residues of structures mapped to proteins: correctly, wrongly, refused.

Over all shared structures: against the table of chains and proteins, with the files' records and
without (by alignment alone), and with proteins that the chains are not; against the files' own
records, read a second time by authors' numbers, and the letters that they quote. Beside it: what
comes of taking the author's number for the position, as viewers and notebooks do.
"""

import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from _harness import SHARED, finish, parse, record
from _own import own_records
from _truth import Known, Score, against_known, against_own_letters, known_chains, proteins

from bio_interp.errors import MismatchError
from bio_interp.sequences import Protein
from bio_interp.structures import (
    Chain,
    ChainMap,
    Structure,
    map_chain,
    read_structure,
    recorded_maps,
)


def main() -> None:
    options = parse(__doc__)
    rows = known_chains(SHARED)
    given = proteins(SHARED, {row.accession for row in rows})
    files = sorted((SHARED / "structures").glob("*.gz"))
    files = files[::4] if options.quick else files
    start = time.process_time()
    structures = {f"structures/{path.name}": read_structure(path) for path in files}
    seconds = time.process_time() - start
    for row in rows:
        if row.file.startswith("structures_dssp") and not options.quick:
            structures.setdefault(row.file, read_structure(SHARED / row.file))
    rows = [row for row in rows if row.file in structures]
    figures: dict[str, Any] = {
        "files": len(files),
        "residues": sum(_resolved(s) for s in structures.values()),
        "read_seconds_of_processor": round(seconds, 2),
        "known_chains": len(rows),
        "with_records": known(rows, structures, given, bare=False),
        "by_alignment_alone": known(rows, structures, given, bare=True),
        "number_taken_for_position": naive(rows, structures, given),
        "wrong_proteins": wrong_proteins(rows, structures, given),
        "own_records": own(files, structures),
    }
    finish(record("residue_mapping", options, figures, packages=("gemmi", "biopython")), options)


def _resolved(structure: Structure) -> int:
    return sum(r.resolved for c in structure.chains if c.kind == "protein" for r in c.residues)


def _mapped(chain: Chain, protein: Protein) -> ChainMap | None:
    try:
        return map_chain(chain, protein)
    except MismatchError:
        return None


def known(
    rows: list[Known],
    structures: dict[str, Structure],
    given: dict[str, Protein],
    *,
    bare: bool,
) -> dict[str, Any]:
    """Compare with the table, row by row."""
    total, ways, shown = Score(), {}, []
    for row in rows:
        chain = structures[row.file].chain(row.chain)
        if bare:
            chain = replace(chain, references=(), differences=())
        found = _mapped(chain, given[row.accession])
        score = Score(refused=len(row.positions))
        if found:
            score = against_known(row, chain, found)
            ways[found.how] = ways.get(found.how, 0) + 1
        total.add(score)
        if not found or score.wrong or score.refused or row.identity < 1 or found.note:
            facts = {"file": row.file, "chain": row.chain, "accession": row.accession}
            facts |= {"how": found.how if found else "refused", "note": found.note if found else ""}
            identity = round(found.identity, 3) if found else None
            shown.append({**facts, "identity": identity, **asdict(score)})
            if score.wrong and found:
                shown[-1]["wrong_residues"] = _wrong(row, chain, found)
    return {**asdict(total), "ways": ways, "chains_to_look_at": shown}


def _wrong(row: Known, chain: Chain, found: ChainMap) -> list[dict[str, Any]]:
    """Show residues that are elsewhere than the table says, with the bond to the one before."""
    wrong = []
    for index, (residue, ours) in enumerate(zip(chain.residues, found.positions, strict=True)):
        theirs = row.positions.get(residue.author or 0)
        if residue.resolved and theirs and ours and ours != theirs:
            step = chain.coordinates[index] - chain.coordinates[index - 1]
            distance = round(float((step**2).sum() ** 0.5), 2)
            wrong.append({"author": residue.author, "ours": ours, "table": theirs})
            wrong[-1]["angstrom_to_the_one_before"] = distance
    return wrong


def naive(
    rows: list[Known], structures: dict[str, Structure], given: dict[str, Protein]
) -> dict[str, int]:
    """Score the author's number as position, which never refuses within the protein."""
    total = Score()
    for row in rows:
        for residue in structures[row.file].chain(row.chain).residues:
            truth = row.positions.get(residue.author or 0)
            if residue.resolved and truth is not None:
                number, length = residue.author or 0, len(given[row.accession])
                total.right += number == truth
                total.refused += not 1 <= number <= length
                total.wrong += number != truth and 1 <= number <= length
    return asdict(total)


def wrong_proteins(
    rows: list[Known], structures: dict[str, Structure], given: dict[str, Protein]
) -> dict[str, Any]:
    """Offer each chain all proteins of the table that it is not."""
    total, mapped = 0, []
    for row in rows:
        for accession, protein in given.items():
            if accession != row.accession:
                total += 1
                if _mapped(structures[row.file].chain(row.chain), protein):
                    mapped.append([row.file, row.chain, accession])
    return {"pairs": total, "refused": total - len(mapped), "mapped": mapped}


def own(files: list[Path], structures: dict[str, Structure]) -> dict[str, Any]:
    """Map every chain by the records of its file alone, and compare with a second reading."""
    numbers, letters, without = Score(), Score(), []
    for path in files:
        places, quoted = own_records(path)
        if not places and not quoted:
            without.append(path.name)
        for chain in structures[f"structures/{path.name}"].chains:
            maps = {found.accession: found for found in recorded_maps(chain)}
            for (name, accession), known_places in places.items():
                if name != chain.name:
                    continue
                numbers.add(_by_number(chain, maps.get(accession), known_places))
            for accession, found in maps.items():
                letters.add(against_own_letters(chain, found, quoted.get(accession, {})))
    return {
        "by_authors_numbers": asdict(numbers),
        "by_quoted_letters": asdict(letters),
        "files_without_a_record": without,
    }


def _by_number(chain: Chain, found: ChainMap | None, places: dict[int, int]) -> Score:
    score = Score()
    for index, residue in enumerate(chain.residues):
        truth = places.get(residue.author or 0)
        if not residue.resolved or residue.insertion or truth is None:
            continue
        ours = found.positions[index] if found else None
        score.right += ours == truth
        score.refused += ours is None
        score.wrong += ours not in (truth, None)
    return score


if __name__ == "__main__":
    main()
