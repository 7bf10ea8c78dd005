"""What features mean in space is written into an atlas and told in portraits."""

from shutil import copytree

import gemmi
import numpy as np
import polars as pl
import pytest

from bio_interp.atlas import FEATURES, Atlas, feature_space, write_spatial
from bio_interp.errors import MismatchError, NotFoundError, StructureError
from bio_interp.linking.spatial import SPATIAL
from bio_interp.structures import read_structure

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
W, Y, M = (LETTERS.index(letter) for letter in "WYM")


def three(letter: int) -> str:
    return gemmi.expand_one_letter(LETTERS[letter], gemmi.ResidueKind.AA)


def pocket_structure(seed: int):
    """Fold a chain of random letters with tryptophans in one pocket and a zinc in its middle."""
    rng = np.random.default_rng(seed)
    places = [np.zeros(3)]
    for _ in range(119):
        step = rng.normal(size=3)
        if np.linalg.norm(places[-1]) > 18:
            step = step / np.linalg.norm(step) - places[-1] / np.linalg.norm(places[-1])
        places.append(places[-1] + 3.8 * step / np.linalg.norm(step))
    places = np.array(places)
    letters = rng.choice([i for i in range(20) if i not in (W, Y)], 120)
    middle = places[rng.integers(120)]
    letters[np.linalg.norm(places - middle, axis=1) < 8] = W
    if seed < 4:
        letters[[3, 60]] = Y
    line = "{0:6}{1:5} {2:4} {3:3} A{1:4}    {4:8.3f}{5:8.3f}{6:8.3f}  1.00 20.00          {7:>2}"
    lines = [
        line.format("ATOM", i, " CA", three(letter), *place, "C")
        for i, (letter, place) in enumerate(zip(letters, places, strict=True), 1)
    ]
    zinc = line.format("HETATM", 900, "ZN", " ZN", *middle, "ZN")
    return read_structure("\n".join([*lines, zinc, "END"]).encode())


@pytest.fixture(scope="module")
def structures():
    return [pocket_structure(seed) for seed in range(8)]


@pytest.fixture(scope="module")
def atlas(toy_atlas, tmp_path_factory) -> Atlas:
    folder = copytree(toy_atlas.folder, tmp_path_factory.mktemp("spatial") / "atlas")
    row = {"density": 0.05, "proteins": 9, "of_proteins": 9, "q50": 1.0, "maximum": 1.0}
    frame = pl.DataFrame([{"feature": f, **row} for f in range(20)], schema=FEATURES)
    frame.write_parquet(folder / "features.parquet")
    made = Atlas(folder)
    made.__dict__["_model"] = toy_atlas.model  # in place of a plugin's
    return made


@pytest.fixture(scope="module")
def table(atlas, structures) -> pl.DataFrame:
    before = dict(atlas.feature(W).portrait)
    assert "3D" in before["not measured"]
    return write_spatial(atlas, structures)


def test_a_pocket_is_written_into_the_atlas_and_told(atlas, table):
    assert dict(table.schema) == SPATIAL
    stored = pl.read_parquet(atlas.folder / "features.parquet")
    assert stored.select(SPATIAL.keys()).equals(table)
    assert dict(stored.schema) == FEATURES
    told = dict(atlas.feature(W).portrait)["3D"]
    several = table["spatial_clusters"][W]
    assert told.startswith(
        f"compact as sequence, depth and letters make it in {several} clusters of 8: "
    )
    assert "A apart (random " in told
    assert "metal " in told
    row = table.row(W, named=True)
    assert row["distance"] < 12 < row["distance_null"]
    assert row["compact_q"] < 0.001
    assert row["beyond_q"] > 0.05  # the features of this model are the letters themselves


def test_what_is_compact_beyond_its_letters_is_told_so(atlas, table):
    path = atlas.folder / "features.parquet"
    stored = pl.read_parquet(path)
    changed = pl.when(pl.col("feature") == W).then(0.001).otherwise("beyond_q").alias("beyond_q")
    stored.with_columns(changed).write_parquet(path)
    told = dict(atlas.feature(W).portrait)["3D"]
    stored.write_parquet(path)
    assert told.startswith("compact in ")
    assert "beyond sequence, depth and letters: q 0.001" in told


def test_too_few_structures_are_said(atlas, table):
    told = dict(atlas.feature(Y).portrait)["3D"]
    assert told == "not enough structures: it fires in 4 clusters of 8, at several places in 4"
    assert table["compact_p"][Y] is None
    other = dict(atlas.feature(M).portrait)["3D"]  # anywhere: letters were drawn at random
    assert other.startswith("not compact in ")


def test_structures_without_a_chain_and_atlases_without_the_table_are_refused(
    toy_atlas, structures, tmp_path, caplog
):
    caplog.set_level("INFO", logger="bio_interp")
    atlas = Atlas(copytree(toy_atlas.folder, tmp_path / "atlas"))
    atlas.__dict__["_model"] = toy_atlas.model
    with pytest.raises(StructureError, match="30 residues"):
        feature_space(atlas, [])
    path = atlas.folder / "features.parquet"
    pl.DataFrame({"feature": [0, 1, 2]}).write_parquet(path)
    with pytest.raises(MismatchError, match="each of the 20 features"):
        write_spatial(atlas, structures[:1])
    assert "3D: 0 of 20 features tested, on 1 clusters" in caplog.text
    path.unlink()
    with pytest.raises(NotFoundError, match=r"features\.parquet"):
        write_spatial(atlas, structures)
