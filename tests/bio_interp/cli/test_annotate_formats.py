from html import unescape
from types import SimpleNamespace
from typing import get_args

import numpy as np
import polars as pl
import pytest

import bio_interp.atlas
from bio_interp.atlas import AtlasInfo, Call, ProteinResult, ProteinStatus
from bio_interp.cli._app import run
from bio_interp.cli._options import Format
from bio_interp.reports import FORMATS

INFO = AtlasInfo("toy", "2", "toy-plm", "layer.1", "ab" * 32, "CC0", (), "", 1.0, {}, {}, (), {})


class ToyAtlas:
    """Calls the first residue of every protein, and remembers what it was asked for."""

    info = INFO

    def __init__(self, xrefs):
        schema = {"concept": pl.String, "name": pl.String, "xrefs": pl.List(pl.String)}
        rows = [("toy:D", "toy (an entry)", xrefs)]
        self.links = SimpleNamespace(concepts=pl.DataFrame(rows, schema=schema, orient="row"))
        self.asked = {}

    def annotate(self, proteins, **asked):
        self.asked = asked
        for protein in proteins:
            call = Call(protein.accession, 1, 1, "toy:D", "toy", "locator", (3,), 1.0, 0.9,
                        0.8, 0.95, 40, "seen")  # fmt: skip
            status = ProteinStatus(protein.accession, len(protein), "ok", 1)
            fired = {3: np.ones(len(protein))} if asked.get("activations") else {}
            yield ProteinResult(status, (call,), protein.sequence, fired)


@pytest.fixture
def atlas(monkeypatch):
    toy = ToyAtlas(["IPR000001", "GO:0000001"])
    monkeypatch.setattr(bio_interp.atlas, "load_atlas", lambda name, **options: toy)
    return toy


@pytest.fixture
def fasta(tmp_path):
    (tmp_path / "my.fasta").write_text(">a\nDKDAAAAAAA\n")
    return str(tmp_path / "my.fasta")


def test_the_command_offers_all_formats():
    assert set(get_args(Format)) == {*FORMATS, "interproscan"}


@pytest.mark.parametrize("form", list(FORMATS))
def test_activations_are_asked_for_only_where_they_are_drawn(fasta, atlas, tmp_path, form):
    assert run(["annotate", fasta, "-f", form, "-o", str(tmp_path / "out")]) == 0
    assert ("activations" in atlas.asked) == (form == "html")


def test_the_licence_is_said_on_stderr_where_the_format_has_no_room(fasta, atlas, capsys):
    assert run(["annotate", fasta, "-f", "interproscan"]) == 0
    out, err = capsys.readouterr()
    assert len(out.strip("\n").split("\t")) == 15
    assert "licence=CC0" in err


def test_xref_fills_the_interpro_columns(fasta, atlas, capsys):
    assert run(["annotate", fasta, "-f", "iprscan", "--xref"]) == 0
    columns = capsys.readouterr().out.rstrip("\n").split("\t")
    assert columns[11:] == ["IPR000001", "an entry", "GO:0000001", "-"]


def test_xref_is_refused_where_the_atlas_knows_none(fasta, atlas, capsys):
    atlas.links = ToyAtlas([]).links
    assert run(["annotate", fasta, "-f", "iprscan", "--xref"]) == 1
    assert "InterPro" in capsys.readouterr().err


def test_the_page_names_the_command(fasta, atlas, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["bio-interp", "annotate", "my file.fasta"])
    out = tmp_path / "x.html"
    assert run(["annotate", fasta, "-o", str(out)]) == 0
    assert "bio-interp annotate 'my file.fasta'" in unescape(out.read_text())
