"""``bio-interp sweep``."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from cyclopts import Parameter

from bio_interp.cli._options import Common, Machine, Source, read_list
from bio_interp.cli._show import show_rows

if TYPE_CHECKING:
    from bio_interp.building import Sweep
    from bio_interp.sae import Architecture

_LOG = logging.getLogger(__name__)
_ENDS = ("ce_recovered_low", "ce_recovered_high")
_SHOWN = ("name", "l0", "fvu", "dead", "ce_recovered", *_ENDS, "kl")


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Grid:
    """What is trained: every combination."""

    widths: str
    "Features of an SAE; several with commas between them, as in all of these: 1024,4096."
    k: str
    "Features on in a residue."
    sites: str = "all"
    "Where the model is tapped: all, or layer.2,layer.4."
    architectures: str = "batchtopk"
    "Of batchtopk, topk, jumprelu, gated and relu."
    seeds: str = "0"
    "Seeds of the first weights."
    rows: int | None = None
    "Residues to train on in all; every one once where not given."
    batch_rows: int = 2048
    "Residues a step."
    lr: float | None = None
    "Peak learning rate; by width where not given."
    buffer_rows: int = 262_144
    "Residues that are mixed in memory: 2 bytes times the widths of all sites each."
    checkpoint_every: int = 500
    "Steps, of which a kill loses no more."
    heldout_proteins: int = 500
    "Measure on at most so many proteins that no SAE was trained on."
    fidelity_proteins: int = 50
    "Of these, read so many through every SAE for cross-entropy and KL; 0 for none."

    def of(self, model: str) -> "Sweep":
        """Read the lists."""
        from bio_interp.building import Sweep

        architectures = read_list(self.architectures, "--architectures", str)
        return Sweep(
            model,
            tuple(read_list(self.widths, "--widths", int)),
            tuple(read_list(self.k, "--k", int)),
            tuple(read_list(self.sites, "--sites", str)),
            cast("tuple[Architecture, ...]", tuple(architectures)),
            tuple(read_list(self.seeds, "--seeds", int)),
            self.rows,
            self.batch_rows,
            self.lr,
            self.checkpoint_every,
            self.buffer_rows,
            self.heldout_proteins,
            self.fidelity_proteins,
        )


_COMMON, _MACHINE = Common(), Machine()


def sweep(
    model: str,
    /,
    *,
    sequences: Source,
    out: Annotated[Path, Parameter(alias="-o")],
    grid: Grid,
    split: Path | None = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Train SAEs of many sites, widths and k in one pass of a model, and measure them.

    Ends with sweep.tsv, sweep.parquet and plots of FVU and of recovered cross-entropy against L0.
    Killed at any time, it goes on where the same command is given again; other widths, sites or
    seeds given later are added in a pass of their own.

    Parameters
    ----------
    model
        Name of a model, such as esm2_t6_8M_UR50D.
    sequences
        FASTA or Swiss-Prot file, plain, gzip or zstandard.
    out
        Folder of the SAEs, the tables and the plots.
    split
        What `bio-interp split` made: train on its fold fit and measure on select, whose proteins
        have no relatives there. Without it, a tenth of the proteins is held out one by one.
    """
    common.start()
    machine.start()
    from bio_interp.building import sweep
    from bio_interp.models import LoadOptions

    table = sweep(grid.of(model), sequences, out, split=split, options=LoadOptions(machine.device))
    rows = [[_text(cell) for cell in row] for row in table.select(_SHOWN).iter_rows()]
    show_rows(_SHOWN, rows)
    _LOG.info("%d SAEs in %s; see sweep.tsv and the plots there", table.height, out)


def _text(cell: object) -> str:
    return "-" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else str(cell)
