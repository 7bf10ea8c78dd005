"""Mistakes that other SAE libraries made, each as a test that fails where it is made here.

B3 to B19 are defects found in BioNeMo, InterProt and InterPLM; the others are issues and pull
requests of SAELens (SL), sparsify (SP) and dictionary_learning (DL). `ELSEWHERE` names the tests
of those that live with what they test.
"""

import ast
import inspect
import json
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.provenance import sha256_file
from bio_interp.sae import (
    InputNorm,
    SaeConfig,
    SparseAutoencoder,
    TrainConfig,
    fold_decoder_norms,
    fold_input_norm,
    train,
)
from bio_interp.sae._trainable import TrainableSae
from bio_interp.sae.architectures import ARCHITECTURES, Objective

ELSEWHERE = {
    "B3, B4: norms along the wrong axis, or set before the optimizer's step": (
        "test_training_invariants.py",
        "test_features_have_unit_norm_after_every_step_and_gradients_were_projected_before",
    ),
    "B8: a subset of features encoded by another rule or in other units": (
        "test_invariants.py",
        "test_some_features_alone_are_those_of_all_bit_for_bit",
    ),
    "B10: a loss between rows and reconstructions of two spaces": (
        "test_training_invariants.py",
        "test_the_sae_for_use_is_the_one_that_was_trained",
    ),
    "B12: rows of BOS, EOS and padding in the loss": (
        "../models/test_esm2_engine.py",
        "test_rows_of_every_layer_equal_fair_esm_with_mixed_lengths_and_masks",
    ),
    "B12, SP 132: the decoder's bias in AuxK; SP 57, SL 432: a residual that is not detached": (
        "test_auxk.py",
        "test_auxk_moves_only_dead_features_and_enters_the_loss_once",
    ),
    "DL 34: the coefficient of AuxK applied twice": (
        "test_auxk.py",
        "test_auxk_moves_only_dead_features_and_enters_the_loss_once",
    ),
    "AuxK that is not normalised": (
        "test_auxk.py",
        "test_the_auxiliary_loss_is_the_error_on_the_residual_scaled_to_variance_1",
    ),
    "AuxK that is NaN where nothing is dead or left": (
        "test_auxk.py",
        "test_a_residual_without_variance_gives_zero_and_not_nan",
    ),
    "SL 432: k_aux from the number of features": (
        "test_auxk.py",
        "test_aux_k_is_half_of_d_model_or_what_was_set",
    ),
    "SL 543: dead features stay dead": (
        "test_auxk.py",
        "test_auxk_revives_dead_features_and_without_it_they_stay_dead",
    ),
    "SL 354: scale folded without b_dec; SL 212: activation scale": (
        "test_invariants.py",
        "test_input_norm_folds_into_plain_tensors",
    ),
    "SL 404: decoder norms folded without the threshold": (
        "test_invariants.py",
        "test_decoder_norms_fold_into_encoder_bias_threshold_and_maxima",
    ),
    "SL 728: a threshold that bfloat16 rounds": (
        "test_invariants.py",
        "test_a_threshold_is_not_rounded_with_the_weights",
    ),
    "SP: the loss of a micro-batch is a sum": (
        "test_training_invariants.py",
        "test_the_loss_and_its_gradient_are_means_over_rows",
    ),
    "BatchTopK 5: what a row encodes depends on its batch": (
        "test_invariants.py",
        "test_what_a_row_encodes_does_not_depend_on_its_batch",
    ),
    "SL 391, SL 612: a shuffle that does not mix sequences": (
        "../activations/test_shuffle.py",
        "test_neighbours_are_torn_apart",
    ),
    "SL 232: a hook at another place than its name says": (
        "../models/test_esm2_engine.py",
        "test_rows_of_every_layer_equal_fair_esm_with_mixed_lengths_and_masks",
    ),
}


@pytest.mark.parametrize("bug", ELSEWHERE)
def test_the_test_of_a_bug_that_lives_elsewhere_is_there(bug: str) -> None:
    file, name = ELSEWHERE[bug]
    tree = ast.parse((Path(__file__).parent / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def _rows(count: int = 40) -> Tensor:
    return 2 * torch.randn(count, 6) + 3


def test_b9_all_architectures_are_called_alike(kind) -> None:
    """Some forwards lacked the argument that the evaluation gave, which swallowed the error."""
    rows = _rows()
    sae = kind.trained(rows).to_sae()
    target = kind.parts(rows)[-1]
    assert type(sae) is SparseAutoencoder
    assert sae(rows).shape == target.shape
    assert 0 <= sae.fvu(rows, target) < 1.5
    assert torch.equal(sae.encode(rows).to_dense(), sae.encode_dense(rows))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_b9_every_architecture_keeps_the_signatures_of_the_base(name: str) -> None:
    for method, base in inspect.getmembers(Objective, inspect.isfunction):
        if method in Objective.__dict__ and method != "__init__":
            mine = getattr(ARCHITECTURES[name], method)
            assert inspect.signature(mine) == inspect.signature(base), method


def test_b11_a_maximum_of_zero_makes_no_nan(kind, tmp_path) -> None:
    """Activations over a maximum of 0 were NaN for features that never fired."""
    rows = _rows()
    trainable = kind.started(rows)
    with torch.no_grad():
        trainable.b_enc[:4] = -1e4
    kind.step(trainable, [rows] * 3)
    sae = trainable.to_sae()
    assert sae.feature_maxima[:4].tolist() == [0.0] * 4
    sae.save(tmp_path, weights="int8")
    again = SparseAutoencoder.load(tmp_path)
    for made in (sae, again, fold_input_norm(sae), fold_decoder_norms(again), sae.half()):
        assert made.feature_maxima[:4].tolist() == [0.0] * 4
        assert all(tensor.isfinite().all() for tensor in made.state_dict().values())
        assert made(rows).isfinite().all()


def test_b18_a_feature_that_was_chosen_with_nothing_above_zero_did_not_fire(kind) -> None:
    """A kernel counted features as alive that top-k had taken with value 0."""
    rows = _rows()
    sae = kind.started(rows, k=14)  # all are chosen
    with torch.no_grad():
        sae.b_enc[5:] = -1e4
        if kind.fields["architecture"] == "gated":
            sae.objective.b_gate[5:] = -1e4
    loss = sae(*kind.parts(rows))
    assert sae.rows_since_fired[5:].tolist() == [40] * 9
    assert loss.l0 <= 5


def test_b18_dead_features_are_counted_as_the_dense_formula_does(kind) -> None:
    rows = _rows()
    sae = kind.trained(rows, steps=3)
    sae.rows_since_fired.fill_(1000)
    dense = sae.objective.codes(sae.weights, sae.norm.apply_to(rows)).to_dense()
    sae(*kind.parts(rows))
    expected = torch.where((dense > 0).any(0), 0, 1040)
    assert torch.equal(sae.rows_since_fired, expected)


def test_b18_b19_every_setting_of_an_sae_is_in_its_file_and_comes_back(kind, tmp_path) -> None:
    sae = kind.trained(_rows()).to_sae()
    sae.save(tmp_path)
    content = json.loads((tmp_path / "sae.json").read_text())
    assert content["config"] == asdict(sae.config)
    again = SparseAutoencoder.load(tmp_path)
    assert again.config == sae.config
    assert (again.config.architecture, again.config.k) == (kind.fields["architecture"], 3)
    assert float(again.norm.scale) == float(sae.norm.scale)
    assert float(again.out_norm.scale) == float(sae.out_norm.scale)


@pytest.mark.parametrize(
    "missing",
    [
        *(("config", name) for name in ("d_model", "d_sae", "architecture", "k")),
        ("config",),
        *(("norm", name) for name in ("mean", "scale")),
        ("norm",),
        ("out_norm",),
        ("weights", "sha256"),
    ],
    ids=str,
)
def test_b19_a_setting_that_a_file_lacks_is_not_filled_with_a_default(
    missing: tuple[str, ...], tmp_path, sae
) -> None:
    """A file without its configuration was read without input normalisation and with another k."""
    sae.save(tmp_path)
    path = tmp_path / "sae.json"
    content = json.loads(path.read_text())
    place = content
    for name in missing[:-1]:
        place = place[name]
    del place[missing[-1]]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"sae\.json"):
        SparseAutoencoder.load(tmp_path)


@pytest.mark.parametrize("lost", ["threshold", "b_dec", "input_mean", "output_mean"])
def test_b19_a_tensor_that_a_file_lacks_is_not_filled_with_a_default(lost: str, tmp_path) -> None:
    config = TrainConfig(d_sae=14, k=3, total_rows=400, batch_rows=40)
    train([(_rows(), _rows()[:, :4])], config, folder=tmp_path)
    tensors = load_file(tmp_path / "sae.safetensors")
    del tensors[lost]
    save_file(tensors, tmp_path / "sae.safetensors")
    content = json.loads((tmp_path / "sae.json").read_text())
    content["weights"]["sha256"] = sha256_file(tmp_path / "sae.safetensors")
    (tmp_path / "sae.json").write_text(json.dumps(content))
    with pytest.raises((InputError, MismatchError), match=lost):
        SparseAutoencoder.load(tmp_path)


def test_sl308_a_topk_sae_is_loaded_as_topk_and_not_as_relu(tmp_path, trained, planted) -> None:
    sae, _ = trained["topk"]
    sae.save(tmp_path)
    again = SparseAutoencoder.load(tmp_path)
    rows = planted.rows[:200]
    assert again.config.architecture == "topk"
    assert again.encode(rows).indptr.diff().max() == 3
    positive = (again.norm.apply_to(rows) @ again.W_enc + again.b_enc > 0).sum(1)
    assert positive.float().mean() > 10  # what a ReLU would keep


def test_sl308_a_threshold_sae_without_thresholds_is_refused(trained) -> None:
    sae, _ = trained["topk"]
    config = SaeConfig(**{**asdict(sae.config), "architecture": "jumprelu"})
    with pytest.raises(MismatchError, match="threshold"):
        SparseAutoencoder(config, sae.tensors(), sae.norm)


def _thresholds(planted, *, start: float | None, lr: float, dtype: torch.dtype) -> Tensor:
    """How far thresholds went in 200 steps."""
    config = TrainConfig(64, 3, total_rows=102_400, architecture="jumprelu", batch_rows=512)
    rows = planted.rows.to(dtype).float()
    sae = TrainableSae(InputNorm.measure(rows), config)
    sae.calibrate(rows[:512])
    if start is not None:
        sae.objective.theta.data.fill_(start)
    before = sae.to_sae().threshold
    optimizer = torch.optim.Adam(sae.parameters(), lr=lr)
    for step in range(200):
        optimizer.zero_grad()
        sae(rows[512 * (step % 50) :][:512]).total.backward()
        sae.project_gradient()
        optimizer.step()
        sae.renormalise()
    return sae.to_sae().threshold - before


def test_sl494_sl718_thresholds_rise_from_a_low_start_to_where_features_are(planted) -> None:
    """As logarithms they could not, in the length of a real run."""
    moved = _thresholds(planted, start=0.05, lr=4e-3, dtype=torch.float32)
    assert moved.mean() > 0.3


def test_sl728_thresholds_learn_in_small_steps_and_from_bfloat16_rows(
    planted,
) -> None:
    """Rounded to 8 bits they stood still: a step is smaller than half of the last bit."""
    full, half = (
        _thresholds(planted, start=None, lr=5e-4, dtype=dtype)
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert full.abs().mean() > 0.03
    assert half.abs().mean() == pytest.approx(float(full.abs().mean()), rel=0.2)


def test_sl728_thresholds_are_stored_as_they_are_in_float32(tmp_path) -> None:
    config = TrainConfig(d_sae=14, k=3, total_rows=400, batch_rows=40, architecture="jumprelu")
    sae = train([_rows().bfloat16()], config, folder=tmp_path)
    assert sae.threshold.dtype == torch.float32
    assert not torch.equal(sae.threshold, sae.threshold.bfloat16().float())


def test_sp_encoding_needs_no_decoder(kind) -> None:
    rows = _rows()
    sae = kind.trained(rows).to_sae()
    before = sae.encode(rows).to_dense()
    alone = deepcopy(sae)
    alone.W_dec, alone.b_dec, alone.W_skip = (None,) * 3
    assert torch.equal(alone.encode(rows).to_dense(), before)
    assert torch.equal(alone.encode_dense(rows), before)


def _with_dead(kind, rows: Tensor, **fields) -> TrainableSae:
    """Four features that no row turns on, for want of half a unit or as others are stronger."""
    sae = kind.started(rows, aux_coefficient=1.0, aux_k=4, k=2, bandwidth=0.05, **fields)
    x = sae.norm.apply_to(rows)
    with torch.no_grad():
        if kind.fields["architecture"] in ("topk", "batchtopk"):
            sae.encoder[:4] *= 0.02
            return sae
        jumps = kind.fields["architecture"] == "jumprelu"
        switch = sae.objective.theta[:4] if jumps else 0.0
        sae.b_enc[:4] += switch - 0.5 - sae.weights.pre_activations(x).amax(0)[:4]
        if kind.fields["architecture"] == "gated":
            sae.objective.b_gate[:4] = sae.b_enc[:4]
    return sae


def _back(kind, sae: TrainableSae, rows: Tensor) -> int:
    """How many of the four fire, or have come nearer: what is near a JumpReLU's threshold pays."""
    if kind.fields["architecture"] == "jumprelu":
        pre = sae.weights.pre_activations(sae.norm.apply_to(rows)).amax(0)
        return int((pre > sae.objective.theta - 0.4)[:4].sum())
    return int((sae.rows_since_fired[:4] < len(rows) * 50).sum())


def test_sl543_dead_features_come_back_to_life(kind) -> None:
    """AuxK has no gradient for a feature that is below zero in all rows, as dead ReLUs are."""
    rows, back = _rows(64), {}
    steps = 20 if kind.fields["architecture"] == "jumprelu" else 150
    for dead_after in (100, 10**9):  # what is not counted as dead is not revived
        sae = _with_dead(kind, rows, dead_after_rows=dead_after)
        kind.step(sae, [rows] * steps)
        back[dead_after] = _back(kind, sae, rows)
    assert back[100] >= 3
    assert back[10**9] <= 1


def test_a_jumprelu_threshold_does_not_sink_where_it_has_no_gradient(planted) -> None:
    """Below 0 it had none, and a feature between it and 0 was dead for good."""
    config = TrainConfig(64, 3, total_rows=51_200, architecture="jumprelu", batch_rows=512)
    rows = planted.rows[:512]
    sae = TrainableSae(InputNorm.measure(rows), config)
    with torch.no_grad():
        sae.objective.theta.fill_(-0.5)
        sae.b_enc[:8] = -0.2 - sae.weights.pre_activations(sae.norm.apply_to(rows)).amax(0)[:8]
    sae.rows_since_fired[:8] = 10**6
    sae(rows).total.backward()
    assert sae.objective.theta.min() > 0
    assert (sae.b_enc.grad[:8] < 0).all()  # they rise
    assert sae.objective.theta.grad[8:].count_nonzero() > 40


def test_dl_revival_writes_to_the_weights_and_not_to_a_copy(kind) -> None:
    """``weight[dead][:n] = fresh`` wrote to a temporary: nothing changed, for years."""
    rows = _rows()
    sae = _with_dead(kind, rows, dead_after_rows=1)
    before = {name: tensor.clone() for name, tensor in sae.state_dict().items()}
    kind.step(sae, [rows])
    assert sae.rows_since_fired[:4].tolist() == [40] * 4  # off, so that only revival moves them
    after = sae.state_dict()
    moved = {n for n in ("encoder", "b_enc") if not torch.equal(after[n][:4], before[n][:4])}
    assert "encoder" in moved
    sae.feature_maxima.fill_(9.0)
    sae.restart_statistics()
    assert sae.state_dict()["feature_maxima"].count_nonzero() == 0
