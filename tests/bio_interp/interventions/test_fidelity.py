"""Fidelity against its definition, on SAEs whose fidelity is known by construction."""

import json
import random

import numpy as np
import pytest
import torch
from esm.model.esm2 import ESM2

from bio_interp import load_atlas, load_model
from bio_interp.errors import InputError, MismatchError, SequenceError
from bio_interp.interventions import fidelity, fidelity_many
from bio_interp.interventions._scored import choose_residues
from bio_interp.models import Esm2Engine, LoadOptions
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

WIDTH = 32
CPU32 = LoadOptions(device="cpu", precision="fp32")
LETTERS = "ACDEFGHIKLMNPQRSTVWY"
SITE = "layer.2"


def made_up(*lengths, seed=0):
    pick = random.Random(seed)
    return ["".join(pick.choices(LETTERS, k=n)) for n in lengths]


PROTEINS = [*made_up(40, 25, 90, 33, 61), "MKXBZUAWL", "XXX"]


def sae_of(encoder, decoder, *, b_enc=None, b_dec=None, architecture="relu", k=None, width=None):
    d_model, d_sae = encoder.shape
    tensors = {
        "W_enc": encoder,
        "b_enc": torch.zeros(d_sae) if b_enc is None else b_enc,
        "W_dec": decoder,
        "b_dec": torch.zeros(d_model) if b_dec is None else b_dec,
    }
    if architecture != "topk":
        tensors["threshold"] = torch.zeros(d_sae)
    config = SaeConfig(d_model, d_sae, architecture, k or d_sae)
    return SparseAutoencoder(config, tensors, InputNorm(torch.zeros(d_model), 1.0))


def perfect_sae(architecture="relu", width=WIDTH):
    """Both signs of every neuron: x = relu(x) - relu(-x)."""
    both = torch.cat([torch.eye(width), -torch.eye(width)])
    return sae_of(both.T, both, architecture=architecture)


def zero_sae(width=WIDTH):
    return sae_of(torch.zeros(width, 4), torch.nn.functional.normalize(torch.ones(4, width)))


def harmful_sae(width=WIDTH):
    """Rebuilds each row with the wrong sign, ten times as long."""
    both = torch.cat([torch.eye(width), -torch.eye(width)])
    return sae_of(10 * both.T, -both)


@pytest.fixture(scope="module")
def engine():
    """A network whose guesses depend on its middle, and that is right more often with it."""
    torch.manual_seed(0)
    module = ESM2(num_layers=3, embed_dim=WIDTH, attention_heads=4).eval()
    for name, weights in module.named_parameters():
        if name.endswith("bias") or "layer_norm" in name:
            torch.nn.init.normal_(weights, float("layer_norm.weight" in name), 0.2)
    return Esm2Engine(module, name="toy", options=CPU32, window=60, overlap=20)


@pytest.fixture(scope="module")
def reference():
    return load_model("reference", CPU32)


@pytest.fixture(scope="module")
def real_proteins():
    """Pieces of the proteins that ship as an example."""
    from pathlib import Path

    from bio_interp import read_proteins

    folder = Path(__file__).parents[3] / "examples/proteins.fasta"
    return [protein.sequence[:100] for protein in read_proteins(folder)]


@pytest.mark.parametrize("architecture", ["relu", "topk"])
def test_a_perfect_sae_recovers_all_and_diverges_by_nothing(engine, architecture):
    found = fidelity(engine, {SITE: perfect_sae(architecture)}, PROTEINS)
    assert found.recovered_zero == pytest.approx(1, abs=1e-4)
    assert found.recovered_mean == pytest.approx(1, abs=1e-4)
    assert found.kl == pytest.approx(0, abs=1e-8)
    assert found.ce_spliced == pytest.approx(found.ce_intact, abs=1e-6)


def test_an_sae_that_rebuilds_zeros_recovers_nothing(engine):
    found = fidelity(engine, {SITE: zero_sae()}, PROTEINS)
    assert found.recovered_zero == pytest.approx(0, abs=1e-12)
    assert found.ce_spliced == found.ce_zero != found.ce_intact
    assert found.kl > 1e-4


def test_an_sae_that_rebuilds_the_mean_recovers_nothing_of_the_mean(engine):
    rows = torch.cat([r.rows[SITE] for r in engine.activations(PROTEINS[:6], [SITE])])
    sae = zero_sae()
    with torch.no_grad():
        sae.b_dec.copy_(rows.mean(0))
    found = fidelity(engine, {SITE: sae}, PROTEINS)
    assert found.recovered_mean == pytest.approx(0, abs=1e-3)
    assert found.ce_spliced == pytest.approx(found.ce_mean, abs=1e-6)
    given = fidelity(engine, {SITE: sae}, PROTEINS, means={SITE: torch.zeros(WIDTH)})
    assert given.ce_mean == given.ce_zero


def test_an_sae_worse_than_zeros_is_negative_and_not_clipped(reference, real_proteins):
    """Peers' bug B17: InterPLM and BioNeMo clip to [0, 1], which hides failures."""
    site = "layer.4"
    sae = harmful_sae(reference.info.sites[site])
    found = fidelity(reference, {site: sae}, real_proteins)
    assert found.ce_spliced > found.ce_zero > found.ce_intact
    assert found.recovered_zero < -0.05
    low, high = found.recovered_zero_interval
    assert low < found.recovered_zero < high
    assert low < -0.05


@pytest.mark.parametrize("architecture", ["topk", "batchtopk", "jumprelu", "gated", "relu"])
def test_fidelity_takes_saes_of_every_architecture(engine, architecture):
    """Peers' bug B9: TypeError for TopK and JumpReLU, which was then swallowed."""
    torch.manual_seed(1)
    decoder = torch.nn.functional.normalize(torch.randn(64, WIDTH))
    sae = sae_of(decoder.T.clone(), decoder, architecture=architecture, k=8)
    found = fidelity(engine, {SITE: sae}, PROTEINS)
    assert found.kl > 0
    assert np.isfinite([found.recovered_zero, found.recovered_mean, *found.kl_interval]).all()
    assert found.recovered_zero not in (0, 1)


def test_losses_are_those_of_residues_that_the_model_does_not_see(engine):
    """Peers' bug B17: the loss was taken on residues that the model can copy."""
    asked = []

    class Watched:
        info = engine.info

        def activations(self, sequences, sites, *, edits=None):
            return engine.activations(sequences, sites, edits=edits)

        def logits(self, sequences, *, masked=None, edits=None):
            masked = list(masked)
            asked.append(masked)
            return engine.logits(sequences, masked=masked, edits=edits)

    torch.manual_seed(1)
    decoder = torch.nn.functional.normalize(torch.randn(64, WIDTH))
    sae = sae_of(decoder.T.clone(), decoder)
    found = fidelity(Watched(), {SITE: sae}, PROTEINS, seed=3)
    assert len(asked) == 4  # intact, zeros, means, spliced
    assert asked.count(asked[0]) == 4
    masks = asked[0]
    scored = [p for p in PROTEINS if p != "XXX"]
    assert [len(m) for m in masks] == [6, 4, 14, 5, 9, 1]
    assert found.residues == sum(map(len, masks)) == 39
    assert (found.proteins, found.clusters) == (6, 6)

    def losses(edit=None):
        edits = {SITE: edit} if edit else None
        return [
            torch.log_softmax(logits[hidden].double(), 1)
            for logits, hidden in zip(
                engine.logits(scored, masked=masks, edits=edits), masks, strict=True
            )
        ]

    truth = torch.tensor(
        [LETTERS.index(p[i]) for p, m in zip(scored, masks, strict=True) for i in m]
    )
    intact, spliced, zero = (torch.cat(losses(e)) for e in (None, sae, torch.zeros_like))
    for got, logp in (
        (found.ce_intact, intact),
        (found.ce_spliced, spliced),
        (found.ce_zero, zero),
    ):
        assert got == pytest.approx(float(torch.nn.functional.nll_loss(logp, truth)), abs=1e-6)
    kl = torch.nn.functional.kl_div(spliced, intact, log_target=True, reduction="batchmean")
    assert found.kl == pytest.approx(float(kl), abs=1e-6)
    recovered = (found.ce_zero - found.ce_spliced) / (found.ce_zero - found.ce_intact)
    assert found.recovered_zero == pytest.approx(recovered)


def test_masks_depend_on_the_seed_and_the_protein_alone(engine):
    saes = {SITE: zero_sae()}
    one, same = (fidelity(engine, saes, PROTEINS, seed=5) for _ in range(2))
    other = fidelity(engine, saes, PROTEINS, seed=6)
    turned = fidelity(engine, saes, PROTEINS[::-1], seed=5)
    masks = [choose_residues(p, engine.info, mask_share=0.3, seed=5) for p in made_up(50, 50)]
    assert masks[0].rows.tolist() != masks[1].rows.tolist()
    assert one == same
    assert one.ce_intact != other.ce_intact
    assert turned.ce_intact == pytest.approx(one.ce_intact, abs=1e-5)
    assert turned.kl == pytest.approx(one.kl, abs=1e-5)


def test_what_saes_share_is_computed_once(engine):
    calls = []

    class Counting:
        info = engine.info

        def activations(self, sequences, sites, *, edits=None):
            calls.append("rows")
            return engine.activations(sequences, sites, edits=edits)

        def logits(self, sequences, *, masked=None, edits=None):
            calls.append("logits")
            return engine.logits(sequences, masked=masked, edits=edits)

    saes = {"perfect": perfect_sae(), "zero": zero_sae(), "bad": harmful_sae()}
    splices = {name: {SITE: sae} for name, sae in saes.items()}
    splices["two"] = {"layer.1": zero_sae(), SITE: perfect_sae()}
    found = fidelity_many(Counting(), splices, PROTEINS)
    assert calls.count("rows") == 1
    assert calls.count("logits") == 1 + 2 * 2 + 4
    assert list(found) == list(splices)
    for name, each in splices.items():
        assert found[name] == fidelity(engine, each, PROTEINS)
    assert found["two"].sites == ("layer.1", SITE)


def test_a_transcoder_is_measured_where_it_writes(engine):
    found = fidelity(engine, {("layer.1", "layer.2"): zero_sae()}, PROTEINS)
    assert found.sites == ("layer.2",)
    assert found.recovered_zero == pytest.approx(0, abs=1e-12)


def test_intervals_resample_clusters(reference, real_proteins):
    site = "layer.3"
    torch.manual_seed(0)
    width = reference.info.sites[site]
    decoder = torch.nn.functional.normalize(torch.randn(400, width))
    saes = {site: sae_of(decoder.T.clone(), decoder, b_enc=torch.full((400,), -1.0))}
    apart = fidelity(reference, saes, real_proteins)
    low, high = apart.recovered_zero_interval
    assert low < apart.recovered_zero < high
    assert low < high
    assert apart.kl_interval[0] < apart.kl < apart.kl_interval[1]
    # every protein twice, as clusters of two: the same units, so the same interval
    twice = fidelity(reference, saes, real_proteins * 2, clusters=[*range(len(real_proteins))] * 2)
    assert (twice.proteins, twice.clusters) == (2 * apart.proteins, apart.clusters)
    assert twice.kl_interval == pytest.approx(apart.kl_interval, abs=1e-5)
    # as units of their own they look like more evidence than they are
    naive = fidelity(reference, saes, real_proteins * 2)
    width, narrow = (high - low for low, high in (apart.kl_interval, naive.kl_interval))
    assert 0 < narrow < 0.85 * width


def test_one_unit_has_no_interval_and_json_has_no_nan(engine):
    found = fidelity(engine, {SITE: zero_sae()}, PROTEINS[:2], clusters=["a", "a"])
    assert np.isnan(found.kl_interval).all()
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["kl_interval"] == [None, None]
    assert told["sites"] == [SITE]
    assert told["recovered_zero"] == found.recovered_zero
    assert (told["objective"], told["mask_share"]) == ("masked", 0.15)


def test_a_site_whose_zeros_do_no_harm_gives_nan_and_no_warning(engine):
    class Deaf:
        """Its guesses do not depend on the site."""

        info = engine.info

        def activations(self, sequences, sites, *, edits=None):
            return engine.activations(sequences, sites)

        def logits(self, sequences, *, masked=None, edits=None):
            return engine.logits(sequences, masked=masked)

    found = fidelity(Deaf(), {SITE: zero_sae()}, PROTEINS)
    assert np.isnan([found.recovered_zero, *found.recovered_zero_interval]).all()
    assert found.kl == 0


def test_what_cannot_be_measured_is_refused(engine):
    saes = {SITE: zero_sae()}
    with pytest.raises(InputError, match="residues to score"):
        fidelity(engine, saes, ["XXX"])
    with pytest.raises(InputError, match="mask_share above 0"):
        fidelity(engine, saes, PROTEINS, mask_share=0)
    with pytest.raises(MismatchError, match="each of the 7 proteins; got 2"):
        fidelity(engine, saes, PROTEINS, clusters=[1, 2])
    with pytest.raises(MismatchError, match=r"mean row of layer\.2.*\(32,\)"):
        fidelity(engine, saes, PROTEINS, means={SITE: torch.zeros(3)})
    with pytest.raises(SequenceError, match="one letter a residue"):
        fidelity(engine, saes, ["MK<mask>V"])


def test_the_reference_atlas_has_a_fidelity(reference, real_proteins):
    atlas = load_atlas("reference")
    found = fidelity(reference, {atlas.site: atlas.sae}, real_proteins)
    assert found.ce_intact < found.ce_spliced < found.ce_zero
    assert 0 < found.recovered_zero < 1
    assert 0 < found.kl < 1
