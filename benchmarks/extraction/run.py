"""Residues a second from a layer of ESM-2, against fair-esm, on real proteins in random order.

The network has the shape of esm2_t6_8M (6 layers, width 320) with random weights: time does not
depend on them. Peers are fair-esm one protein at a time, its own `get_batch_indices(4096)`, and
batches of 8; each hands out the residue rows of every protein, as we do.
"""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
import zstandard
from esm.data import FastaBatchedDataset
from esm.model.esm2 import ESM2

from bio_interp.models import Esm2Engine, LoadOptions, native_bf16

sys.path.insert(0, str(Path(__file__).parents[1]))
from _harness import SHARED, alternate, finish, parse, per_second, ratio, record, rounded

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
LAYERS = (4, 6)
OURS = (("fp32", 4), ("fp32", 6), ("bf16", 4))
PEERS = ("fair_esm_one", "fair_esm_4096", "fair_esm_8")


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    sequences, source = proteins(16 if options.quick else 48, seed=options.seed)
    module = ESM2(num_layers=6, embed_dim=320, attention_heads=20).eval()
    rounds = 2 if options.quick else 5
    figures: dict[str, Any] = {
        "proteins": len(sequences),
        "residues": sum(map(len, sequences)),
        "sequences": source,
        "rounds": rounds,
        "native_bf16": native_bf16(torch.device("cpu")),
        "goals": {"speedup_fp32_layer_4": 1.8, "speedup_bf16_layer_4": 3.0},
    }
    if not figures["native_bf16"]:
        figures["bf16_note"] = (
            "this processor has no bf16 units, so bf16 products are emulated and slower than "
            "fp32; precision 'auto' chooses fp32 here"
        )
    figures |= measure(module, sequences, rounds)
    figures["max_abs_difference_to_fair_esm"] = difference(module, sequences[:12])
    packages = ("bio-interp", "torch", "fair-esm", "numpy")
    finish(record("extraction", options, figures, packages=packages), options)


def proteins(count: int, *, seed: int) -> tuple[list[str], str]:
    """Take proteins of up to 1,022 residues at random; made up ones where the corpus is absent."""
    pick = random.Random(seed)
    path = SHARED / "corpus/swissprot_2014_reps50.fasta.zst"
    if not path.is_file():
        lengths = [min(1022, max(30, int(pick.lognormvariate(5.7, 0.6)))) for _ in range(count)]
        made = ["".join(pick.choices(AMINO_ACIDS, k=length)) for length in lengths]
        return made, "made up, lengths log-normal"
    with zstandard.open(path, "rt") as file:
        records = file.read().split(">")[1:]
    found = ("".join(record.split("\n")[1:]) for record in records)
    known = [s for s in found if len(s) <= 1022 and set(s) <= set(AMINO_ACIDS)]
    return pick.sample(known, count), path.name


def measure(module: ESM2, sequences: list[str], rounds: int) -> dict[str, Any]:
    """Time peers and ourselves; a peer runs all layers whichever is asked for, so once for all."""
    eights = [sequences[i : i + 8] for i in range(0, len(sequences), 8)]
    runs: dict[str, Callable[[], None]] = {
        "fair_esm_one": lambda: drain(fair_esm(module, [[s] for s in sequences], LAYERS)),
        "fair_esm_4096": lambda: drain(fair_esm(module, own_batches(sequences), LAYERS)),
        "fair_esm_8": lambda: drain(fair_esm(module, eights, LAYERS)),
    }
    for precision, layer in OURS:
        engine = Esm2Engine(module, name="random", options=LoadOptions("cpu", precision))
        runs[f"bio_interp_{precision}_layer_{layer}"] = partial(extract, engine, sequences, layer)
    taken = alternate(runs, rounds=rounds)
    residues = sum(map(len, sequences))
    best = min(PEERS, key=lambda peer: median(taken.wall[peer]))
    figures: dict[str, Any] = {"best_peer": best}
    for name, seconds in taken.wall.items():
        figures[f"residues_per_second_{name}"] = per_second(residues, seconds)
    for precision, layer in OURS:
        name = f"{precision}_layer_{layer}"
        for kind, seconds in (("speedup", taken.wall), ("cpu_speedup", taken.cpu)):
            figures[f"{kind}_{name}"] = ratio(seconds[f"bio_interp_{name}"], seconds[best])
    return figures | {"seconds": rounded(taken.wall), "cpu_seconds": rounded(taken.cpu)}


def extract(engine: Esm2Engine, sequences: list[str], layer: int) -> None:
    drain(engine.activations(sequences, [f"layer.{layer}"]))


def own_batches(sequences: list[str]) -> list[list[str]]:
    """Batch as fair-esm's own extraction script does."""
    dataset = FastaBatchedDataset([str(i) for i in range(len(sequences))], sequences)
    batches = dataset.get_batch_indices(4096, extra_toks_per_seq=1)
    return [[sequences[i] for i in batch] for batch in batches]


def fair_esm(
    module: ESM2, batches: list[list[str]], layers: Sequence[int]
) -> Iterator[dict[int, torch.Tensor]]:
    """Give the residue rows of every protein, by layer, as fair-esm's scripts/extract.py does."""
    convert = module.alphabet.get_batch_converter()
    with torch.no_grad():
        for batch in batches:
            _, _, tokens = convert([("", sequence) for sequence in batch])
            rows = module(tokens, repr_layers=layers)["representations"]
            for i, sequence in enumerate(batch):
                yield {k: rows[k][i, 1 : len(sequence) + 1].clone() for k in layers}


def difference(module: ESM2, sequences: list[str]) -> float:
    """Give the largest difference of our fp32 rows from fair-esm's, over both layers."""
    engine = Esm2Engine(module, name="random", options=LoadOptions("cpu", "fp32"))
    ours = engine.activations(sequences, [f"layer.{layer}" for layer in LAYERS])
    theirs = fair_esm(module, [[s] for s in sequences], LAYERS)
    return max(
        float((reading.rows[f"layer.{layer}"] - rows[layer]).abs().max())
        for reading, rows in zip(ours, theirs, strict=True)
        for layer in LAYERS
    )


def drain(stream: Iterator[Any]) -> None:
    for _ in stream:
        pass


if __name__ == "__main__":
    main()
