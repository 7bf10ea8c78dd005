"""An atlas of any width whose tables are full: portraits, logos, examples, links, curves."""

import json
from pathlib import Path
from random import Random

import numpy as np
import polars as pl

from bio_interp.atlas import EXAMPLES, FEATURES, Atlas, AtlasInfo
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, LinkTable

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
EXTENTS = ("point", "short motif", "domain", "whole", "periodic", "rare", "other")
_QS = (25, 50, 75)
TYPES = ("family_marker", "locator", "delineator", "interplm")
EXAMPLES_EACH, WINDOW = 5, 21
PROTEINS, PROTEIN_LENGTH = 2000, 300


def write_atlas(folder: Path, features: int, *, seed: int) -> Atlas:
    """Write an atlas with `features` features, one concept for each ten of them."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    concepts = [f"pfam:PF{i:05d}" for i in range(features // 10)]
    AtlasInfo(
        name=f"synthetic{features}",
        version="1",
        model="none",
        site="layer.0",
        model_sha256="0" * 64,
        licence="CC0",
        citation=("none",),
        split_sha256="0" * 64,
        domain_limit=1.0,
        decoys={},
        measured={},
        data=(),
        versions={},
    ).save(folder)
    (folder / "sae.json").write_text(json.dumps({"config": {"d_sae": features}}))
    _links(concepts, features, rng).save(folder)
    rows = [_statistics(f, features, concepts, rng) for f in range(features)]
    pl.DataFrame(rows, schema=FEATURES).write_parquet(folder / "features.parquet")
    shown = [_example(f, rank, rng) for f in range(features) for rank in range(EXAMPLES_EACH)]
    pl.DataFrame(shown, schema=EXAMPLES).write_parquet(folder / "examples.parquet")
    return Atlas(folder)


def _links(concepts: list[str], features: int, rng: np.random.Generator) -> LinkTable:
    names = {c: f"Family {c[5:]} (a domain of synthetic proteins)" for c in concepts}
    links = [
        (c, names[c], kind, int(rng.integers(features)), 1.0, *rng.random(1).tolist(), 30,
         *rng.random(3).tolist(), 40, 40, 40)
        for c in concepts for kind in TYPES
    ]  # fmt: skip
    callers = [(c, int(rng.integers(features)), 2.0, 8, [0.0, 1.0]) for c in concepts]
    curve = [
        (c, s, s * 0.9, s * 0.8, s * 0.95 + 0.05, 40, 20)
        for c in concepts for s in (0.0, 0.25, 0.5, 0.75)
    ]  # fmt: skip
    table = pl.DataFrame({"concept": concepts, "name": [names[c] for c in concepts]})
    none = pl.lit([], dtype=pl.List(pl.String))
    fixed = {"kind": "pfam", "level": "span", "world": "closed", "source": "pfam", "release": ""}
    full = table.with_columns(
        *(pl.lit(value).alias(name) for name, value in fixed.items()),
        members=none,
        xrefs=none,
        group=pl.lit("pfam/span"),
    )
    frames = ((links, LINKS), (callers, CALLERS), (curve, CALIBRATION))
    return LinkTable(*(pl.DataFrame(r, schema=s, orient="row") for r, s in frames), full)


def _statistics(
    feature: int, features: int, concepts: list[str], rng: np.random.Generator
) -> dict[str, object]:
    maximum, clusters = float(rng.uniform(2, 20)), int(rng.integers(20, 3000))
    quartiles = {f"{n}_q{q}": float(rng.uniform(1, 30)) for n in ("run", "strong") for q in _QS}
    partners = rng.integers(features, size=5).tolist()
    return {
        "feature": feature,
        "density": float(rng.uniform(1e-4, 0.05)),
        "of_residues": 2_000_000,
        "proteins": clusters + 50,
        "of_proteins": 5000,
        "maximum": maximum,
        **{q: maximum * share for q, share in (("q50", 0.3), ("q90", 0.6), ("q99", 0.9))},
        "histogram": np.sort(rng.integers(1, 20000, 20))[::-1].tolist(),
        "extent": EXTENTS[feature % len(EXTENTS)],
        "runs": 1000,
        "strong": maximum / 2,
        "strong_runs": 200,
        **quartiles,
        "cover": 0.1,
        "period": 7.0,
        "periodicity": 0.6,
        "clusters": clusters,
        "of_clusters": 4000,
        "effective_clusters": clusters / 3,
        **_logo(rng),
        "concepts": [concepts[feature % len(concepts)]],
        "concept_names": ["A family"],
        "concept_share": [0.5],
        "concept_base": [0.01],
        "evidence": rng.integers(1, 1000, 7).tolist(),
        "stability": float(rng.random()),
        "stability_null": 0.3,
        "seeds": 2,
        "cofires": partners,
        "cofire_share": rng.random(5).tolist(),
    }


def _logo(rng: np.random.Generator) -> dict[str, object]:
    counts = rng.multinomial(100, rng.dirichlet(np.full(20, 0.3)), WINDOW).astype(np.uint8)
    return {
        "logo": counts.ravel().tolist(),
        "background": [0.05] * 20,
        "logo_windows": 100,
        "logo_information": float(rng.uniform(10, 40)),
        "logo_null": 5.0,
        "logo_floor": 0.2,
        "consensus": "".join(rng.choice(list(LETTERS), 5)).center(WINDOW, "."),
    }


def _example(feature: int, rank: int, rng: np.random.Generator) -> dict[str, object]:
    letters = Random(feature * EXAMPLES_EACH + rank)
    return {
        "feature": feature,
        "rank": rank + 1,
        "accession": f"SYN{int(rng.integers(PROTEINS)):05d}",
        "fold": "fit",
        "length": PROTEIN_LENGTH,
        "position": 60,
        "peak": 9.0,
        "start": 50,
        "window": "".join(letters.choices(LETTERS, k=WINDOW)),
        "activations": rng.uniform(0, 9, WINDOW).round(2).tolist(),
        "concepts": [],
        "names": [],
    }
