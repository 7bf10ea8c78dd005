"""find and contrast, from the command line."""

import json
from random import Random

import pytest

import bio_interp.atlas
from bio_interp.atlas import load_atlas
from bio_interp.cli._app import run
from bio_interp.sequences import Protein, deal


@pytest.fixture
def reference(monkeypatch):
    """The small atlas that is installed; loaded once."""
    loaded = load_atlas("reference", device="cpu")
    monkeypatch.setattr(bio_interp.atlas, "load_atlas", lambda *_, **__: loaded)
    return loaded


@pytest.fixture
def files(tmp_path):
    rng = Random(0)
    letters = "ACDEFGHIKLMNPQRSTVWY"

    def draw(name: str, tail: str) -> Protein:
        return Protein(name, "M" + "".join(rng.choices(letters, k=40)) + tail)

    sets = {
        "positives": [draw(f"p{i}", "NGSAWWWWWWWW") for i in range(14)],
        "negatives": [draw(f"n{i}", "AAGKEEEEEEEE") for i in range(14)],
    }
    for name, proteins in sets.items():
        text = "".join(f">{p.accession}\n{p.sequence}\n" for p in proteins)
        (tmp_path / f"{name}.fasta").write_text(text)
    everyone = [p.accession for proteins in sets.values() for p in proteins]
    deal([(a, a) for a in everyone], {"method": "by hand"}).save(tmp_path / "split.tsv")
    (tmp_path / "spans.tsv").write_text("".join(f"p{i}\t42\t45\n" for i in range(14)))
    return tmp_path


def test_find_prints_the_links_of_a_concept_as_tsv_json_and_table(capsys, reference):
    concept = reference.links.links["concept"][0]
    assert run(["find", concept, "--atlas", "reference"]) == 0
    notes, head, *rows = capsys.readouterr().out.splitlines()
    assert notes.startswith("# links of reference")
    assert head.split("\t")[:4] == ["concept", "name", "link_type", "feature"]
    assert all(row.split("\t")[0] == concept for row in rows)
    assert rows
    assert run(["find", concept, "--atlas", "reference", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["features"][0]["concept"] == concept
    assert run(["find", concept, "--atlas", "reference", "-f", "table"]) == 0
    assert concept in capsys.readouterr().out


def test_find_of_a_motif_in_proteins_prints_features_and_negatives(capsys, reference, files):
    asked = ["find", "N-G-S-A", "--proteins", str(files / "positives.fasta")]
    asked += ["--split", str(files / "split.tsv"), "--features", "1", "--negatives", "2"]
    if run(asked) == 1:  # the hashes of the names leave too few for a half
        pytest.fail(capsys.readouterr().err)
    shown = capsys.readouterr().out
    assert "# N-G-S-A: 14 spans in 14 of 14 proteins" in shown
    assert "residue_precision" in shown
    assert run([*asked, "--table", "negatives"]) == 0
    assert "activation" in capsys.readouterr().out


def test_contrast_prints_scores_and_balance(capsys, reference, files):
    asked = ["contrast", str(files / "positives.fasta"), str(files / "negatives.fasta")]
    asked += ["--split", str(files / "split.tsv"), "--match", "none", "--permutations", "199"]
    assert run([*asked, "--features", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = [line.split("\t") for line in lines if not line.startswith("#")]
    assert table[0][:2] == ["kind", "what"]
    assert [row[0] for row in table[1:]] == ["feature"] * 3 + ["baseline"] * 5
    assert run([*asked, "--table", "balance"]) == 0
    assert "log length" in capsys.readouterr().out


def test_contrast_of_residues_is_json_on_request(capsys, reference, files):
    asked = ["contrast", str(files / "positives.fasta"), "--residues", str(files / "spans.tsv")]
    asked += ["--split", str(files / "split.tsv"), "--permutations", "199", "-f", "json"]
    assert run(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["level"], told["positives"]) == ("residue", 14 * 4)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (["find", "no such thing at all"], "concepts of the atlas"),
        (["find", "/C..C/"], "--proteins"),
        (["contrast", "positives.fasta"], "negatives, or residues"),
        (["contrast", "positives.fasta", "positives.fasta"], "one of the two sets"),
        (["contrast", "absent.fasta", "positives.fasta"], "absent.fasta"),
        (["contrast", "positives.fasta", "negatives.fasta", "--permutations", "9"], "199"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(capsys, monkeypatch, reference, files, asked, text):
    monkeypatch.chdir(files)
    assert run(asked) == 1
    assert text in capsys.readouterr().err
