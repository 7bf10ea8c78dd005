"""``bio-interp variants``."""

import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import AtlasName, Common, Machine, Source, usage_error
from bio_interp.cli._show import counter, show_json, show_rows, usual_form

if TYPE_CHECKING:
    import polars as pl

_LOG = logging.getLogger(__name__)
_Form = Literal["table", "tsv", "json", "parquet"]
_SUFFIXES: "dict[str, _Form]" = {
    **dict.fromkeys((".tsv", ".txt", ".tab"), "tsv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    ".json": "json",
}
# columns that a terminal has no room for
_LEFT_OUT = ("link_type", "total", "wild_type", "mutant", "named_relative")


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Lens:
    """What is compared, and what is shown of it."""

    scan: Annotated[bool, Parameter(negative="")] = False
    "Every substitution by one of the 20 amino acids, in place of MUTATIONS."
    summary: Annotated[bool, Parameter(negative="")] = False
    "One row a variant, with its log-likelihood ratio, instead of one a feature."
    top: int = 20
    "So many features a variant."
    rank: Literal["relative", "total", "largest", "mutated"] = "relative"
    "Rank by total change over the feature's maximum, total change, largest, or at the mutation."
    precision: Literal["fp32", "auto"] = "fp32"
    "Number format of the model; auto is quicker, and adds changes that mean nothing."


_COMMON, _MACHINE, _LENS = Common(), Machine(), Lens()


def variants(
    protein: Source,
    /,
    *mutations: str,
    atlas: AtlasName = "unirep",
    accession: str | None = None,
    lens: Lens = _LENS,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    format: Annotated[_Form | None, Parameter(alias="-f")] = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Find the features of a protein that mutations change; scan every substitution.

    Parameters
    ----------
    protein
        File of one protein (FASTA or Swiss-Prot, plain or compressed), - for standard input, or a
        sequence.
    mutations
        A42G, p.Ala42Gly; A42G:S65T for those that come together; WT. Positions count from 1.
    atlas
        Name of an installed atlas, or the folder of one.
    accession
        The protein, of a file with several.
    out
        File to write; standard output where not given.
    format
        Guessed from the suffix of -o; else a table on a terminal, TSV in a pipe.
    """
    common.start()
    machine.start()
    if bool(mutations) == lens.scan:
        raise usage_error("variants takes MUTATIONS or --scan, one of the two.")
    form = format or _guess(out)
    if (out and form == "table") or (not out and form == "parquet" and sys.stdout.isatty()):
        raise usage_error("A table belongs on a terminal, Parquet in a file: change -o or -f.")
    from bio_interp import variants as room
    from bio_interp.atlas import load_atlas
    from bio_interp.models import LoadOptions

    one = room.one_protein(protein, accession)
    loaded = load_atlas(atlas, options=LoadOptions(machine.device, lens.precision))
    asked = list(room.all_substitutions(one.sequence)) if lens.scan else list(mutations)
    _LOG.info("%s, %d residues, %d variants", one.accession, len(one), len(asked))
    with counter("variants", draw=common.bars) as tick:
        if lens.summary:
            found = room.scan(loaded, one, asked, keep=0, progress=tick)
            table = found.table
            _LOG.info("the wild type read again: relative change %.2g", found.noise)
        else:
            table = room.variant_effects(
                loaded, one, asked, top=lens.top, rank=lens.rank, progress=tick
            )
    _write(table, form, out)


def _guess(out: Path | None) -> _Form:
    if out is None:
        return usual_form()
    if out.suffix.lower() not in _SUFFIXES:
        raise usage_error(f"{out} ends in none of {', '.join(_SUFFIXES)}: say the format with -f.")
    return _SUFFIXES[out.suffix.lower()]


def _write(table: "pl.DataFrame", form: _Form, out: Path | None) -> None:
    from bio_interp.provenance import atomic_path

    if form == "table":
        shown = table.drop(_LEFT_OUT, strict=False)
        show_rows(shown.columns, [[_text(cell) for cell in row] for row in shown.iter_rows()])
    elif form == "json" and not out:
        show_json({"variants": table.to_dicts()})
    elif form == "tsv" and not out:
        sys.stdout.write(table.write_csv(separator="\t", null_value="-", float_precision=4))
    elif not out:
        table.write_parquet(sys.stdout.buffer)
    else:
        with atomic_path(out) as temporary:
            if form == "json":
                temporary.write_text(json.dumps({"variants": table.to_dicts()}, indent=2) + "\n")
            elif form == "tsv":
                table.write_csv(temporary, separator="\t", null_value="-", float_precision=4)
            else:
                table.write_parquet(temporary)


def _text(cell: object) -> str:
    return "-" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else str(cell)
