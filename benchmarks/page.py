"""Write docs/sae-benchmarks.md anew from the results of the benchmarks of the SAE core."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results"
PAGE = ROOT / "docs/sae-benchmarks.md"
NAMES = {
    "ours": "bio_interp",
    "sae_lens": "SAELens",
    "dictionary_learning": "dictionary_learning",
    "sparsify": "sparsify",
    "overcomplete": "overcomplete",
}
KINDS = {
    "topk": "TopK",
    "topkbf16": 'TopK, `precision="bf16"`',
    "batchtopk": "BatchTopK",
    "matryoshka": "Matryoshka BatchTopK, 5 prefixes",
    "jumprelu": "JumpReLU",
    "threshold": "threshold (JumpReLU)",
}
# ruff: noqa: E501 - lines of the page
HEAD = """# How fast, and how good

Measured by the programs in `benchmarks/`, which print every figure again:
`python benchmarks/NAME/run.py --json FILE` (`--quick` for smaller work; the peers come with
`pip install .[bench]`). All contestants do the same work in the same run, in turning order; ratios are
medians over rounds. Other machines give other ratios, above all processors without bfloat16 units, where the
search is done in float32. This page is made by `python benchmarks/page.py` from the files in
[benchmarks/results](../benchmarks/results).
"""


def page(results: dict[str, dict[str, Any]]) -> str:
    """Make the page from the results by name."""
    parts = [HEAD]
    if found := results.get("sae_training"):
        parts += [training(found), quality(found)]
    if found := results.get("sae_inference"):
        parts.append(inference(found))
    if found := results.get("sae_scale"):
        parts.append(scale(found))
    parts.append(
        "## What they find\n\n"
        "Recovery of planted features over five seeds, every architecture beside its peers:\n"
        "[ground-truth.md](ground-truth.md). Kernels for GPUs are not measured yet:\n"
        "[howto-gpu.md](howto-gpu.md).\n"
    )
    return "\n".join(parts)


def training(found: dict[str, Any]) -> str:
    """Tables of the steps, by size."""
    lines = [
        "## Training\n",
        "Rows a second of whole steps with everything on (clipping, projection, dead features, logging),",
        f"batch 2048. {_machine(found)}\n",
    ]
    for size, (d_model, d_sae, k) in {"d320": (320, 5120, 32), "d1280": (1280, 10240, 64)}.items():
        if size in found:
            lines += [f"d_model {d_model}, d_sae {d_sae:,}, k {k}:\n", *_speeds(found[size]), ""]
    return "\n".join(lines)


def quality(found: dict[str, Any]) -> str:
    """Table of the final FVU on real activations."""
    real = found["real_activations"]
    lines = [
        "### What the fast trainer leaves unexplained\n",
        "FVU on proteins that none was trained on, TopK, after as many rows, with the same width, k and",
        "learning rate (lower is better).\n",
        "| activations | rows | d_sae | k | "
        + " | ".join(NAMES[n] for n in _trainers(real))
        + " |",
        "| --- | --- | --- | --- |" + " --- |" * len(_trainers(real)),
    ]
    for name, figures in real.items():
        cells = [f"{figures[f'{n}_topk_fvu']:.4f}" for n in _trainers(real)]
        sizes = [f"{figures['rows']:,}", f"{figures['d_sae']:,}", str(figures["k"])]
        lines.append(
            "| " + " | ".join([f"{name}, width {figures['d_model']}", *sizes, *cells]) + " |"
        )
    return "\n".join(lines) + "\n"


def inference(found: dict[str, Any]) -> str:
    """Tables of encoding and decoding."""
    lines = [
        "## Encode and decode\n",
        f"Rows a second, {found['rows']:,} rows at once; error against the dense formula in float64.",
        f"{_machine(found)}\n",
        "| SAE | " + " | ".join(["by", "rows a second", "we are faster", "relative error"]) + " |",
        "| --- | --- | --- | --- | --- |",
    ]
    for key, figures in found.items():
        if not isinstance(figures, dict) or "ours_rows_per_second" not in figures:
            continue
        size, _, kind = key.partition("_")
        for name, shown in NAMES.items():
            if f"{name}_rows_per_second" in figures:
                times = figures.get(f"ours_times_faster_than_{name}")
                row = [
                    f"{size}, {KINDS[kind]}",
                    shown,
                    f"{figures[f'{name}_rows_per_second']:,.0f}",
                    "" if times is None else f"{times:.1f} x",
                    f"{figures[f'{name}_relative_error']:.1g}",
                ]
                lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def scale(found: dict[str, Any]) -> str:
    """Say how the million features went."""
    return f"""## A million features

{found["d_sae"]:,} features on width {found["d_model"]}, k {found["k"]}, {found["steps"]} steps of {found["batch"]:,}
rows: {found["rows_per_second_median"]:,.0f} rows a second, {found["peak_memory_mb"] / 1024:.1f} GB at the peak. Killed at step
{found["killed_at_step"]} with SIGKILL, it went on behind the last checkpoint, at step {found["went_on_at_step"]}. FVU of a batch fell
from {found["fvu_first"]:.3f} to {found["fvu_last"]:.3f}, and is {found["held_out_fvu"]:.3f} on rows not trained on;
{100 * found["share_off_since_decay_began"]:.0f} % of the features were never on in the last fifth of this short run.
{_machine(found)} See [scale.md](scale.md).
"""


def _speeds(figures: dict[str, Any]) -> list[str]:
    lines = [
        "| architecture | " + " | ".join(NAMES.values()) + " | we are faster | peak memory, ours |",
        "| --- |" + " --- |" * (len(NAMES) + 2),
    ]
    for kind, shown in KINDS.items():
        if f"ours_{kind}_rows_per_second" not in figures:
            continue
        peer = "topk" if kind == "topkbf16" else kind
        speeds = [figures.get(f"ours_{kind}_rows_per_second")]
        speeds += [figures.get(f"{name}_{peer}_rows_per_second") for name in list(NAMES)[1:]]
        cells = [f"{speed:,}" if speed else "-" for speed in speeds]
        start = f"ours_{kind}_times_faster_than_"
        ratios = [value for key, value in figures.items() if key.startswith(start)]
        memory = figures.get(f"ours_{kind}_peak_memory_mb", 0)
        faster = f"{min(ratios):.1f} to {max(ratios):.1f} x" if ratios else "-"
        lines.append("| " + " | ".join([shown, *cells, faster, f"{memory:,} MB"]) + " |")
    return lines


def _trainers(real: dict[str, Any]) -> list[str]:
    first = next(iter(real.values()))
    return [name for name in NAMES if f"{name}_topk_fvu" in first]


def _machine(found: dict[str, Any]) -> str:
    machine = found["machine"]
    return f"{machine['processor']}, {machine['threads']} threads, {found['date'][:10]}."


def read() -> dict[str, dict[str, Any]]:
    """Read the results that are kept."""
    names = ("sae_training", "sae_inference", "sae_scale")
    paths = {name: RESULTS / f"{name}.json" for name in names}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}


if __name__ == "__main__":
    PAGE.write_text(page(read()))
