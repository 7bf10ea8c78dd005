"""Build an atlas of ours: ``python examples/atlas/build.py RECIPE.toml --data DIR --out DIR``.

Every stage keeps what it finished under ``--out``: killed at any time, the same command goes on.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the stages lie beside this file

from baselines import neuron_store
from bio_interp.provenance import write_json
from fit import encode, fit_sae
from harvest import Harvest
from pack import pack
from report import figures, link_figures, paired_bootstrap
from sample import EVALUATED, SampleConfig, draw, weights
from sources import annotate_sources, families, pfam_hits, read_sources

from bio_interp.linking import link
from bio_interp.models import LoadOptions, load_model


def main() -> None:
    """Run the stages in order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder of the source files")
    parser.add_argument("--out", type=Path, required=True, help="working folder")
    parser.add_argument("--atlas", type=Path, help="where the atlas goes; default: OUT/atlas")
    parser.add_argument("--neurons", action="store_true", help="link the model's neurons too")
    args = parser.parse_args()
    recipe = tomllib.loads(args.recipe.read_text())
    options = LoadOptions(**recipe.get("load", {}))
    sources = read_sources(args.data)
    hits = pfam_hits(sources, args.data, args.out)
    drawn = draw(sources, families(hits), SampleConfig(**recipe["sample"]), args.out / "sample.tsv")
    model = load_model(recipe["model"], options)
    site = recipe["atlas"]["site"]
    harvest = Harvest(args.out / "activations", drawn)
    harvest.read(model, site, sources)
    sae_folder = fit_sae(harvest, model, site, recipe["sae"], args.out)
    evaluated = {d.accession for d in drawn if d.fold in EVALUATED}
    annotations = annotate_sources(sources, evaluated, hits, args.data, args.out)
    store = encode(harvest, sae_folder, args.out)
    table, calls = link(store, annotations, sources.split, weights=weights(drawn))
    calls.write_parquet(args.out / "test_calls.parquet")
    tested = sum(d.weight for d in drawn if d.fold == "test")
    measured = dict(figures(table, calls, tested))
    if args.neurons:
        neurons, _ = link(
            neuron_store(harvest, args.out, recipe["sae"]["k"]),
            annotations,
            sources.split,
            weights=weights(drawn),
        )
        measured["neurons"] = link_figures(neurons)
        measured["sae_minus_neurons"] = paired_bootstrap(table, neurons)
    write_json(args.out / "figures.json", measured)
    atlas = pack(
        args.atlas or args.out / "atlas",
        about=recipe["atlas"],
        model=model,
        sources=sources,
        sae_folder=sae_folder,
        table=table,
        harvest=harvest,
        drawn=drawn,
        measured=measured,
        options=options,
    )
    print(json.dumps(measured, indent=2))
    print(f"wrote {atlas!r} to {atlas.folder}")


if __name__ == "__main__":
    main()
