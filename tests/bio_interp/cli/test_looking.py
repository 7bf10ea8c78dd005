"""show, compare, plugins, doctor and cite, from the command line."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import bio_interp.atlas
from bio_interp.annotations import CONCEPTS as COLUMNS
from bio_interp.atlas import Atlas, AtlasInfo
from bio_interp.cli._app import run
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, LinkTable
from bio_interp.reports import ReportOptions, atlas_of_report, bibtex, run_header, write_report

INFO = AtlasInfo(
    name="toy",
    version="1",
    model="unirep",
    site="layer.1",
    model_sha256="ab" * 32,
    licence="CC BY & more_than 50%",
    citation=(
        "Doe et al. (2020) J. Tests 3:14, doi:10.1/x_y",
        "Doe et al. (2020) J. Tests 4:15",
        "Unwritten thing",
    ),
    split_sha256="s",
    domain_limit=1.0,
    decoys={"reversed": 0.0},
    measured={},
    data=({"name": "corpus", "licence": "CC0", "release": "7"},),
    versions={},
)
CONCEPTS = {"toy:1": "Signal peptide", "toy:2": "Transmembrane", "toy:3": "Transmembrane: in"}


def save_atlas(folder: Path, **changes) -> Path:
    """Write what looking needs: links and facts, but no weights."""
    links, callers, curves, concepts = [], [], [], []
    for number, (concept, name) in enumerate(CONCEPTS.items()):
        own = {"concept": concept, "feature": number, "threshold": 1.0}
        for kind in ("locator", "family_marker"):
            score = {"test_f1": 0.25 * number, "test_clusters": 20, "select_f1": 0.5}
            links.append({**own, **score, "name": name, "link_type": kind})
        callers.append({**own, "shortest": 3, "weights": [0.0] * 4})
        for strength in (0.0, 0.5):
            curve = {"precision": 0.9 * strength, "low": 0.5 * strength, "high": 1.0}
            curves.append({"concept": concept, "strength": strength, **curve})
        concepts.append({"concept": concept, "name": name, "level": "span", "world": "open"})
    frames = ((links, LINKS), (callers, CALLERS), (curves, CALIBRATION),
              (concepts, {**COLUMNS, "group": pl.String}))  # fmt: skip
    folder.mkdir()
    LinkTable(*(pl.DataFrame(rows, schema=schema) for rows, schema in frames)).save(folder)
    (folder / "sae.json").write_text('{"config": {"d_sae": 64}}')
    replace(INFO, **changes).save(folder)
    return folder


@pytest.fixture
def atlas(tmp_path) -> str:
    return str(save_atlas(tmp_path / "toy"))


def shown(capsys, *tokens) -> dict:
    assert run(["show", *tokens, "-f", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_show_tells_features_concepts_and_candidates_apart(capsys, atlas):
    feature = shown(capsys, "toy/f2", "--atlas", atlas)
    assert (feature["shown"], feature["feature"]) == ("feature", "toy/f2")
    concept = shown(capsys, "toy:1", "--atlas", atlas)
    assert (concept["shown"], concept["name"]) == ("concept", "Signal peptide")
    assert concept["calibration"][1]["low"] == 0.25
    several = shown(capsys, "transmem", "--atlas", atlas)
    assert several["shown"] == "candidates"
    assert [row["concept"] for row in several["candidates"]] == ["toy:2", "toy:3"]


def test_show_prints_text_for_people(capsys, atlas):
    assert run(["show", "signal", "--atlas", atlas]) == 0
    out = capsys.readouterr().out
    assert "Signal peptide" in out
    assert "highest lower bound: 0.25" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("target", ["f2", "signal"])
def test_show_writes_a_page_that_fetches_and_runs_nothing(capsys, atlas, target):
    assert run(["show", target, "--atlas", atlas, "-f", "html"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert "default-src &#x27;none&#x27;" in page
    assert "Signal peptide" in page or "toy/f2" in page
    assert not re.search(r"<script|https?://|<link", page)


def test_show_draws_no_page_of_proteins(capsys, atlas):
    assert run(["show", "MKVLAAGIVGSMKVLAAGIVGS", "--atlas", atlas, "-f", "html"]) == 1
    out, err = capsys.readouterr()
    assert "bio-interp annotate -f html" in err
    assert out == ""


@pytest.mark.parametrize(("tokens", "said"), [
    (["f64"], "f0 to f63"),
    (["transmembrame"], "Transmembrane"),
    (["lost.fasta"], "a file of proteins"),
    (["other/f1"], "toy/f1234"),
    (["P1", "--proteins", "lost.fasta"], "lost.fasta"),
    ([""], "a feature"),
])  # fmt: skip
def test_show_says_what_it_did_not_find(capsys, atlas, tokens, said):
    assert run(["show", *tokens, "--atlas", atlas]) == 1
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_the_atlas_of_the_environment_is_shown_and_cited(capsys, atlas, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_ATLAS", str(atlas))
    assert run(["show", "toy:1"]) == 0
    assert "Signal peptide" in capsys.readouterr().out
    assert run(["cite"]) == 0
    assert "Unwritten thing" in capsys.readouterr().out


def test_the_address_of_an_atlas_that_is_not_installed_is_refused(capsys):
    assert run(["show", "nowhere/f1"]) == 1
    assert "an installed atlas" in capsys.readouterr().err


def test_an_accession_that_is_not_in_the_file_is_refused(tmp_path, capsys, atlas):
    path = tmp_path / "my.fasta"
    path.write_text(">P1\nMKVLAAGIVGSMKVLAAGIVGS\n")
    assert run(["show", "p1", "--proteins", str(path), "--atlas", atlas]) == 1
    assert "none of its 1 accessions" in capsys.readouterr().err


def test_show_and_compare_import_no_torch(atlas):
    code = (
        "import sys; from bio_interp.cli._app import run\n"
        f"assert run(['show', 'f2', '--atlas', {atlas!r}]) == 0\n"
        f"assert run(['show', 'signal', '--atlas', {atlas!r}]) == 0\n"
        f"assert run(['compare', {atlas!r}, {atlas!r}]) == 0\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_compare_writes_a_table_for_people_and_one_for_programs(capsys, atlas):
    assert run(["compare", atlas, atlas, "-f", "table"]) == 0
    out = capsys.readouterr().out
    assert "3 in both" in out
    assert "WARNING" not in out
    assert run(["compare", atlas, atlas]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    assert lines[0].startswith("concept\tname\tlink_type")
    assert {len(line.split("\t")) for line in lines} == {10}
    assert len(lines) == 7


@pytest.mark.parametrize("form", ["table", "tsv", "json"])
def test_compare_warns_loudly_of_another_split(tmp_path, capsys, atlas, form):
    other = save_atlas(tmp_path / "other", name="other", split_sha256="t")
    assert run(["compare", atlas, str(other), "-f", form]) == 0
    out, err = capsys.readouterr()
    assert "WARNING" in err
    assert "splits differ" in out
    if form == "json":
        assert json.loads(out)["comparable"] is False


def make_plugin(folder: Path, name: str, code: str) -> None:
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[bio_interp.models]\n{name} = {name}:SOURCE\n")


def test_broken_plugins_are_listed_with_their_errors_and_break_no_other(tmp_path):
    broken = {
        "toy_import": ("import not_there\n", "not_there"),
        "toy_raises": ("raise RuntimeError('two\\nlines')\n", "two lines"),
        "toy_old": ("class SOURCE: api_version = 99\n", "99"),
        "toy_empty": ("x = 1\n", "SOURCE"),
    }
    for name, (code, _) in broken.items():
        make_plugin(tmp_path, name, code)
    script = "from bio_interp.cli import main; main(['plugins'])"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = {row[1]: row for row in (line.split("\t") for line in done.stdout.splitlines())}
    for name, (_, said) in broken.items():
        assert said in rows[name][5]
    assert rows["unirep"][5] == "ok"
    assert "4 of" in done.stderr


def test_plugins_are_listed_as_json(capsys):
    assert run(["plugins", "-f", "json"]) == 0
    assert {"unirep", "esm"} <= {plugin["name"] for plugin in json.loads(capsys.readouterr().out)}


def test_doctor_finds_fault_with_an_atlas_asked_for_whose_weights_are_missing(
    capsys, monkeypatch, tmp_path, atlas
):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    assert run(["doctor", "--atlas", atlas, "-f", "json"]) == 1
    findings = json.loads(capsys.readouterr().out)
    assert findings[-1]["topic"] == "atlas"
    assert "bio-interp data get unirep" in findings[-1]["problem"]
    assert {"memory", "disk", "cache", "device"} <= {f["topic"] for f in findings}
    data = next(f for f in findings if (f["topic"], f["name"]) == ("data", "unirep"))
    assert data["value"].endswith("bio-interp data get unirep")


def test_doctor_names_an_atlas_that_is_not_there(capsys):
    assert run(["doctor", "--atlas", "lost"]) == 1
    assert "'lost'" in capsys.readouterr().out


@pytest.fixture
def installed(monkeypatch, atlas):
    monkeypatch.setattr(
        bio_interp.atlas, "load_atlas", lambda name: {"toy": Atlas(Path(atlas))}[name]
    )


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("name", "head"), [
    ("calls.tsv", "# bio_interp 0.1.0 atlas=toy atlas_version={} model=unirep\n"),
    ("calls.gff3", "##gff-version 3\n# bio_interp 0.1.0 atlas=toy atlas_version={} model=u\n"),
    ("calls.json", '{{"bio_interp": "0", "atlas": {{"name": "toy", "version": "{}"}}}}\n'),
])  # fmt: skip
def test_a_report_is_enough_to_cite_its_atlas(tmp_path, capsys, name, head):
    path = tmp_path / name
    path.write_text(head.format("1"))
    assert run(["cite", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "doi:10.1/x_y" in out
    assert err == ""
    path.write_text(head.format("other"))
    assert run(["cite", str(path)]) == 0
    assert "version other" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["tsv", "json", "gff3"])
def test_the_reports_we_write_name_their_atlas(tmp_path, form):
    out = tmp_path / f"calls.{form}"
    write_report(lambda proteins: iter(()), [], run_header(INFO, 0.8), ReportOptions(out=out))
    assert atlas_of_report(out) == ("toy", "1")


def test_a_file_that_names_no_atlas_cannot_be_cited(tmp_path, capsys):
    path = tmp_path / "my.fasta"
    path.write_text(">a\nMKV\n")
    assert run(["cite", str(path)]) == 1
    assert "names its atlas" in capsys.readouterr().err


def test_bibtex_has_an_entry_for_everything_with_keys_of_their_own():
    text = bibtex(INFO)
    keys = re.findall(r"^@\w+\{([^,]+),$", text, flags=re.MULTILINE)
    assert len(keys) == len(set(keys)) == 6
    assert "author = {Doe and others}" in text
    assert "doi = {10.1/x_y}" in text
    assert r"CC BY \& more\_than 50\%" in text
    assert "title = {Unwritten thing}" in text
    assert "Release: 7" in text
    unescaped = re.sub(r"\\[{}]", "", text)
    assert unescaped.count("{") == unescaped.count("}")


def test_cite_prints_bibtex_and_json(capsys, atlas):
    assert run(["cite", atlas, "-f", "bibtex"]) == 0
    assert "@article{doe2020," in capsys.readouterr().out
    assert run(["cite", atlas, "-f", "json"]) == 0
    roles = {row["what"] for row in json.loads(capsys.readouterr().out)}
    assert roles == {"software", "atlas", "licence", "model", "cite", "data"}
