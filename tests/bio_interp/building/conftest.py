"""A recipe of a few dozen made-up proteins with two planted motifs."""

from random import Random
from types import SimpleNamespace

import pytest

from bio_interp.sequences import deal

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
MOTIFS = {"DOMAIN": (5, "WCHWCHWCHWCH"), "REPEAT": (35, "PGGPGGPGGPGG")}
TOML = """
[data]
sequences = ["proteins.fasta"]
split = "split.tsv"

[annotations.uniprot]
files = ["features.csv"]

[model]
name = "reference"
site = "layer.2"
device = "cpu"

[sae]
d_sae = 64
k = 4
total_rows = 8_000
batch_rows = 256
checkpoint_every = 10

[link]
min_select = 1
min_calibrate = 1

[atlas]
name = "toy"
"""


def write_recipe(folder, *, toml=TOML, proteins=40):
    """Write the recipe and its files; give the path of the recipe."""
    rng = Random(0)
    sequences, rows = {}, ["protein_id,feature,start,end"]
    for i in range(proteins):
        letters = rng.choices(LETTERS, k=rng.randint(60, 80))
        for j, (kind, (at, motif)) in enumerate(MOTIFS.items()):
            if i % 2 == j or i % 5 == 0:
                letters[at : at + len(motif)] = motif
                rows.append(f"P{i:05d},{kind},{at + 1},{at + len(motif)}")
        sequences[f"P{i:05d}"] = "".join(letters)
    folder.mkdir(parents=True, exist_ok=True)
    fasta = "".join(f">{name}\n{sequence}\n" for name, sequence in sequences.items())
    (folder / "proteins.fasta").write_text(fasta)
    (folder / "features.csv").write_text("\n".join(rows) + "\n")
    deal(((name, name) for name in sequences), {"method": "alone"}).save(folder / "split.tsv")
    (folder / "build.toml").write_text(toml)
    return folder / "build.toml"


def atlas_bytes(folder):
    """Give the content of every file of an atlas."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="session")
def toy():
    """What tests make recipes with."""
    return SimpleNamespace(write=write_recipe, toml=TOML, motifs=MOTIFS, bytes_of=atlas_bytes)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build the recipe once: its path, and the atlas."""
    from bio_interp.building import build

    path = write_recipe(tmp_path_factory.mktemp("built"))
    return path, build(path)
