"""Compare the reference model with unigrams and 3-grams on proteins of `test` clusters.

A seventh of each protein is hidden at a time, and all methods are judged on the residues hidden
from the model; 3-grams see all letters to the left. Domains are read with some of their protein
around them, in several rounds with other residues hidden. The baselines are counted on all `fit`
proteins of the corpus; the weights that mix 3-, 2- and 1-grams are set on proteins of `select`.
"""

import argparse
import csv
import json
import math
import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from prepare import read_fasta

from bio_interp.models import LanguageModel, load_model

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
CODE = np.full(128, 20, dtype=np.int64)
CODE[[ord(letter) for letter in LETTERS]] = np.arange(20)
PARTS = 7  # 1/7 is close to the usual 15 %
FLANK = 60
KNOWN_GAIN = 0.1


def codes(sequence: str) -> np.ndarray:
    """Numbers of the letters; 20 is any other letter, or the outside."""
    return CODE[np.frombuffer(sequence.encode(), dtype=np.uint8)]


class Grams:
    """Interpolated 1-, 2- and 3-grams, read from left to right."""

    def __init__(self, sequences: Iterable[str]) -> None:
        counts = np.zeros((21, 21, 21))
        for sequence in sequences:
            row = np.concatenate([[20, 20], codes(sequence)])
            np.add.at(counts, (row[:-2], row[1:-1], row[2:]), 1)
        counts = counts[..., :20]
        levels = [counts.sum((0, 1)), counts.sum(0), counts]
        self.levels = [(c + 1e-3) / (c + 1e-3).sum(-1, keepdims=True) for c in levels]
        self.mix = np.array([1.0, 0.0, 0.0])

    def terms(self, sequence: str) -> np.ndarray:
        """Probability of each residue at the three levels, ``(residues, 3)``."""
        row = np.concatenate([[20, 20], codes(sequence)])
        a, b, c = row[:-2], row[1:-1], np.minimum(row[2:], 19)  # others are never asked
        one, two, three = self.levels
        return np.stack([one[c], two[b, c], three[a, b, c]], axis=1)

    def fit_mix(self, sequences: Iterable[str]) -> None:
        """Set the weights of the levels by expectation maximisation."""
        terms = np.concatenate([self.terms(s)[codes(s) < 20] for s in sequences])
        self.mix = np.full(3, 1 / 3)
        for _ in range(50):
            share = terms * self.mix
            self.mix = (share / share.sum(1, keepdims=True)).mean(0)

    def losses(self, sequence: str, *, unigram: bool = False) -> np.ndarray:
        """Nats of each residue."""
        mix = np.array([1.0, 0.0, 0.0]) if unigram else self.mix
        return -np.log(self.terms(sequence) @ mix)


def model_losses(model: LanguageModel, sequences: list[str], rounds: int) -> list[np.ndarray]:
    """Nats of each residue with itself and a seventh of its protein hidden; NaN if not asked."""
    found = [np.full(len(sequence), np.nan) for sequence in sequences]
    asked: list[tuple[int, list[int]]] = []
    for place, sequence in enumerate(sequences):
        order = [i for i, letter in enumerate(sequence) if letter in LETTERS]
        random.Random(sequence).shuffle(order)
        asked += [(place, sorted(order[k::PARTS])) for k in range(rounds) if order[k::PARTS]]
    logits = model.logits((sequences[place] for place, _ in asked), masked=(i for _, i in asked))
    for (place, index), rows in zip(asked, logits, strict=True):
        loss = -torch.log_softmax(rows[index].float(), dim=-1)
        found[place][index] = loss.numpy()[np.arange(len(index)), codes(sequences[place])[index]]
    return found


def perplexity(losses: Iterable[np.ndarray]) -> float:
    """Perplexity over all residues pooled; those not asked are NaN."""
    return round(math.exp(float(np.nanmean(np.concatenate(list(losses))))), 3)


def compare(
    model: LanguageModel, grams: Grams, sequences: list[str], inside: list[slice], rounds: int
) -> tuple[dict[str, Any], list[float]]:
    """Perplexities over the parts `inside`, and the model's gain over 3-grams in each part."""
    read = model_losses(model, sequences, rounds)
    ours = [loss[part] for loss, part in zip(read, inside, strict=True)]
    asked = [np.where(np.isnan(loss), np.nan, 1.0) for loss in ours]
    found = {"model": perplexity(ours)}
    for name in ("3-gram", "unigram"):
        theirs = [
            grams.losses(sequence, unigram=name == "unigram")[part] * mask
            for sequence, part, mask in zip(sequences, inside, asked, strict=True)
        ]
        found[name] = perplexity(theirs)
        if name == "3-gram":
            gains = [float(np.nanmean(b - a)) for a, b in zip(ours, theirs, strict=True)]
    found["residues"] = int(sum(np.nansum(mask) for mask in asked))
    return found, gains


def draw_domains(rows: list[list[str]], clusters: int) -> list[list[str]]:
    """One domain of each test cluster, at most `clusters` of them a family."""
    by_family: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for row in sorted(rows, key=lambda row: row[2]):
        if row[1] == "test":
            by_family[row[3]].setdefault(row[0], row)
    dice = random.Random(0)
    return [
        row
        for family in sorted(by_family)
        for row in dice.sample(
            list(by_family[family].values()), min(clusters, len(by_family[family]))
        )
    ]


def family_table(domains: list[list[str]], gains: list[float]) -> dict[str, Any]:
    """Gain of the model over 3-grams by family, in nats a residue, averaged over clusters.

    A family is called known when the gain less two standard errors exceeds `KNOWN_GAIN`.
    """
    by_family: dict[str, list[float]] = defaultdict(list)
    for row, gain in zip(domains, gains, strict=True):
        if not math.isnan(gain):
            by_family[row[3]].append(gain)
    table = {}
    for family, values in by_family.items():
        mean = float(np.mean(values))
        error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
        table[family] = {"clusters": len(values), "gain": round(mean, 4), "error": round(error, 4)}
        table[family]["known"] = mean - 2 * error > KNOWN_GAIN
    return table


def judge_domains(args: argparse.Namespace, model: LanguageModel, grams: Grams) -> dict[str, Any]:
    """Judge the model within the domains of its families, on proteins of test clusters."""
    others = read_fasta(args.data / "others.fasta")
    with (args.data / "held_out.tsv").open() as handle:
        domains = draw_domains(list(csv.reader(handle, delimiter="\t")), args.clusters)
    sequences, inside = [], []
    for _, _, accession, _, start, end in domains:
        first = max(0, int(start) - 1 - FLANK)
        sequences.append(others[accession][first : int(end) + FLANK])
        inside.append(slice(int(start) - 1 - first, int(end) - first))
    found, gains = compare(model, grams, sequences, inside, args.rounds)
    table = family_table(domains, gains)
    known = sorted(family for family, row in table.items() if row["known"])
    return {"domains": found, "known": known, "families": table}


def main() -> None:
    """Print the numbers of the model card as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="plain FASTA, accession as id")
    parser.add_argument("--split", type=Path, required=True, help="accession, cluster, fold")
    parser.add_argument("--data", type=Path, required=True, help="the --out of prepare.py")
    parser.add_argument("--proteins", type=int, default=1000)
    parser.add_argument("--clusters", type=int, default=20, help="test clusters a family")
    parser.add_argument("--rounds", type=int, default=3, help="of hiding in each domain")
    args = parser.parse_args()
    corpus = read_fasta(args.corpus)
    folds: dict[str, list[str]] = defaultdict(list)
    with args.split.open() as handle:
        for accession, _, fold in csv.reader(handle, delimiter="\t"):
            if "#" not in accession:
                folds[fold].append(accession)
    dice = random.Random(0)
    grams = Grams(corpus[name] for name in folds["fit"])
    grams.fit_mix(corpus[name] for name in dice.sample(folds["select"], 500))
    test = [corpus[name] for name in dice.sample(folds["test"], args.proteins)]
    model = load_model("reference")
    everything, _ = compare(model, grams, test, [slice(None)] * len(test), 1)
    found = {"test proteins": everything, "mix": grams.mix.round(3).tolist()}
    found["weights_sha256"] = model.info.weights_sha256
    print(json.dumps(found | judge_domains(args, model, grams), indent=1))


if __name__ == "__main__":
    main()
