"""Every kind of wrong TOML gives an error with the key's full name, what was wanted and got."""

from dataclasses import fields
from typing import get_args, get_type_hints

import pytest

from bio_interp.building import load_recipe
from bio_interp.building._parts import SaePart
from bio_interp.errors import BioInterpError, InputError

DATA = '[data]\nsequences = ["p.fasta"]\n'
ANNOTATIONS = '[annotations.uniprot]\nfiles = ["f.csv"]\n'
MODEL = '[model]\nname = "reference"\nsite = "layer.2"\n'
SAE = "[sae]\nd_sae = 64\nk = 4\ntotal_rows = 8000\n"
ATLAS = '[atlas]\nname = "toy"\n'
GOOD = {"data": DATA, "annotations": ANNOTATIONS, "model": MODEL, "sae": SAE, "atlas": ATLAS}


def write(tmp_path, **changes):
    path = tmp_path / "build.toml"
    path.write_text("".join({**GOOD, **changes}.values()))
    return path


def test_paths_are_relative_to_the_toml_file(tmp_path):
    recipe = load_recipe(write(tmp_path))
    assert recipe.data.sequences == (tmp_path / "p.fasta",)
    assert recipe.annotations.annotators["uniprot"].files == (tmp_path / "f.csv",)


def test_by_default_every_protein_is_read(tmp_path):
    sample = load_recipe(write(tmp_path)).sample
    assert (sample.fit_residues, sample.longest, sample.members, sample.background) == (
        *(None, None, None),
        1.0,
    )


def test_files_of_a_data_set_keep_their_prefix(tmp_path):
    changed = (
        '[annotations.pfam]\nfiles = ["data:pfam-gecco/Pfam.h3m"]\noptions = {evalue = 1e-5}\n'
    )
    source = load_recipe(write(tmp_path, annotations=changed)).annotations.annotators["pfam"]
    assert [str(f) for f in source.files] == ["data:pfam-gecco/Pfam.h3m"]
    assert source.options == {"evalue": "1e-05"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sae": SAE + "learning_rate = 1\n"}, ["sae.learning_rate"]),
        ({"sae": SAE + "batchrows = 1\n"}, ["sae.batchrows", "Did you mean batch_rows?"]),
        ({"extra": "[models]\n"}, ["got models", "Did you mean model?"]),
        ({"sae": "[sae]\nk = 4\ntotal_rows = 8000\n"}, ["sae.d_sae", "sae.load"]),
        ({"sae": SAE.replace("64", '"64"')}, ["sae.d_sae", "whole number", "str '64'"]),
        ({"sae": SAE.replace("64", "true")}, ["sae.d_sae", "whole number", "bool True"]),
        ({"sae": SAE.replace("64", "6.5")}, ["sae.d_sae", "whole number", "float 6.5"]),
        ({"sae": SAE.replace("64", "0")}, ["[sae]", "d_sae of at least 1", "got 0"]),
        ({"sae": SAE.replace("8000", "10")}, ["[sae]", "batch_rows"]),
        ({"sae": SAE + 'architecture = "tanh"\n'}, ["sae.architecture", "'gated'", "'relu'"]),
        ({"sae": SAE + "prefixes = [0]\n"}, ["sae.prefixes", "1 to d_sae = 64"]),
        (
            {"sae": SAE + 'architecture = "relu"\nprefixes = [4]\n'},
            ["sae.prefixes with batchtopk or topk"],
        ),
        ({"sae": '[sae]\nload = "s"\nk = 4\n'}, ["sae.load", "sae.k beside it"]),
        ({"sae": "sae = 3\n"}, ["table [sae]"]),
        ({"data": "[data]\n"}, ["data.sequences"]),
        ({"data": "[data]\nsequences = []\n"}, ["data.sequences", "none"]),
        ({"data": '[data]\nsequences = "p"\n'}, ["data.sequences", "a list", "str 'p'"]),
        ({"data": "[data]\nsequences = [1]\n"}, ["data.sequences[0]", "a path", "int 1"]),
        ({"data": ""}, ["[data]", "none"]),
        ({"annotations": "[annotations]\n"}, ["annotations.table", "[annotations.NAME]"]),
        ({"annotations": "[annotations.uniprot]\n"}, ["annotations.uniprot.files"]),
        ({"annotations": ANNOTATIONS + "file = 1\n"}, ["annotations.uniprot.file", "files?"]),
        ({"model": MODEL + 'precision = "fp8"\n'}, ["model.precision", "'int8'", "'fp8'"]),
        ({"model": MODEL.replace("site", "cite")}, ["model.cite", "Did you mean site?"]),
        ({"extra": "[sample]\nbackground = 2\n"}, ["[sample]", "background", "2.0"]),
        ({"extra": "[sample]\nmembers = 0\n"}, ["[sample]", "members of at least 1"]),
        ({"extra": '[report]\nbaselines = ["x"]\n'}, ["baselines", "'x'", "neurons, pca"]),
        ({"atlas": ATLAS + 'data = ["a"]\n'}, ["[atlas]", "data_licence"]),
    ],
)
def test_a_wrong_key_is_named_in_full(tmp_path, changes, words):
    with pytest.raises(InputError) as error:
        load_recipe(write(tmp_path, **changes))
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("content", [b"[data", b"\xff\xfe[data]", b"a = 1\na = 2\n"])
def test_what_is_no_toml_is_refused_with_its_path(tmp_path, content):
    path = tmp_path / "build.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"build\.toml"):
        load_recipe(path)


def test_a_recipe_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BioInterpError, match=r"nothing\.toml"):
        load_recipe(tmp_path / "nothing.toml")


def test_the_recipe_knows_every_architecture_and_every_key_of_training() -> None:
    from bio_interp.sae import TrainConfig
    from bio_interp.sae._config import ARCHITECTURE_NAMES

    known = {field.name: field for field in fields(SaePart)}
    assert set(get_args(get_type_hints(SaePart)["architecture"])) == set(ARCHITECTURE_NAMES)
    keys = {field.name for field in fields(TrainConfig)} - {"log_every", "validate_every", "skip"}
    assert known.keys() == keys | {"load", "storage", "buffer_rows"}
    for field in fields(TrainConfig):
        if field.name in keys - {"d_sae", "k", "total_rows"}:
            assert known[field.name].default == field.default, field.name
