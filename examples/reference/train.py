"""Train the reference model on the crops that ``prepare.py`` wrote: one command, resumable.

The rate is constant and falls to zero over the last 15 % of ``--minutes``. A run that was stopped
goes on from its last checkpoint; with a smaller ``--minutes`` it goes straight to the fall.
"""

import argparse
import csv
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import torch
from network import Muon, build, logits_at
from prepare import read_fasta
from torch import Tensor
from torch.nn import functional

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
LONGEST = 254
CLS, PAD, EOS = 0, 1, 2


class Crops:
    """Draws pieces of proteins: family, then 50 % cluster, then member.

    A family is drawn in proportion to the root of its number of clusters, so that the commonest
    do not crowd out the others and a cluster of near-copies counts once.
    """

    def __init__(self, folder: Path, whole: float) -> None:
        self.sequences = read_fasta(folder / "sequences.fasta")
        self.whole = whole
        families: dict[str, dict[str, list[list[str]]]] = defaultdict(lambda: defaultdict(list))
        with (folder / "crops.tsv").open() as handle:
            for row in csv.reader(handle, delimiter="\t"):
                families[row[2]][row[1]].append(row)
        self.groups = [list(groups.values()) for groups in families.values()]
        self.weights = [len(groups) ** 0.5 for groups in self.groups]

    def draw(self, dice: random.Random) -> str:
        """One piece of at most `LONGEST` residues."""
        family = dice.choices(self.groups, self.weights)[0]
        accession, _, _, start, end = dice.choice(dice.choice(family))
        sequence = self.sequences[accession]
        if dice.random() >= self.whole:
            sequence = sequence[int(start) - 1 : int(end)]
        first = dice.randint(0, max(0, len(sequence) - LONGEST))
        return sequence[first : first + LONGEST]

    def batches(self, pool: int, seed: int, tokens: int) -> Iterator[list[str]]:
        """Batches of about `tokens` tokens of like length; `pool` makes them reproducible."""
        dice = random.Random(f"{seed}:{pool}")
        batches: list[list[str]] = [[]]
        for piece in sorted((self.draw(dice) for _ in range(512)), key=len):
            if (len(batches[-1]) + 1) * (len(piece) + 2) > tokens:
                batches.append([])
            batches[-1].append(piece)
        dice.shuffle(batches)
        yield from batches


def encode(pieces: list[str], index: dict[str, int]) -> Tensor:
    """Tokens ``(batch, longest + 2)`` with start, end and padding, as fair-esm has them."""
    tokens = torch.full((len(pieces), max(map(len, pieces)) + 2), PAD)
    tokens[:, 0] = CLS
    for row, piece in zip(tokens, pieces, strict=True):
        row[1 : len(piece) + 1] = torch.tensor([index.get(x, index["X"]) for x in piece])
        row[len(piece) + 1] = EOS
    return tokens


def hide(tokens: Tensor, index: dict[str, int], low: float, high: float) -> tuple[Tensor, Tensor]:
    """Hide a share of each row, drawn between `low` and `high`: 80 % masks, 10 % other letters."""
    letters = torch.tensor([index[x] for x in LETTERS])
    rates = low + (high - low) * torch.rand(len(tokens), 1)
    where = (torch.rand(tokens.shape) < rates) & torch.isin(tokens, letters)
    how = torch.rand(tokens.shape)
    seen = tokens.masked_fill(where & (how < 0.8), index["<mask>"])
    swap = where & (how >= 0.9)
    seen[swap] = letters[torch.randint(len(letters), (int(swap.sum()),))]
    return seen, where


def rate_at(share: float, step: int) -> float:
    """Factor of the learning rate: a short rise, a plateau, a linear fall at the end."""
    return min(1.0, (step + 1) / 100) * min(1.0, max(0.0, (1 - share) / 0.15))


class Run:
    """A model in training, with its state on disk."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.model = build(args.layers, args.width, args.heads, args.seed)
        self.index: dict[str, int] = self.model.alphabet.tok_to_idx
        self.muon = Muon(self.model)
        matrices = {id(p) for members in self.muon.groups.values() for p in members}
        rest = [p for p in self.model.parameters() if p.requires_grad and id(p) not in matrices]
        self.adam = torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.0)
        self.state = {"step": 0, "pool": 0, "tokens": 0, "seconds": 0.0}
        self.file: Path = args.out / "checkpoint.pt"
        if self.file.exists():
            self.restore(torch.load(self.file, weights_only=True))

    def restore(self, saved: dict) -> None:
        """Go on from a checkpoint."""
        self.model.load_state_dict(saved["model"])
        self.adam.load_state_dict(saved["adam"])
        for buffer, old in zip(self.muon.buffers.values(), saved["muon"], strict=True):
            buffer.copy_(old)
        self.state = saved["state"]

    def save(self) -> None:
        """Write the checkpoint beside the old one, then replace that."""
        partial = self.file.with_suffix(".partial")
        saved = {"model": self.model.state_dict(), "adam": self.adam.state_dict()}
        saved |= {"muon": list(self.muon.buffers.values()), "state": self.state}
        torch.save(saved, partial)
        partial.replace(self.file)

    def step(self, pieces: list[str]) -> float:
        """One update; returns the loss in nats."""
        args, state = self.args, self.state
        tokens = encode(pieces, self.index)
        seen, where = hide(tokens, self.index, args.low, args.high)
        loss = functional.cross_entropy(logits_at(self.model, seen, where), tokens[where])
        loss.backward()
        factor = rate_at(state["seconds"] / 60 / args.minutes, state["step"])
        self.muon.step(args.rate * factor)
        for group in self.adam.param_groups:
            group["lr"] = args.adam_rate * factor
        self.adam.step()
        self.adam.zero_grad()
        state["step"] += 1
        state["tokens"] += int(tokens.ne(PAD).sum())
        return loss.item()

    def go(self, crops: Crops) -> None:
        """Train until the time is used up."""
        state, begun, earlier = self.state, time.monotonic(), self.state["seconds"]
        mean, budget = 3.0, self.args.minutes * 60
        while state["seconds"] < budget:
            for pieces in crops.batches(state["pool"], self.args.seed, self.args.tokens):
                torch.manual_seed(state["step"])
                mean += 0.02 * (self.step(pieces) - mean)
                state["seconds"] = earlier + time.monotonic() - begun
                if state["seconds"] >= budget:
                    break
            state["pool"] += 1
            self.save()
            with (self.args.out / "log.jsonl").open("a") as log:
                log.write(json.dumps(state | {"loss": round(mean, 4)}) + "\n")


def main() -> None:
    """Train, leaving ``checkpoint.pt``, ``settings.json`` and ``log.jsonl`` in ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="what prepare.py wrote")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=4096, help="tokens a batch")
    parser.add_argument("--rate", type=float, default=0.02, help="of Muon")
    parser.add_argument("--adam-rate", type=float, default=0.003)
    parser.add_argument("--low", type=float, default=0.15, help="smallest share hidden")
    parser.add_argument("--high", type=float, default=0.5, help="largest share hidden")
    parser.add_argument("--whole", type=float, default=0.2, help="share of whole proteins")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "settings.json").write_text(json.dumps(vars(args), default=str))
    Run(args).go(Crops(args.data, args.whole))


if __name__ == "__main__":
    main()
