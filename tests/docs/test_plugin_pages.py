"""The plugins that the pages show, taken from the pages, installed and used."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from bio_interp import load_atlas, load_model
from bio_interp.models import LoadOptions
from bio_interp.plugins import KINDS, find_problem, list_plugins, load_plugin
from bio_interp.structures import Layer, Scene, chain_proteins, map_structure, read_structure
from bio_interp.testing import check_atlas, check_model, check_views

CPU = LoadOptions(device="cpu", precision="fp32")
TOML = '[project.entry-points."bio_interp.models"]\nmy = "{}:SOURCE"\n'


@pytest.fixture
def page(docs):
    return (docs / "plugins.md").read_text()


def test_the_page_has_all_six_kinds(page):
    assert all(f"| `{kind}` |" in page for kind in KINDS)


def test_the_esm_of_ones_own_reads_its_weights_and_keeps_the_promises(blocks, install):
    import torch
    from esm.model.esm2 import ESM2

    code = blocks("howto-model.md", "python")[0]
    folder = install("my_esm", {"__init__.py": code}, TOML.format("my_esm"))
    torch.manual_seed(1)
    module = ESM2(num_layers=6, embed_dim=320, attention_heads=20)
    torch.save(module.state_dict(), folder / "my_esm.pt")
    model = load_model("my-esm", CPU)
    (reading,) = model.activations(["MKV"], ["layer.0"])
    scale = 1 - 0.15 * 0.8  # what ESM-2 makes of embeddings of proteins without masks
    tokens = module.alphabet.encode("MKV")
    rows = scale * module.embed_tokens.weight[tokens]
    assert torch.allclose(reading.rows["layer.0"], rows, atol=1e-5)
    from my_esm import SOURCE

    check_model(SOURCE, "my-esm", CPU)


@pytest.fixture
def gru(blocks, install):
    import torch
    from safetensors.torch import save_file

    _, init, network, check = blocks("howto-model.md", "python")
    toml = next(b for b in blocks("howto-model.md", "toml") if "entry-points" in b)
    folder = install("my_model", {"__init__.py": init, "network.py": network}, toml)
    from my_model.network import Network

    torch.manual_seed(1)
    save_file(Network().state_dict(), folder / "my_gru.safetensors")
    return check


def test_the_model_of_ones_own_keeps_the_promises(gru):
    (plugin,) = [p for p in list_plugins("models") if p.name == "my"]
    assert find_problem(plugin) is None
    exec(gru, {})


def test_the_model_of_ones_own_is_causal_and_obeys_edits(gru):
    import torch

    model = load_model("my-gru", CPU)
    one, other = model.logits(["MKVA", "MKVC"])
    assert torch.allclose(one, other, atol=1e-5)  # the last residue is guessed, not read
    (changed,) = model.logits(["MKVA"], edits={"layer.1": torch.zeros_like})
    assert torch.allclose(one[0], changed[0], atol=1e-5)
    assert not torch.allclose(one[1:], changed[1:], atol=1e-2)


def test_the_atlas_of_ones_own_is_opened_by_its_name(blocks, install):
    code, toml = blocks("plugins.md", "python")[0], blocks("plugins.md", "toml")[0]
    folder = install("my_atlas", {"__init__.py": code}, toml)
    shutil.copytree(load_atlas("reference").folder, folder / "atlas")
    assert load_atlas("mine").folder == folder / "atlas"
    from my_atlas import ATLAS

    check_atlas(ATLAS)


@pytest.fixture
def extras(blocks, install):
    code, toml = blocks("plugins.md", "python")[1], blocks("plugins.md", "toml")[1]
    install("my_extras", {"__init__.py": code}, toml)


def test_the_other_three_kinds_are_listed_and_their_code_runs(
    extras, blocks, straight, tmp_path, monkeypatch
):
    import torch

    monkeypatch.chdir(tmp_path)
    kinds = {p.kind: find_problem(p) for p in list_plugins() if p.package == "my_extras"}
    assert kinds == {"structures": None, "sae_formats": None, "views": None}
    rng = np.random.default_rng(0)
    tensors = {"W_enc": rng.normal(size=(8, 64)), "b_enc": np.zeros(64), "b_dec": np.zeros(8)}
    decoder = rng.normal(size=(64, 8))
    tensors["W_dec"] = decoder / np.linalg.norm(decoder, axis=1, keepdims=True)
    np.savez("theirs.npz", **tensors)
    Path("mine").mkdir()
    sequence = "MKTAYIAKQRQLLSFVKLLHFSRQLEERLLGLIEVQAPLILSRVGDGTQDNLSGAEKLLAVQVKVLK"
    Path("mine/P02945.cif").write_bytes(straight(sequence))
    names: dict = {}
    code = blocks("plugins.md", "python")[2].replace('"unirep"', '"reference"')
    exec(code, names)
    assert names["paths"] == [Path("mine/P02945.cif")]
    from bio_interp.sae import SparseAutoencoder

    codes = SparseAutoencoder.load(Path("theirs")).encode(torch.ones(1, 8)).to_scipy()
    assert 0 < codes.nnz <= 32
    page = Path("P02945.html").read_text()
    # f635 is a helix feature of the reference atlas: it fires on leucines of the chain
    assert page.count("<mark>L</mark>") == page.count("<mark>") > 5
    assert "<h1>reference/f635 on P02945.cif</h1>" in page
    structure = read_structure(names["paths"][0])
    (protein,) = chain_proteins(structure)
    layer = Layer(protein.accession, "f1", np.ones(len(protein)))
    check_views(
        load_plugin("views", "letters"),
        Scene(map_structure(structure, [protein]), (protein,), (layer,)),
    )


def test_the_formats_own_files_are_told_by_content(extras, tmp_path):
    from my_extras import FORMAT

    for name, content in (("a.npz", b"PK\x03\x04"), ("b.npz", b"text"), ("c.txt", b"PK")):
        (tmp_path / name).write_bytes(content)
    known = [n for n in ("a.npz", "b.npz", "c.txt") if FORMAT.reads(tmp_path / n)]
    assert known == ["a.npz"]
