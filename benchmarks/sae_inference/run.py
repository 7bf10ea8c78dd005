"""Rows a second in encoding and decoding with a trained SAE, against the peers.

The same weights go into each peer's own inference class, which encodes and decodes the same rows
in turning order. Ours and the peers' reconstructions are compared with the dense formula in
float64: a fast wrong answer counts for nothing.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from _harness import alternate, finish, parse, per_second, ratio, record

from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

sys.modules.setdefault("torchvision", None)  # type: ignore[arg-type]  # not used; its import fails beside another torch

SIZES = {"d320": (320, 5120, 32), "d1280": (1280, 10_240, 64)}
ROWS = 8192
Rebuild = Callable[[Tensor], Tensor]


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    figures: dict[str, Any] = {"rows": 2048 if options.quick else ROWS}
    for name, sizes in SIZES.items():
        if options.quick and name != "d320":
            continue
        for kind in ("topk", "threshold"):
            figures[f"{name}_{kind}"] = measure(sizes, kind, figures["rows"], options)
    packages = ("bio-interp", "torch", "sae-lens", "dictionary-learning", "eai-sparsify")
    finish(record("sae_inference", options, figures, packages=packages), options)


@torch.no_grad()
def measure(sizes: tuple[int, int, int], kind: str, rows: int, options: Any) -> dict[str, Any]:
    """Time every peer that has this kind, and see how far each is from the dense formula."""
    x, weights = drawn(sizes, rows, options.seed)
    wanted = dense(x, weights, sizes, kind)
    runs, problems = {"ours": ours(weights, sizes, kind)}, {}
    for name, make in PEERS.items():
        try:
            rebuild = make(weights, sizes, kind)
            if rebuild is None:
                continue
            rebuild(x[:64])
        except Exception as error:  # whatever a peer does not manage here
            problems[name] = f"{type(error).__name__}: {str(error)[:200]}"
        else:
            runs[name] = rebuild
    errors = {name: float((run(x) - wanted).norm() / wanted.norm()) for name, run in runs.items()}
    timed = {name: lambda run=run: run(x) for name, run in runs.items()}
    taken = alternate(timed, rounds=3 if options.quick else 5)
    figures: dict[str, Any] = {"not_measured": problems}
    for name, seconds in taken.wall.items():
        figures[f"{name}_rows_per_second"] = per_second(rows, seconds)
        figures[f"{name}_relative_error"] = float(f"{errors[name]:.2g}")
        if name != "ours":
            figures[f"ours_times_faster_than_{name}"] = ratio(taken.wall["ours"], seconds)
    return figures


def drawn(sizes: tuple[int, int, int], rows: int, seed: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Make rows that are sparse sums of directions, and a dictionary that knows half of them."""
    d_model, d_sae, k = sizes
    generator = torch.Generator().manual_seed(seed)
    decoder = torch.nn.functional.normalize(torch.randn(d_sae, d_model, generator=generator))
    on = torch.rand(rows, d_sae // 2, generator=generator) < k / d_sae
    x = on.float() @ decoder[: d_sae // 2] + 0.02 * torch.randn(rows, d_model, generator=generator)
    x = x / x.square().mean().sqrt()
    pre = x @ decoder.T
    threshold = pre[:1024].flatten().kthvalue(int(1024 * d_sae * (1 - k / d_sae))).values
    return x, {
        "W_enc": decoder.T.contiguous(),
        "b_enc": torch.zeros(d_sae),
        "W_dec": decoder,
        "b_dec": torch.zeros(d_model),
        "threshold": threshold.expand(d_sae).clone(),
    }


def dense(x: Tensor, weights: dict[str, Tensor], sizes: tuple[int, int, int], kind: str) -> Tensor:
    """Write the formula out."""
    parts = []
    for rows in x.split(512):
        pre = rows.double() @ weights["W_enc"].double()
        if kind == "topk":
            top = pre.topk(sizes[2], dim=1)
            codes = torch.zeros_like(pre).scatter(1, top.indices, top.values.relu())
        else:
            codes = pre * (pre > weights["threshold"].double())
        parts.append((codes @ weights["W_dec"].double()).float())
    return torch.cat(parts)


def ours(weights: dict[str, Tensor], sizes: tuple[int, int, int], kind: str) -> Rebuild:
    """Make our SAE."""
    d_model, d_sae, k = sizes
    tensors = dict(weights)
    if kind == "topk":
        del tensors["threshold"]
    config = SaeConfig(d_model, d_sae, "topk" if kind == "topk" else "batchtopk", k)
    sae = SparseAutoencoder(config, tensors, InputNorm(torch.zeros(d_model), 1.0))
    return lambda x: sae.decode(sae.encode(x))


def sae_lens(weights: dict[str, Tensor], sizes: tuple[int, int, int], kind: str) -> Rebuild:
    """Make SAELens' inference class: TopKSAE, or JumpReLUSAE for thresholds."""
    from sae_lens import saes

    d_model, d_sae, k = sizes
    more = {"k": k, "rescale_acts_by_decoder_norm": False} if kind == "topk" else {}
    name = "TopK" if kind == "topk" else "JumpReLU"
    sae = getattr(saes, f"{name}SAE")(
        getattr(saes, f"{name}SAEConfig")(d_in=d_model, d_sae=d_sae, **more)
    )
    sae.load_state_dict({n: t for n, t in weights.items() if n in sae.state_dict()})
    return lambda x: sae.decode(sae.encode(x))


def dictionary_learning(
    weights: dict[str, Tensor], sizes: tuple[int, int, int], kind: str
) -> Rebuild | None:
    """Make dictionary_learning's AutoEncoderTopK or JumpReluAutoEncoder."""
    from dictionary_learning.dictionary import JumpReluAutoEncoder
    from dictionary_learning.trainers.top_k import AutoEncoderTopK

    d_model, d_sae, k = sizes
    if kind == "threshold":
        sae = JumpReluAutoEncoder(d_model, d_sae)
        sae.load_state_dict(weights)
        return sae
    sae = AutoEncoderTopK(d_model, d_sae, k)
    sae.encoder.weight.copy_(weights["W_enc"].T)
    sae.encoder.bias.zero_()
    sae.decoder.weight.copy_(weights["W_dec"].T)
    return lambda x: sae.decode(sae.encode(x))


def sparsify(weights: dict[str, Tensor], sizes: tuple[int, int, int], kind: str) -> Rebuild | None:
    """Make sparsify's SparseCoder, which has TopK only."""
    from sparsify import SparseCoder, SparseCoderConfig

    d_model, d_sae, k = sizes
    if kind != "topk":
        return None
    sae = SparseCoder(d_model, SparseCoderConfig(num_latents=d_sae, k=k))
    sae.encoder.weight.copy_(weights["W_enc"].T)
    sae.encoder.bias.zero_()
    sae.W_dec.copy_(weights["W_dec"])

    def rebuild(x: Tensor) -> Tensor:
        codes = sae.encode(x)
        return sae.decode(codes.top_acts, codes.top_indices)

    return rebuild


PEERS: dict[str, Callable[[dict[str, Tensor], tuple[int, int, int], str], Rebuild | None]] = {
    "sae_lens": sae_lens,
    "dictionary_learning": dictionary_learning,
    "sparsify": sparsify,
}

if __name__ == "__main__":
    main()
