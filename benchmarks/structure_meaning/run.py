"""Count the features that mean something in space, and the controls that should not.

On one chain of each homology cluster of the shared structures, each read by its own sequence:
features of the atlases, the model's neurons, single letters of the sequence; the same of the twin,
whose weights are permuted. Neurons and their negatives are on at as large a share of the residues
as a feature of the SAE is on average. To compare the twin with the model in the same terms, an SAE
of the atlas's width and k is trained on a few residues of each.

Controls: features placed at random (p must be uniform), rotated in each chain (p must be uniform
beyond sequence, depth and letters), and labels planted around ligands (must be found). What is
compact has q < 0.05 against random placements; what is so beyond sequence, depth and letters has
q < 0.05 against rotations.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from _harness import SHARED, finish, parse, record
from _sources import (
    Codes,
    density,
    letters,
    neurons,
    placed,
    planted,
    read_chains,
    sae_codes,
    small_sae,
    turned,
    twin_of,
)
from scipy.stats import kstest

from bio_interp.atlas import Atlas, load_atlas
from bio_interp.errors import BioInterpError
from bio_interp.linking.spatial import (
    FEWEST,
    PROPERTIES,
    STATISTICS,
    Measured,
    SpatialChain,
    measure_spatial,
    one_a_cluster,
    spatial_chains,
)
from bio_interp.structures import Structure, read_structure

SMALL = {"reference": 300_000, "unirep": 80_000}  # residues that small SAEs are trained on
EVERY = {"reference": 1, "unirep": 4}  # neurons, and features of controls
Q = 0.05
DISTANCE, BEYOND = STATISTICS.index("distance"), STATISTICS.index("beyond")


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    begun = time.perf_counter()
    every = list(spatial_chains(structures(quick=options.quick)))
    chains = one_a_cluster(every)
    figures: dict[str, Any] = {
        "chains": len(every),
        "clusters": len(chains),
        "residues_shown": int(sum(c.shown.sum() for c in chains)),
        "clusters_that_know": {p: sum(p in c.properties for c in chains) for p in PROPERTIES},
        "fewest_clusters": FEWEST,
        "letters": told("letters", chains, letters(chains), options.seed),
        "planted": told("planted", chains, planted(chains, options.seed), options.seed),
    }
    for name in ("reference",) if options.quick else ("reference", "unirep"):
        try:
            sources = of_atlas(load_atlas(name, device="cpu"), name, chains, options)
            figures[name] = {k: told(f"{name} {k}", chains, c, options.seed) for k, c in sources}
        except BioInterpError as error:
            figures[name] = f"not measured: {error}"
    figures["seconds"] = round(time.perf_counter() - begun, 1)
    packages = ("bio-interp", "torch", "numpy", "scipy", "biotite")
    finish(record("structure_meaning", options, figures, packages=packages), options)


def structures(*, quick: bool) -> Iterator[Structure]:
    """Read the shared structures; every third of them for a quick run."""
    kinds = (".cif", ".pdb", ".ent")
    for folder in ("structures", "structures_dssp"):
        files = sorted(
            path
            for path in (SHARED / folder).iterdir()
            if path.with_suffix("" if path.suffix == ".gz" else path.suffix).suffix in kinds
        )
        yield from map(read_structure, files[:: 3 if quick else 1])


def of_atlas(
    atlas: Atlas, name: str, chains: Sequence[SpatialChain], options: Any
) -> Iterator[tuple[str, Codes]]:
    """Yield the sources and controls of one atlas."""
    step = 8 if options.quick else EVERY[name]
    rows = read_chains(atlas.model, atlas.site, chains)
    codes = [atlas.encode(part) for part in rows]
    share = density(codes)
    yield "features", [part[:, :: 8 if options.quick else 1] for part in codes]
    some = [part[:, ::step] for part in codes]
    yield "features placed at random", placed(chains, some, options.seed)
    yield "features rotated", turned(chains, some, options.seed)
    yield "neurons", neurons(rows, share, step)
    twin = twin_of(atlas, options.seed)
    theirs = read_chains(twin, atlas.site, chains)
    yield "neurons of the twin", neurons(theirs, share, step)
    residues = 5_000 if options.quick else SMALL[name]
    for label, model, own in (("small SAE", atlas.model, rows),
                              ("small SAE of the twin", twin, theirs)):  # fmt: skip
        sae = small_sae(atlas, model, residues, options.seed)
        yield label, [part[:, ::step] for part in sae_codes(sae, own)]


def told(name: str, chains: Sequence[SpatialChain], codes: Codes, seed: int) -> dict[str, Any]:
    """Measure a source, and count what is found."""
    begun = time.perf_counter()
    measured = measure_spatial(chains, codes, seed=seed)
    compact, beyond = measured.q[:, DISTANCE] < Q, measured.q[:, BEYOND] < Q
    found: dict[str, Any] = {
        "features": len(measured.fires),
        "fire_in_enough_clusters": int((measured.fires >= FEWEST).sum()),
        "tested": int((~np.isnan(measured.p[:, DISTANCE])).sum()),
        "tested_beyond": int((~np.isnan(measured.p[:, BEYOND])).sum()),
        "compact": int(compact.sum()),
        "beyond": int(beyond.sum()),
        "both": int((compact & beyond).sum()),
        "effects": {k: quartiles(measured, i) for k, i in (("d", DISTANCE), ("b", BEYOND))},
        "p": {"distance": rates(measured, DISTANCE), "beyond": rates(measured, BEYOND)},
        "around": {p: around(measured, STATISTICS.index(p)) for p in PROPERTIES},
        "best": best(measured),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    counts = (found[k] for k in ("tested", "compact", "beyond", "both", "seconds"))
    print(name, *counts, sep="  ", file=sys.stderr, flush=True)
    return found


def around(measured: Measured, at: int) -> dict[str, int]:
    """Count the features that are tested, and those that are found at a property."""
    return {
        "tested": int((~np.isnan(measured.p[:, at])).sum()),
        "found": int((measured.q[:, at] < Q).sum()),
    }


def quartiles(measured: Measured, at: int) -> list[float]:
    """Give quartiles of the effect over the features tested."""
    effect = measured.effect[:, at]
    some = effect[~np.isnan(effect)]
    return np.quantile(some, (0.25, 0.5, 0.75)).round(3).tolist() if len(some) else []


def rates(measured: Measured, at: int) -> dict[str, float]:
    """Give shares of small p, and whether there are more than of a uniform p."""
    p = measured.p[:, at]
    p = p[~np.isnan(p)]
    if not len(p):
        return {}
    shares = {f"{level:g}": round(float((p <= level).mean()), 4) for level in (0.01, 0.05, 0.1)}
    # p is exact, but early stops leave gaps near 1: so one-sided
    return {
        **shares,
        "ks_more_small_p": round(float(kstest(p, "uniform", alternative="greater").pvalue), 4),
    }


def best(measured: Measured, count: int = 8) -> list[dict[str, Any]]:
    """List what is most compact beyond sequence, depth and letters."""
    order = np.lexsort((-np.nan_to_num(measured.effect[:, BEYOND]), measured.p[:, BEYOND]))
    return [
        {
            "feature": int(f),
            "clusters": int(measured.clusters[f, DISTANCE]),
            "distance": round(float(measured.observed[f, DISTANCE]), 1),
            "distance_null": round(float(measured.expected[f, DISTANCE]), 1),
            "compact_effect": round(float(measured.effect[f, DISTANCE]), 2),
            "beyond_effect": round(float(measured.effect[f, BEYOND]), 2),
            "beyond_q": float(f"{measured.q[f, BEYOND]:.3g}"),
            "around": [p for p in PROPERTIES if measured.q[f, STATISTICS.index(p)] < Q],
        }
        for f in order[:count]
        if not np.isnan(measured.p[f, BEYOND])
    ]


if __name__ == "__main__":
    main()
