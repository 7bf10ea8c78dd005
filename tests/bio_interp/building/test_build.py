"""From proteins and features to an atlas, in one process."""

import json
import shutil

import polars as pl
import pytest

from bio_interp.building import build, encode, harvest, make_job, plan, train
from bio_interp.cli._app import run
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.linking import LinkTable


@pytest.fixture
def copied(built, tmp_path):
    """Give a recipe whose build is finished, to be spoiled."""
    folder = tmp_path / "copied"
    shutil.copytree(built[0].parent, folder)
    return folder / "build.toml"


def change(path, old, new):
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_planted_motifs_are_found_and_annotated(built, toy):
    _, atlas = built
    links = atlas.links.links.filter(pl.col("link_type") == "locator")
    assert set(links["concept"]) == {"uniprot:DOMAIN", "uniprot:REPEAT"}
    assert links["select_f1"].min() > 0.6
    assert atlas.check() == []
    at, motif = toy.motifs["DOMAIN"]
    sequence = "ACDEFGHIKLMNPQRSTVWY" * 3
    sequence = sequence[:at] + motif + sequence[at + len(motif) :]
    (result,) = atlas.annotate(sequence, min_precision=0.0)
    assert any(
        call.concept == "uniprot:DOMAIN" and call.start <= at + len(motif) and call.end > at
        for call in result.calls
    )


def test_an_atlas_says_what_it_was_made_of(built):
    _, atlas = built
    settings = json.loads((atlas.folder / "recipe.json").read_text())
    assert settings["sae.k"] == 4
    assert settings["data.sequences"][0].startswith("sha256 ")
    assert [d["name"] for d in atlas.info.data] == ["proteins.fasta", "features.csv"]
    assert atlas.info.measured["links"]["uniprot"]["concepts"] >= 0


def test_a_finished_build_is_left_as_it_is(built, toy):
    path, atlas = built
    before = toy.bytes_of(atlas.folder)
    times = {p: p.stat().st_mtime_ns for p in path.parent.rglob("*") if p.is_file()}
    assert build(path).folder == atlas.folder
    assert toy.bytes_of(atlas.folder) == before
    assert {p: p.stat().st_mtime_ns for p in path.parent.rglob("*") if p.is_file()} == times


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("k = 4", "k = 5", ["sae.k: 4 there, 5 now", "sae"]),
        ('site = "layer.2"', 'site = "layer.3"', ["model.site: 'layer.2' there"]),
        ("min_select = 1", "min_select = 2", ["link.min_select: 1 there, 2 now"]),
        ('name = "toy"', 'name = "other"', ["atlas.name: 'toy' there, 'other' now"]),
    ],
)
def test_settings_are_not_mixed(copied, old, new, words):
    change(copied, old, new)
    with pytest.raises(MismatchError) as error:
        build(copied)
    for word in words:
        assert word in str(error.value)


def test_other_weights_of_the_same_model_are_refused(copied):
    work = copied.parent / "build.work"
    manifest = work / "activations/manifest.json"
    content = json.loads(manifest.read_text())
    content["settings"]["model.weights_sha256"] = "0" * 64
    manifest.write_text(json.dumps(content))
    for name in ("pack", "atlas"):
        shutil.rmtree(work / name)
    with pytest.raises(MismatchError, match=r"model\.weights_sha256: 000000000000 there"):
        build(copied)


def test_a_file_that_changed_is_another_setting(copied):
    path = copied.parent / "proteins.fasta"
    path.write_text(path.read_text() + ">extra\nMKVLAW\n")
    with pytest.raises(MismatchError, match=r"data\.sequences"):
        build(copied)


def test_later_stages_are_redone_when_their_folders_are_removed(copied, toy):
    change(copied, "min_select = 1", "min_select = 2")
    work = copied.parent / "build.work"
    before = (work / "activations/00000.npy").stat().st_mtime_ns
    for name in ("links", "pack", "atlas"):
        shutil.rmtree(work / name)
    build(copied)
    assert (work / "activations/00000.npy").stat().st_mtime_ns == before


def test_a_folder_with_something_else_is_not_overwritten(copied, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        build(copied, out=tmp_path / "full")
    assert (tmp_path / "full/thesis.txt").read_text() == "mine"


def test_shards_give_the_same_codes_as_one_run(built, toy, tmp_path):
    path = toy.write(tmp_path / "sharded")
    job = make_job(path)
    for i in (2, 1):
        harvest(job, (i, 2))
    shutil.copytree(built[0].parent / "build.work/sae", job.work / "sae")
    for i in (2, 1):
        encode(job, (i, 2))
    whole, parts = encode(make_job(built[0])), encode(job)
    assert parts.accessions == whole.accessions
    for name in whole.accessions:
        assert (parts.protein(name) != whole.protein(name)).nnz == 0


def test_training_waits_for_the_whole_harvest(toy, tmp_path):
    path = toy.write(tmp_path / "waiting", proteins=300)
    job = make_job(path)
    harvest(job, (2, 2))
    with pytest.raises(NotFoundError, match=r"1 not there yet.*bio-interp harvest"):
        train(job)


def test_a_trained_sae_is_taken_up_and_checked(built, toy, tmp_path):
    sae = built[0].parent / "build.work/sae"
    head, tail = toy.toml.split("[sae]")[0], toy.toml.split("[link]")[1]
    toml = f'{head}[sae]\nload = "{sae}"\n[link]{tail}'
    job = make_job(toy.write(tmp_path / "loaded", toml=toml))
    assert (train(job) / "sae.json").is_file()
    assert "fit" not in {job.split.fold(name) for name in harvest(job).accessions}
    wrong = toml.replace("layer.2", "layer.1")
    job = make_job(toy.write(tmp_path / "wrong", toml=wrong))
    with pytest.raises(MismatchError, match=r"sae\.load.*layer\.2"):
        train(job)


def test_features_are_benchmarked_beside_neurons_where_the_recipe_asks(copied):
    copied.write_text(copied.read_text() + '\n[report]\nbaselines = ["neurons"]\n')
    work = copied.parent / "build.work"
    for name in ("links", "pack", "atlas"):
        shutil.rmtree(work / name)
    found = build(copied).info.measured["bench"]
    assert {row["source"] for row in found["summary"]} >= {"sae", "neurons", "permuted"}
    assert found["facts"]["concepts"] > 0
    page = work / "links/bench/index.html"
    assert "neurons" in page.read_text()
    assert not (page.parent / "sources").exists(), "values of baselines take much space"


def test_features_are_tested_on_structures_where_the_recipe_names_some(copied):
    line = "ATOM  {0:5}  CA  LYS A{0:4}    {1:8.3f}{2:8.3f}   0.000  1.00 20.00           C"
    atoms = [line.format(i, 3.8 * (i % 8), 5.0 * (i // 8)) for i in range(1, 49)]
    (copied.parent / "pdb").mkdir()
    (copied.parent / "pdb/one.pdb").write_text("\n".join([*atoms, "END"]))
    change(copied, 'name = "toy"\n', 'name = "toy"\nstructures = ["pdb"]\n')
    for name in ("pack", "atlas"):
        shutil.rmtree(copied.parent / "build.work" / name)
    assert str(copied.parent / "pdb") in plan(copied).of("reads")
    table = pl.read_parquet(build(copied).folder / "features.parquet")
    assert table["of_spatial_clusters"].unique().to_list() == [1]
    assert table["spatial_fires"].max() == 1
    assert table["compact_p"].null_count() == table.height


def test_a_plan_reads_and_writes_nothing(toy, tmp_path):
    path = toy.write(tmp_path / "planned")
    before = sorted(p.name for p in path.parent.rglob("*"))
    made = plan(path)
    assert sorted(p.name for p in path.parent.rglob("*")) == before
    assert made.of("reads")[str(path.parent / "proteins.fasta")] == (
        (path.parent / "proteins.fasta").stat().st_size
    )
    assert made.total("time") > 0
    assert made.of("memory")["peak"] > 100e6


def test_a_plan_tells_the_bytes_that_are_written(built):
    path, _ = built
    said = plan(path).of("writes")
    rows = path.parent / "build.work/activations/00000.npy"
    assert said["activations"] == pytest.approx(rows.stat().st_size, rel=0.01)


def test_a_plan_of_a_finished_build_takes_no_time(built):
    made = plan(built[0]).of("time")
    assert [made[name] for name in ("annotations", "sae", "links", "pack")] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"proteins.fasta"', '"absent.fasta"', ["absent.fasta", "no such file"]),
        ('"features.csv"', '"absent.csv"', ["absent.csv", "no such file"]),
        ('"split.tsv"', '"absent.tsv"', ["absent.tsv", "no such file"]),
        ('"layer.2"', '"layer.9"', ["model.site", "layer.4", "'layer.9'"]),
        ('"reference"', '"referense"', ["reference", "'referense'"]),
        ("annotations.uniprot", "annotations.unipro", ["uniprot", "'unipro'"]),
        ('"reference"', '"esm2_t6_8M_UR50D"', ["esm2_t6_8M_UR50D"]),
        ("min_select = 1", "min_select = 99", ["99 clusters of select", "none of 2 concepts"]),
    ],
)
def test_what_is_not_there_is_named_without_a_traceback(
    toy, tmp_path, capsys, monkeypatch, old, new, words
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    path = toy.write(tmp_path / "wrong")
    change(path, old, new)
    assert run(["build", str(path), "-q"]) == 1
    said = capsys.readouterr().err
    for word in words:
        assert word in said


def test_weights_that_are_not_there_are_downloads_of_the_plan(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    path = toy.write(tmp_path / "esm")
    change(path, '"reference"', '"esm2_t6_8M_UR50D"')
    path.write_text(path.read_text().replace('device = "cpu"', 'device = "cpu"\ndownload = true'))
    made = plan(path)
    assert made.of("downloads")["esm2_t6_8M_UR50D"] == 30e6
    assert not (tmp_path / "torch").exists()


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "1/0"])
def test_a_wrong_shard_is_refused(toy, tmp_path, capsys, shard):
    path = toy.write(tmp_path / "shards")
    assert run(["harvest", str(path), "--shard", shard]) == 1
    assert "i from 1 to n" in capsys.readouterr().err


def test_the_stages_are_commands_too(built, copied, capsys):
    work = copied.parent / "build.work"
    for name in ("activations", "sae", "codes", "links"):
        shutil.rmtree(work / name)
    for command in ("harvest", "train", "encode", "link"):
        assert run([command, str(copied), "-q"]) == 0
    again = LinkTable.load(work / "links")
    assert again.links.equals(LinkTable.load(built[0].parent / "build.work/links").links)
