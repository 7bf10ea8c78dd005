"""Labels, folds and twins of the benchmark on known annotations."""

import pytest

from bio_interp.sequences import Protein, Split


@pytest.fixture
def records(module):
    return module("_records")


def test_residues_of_no_known_label_are_not_covered(records) -> None:
    what = (records.Concept("toy:H", "helix", "Hh"), records.Concept("toy:C", "coil", "C"))
    table = records.make_table([records.Record("P1", "MKTAYIA", "-HhCC-H")], what)
    assert table.coverage.select("start", "end", "state").rows() == [
        (2, 5, "looked"),
        (7, 7, "looked"),
    ]
    spans = table.rows.select("concept", "start", "end").rows()
    assert spans == [("toy:H", 2, 3), ("toy:H", 7, 7), ("toy:C", 4, 5)]
    assert set(table.concepts["world"]) == {"closed"}


def test_residue_concepts_are_one_annotation_a_residue(records) -> None:
    what = records.Concept("toy:cut", "cut", "1", "residue")
    table = records.make_table([records.Record("P1", "MKTAY", "01100")], [what], world="open")
    assert table.rows.select("start", "end").rows() == [(2, 2), (3, 3)]
    assert table.concepts.select("kind", "world").rows() == [("toy:cut", "open")]


def test_records_that_cannot_be_used_are_counted(records) -> None:
    long = "MKTAY" * 4
    given = [
        records.Record("short", "MKT", "HHH"),
        records.Record("uneven", long, "H"),
        records.Record("letters", long[:-1] + "*", "H" * 20),
        records.Record("nothing", long, "-" * 20),
        records.Record("good", long, "H" * 20),
        records.Record("again", long, "C" * 20),
    ]
    kept, left = records.usable(given)
    assert [r.accession for r in kept] == ["good"]
    assert set(left.values()) == {1}


def test_the_domains_of_a_chain_are_joined_where_their_masks_differ(records) -> None:
    assert records.merged("HH---", "---EE") == "HH-EE"


@pytest.fixture
def place(module):
    """Place two new sequences of one cluster, `a` and `b`, that were dealt to fit."""
    split = module("_split")
    alone = Split({"a": ("a", "fit"), "b": ("a", "fit")}, {})
    return lambda relatives: split.place({"a": "a", "b": "a"}, relatives, alone)


@pytest.mark.parametrize(
    ("folds", "why", "fold"),
    [
        ((), "alone", "select"),
        (("test",), "relative", "test"),
        (("calibrate", "select"), "relative", "select"),
        (("test", "select"), "mixed", ""),
        (("test", "fit"), "fit", ""),
    ],
)
def test_a_cluster_takes_the_fold_of_its_relatives(place, folds, why, fold) -> None:
    placed = place({"b": [(f"frozen{i}", f) for i, f in enumerate(folds)]})
    assert {(p.why, p.fold) for p in placed.values()} == {(why, fold)}
    if why == "relative":
        assert {p.cluster for p in placed.values()} == {"frozen0"}


def test_a_set_is_drawn_up_to_its_residues_in_each_fold(module) -> None:
    sets, split, drawing = module("_sets"), module("_split"), module("_residue_sets")
    proteins = [Protein(f"P{i}", "MKTAY" * 10 + "A" * i) for i in range(40)]
    placed = {
        split.key_of(p.sequence): split.Placed("alone", "test" if i % 2 else "select", p.accession)
        for i, p in enumerate(proteins)
    }
    one = sets.LabelledSet("toy", "toy", proteins, {}, False, {}, frozenset({"P38", "P39"}))
    drawn = drawing.draw(one, placed, 300)
    for fold, first in (("select", "P38"), ("test", "P39")):
        of_fold = [p for p in drawn.proteins if drawn.split.fold(p.accession) == fold]
        assert 200 < sum(map(len, of_fold)) <= 300
        assert of_fold[0].accession == first
    assert drawn.went == {"alone select": 20, "alone test": 20}


def test_the_twin_of_the_reference_model_has_its_weights_in_another_order(module, tmp_path) -> None:
    import torch
    from safetensors.torch import load_file

    import bio_interp_reference

    twin = module("_twin")
    model = twin.twin_model("reference", tmp_path, 0)
    theirs = load_file(f"{bio_interp_reference.__path__[0]}/model.safetensors")
    ours = load_file(tmp_path / "reference/twin/weights.safetensors")
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert torch.equal(ours[name].flatten().sort().values, tensor.flatten().sort().values)
    (reading,) = model.activations(["MKTAYIAKQR"], ["layer.3"])
    (theirs_reading,) = twin.atlas_of("reference").model.activations(["MKTAYIAKQR"], ["layer.3"])
    assert reading.rows["layer.3"].shape == theirs_reading.rows["layer.3"].shape
    assert not torch.allclose(reading.rows["layer.3"], theirs_reading.rows["layer.3"], atol=0.1)


def test_a_work_folder_of_other_sizes_is_refused(module, tmp_path) -> None:
    run = module("run")
    quick = run.settings_of(run.asked(["--quick"]), tmp_path)
    run.keep_apart(quick)
    run.keep_apart(quick)
    with pytest.raises(SystemExit, match="other sizes"):
        run.keep_apart(run.settings_of(run.asked([]), tmp_path))
