"""From an atlas, proteins and annotations to a table, and what is refused on the way."""

from dataclasses import dataclass, replace

import polars as pl
import pytest

from bio_interp.benchmarking import BenchSettings, bench_atlas, check_expressions, require
from bio_interp.errors import AnnotationError, InputError, MismatchError, NotFoundError
from bio_interp.sequences import Protein

FEW = BenchSettings((), null=0)


@dataclass
class ToyAtlas:
    """What a benchmark asks of an atlas."""

    model: object
    sae: object
    name: str = "toy"
    site: str = "layer.0"
    read: str = ""

    @property
    def pricer(self):
        return self

    def exposure(self, sequence):
        return "seen" if sequence == self.read else "not_in_training"


@pytest.fixture
def atlas(mixing, sae, planted):
    return ToyAtlas(mixing, sae, read=planted.proteins[1].sequence)


def test_shards_give_the_table_of_one_run(atlas, planted, tmp_path, monkeypatch):
    monkeypatch.setattr("bio_interp.activations._store.BLOCK_PROTEINS", 256)
    given = (atlas, planted.proteins, planted.table)
    whole = bench_atlas(*given, tmp_path / "one", split=planted.split, settings=FEW)
    with pytest.raises(NotFoundError, match="--shard"):
        bench_atlas(*given, tmp_path / "two", split=planted.split, settings=FEW, shard=(2, 2))
    parts = bench_atlas(*given, tmp_path / "two", split=planted.split, settings=FEW, shard=(1, 2))
    assert parts.rows.equals(whole.rows)
    assert whole.facts["seen_by_sae_and_links"] == 1
    assert "1 of 120 sequences" in whole.facts["exposure"]


@pytest.mark.filterwarnings("ignore:MMseqs2 is not installed")
def test_without_a_split_the_proteins_are_dealt_in_two(atlas, planted, tmp_path):
    found = bench_atlas(
        atlas, planted.proteins, planted.table, tmp_path, settings=replace(FEW, min_select=2)
    )
    folds = found.facts["select"]["proteins"], found.facts["test"]["proteins"]
    assert sum(folds) == len(planted.proteins)
    assert folds[0] > folds[1] > 10


def test_annotations_of_other_proteins_are_refused(atlas, planted, tmp_path):
    others = [Protein("Q99999", "MKV" * 20)]
    with pytest.raises(AnnotationError, match=r"Q99999.*select0"):
        bench_atlas(atlas, others, planted.table, tmp_path, settings=FEW)


def test_annotations_beyond_the_sequence_are_refused(atlas, planted, tmp_path):
    short = [Protein(p.accession, p.sequence[:5]) for p in planted.proteins]
    with pytest.raises(AnnotationError, match=r"toy:B at \d+-\d+ of select0, which has 5 residues"):
        bench_atlas(atlas, short, planted.table, tmp_path, settings=FEW)


def test_activations_of_another_model_are_refused(atlas, planted, tmp_path):
    bench_atlas(atlas, planted.proteins, planted.table, tmp_path, split=planted.split, settings=FEW)
    info = replace(atlas.model.info, weights_sha256="2" * 64)
    other = ToyAtlas(type("Other", (type(atlas.model),), {"info": info})(), atlas.sae)
    with pytest.raises(MismatchError, match="weights_sha256"):
        bench_atlas(
            other, planted.proteins, planted.table, tmp_path, split=planted.split, settings=FEW
        )


def test_requirements_that_hold_pass_and_others_are_listed(found):
    require(found, ["sae.residue.mean_f1 > 0.3", "sae-neurons.residue.mean_f1_low > 0"])
    with pytest.raises(MismatchError, match=r"sae\.residue\.mean_f1 >= 0\.99 \(it is 0\.\d+\)"):
        require(found, ["sae.residue.mean_f1 >= 0.99", "sae.residue.concepts == 2"])


@pytest.mark.parametrize(
    "text", ["sae.residue", "sae.residue.mean_f1 >= many", "mean_f1 > 0", "sae.residue.mean_f1 = 1"]
)
def test_a_requirement_that_cannot_be_read_is_refused_at_once(text):
    with pytest.raises(InputError, match=r"SOURCE\.SCORE\.FIGURE"):
        check_expressions([text])


@pytest.mark.parametrize(
    "text", ["umap.residue.mean_f1 > 0", "sae.depth.mean_f1 > 0", "pca-neurons.residue.mean_f1 > 0"]
)
def test_a_requirement_of_what_there_is_not_is_refused(found, text):
    with pytest.raises(InputError, match="sources"):
        require(found, [text])


def test_rows_of_concepts_keep_their_names(found):
    assert set(found.rows["concept"]) == {"toy:A", "toy:B"}
    assert found.rows.select(pl.col("f1").is_between(0, 1).all()).item()
