import argparse
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

RECIPE = Path(__file__).parents[2] / "examples" / "reference"


@pytest.fixture
def recipe(monkeypatch):
    """Import a script of the recipe by its name, as running it in its folder would."""
    monkeypatch.syspath_prepend(str(RECIPE))
    names = ("prepare", "network", "train", "evaluate")
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def source(tmp_path):
    """Thirty proteins of one family: two of three in `fit`, the others in `test`."""
    dice = np.random.default_rng(0)
    rows, split, hits = [], [], ["accession\tpfam\tname\tali_start\tali_end\tenv_start\tenv_end\n"]
    for i in range(30):
        sequence = "".join(dice.choice(list("ACDEFGHIKLMNPQRSTVWY"), 90))
        rows.append(f">P{i}\n{sequence}\n")
        split.append(f"P{i}\tP{i}\t{'test' if i % 3 == 0 else 'fit'}\n")
        hits.append(f"P{i}\tPF1.1\tToy\t22\t68\t21\t70\n")
    (tmp_path / "all.fasta").write_text("".join(rows))
    (tmp_path / "split.tsv").write_text("".join(split))
    (tmp_path / "hits.tsv").write_text("".join(hits))
    return tmp_path


@pytest.fixture
def data(recipe, source, monkeypatch):
    command = ["prepare.py", "--corpus", "all.fasta", "--split", "split.tsv", "--hits", "hits.tsv"]
    command += ["--test-clusters", "5", "--fit-members", "5", "--out", "data"]
    monkeypatch.chdir(source)
    monkeypatch.setattr(sys, "argv", command)
    recipe("prepare").main()
    return source / "data"


def _settings(data, out, **changes):
    values = dict(
        data=data,
        out=out,
        minutes=60.0,
        layers=1,
        width=16,
        heads=2,
        tokens=300,
        seed=1,
        rate=0.02,
        adam_rate=0.003,
        low=0.2,
        high=0.5,
        whole=0.2,
    )
    out.mkdir(exist_ok=True)
    return argparse.Namespace(**(values | changes))


def test_only_proteins_of_fit_enter_the_training_set(data, recipe):
    used = set(recipe("prepare").read_fasta(data / "sequences.fasta"))
    assert used == {f"P{i}" for i in range(30) if i % 3}
    held_out = [line.split("\t") for line in (data / "held_out.tsv").read_text().splitlines()]
    assert {row[2] for row in held_out} == {f"P{i}" for i in range(0, 30, 3)}


def test_a_crop_is_the_envelope_and_ten_residues_to_each_side(data):
    rows = [line.split("\t") for line in (data / "crops.tsv").read_text().splitlines()]
    assert {tuple(row[2:]) for row in rows} == {("PF1.1", "11", "80")}


def test_overlapping_domains_become_one_crop_named_by_the_longer(recipe):
    prepare = recipe("prepare")
    hits = [
        prepare.Hit("P", "B", 40, 60),
        prepare.Hit("P", "A", 10, 50),
        prepare.Hit("P", "C", 80, 90),
    ]
    assert [tuple(hit)[1:] for hit in prepare.merge(hits)] == [("A", 10, 60), ("C", 80, 90)]


def test_domains_carried_to_a_relative_move_with_the_alignment_and_stay_inside(recipe):
    prepare = recipe("prepare")
    hits = [prepare.Hit("P", "A", 10, 50), prepare.Hit("P", "B", 150, 200)]
    # residue 5 of the relative is aligned to residue 15 of the protein
    row = ["Q", "P", "0.6", "5", "90", "15", "100"]
    assert [tuple(hit) for hit in prepare.carry_over(hits, row, 95)] == [("Q", "A", 5, 40)]


def test_the_fast_forward_equals_fair_esm(recipe):
    network = recipe("network")
    model = network.build(layers=2, width=32, heads=2, seed=0).eval()
    tokens = torch.randint(4, 24, (3, 40))
    tokens[:, 0], tokens[0, 19], tokens[0, 20:], tokens[1, 5:9] = 0, 2, 1, 32
    with torch.no_grad():
        expected = model(tokens, repr_layers=[2])["representations"][2]
        got = network.hidden(model, tokens)
    keep = tokens.ne(1)
    assert torch.allclose(got[keep], expected[keep], atol=1e-5)


def test_orthogonal_updates_have_singular_values_near_one(recipe):
    update = recipe("network").orthogonal(torch.randn(2, 24, 64))
    values = torch.linalg.svdvals(update)
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_hidden_positions_are_residues_and_only_they_change(recipe):
    train, network = recipe("train"), recipe("network")
    index = network.build(1, 16, 2, 0).alphabet.tok_to_idx
    tokens = train.encode(["ACDEFGHIKLMNPQRSTVWY" * 5, "ACDXX"], index)
    seen, where = train.hide(tokens, index, 0.4, 0.4)
    assert torch.equal(seen[~where], tokens[~where])
    assert not where[tokens < 4].any()
    assert not where[tokens == index["X"]].any()
    assert 0.25 < where[0].float().mean() < 0.55
    assert 0.6 < (seen[where] == index["<mask>"]).float().mean() < 0.95


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(data, recipe, tmp_path):
    train = recipe("train")
    crops = train.Crops(data, whole=0.2)
    pieces = list(crops.batches(0, 1, 300))

    def run(out, cut):
        run = train.Run(_settings(data, out))
        for place, batch in enumerate(pieces[:6]):
            if place == cut:
                run.save()
                run = train.Run(_settings(data, out))
            torch.manual_seed(place)
            run.step(batch)
        return run

    straight, resumed = run(tmp_path / "straight", cut=None), run(tmp_path / "resumed", cut=3)
    for one, other in zip(straight.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)
    assert straight.state == resumed.state


def test_training_lowers_the_loss_and_leaves_a_checkpoint_and_a_log(data, recipe, tmp_path):
    train = recipe("train")
    # one batch again and again is learnt by heart
    run = train.Run(_settings(data, tmp_path / "run", low=0.15, high=0.15))
    batch = next(train.Crops(data, 0.0).batches(0, 1, 300))
    losses = []
    for step in range(150):
        torch.manual_seed(step % 2)
        losses.append(run.step(batch))
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    timed = train.Run(_settings(data, tmp_path / "timed", minutes=0.01))
    timed.go(train.Crops(data, 0.2))
    last = json.loads((tmp_path / "timed" / "log.jsonl").read_text().splitlines()[-1])
    assert torch.load(tmp_path / "timed" / "checkpoint.pt")["state"]["step"] == last["step"] > 0


def test_the_rate_rises_stays_and_falls_to_zero(recipe):
    rate_at = recipe("train").rate_at
    assert rate_at(0.0, 9) == pytest.approx(0.1)
    assert rate_at(0.5, 500) == 1
    assert rate_at(0.925, 500) == pytest.approx(0.5)
    assert rate_at(1.0, 500) == 0


def test_grams_find_a_planted_regularity_and_unigrams_do_not(recipe):
    evaluate = recipe("evaluate")
    grams = evaluate.Grams(["ACD" * 50] * 5)
    grams.fit_mix(["ACD" * 20])
    assert np.exp(grams.losses("ACDACDACD")[3:].mean()) < 1.1
    assert np.exp(grams.losses("ACDACDACD", unigram=True).mean()) == pytest.approx(3, rel=0.01)


def test_a_family_is_known_only_if_the_gain_is_clear_over_clusters(recipe):
    rows = [["c", "test", "P", family, "1", "9"] for family in ("A", "A", "A", "B", "B", "B")]
    table = recipe("evaluate").family_table(rows, [0.5, 0.6, 0.55, 1.5, -0.5, 0.6])
    assert table["A"]["known"]
    assert not table["B"]["known"]
    assert json.dumps(table)
