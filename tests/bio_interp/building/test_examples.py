"""The recipes in examples/ are whole; those of ESM-2 run on a tiny stand-in of the network."""

import argparse
import gzip
import shutil
from pathlib import Path

import pytest

from bio_interp.building import build, load_recipe, plan

EXAMPLES = Path(__file__).parents[3] / "examples"
SMALLER = {  # the sizes of a stand-in
    "d_sae": "64",
    "k": "4",
    "total_rows": "4_000",
    "batch_rows": "256",
    "fit_residues": "4_000",
}
ENTRY = """\
ID   {name}_TOY              Reviewed;         {length} AA.
AC   {name};
DE   RecName: Full=Toy;
FT   REPEAT          36..47
FT                   /note="1"
SQ   SEQUENCE   {length} AA;  0 MW;  0000000000000000 CRC64;
     {sequence}
//
"""


def save_network(name, path, layers):
    """Write a checkpoint of fair-esm's layout with few small layers."""
    import torch
    from esm.model.esm2 import ESM2

    torch.manual_seed(0)
    network = ESM2(num_layers=layers, embed_dim=16, attention_heads=2)
    shape = {
        "encoder_layers": layers,
        "encoder_embed_dim": 16,
        "encoder_attention_heads": 2,
        "token_dropout": True,
    }
    state = {
        f"encoder.{'' if key.startswith('lm_head') else 'sentence_encoder.'}{key}": tensor
        for key, tensor in network.state_dict().items()
        if not key.startswith("contact_head")
    }
    path.mkdir(parents=True)
    torch.save({"cfg": {"model": argparse.Namespace(**shape)}, "model": state}, path / f"{name}.pt")


def smaller(path):
    """Rewrite a recipe with the sizes of a stand-in and a split of its own."""
    lines = []
    for line in path.read_text().splitlines():
        key = line.split(" = ")[0]
        lines.append(f"{key} = {SMALLER[key]}" if key in SMALLER else line)
        if line == "[data]":
            lines.append('split = "split.tsv"')
    path.write_text("\n".join([*lines, "", "[link]", "min_select = 1", "min_calibrate = 1", ""]))


@pytest.fixture
def swissprot(toy, tmp_path):
    """A folder with uniprot_sprot.dat.gz of a few made-up entries, and their split."""
    source = toy.write(tmp_path / "source", proteins=40).parent
    records = (source / "proteins.fasta").read_text().split(">")[1:]
    entries = []
    for record in records:
        name, sequence, _ = record.split("\n")
        entries.append(ENTRY.format(name=name, length=len(sequence), sequence=sequence))
    (tmp_path / "run").mkdir()
    with gzip.open(tmp_path / "run/uniprot_sprot.dat.gz", "wt") as file:
        file.write("".join(entries))
    shutil.copy(source / "split.tsv", tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("name", ["esm2_8m", "esm2_650m", "laptop", "unirep", "reference"])
def test_a_recipe_is_read(name):
    recipe = load_recipe(EXAMPLES / name / "build.toml")
    assert recipe.sae.d_sae
    assert recipe.atlas.licence


@pytest.mark.parametrize(
    ("name", "model", "layers"),
    [("esm2_8m", "esm2_t6_8M_UR50D", 6), ("esm2_650m", "esm2_t33_650M_UR50D", 33)],
)
def test_a_recipe_of_esm2_asks_for_its_weights_and_then_runs(
    name, model, layers, swissprot, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(swissprot / "torch"))
    path = Path(shutil.copy(EXAMPLES / name / "build.toml", swissprot))
    smaller(path)
    asked = plan(path)
    assert asked.of("downloads")[model] > 1e6
    assert "time" not in {line.kind for line in asked.lines}
    save_network(model, swissprot / "torch/hub/checkpoints", layers)
    atlas = build(path)
    assert (atlas.info.model, len(atlas.model.info.sites)) == (model, layers + 1)
    assert not atlas.check()
