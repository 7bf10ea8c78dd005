"""Continuous batching: a slot that finishes its protein takes the next one at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bio_interp_unirep._mlstm import ALPHABET, Mlstm, State

FLUSH = 32  # steps read at most before rows are copied out to their proteins


@dataclass(slots=True)
class _Slot:
    """One protein in flight; ``read`` counts the residues already copied to ``rows``."""

    index: int
    tokens: list[int]
    rows: Tensor
    read: int = 0


@torch.inference_mode()
def read_proteins_in_slots(
    cell: Mlstm, sequences: Iterable[str], *, slots: int, pending_residues: int = 60_000
) -> Iterator[tuple[int, Tensor]]:
    """Yield ``(index, rows)`` a protein in input order, rows ``(residues, d_model)`` float32.

    No padding is computed. Finished proteins wait for those before them; where more than
    `pending_residues` wait, no new protein starts until they are out, so that memory stays bounded
    by one long protein.
    """
    queue, reader = enumerate(sequences), _Reader(cell)
    waiting: dict[int, Tensor] = {}
    following = 0
    exhausted = False
    while True:
        blocked = sum(len(rows) for rows in waiting.values()) > pending_residues
        while not exhausted and not blocked and len(reader.active) < slots:
            item = next(queue, None)
            exhausted = item is None
            if item:
                reader.start(*item)
        if not reader.active and not waiting:
            return
        waiting.update(reader.advance())
        while following in waiting:
            yield following, waiting.pop(following)
            following += 1


class _Reader:
    """The proteins in flight and their state."""

    def __init__(self, cell: Mlstm) -> None:
        self.cell = cell
        self.first = cell.start()
        self.active: list[_Slot] = []
        self.state = State(self.first.h[:0], self.first.c[:0])

    def start(self, index: int, sequence: str) -> None:
        """Put a protein into flight."""
        tokens = [ALPHABET[letter] for letter in sequence]
        rows = torch.empty(len(tokens), self.cell.d_model, device=self.cell.device)
        self.active.append(_Slot(index, tokens, rows))
        self.state = State(
            torch.cat([self.state.h, self.first.h]), torch.cat([self.state.c, self.first.c])
        )

    def advance(self) -> dict[int, Tensor]:
        """Read until the shortest protein in flight ends, `FLUSH` residues at most."""
        if not self.active:
            return {}
        steps = min([FLUSH, *(len(s.tokens) - s.read for s in self.active)])
        tokens = torch.tensor(
            [s.tokens[s.read : s.read + steps] for s in self.active], device=self.cell.device
        )
        hidden: list[Tensor] = []
        for t in range(steps):
            self.state = self.cell.step(tokens[:, t], self.state)
            hidden.append(self.state.h)
        block = torch.stack(hidden, dim=1)  # (proteins, steps, d_model)
        for slot, rows in zip(self.active, block, strict=True):
            slot.rows[slot.read : slot.read + steps] = rows
            slot.read += steps
        return self._retire()

    def _retire(self) -> dict[int, Tensor]:
        keep = [i for i, s in enumerate(self.active) if s.read < len(s.tokens)]
        done = {s.index: s.rows for s in self.active if s.read == len(s.tokens)}
        if done:
            self.active = [self.active[i] for i in keep]
            self.state = State(self.state.h[keep], self.state.c[keep])
        return done
