"""The folder that report writes: what is in it, and what it never writes over."""

import shutil

import numpy as np
import polars as pl
import pytest

from bio_interp.atlas import FEATURES, Atlas, each_concept, each_feature
from bio_interp.errors import InputError
from bio_interp.reports.site import FEATURES_A_FILE, write_site

from .conftest import CONCEPTS, HOSTILE, NAME, WIDTH, handed_over, make_view


def read(folder, name):
    told, content = handed_over((folder / f"data/{name}.js").read_text(encoding="ascii"))
    assert told == name
    return content


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_index_has_a_row_a_feature_concept_and_protein(site):
    index = read(site, "index")
    features, concepts, proteins = (index[k] for k in ("features", "concepts", "proteins"))
    assert {len(column) for column in features.values()} == {WIDTH}
    assert features["name"][:4] == [*CONCEPTS.values(), None]
    assert features["concepts"][:4] == [[0], [1], [2], []]
    assert features["f1"][0] == 0.8
    assert features["maximum"][WIDTH - 1] is None  # never fires
    assert features["motif"][0] == "..........W.C........"
    assert concepts["id"] == list(CONCEPTS)
    assert concepts["low"] == [0.7] * 3
    shown = dict(zip(proteins["accession"], proteins["record"], strict=True))
    assert shown["P12345"] is None  # of the examples alone
    assert shown[HOSTILE[0]] == 0
    where = proteins["accession"].index("P12345")
    assert proteins["features"][where] == [0, 1]


def test_details_are_in_the_file_that_the_page_will_ask_for(site):
    size = read(site, "index")["sizes"]["f"]
    assert size == FEATURES_A_FILE
    assert sum(1 for _ in site.glob("data/f*.js")) == -(-WIDTH // size)
    for number in (0, size - 1, size, WIDTH - 1):
        assert read(site, f"f{number // size}")[number % size]["feature"] == f"toy/f{number}"


def test_a_logo_is_letters_with_their_height_in_bits(site):
    logo = read(site, "f0")[0]["logo"]
    # 40 of 40 windows have W; sqrt(40) pseudocounts: p = (40 + 6.32 * 0.05) / 46.32 = 0.8703,
    # 19 others 0.00683 each; bits = .8703 log2(.8703 / .05) + .1297 log2(.00683 / .05) = 3.2146
    assert logo["columns"][10] == ["W", [2.8]]
    assert logo["columns"][0] == ["", []]
    assert logo["consensus"] == "..........W.C........"


def test_a_protein_has_calls_and_tracks_in_its_own_file(site):
    record = read(site, "p0")[0]
    assert (record["accession"], record["length"]) == (HOSTILE[0], 40)
    (call,) = record["calls"]
    assert (call["start"], call["end"], call["features"]) == (3, 12, ["toy/f0"])
    assert call["precision"] is None
    (track,) = record["tracks"]
    assert (track["position"], track["peak"], track["concept"]) == (40, 3.0, "pfam:PF00001")
    assert track["cells"][-1][1:] == [40, 5]


def test_views_are_copied_for_what_is_there_only(site):
    index = read(site, "index")
    number = index["proteins"]["accession"].index("Q99999")
    assert index["views"] == {"f": [1], "p": [number]}
    assert sorted(p.name for p in (site / "views").iterdir()) == ["f1.html", f"p{number}.html"]


def test_all_features_and_concepts_are_those_that_the_atlas_gives_one_by_one(atlas):
    for number, feature in enumerate(each_feature(atlas)):
        assert feature.to_dict() == atlas.feature(number).to_dict()
    for concept in each_concept(atlas):
        assert concept.to_dict() == atlas.concept(concept.concept).to_dict()


def test_an_atlas_without_statistics_has_links_and_says_so_of_the_rest(atlas_folder, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(atlas_folder, old)
    (old / "features.parquet").unlink()
    (old / "examples.parquet").unlink()
    totals = write_site(Atlas(old), tmp_path / "site")
    assert (totals.features, totals.concepts, totals.proteins) == (WIDTH, 3, 0)
    record = read(tmp_path / "site", "f0")[0]
    assert record["statistics"] is None
    assert record["links"][0]["name"] == NAME
    assert set(read(tmp_path / "site", "index")["features"]["density"]) == {None}


def test_columns_that_an_earlier_version_had_not_are_said_to_be_not_measured(
    atlas_folder, tmp_path
):
    old = tmp_path / "old"
    shutil.copytree(atlas_folder, old)
    new = ("histogram", "extent", "clusters", "logo", "logo_windows", "consensus", "concepts")
    kept = [name for name in FEATURES if name not in new]
    frame = pl.read_parquet(old / "features.parquet").select(kept)
    frame.write_parquet(old / "features.parquet")
    write_site(Atlas(old), tmp_path / "site")
    record = read(tmp_path / "site", "f0")[0]
    assert record["portrait"][-1][0] == "not measured"
    assert record["portrait"][-1][1].startswith("activations, extent, families, motif")
    assert record["logo"] is None


def test_the_same_atlas_gives_the_same_bytes(atlas, tmp_path):
    for name in ("one", "two"):
        write_site(atlas, tmp_path / name, proteins=[make_view("P1")])
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_site_is_replaced_and_its_old_files_go(atlas, site):
    assert (site / "data/p0.js").exists()
    write_site(atlas, site)
    assert not (site / "data/p0.js").exists()
    assert [p.name for p in site.parent.iterdir() if p.name.startswith(".site")] == []


def test_a_folder_with_something_else_is_not_touched(atlas, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="holds something else"):
        write_site(atlas, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_link_to_a_folder_is_not_replaced(atlas, site, tmp_path):
    (tmp_path / "link").symlink_to(site)
    with pytest.raises(InputError, match="a folder to write"):
        write_site(atlas, tmp_path / "link")


def test_what_goes_wrong_leaves_the_old_site_and_nothing_else(atlas, site):
    before = contents(site)

    def broken():
        yield make_view("P1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_site(atlas, site, proteins=broken())
    assert contents(site) == before
    assert sorted(p.name for p in site.parent.iterdir()) == ["site", "views"]


def test_progress_counts_proteins(atlas, tmp_path):
    told = []
    views = [make_view(f"P{i}") for i in range(3)]
    totals = write_site(atlas, tmp_path / "site", proteins=views, progress=told.append)
    assert told == [1, 2, 3]
    assert totals.bytes == sum(len(b) for b in contents(tmp_path / "site").values())


def test_a_silent_feature_is_drawn_without_a_number_that_json_has_not(atlas, tmp_path):
    view = make_view("P1")
    track = view.behind["pfam:PF00001"][0]
    track.values[:] = np.zeros(40)
    write_site(atlas, tmp_path / "site", proteins=[view])
    assert read(tmp_path / "site", "p0")[0]["tracks"][0]["cells"] == []
