"""Write the checkpoint of ``train.py`` as the weights and facts of the package."""

import argparse
import json
from hashlib import sha256
from pathlib import Path

import torch
from safetensors.torch import save_file

LICENCE = "CC-BY-4.0"
CITATION = (
    "bio_interp reference model; trained on sequences of UniProtKB (CC BY 4.0, "
    "The UniProt Consortium, Nucleic Acids Res. 2023, doi:10.1093/nar/gkac1052)"
)


def main() -> None:
    """Write ``model.safetensors`` and ``model.json`` into ``--package``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the --out of train.py")
    parser.add_argument("--data", type=Path, required=True, help="the --out of prepare.py")
    parser.add_argument("--split", type=Path, required=True, help="the split that was used")
    parser.add_argument("--package", type=Path, required=True)
    args = parser.parse_args()
    saved = torch.load(args.run / "checkpoint.pt", weights_only=True)
    settings = json.loads((args.run / "settings.json").read_text())
    weights = {
        name: tensor.half().contiguous()
        for name, tensor in saved["model"].items()
        # untrained, computed, and tied to the embeddings
        if not name.startswith("contact_head.")
        and not name.endswith("inv_freq")
        and name != "lm_head.weight"
    }
    file = args.package / "model.safetensors"
    save_file(weights, file)
    file.chmod(0o644)
    facts = {
        "name": "reference",
        "network": {name: settings[name] for name in ("layers", "width", "heads")},
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "window": 510,
        "overlap": 128,
        "weights_sha256": sha256(file.read_bytes()).hexdigest(),
        "licence": LICENCE,
        "citation": CITATION,
        "training": {
            "tokens": saved["state"]["tokens"],
            "steps": saved["state"]["step"],
            "minutes": round(saved["state"]["seconds"] / 60, 1),
            "split_sha256": sha256(args.split.read_bytes()).hexdigest(),
            "families": (args.data / "families.txt").read_text().split(),
        },
    }
    (args.package / "model.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
