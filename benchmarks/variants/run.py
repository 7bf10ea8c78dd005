"""Compare what tells how well a mutant works: features of an SAE, neurons, one-hot, likelihood.

On deep mutational scans of avGFP (Sarkisyan 2016), Pab1 (Melamed 2013) and GB1 (Wu 2016): Spearman
correlation of one and the same ridge regression on changes of SAE features, changes of the same
model's neurons, the one-hot sequence, the zero-shot likelihood, and joins of these. Every block is
standardised on the training labels and divided by the square root of its number of columns, so
that joined blocks weigh alike; alpha is chosen by leave-one-out (RidgeCV) on the training labels.
Random folds judge on the rest of the pool; by-position folds on variants that share no mutated
position with those learnt from. Intervals are of the mean over seeds (Student's t), which share
one pool: they say how far the draw of labels matters, not how other proteins would behave.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from _harness import SHARED, finish, parse, record
from _inputs import JOINS, model_inputs, varying
from _pools import Pool, deal, draw_pool, one_hot
from joblib import Parallel, delayed
from scipy.stats import spearmanr, t
from sklearn.linear_model import RidgeCV

from bio_interp.atlas import load_atlas
from bio_interp.errors import BioInterpError
from bio_interp.models import LoadOptions

LABELS = (24, 96, 384)
FEWEST_JUDGED = 50
ALPHAS = np.logspace(-3, 4, 15)
CACHE = Path(tempfile.gettempdir()) / "bio_interp_benchmark_variants"
DIFFERENCES = (("sae", "neurons"), ("sae", "one_hot"), ("sae+one_hot", "one_hot"),
               ("sae+one_hot", "neurons+one_hot"))  # fmt: skip


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    seeds = 3 if options.quick else 20
    figures: dict[str, Any] = {"seeds": seeds, "alphas": [float(ALPHAS[0]), float(ALPHAS[-1])]}
    pools = [
        draw_pool(name, SHARED / "dms", quick=options.quick) for name in ("avgfp", "pab1", "gb1")
    ]
    figures["pools"] = {pool.name: described(pool) for pool in pools}
    for atlas in ("reference",) if options.quick else ("reference", "unirep"):
        try:
            figures[atlas] = {pool.name: measure(atlas, pool, seeds, options) for pool in pools}
        except BioInterpError as error:
            figures[atlas] = f"not measured: {error}"
    packages = ("bio-interp", "torch", "scikit-learn", "numpy")
    finish(record("variants", options, figures, packages=packages), options)


def described(pool: Pool) -> dict[str, int]:
    sizes = [len(variant.mutations) for variant in pool.variants]
    counts = {f"of_{n}": sizes.count(n) for n in sorted(set(sizes))}
    return {"residues": len(pool.sequence), "variants": len(sizes), **counts}


def measure(name: str, pool: Pool, seeds: int, options: argparse.Namespace) -> dict[str, Any]:
    atlas = load_atlas(name, options=LoadOptions("cpu", "fp32"))
    blocks = model_inputs(atlas, pool, CACHE)
    wall, cpu = (round(float(s), 1) for s in blocks.pop("seconds"))
    blocks["one_hot"] = varying(one_hot(pool).astype(np.float32))
    zero_shot = float(spearmanr(blocks["likelihood"][:, 0], pool.scores).statistic)
    figures: dict[str, Any] = {
        "reading_seconds": {"wall": wall, "processor": cpu},
        "columns": {block: columns.shape[1] for block, columns in blocks.items()},
        "zero_shot_without_labels": round(zero_shot, 3),
    }
    started = time.perf_counter()
    workers = 1 if options.quick else options.threads  # to start some takes longer than the work
    for folds in ("random", "position"):
        figures[folds] = compare(pool, blocks, folds, seeds, workers)
    figures["ridge_seconds"] = round(time.perf_counter() - started, 1)
    return figures


def compare(
    pool: Pool, blocks: dict[str, np.ndarray], folds: str, seeds: int, workers: int
) -> dict[str, Any]:
    """Fit every join on every number of labels; means over seeds and paired differences."""
    dealt = [deal(pool, folds, seed) for seed in range(seeds)]
    figures: dict[str, Any] = {}
    for labels in LABELS:
        used = sorted({min(labels, len(learn)) for learn, _ in dealt})
        judged = min(len(np.setdiff1d(judge, learn[:labels])) for learn, judge in dealt)
        if used[0] < labels // 2 or judged < FEWEST_JUDGED:
            continue
        runs = Parallel(n_jobs=workers)(
            delayed(fit_joins)(
                blocks, pool.scores, learn[:labels], np.setdiff1d(judge, learn[:labels])
            )
            for learn, judge in dealt
        )
        scores = {name: np.array([run[name] for run in runs]) for name in runs[0]}
        shown = " ".join(f"{name} {values.mean():.3f}" for name, values in scores.items())
        print(pool.name, folds, labels, shown, file=sys.stderr, flush=True)
        figures[str(labels)] = {
            "labels_used": used,
            "fewest_judged": judged,
            "spearman": {name: interval(values) for name, values in scores.items()},
            "difference": {f"{a} - {b}": interval(scores[a] - scores[b]) for a, b in DIFFERENCES},
        }
    return figures


def fit_joins(
    blocks: dict[str, np.ndarray], scores: np.ndarray, train: np.ndarray, test: np.ndarray
) -> dict[str, float]:
    """Fit every join on the same labels, and correlate on the variants that are judged."""
    weights = {name: block_weight(columns[train]) for name, columns in blocks.items()}
    known = {name: (columns[train] - weights[name][0]) * weights[name][1]
             for name, columns in blocks.items()}  # fmt: skip
    grams = {name: (part @ part.T).astype(np.float64) for name, part in known.items()}
    found: dict[str, float] = {}
    for names in JOINS:
        dual = ridge_dual(sum(grams[name] for name in names), scores[train])
        guess = np.zeros(len(scores))
        for name in names:
            mean, weight = weights[name]
            coefficients = (dual.astype(np.float32) @ known[name]) * weight
            guess += blocks[name] @ coefficients - mean @ coefficients
        flat = np.ptp(guess[test]) < 1e-9 * np.ptp(scores)  # the ridge found nothing to go by
        value = 0.0 if flat else float(spearmanr(guess[test], scores[test]).statistic)
        found["+".join(names)] = value
    return found


def block_weight(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each column, and what standardises it and lets the whole block weigh 1."""
    mean, spread = known.mean(0), known.std(0)
    varies = spread > 1e-6 * np.abs(known).max(0)
    weight = np.where(varies, 1.0 / np.where(varies, spread, 1.0), 0.0)
    return mean, (weight / np.sqrt(max(1, varies.sum()))).astype(np.float32)


def ridge_dual(gram: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fit RidgeCV; give the weight of each label, so that guesses are inner products with them.

    A ridge depends on its inputs through their inner products alone. So it is given as many
    columns as labels that have the same ones, and not some thousand.
    """
    values, vectors = np.linalg.eigh(gram)
    roots = np.sqrt(np.where(values > 1e-6 * values[-1], values, 0.0))  # the rest is rounding
    ridge = RidgeCV(ALPHAS, gcv_mode="eigen").fit(vectors * roots, known)
    return vectors @ np.divide(ridge.coef_, roots, out=np.zeros_like(roots), where=roots > 0)


def interval(values: np.ndarray) -> list[float]:
    """Mean and 95 % interval of it, by Student's t over seeds."""
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return [round(float(x), 3) for x in (values.mean(), values.mean() - half, values.mean() + half)]


if __name__ == "__main__":
    main()
