"""Build an atlas of ours: ``python examples/atlas/build.py RECIPE.toml --data DIR --out DIR``.

Every stage keeps what it finished under ``--out``: killed at any time, the same command goes on.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # the stages lie beside this file

from baselines import neuron_store
from fit import encode, fit_sae
from harvest import Harvest
from pack import Run, pack
from report import figures, link_figures, paired_bootstrap
from sample import EVALUATED, SampleConfig, draw, weights
from sources import annotate_sources, families, pfam_hits, read_sources

from bio_interp.linking import link
from bio_interp.models import LoadOptions, load_model
from bio_interp.provenance import write_json


def main() -> None:
    """Read the recipe and run the stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the source files")
    parser.add_argument("--out", type=Path, required=True, help="working folder")
    parser.add_argument("--atlas", type=Path, help="where the atlas goes; default: OUT/atlas")
    parser.add_argument("--neurons", action="store_true", help="link the model's neurons too")
    args = parser.parse_args()
    recipe = tomllib.loads(args.recipe.read_text())
    options = LoadOptions(**recipe.get("load", {}))
    run = build(recipe, options, args.data, args.out, neurons=args.neurons)
    atlas = pack(args.atlas or args.out / "atlas", run, recipe["atlas"], options)
    print(json.dumps(run.measured, indent=2))
    print(f"wrote {atlas!r} to {atlas.folder}")


def build(
    recipe: dict[str, Any], options: LoadOptions, data: Path, out: Path, *, neurons: bool
) -> Run:
    """Run the stages in order; each takes up what is there."""
    sources = read_sources(data)
    hits = pfam_hits(sources, data, out)
    drawn = draw(sources, families(hits), SampleConfig(**recipe["sample"]), out / "sample.tsv")
    model, site = load_model(recipe["model"], options), recipe["atlas"]["site"]
    harvest = Harvest(out / "activations", drawn)
    harvest.read(model, site, sources)
    sae_folder = fit_sae(harvest, model, site, recipe["sae"], out)
    evaluated = {d.accession for d in drawn if d.fold in EVALUATED}
    annotations = annotate_sources(sources, evaluated, hits, data, out)
    store, weight = encode(harvest, sae_folder, out), weights(drawn)
    table, calls = link(store, annotations, sources.split, weights=weight)
    calls.write_parquet(out / "test_calls.parquet")
    tested = sum(d.weight for d in drawn if d.fold == "test")
    measured = dict(figures(table, calls, tested))
    if neurons:
        baseline = neuron_store(harvest, out, recipe["sae"]["k"])
        linked, _ = link(baseline, annotations, sources.split, weights=weight)
        measured["neurons"] = link_figures(linked)
        measured["sae_minus_neurons"] = paired_bootstrap(table, linked)
    write_json(out / "figures.json", measured)
    return Run(model, sources, harvest, drawn, sae_folder, table, measured)


if __name__ == "__main__":
    main()
