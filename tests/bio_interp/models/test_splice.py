"""The splice against the formula of an SAE written out, and against finite differences."""

import pytest
import torch

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.models import (
    Esm2Engine,
    LanguageModel,
    LoadOptions,
    Reading,
    Spliceable,
    _esm2_forward,
)
from bio_interp.sae import SparseCodes

ARCHITECTURES = ("topk", "batchtopk", "jumprelu", "gated", "relu")
SITE = "layer.1"
LENGTHS = (12, 58, 5, 130, 30)
MASKED = [[0, 11], [3, 40], [], [7, 70, 129], [29]]


def _compare(got, wanted, atol=1e-5):
    got, wanted = list(got), list(wanted)
    assert len(got) == len(wanted) > 0
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=atol, rtol=0)


@pytest.fixture
def by_hand(codes_by_hand, rows_by_hand):
    """Give an edit that does what a splice does, from the formula and a change of the codes."""

    def make(sae, change, *, keep_error=True):
        def edit(rows):
            codes = codes_by_hand(sae, rows)
            new = rows_by_hand(sae, change(codes.clone()), rows)
            error = rows - rows_by_hand(sae, codes, rows)
            return new + error if keep_error else new

        return edit

    return make


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nothing_edited_leaves_logits_as_they_are(engine, random_sae, made_up, architecture):
    proteins = made_up(*LENGTHS)
    saes = {f"layer.{i}": random_sae(architecture, seed=i) for i in (0, 1, 3)}
    with engine.splice(saes) as spliced:
        _compare(spliced.logits(proteins), engine.logits(proteins))
        _compare(spliced.logits(proteins, masked=MASKED), engine.logits(proteins, masked=MASKED))
        short = [protein for protein in proteins if len(protein) <= 60]
        traced = [trace.logits.detach() for trace in spliced.trace(short)]
    _compare(traced, engine.logits(short))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_without_its_error_a_row_is_the_reconstruction(
    engine, random_sae, made_up, by_hand, architecture
):
    proteins = made_up(*LENGTHS)
    sae = random_sae(architecture)
    edits = {SITE: by_hand(sae, lambda codes: codes, keep_error=False)}
    with engine.splice({SITE: sae}, keep_error=False) as spliced:
        _compare(spliced.logits(proteins), engine.logits(proteins, edits=edits), 1e-4)
        traced = [trace.logits.detach() for trace in spliced.trace(proteins[:3])]
        _compare(traced, engine.logits(proteins[:3], edits=edits), 1e-4)
    (reading,) = engine.activations(proteins[:1], [SITE])
    with engine.splice({SITE: sae}, keep_error=False) as spliced:
        (shown,) = spliced.activations(proteins[:1], [SITE])
    _compare([shown.rows[SITE]], [sae(reading.rows[SITE])])


def _set(codes):
    codes[[1, 4]] = codes[[1, 4]].index_fill(1, torch.tensor([3, 70]), 2.5)
    return codes


def _scale(codes):
    codes[:, 7] *= -1.5
    codes[9, 7] *= 10
    return codes


def _ablate(codes):
    codes[:, [0, 2, 5]] = 0
    return codes


def _edit(site, name):
    if name == "set":
        site.set([70, 3], 2.5, positions=[5, 2])
    elif name == "scale":
        site.scale(7, -1.5)
        site.scale(7, 10.0, positions=10)
    else:
        site.ablate([5, 0, 2])


@pytest.mark.parametrize("keep_error", [True, False])
@pytest.mark.parametrize("architecture", ["topk", "jumprelu"])
@pytest.mark.parametrize(
    ("name", "change"), [("set", _set), ("scale", _scale), ("ablate", _ablate)]
)
def test_an_edit_is_what_the_formula_says(
    engine, random_sae, made_up, by_hand, name, change, architecture, keep_error
):
    proteins = made_up(12, 40, 21)
    sae = random_sae(architecture)
    wanted = list(
        engine.logits(proteins, edits={SITE: by_hand(sae, change, keep_error=keep_error)})
    )
    with engine.splice({SITE: sae}, keep_error=keep_error) as spliced:
        _edit(spliced[SITE], name)
        _compare(spliced.logits(proteins), wanted, 1e-4)
        _compare([t.logits.detach() for t in spliced.trace(proteins)], wanted, 1e-4)
        plain = engine.logits(proteins)
        assert max((a - b).abs().max() for a, b in zip(wanted, plain, strict=True)) > 1e-3
        spliced[SITE].reset()
        if keep_error:
            _compare(spliced.logits(proteins), engine.logits(proteins))


def test_features_are_patched_with_those_of_another_protein(
    engine, random_sae, made_up, by_hand, codes_by_hand
):
    source, target = made_up(30, 20)
    sae = random_sae()
    (reading,) = engine.activations([source], [SITE])
    codes = sae.encode(reading.rows[SITE])
    theirs = codes_by_hand(sae, reading.rows[SITE])

    def change(ours):
        ours[4, [2, 9]], ours[5, [2, 9]] = theirs[28, [2, 9]], theirs[0, [2, 9]]
        return ours

    with engine.splice({SITE: sae}) as spliced:
        spliced[SITE].patch(codes, features=[2, 9], positions=[5, 6], source_positions=[29, 1])
        _compare(
            spliced.logits([target]), engine.logits([target], edits={SITE: by_hand(sae, change)})
        )
        spliced[SITE].reset()
        spliced[SITE].patch(codes, positions=[3])  # all features, the same position
        wanted = by_hand(sae, lambda ours: torch.cat([ours[:2], theirs[2:3], ours[3:]]))
        _compare(spliced.logits([target]), engine.logits([target], edits={SITE: wanted}), 1e-4)


def test_a_protein_whose_features_are_all_patched_from_another_gets_its_reconstruction(
    engine, random_sae, made_up
):
    source, target = made_up(25, 25)[0], made_up(50)[0][:25]
    sae = random_sae("topk")
    (reading,) = engine.activations([source], [SITE])
    with engine.splice({SITE: sae}, keep_error=False) as spliced:
        (wanted,) = spliced.activations([source], [SITE])
        spliced[SITE].patch(sae.encode(reading.rows[SITE]))
        (got,) = spliced.activations([target], [SITE])
    _compare([got.rows[SITE]], [wanted.rows[SITE]])


def test_only_the_proteins_that_are_named_change(engine, random_sae, made_up):
    proteins = made_up(*LENGTHS)
    before = list(engine.logits(proteins))
    with engine.splice({SITE: random_sae()}) as spliced:
        spliced[SITE].set(4, 20.0, index=[1, 3])
        after = list(spliced.logits(proteins))
        traced = [trace.logits.detach() for trace in spliced.trace(proteins[:3])]
    changed = [bool((a - b).abs().max() > 1e-3) for a, b in zip(before, after, strict=True)]
    assert changed == [False, True, False, True, False]
    _compare([after[i] for i in (0, 2, 4)], [before[i] for i in (0, 2, 4)])
    _compare(traced, after[:3])


def test_an_edit_changes_its_position_at_its_site_and_nothing_before_it(
    engine, random_sae, made_up
):
    proteins = made_up(30, 25)
    sites = [f"layer.{i}" for i in range(4)]
    before = list(engine.activations(proteins, sites))
    with engine.splice({"layer.2": random_sae()}) as spliced:
        spliced["layer.2"].set(11, 9.0, positions=[7], index=1)
        after = list(spliced.activations(proteins, sites))
    assert [reading.index for reading in after] == [0, 1]
    for site in sites:
        assert torch.equal(before[0].rows[site], after[0].rows[site])
        moved = (before[1].rows[site] - after[1].rows[site]).abs().amax(1) > 1e-6
        where = {"layer.2": [6], "layer.3": list(range(25))}.get(site, [])
        assert moved.nonzero().flatten().tolist() == where


def test_a_position_of_a_long_protein_is_found_in_each_window_that_reads_it(
    engine, random_sae, made_up
):
    (protein,) = made_up(130)
    sae = random_sae()
    (before,) = engine.activations([protein], [SITE])
    with engine.splice({SITE: sae}) as spliced:
        spliced[SITE].set([3, 8], torch.tensor([[9.0, 2.0], [4.0, 1.0]]), positions=[50, 120])
        (after,) = spliced.activations([protein], [SITE])
    moved = (before.rows[SITE] - after.rows[SITE]).abs().amax(1) > 1e-6
    assert before.windowed
    assert (moved.nonzero().flatten() + 1).tolist() == [50, 120]
    codes = sae.encode_dense(before.rows[SITE])
    for position, values in ((50, (9.0, 2.0)), (120, (4.0, 1.0))):
        row = before.rows[SITE][position - 1]
        change = torch.tensor(values) - codes[position - 1, [3, 8]]
        wanted = row + change @ sae.W_dec[[3, 8]] / sae.norm.scale
        torch.testing.assert_close(after.rows[SITE][position - 1], wanted, atol=1e-5, rtol=0)


def test_a_long_protein_is_patched_whole_across_its_windows(engine, random_sae, made_up):
    protein, other = made_up(130, 130)
    sae = random_sae()
    before, source = (r.rows[SITE] for r in engine.activations([protein, other], [SITE]))
    with engine.splice({SITE: sae}) as spliced:
        spliced[SITE].patch(sae.encode(source), features=[3, 8, 9])
        (after,) = spliced.activations([protein], [SITE])
    change = (sae.encode_dense(source) - sae.encode_dense(before))[:, [3, 8, 9]]
    wanted = before + change @ sae.W_dec[[3, 8, 9]] / sae.norm.scale
    torch.testing.assert_close(after.rows[SITE], wanted, atol=1e-5, rtol=0)


def test_special_tokens_never_pass_through_the_sae(engine, random_sae, made_up):
    """Peers' bug B17: CLS and EOS were rebuilt, and zeroed, with the residues."""
    from bio_interp.models import _esm2_engine

    seen = []
    real = _esm2_engine.run_blocks

    def watched(weights, packed, *, mask_token, deepest, tap):
        def both(layer, stream):
            specials = packed.tokens < 4  # <cls>, <pad>, <eos>, <unk>
            before = stream[specials].clone()
            tap(layer, stream)
            seen.append(torch.equal(before, stream[specials]) and int(specials.sum()) == 4)

        return real(weights, packed, mask_token=mask_token, deepest=deepest, tap=both)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_esm2_engine, "run_blocks", watched)
        with engine.splice({SITE: random_sae()}, keep_error=False) as spliced:
            spliced[SITE].set(3, 50.0)
            list(spliced.logits(made_up(20, 30)))
    assert seen == [True] * 4


def test_the_gradient_at_every_feature_equals_finite_differences(engine, random_sae, made_up):
    proteins = made_up(9, 14)
    saes = {"layer.1": random_sae("jumprelu"), "layer.2": random_sae("topk", seed=1)}
    with engine.splice(saes) as spliced:
        spliced["layer.1"].scale(5, 2.0)
        traces = list(spliced.trace(proteins, masked=[[2], [6]]))
        for trace, hidden in zip(traces, (2, 6), strict=True):
            assert trace.features["layer.1"].shape == (len(proteins[trace.index]), 80)
            score = trace.logits[hidden, 4]
            slopes = dict(
                zip(saes, torch.autograd.grad(score, list(trace.features.values())), strict=True)
            )
            for site, (row, feature) in {"layer.1": (3, 17), "layer.2": (1, 60)}.items():
                value = float(trace.features[site][row, feature].detach())
                ends = []
                for step in (0.05, -0.05):
                    kept = list(spliced[site].edits)
                    spliced[site].set(feature, value + step, positions=row + 1)
                    found = list(spliced.logits(proteins, masked=[[2], [6]]))
                    ends.append(float(found[trace.index][hidden, 4]))
                    spliced[site].edits[:] = kept
                assert (ends[0] - ends[1]) / 0.1 == pytest.approx(
                    float(slopes[site][row, feature]), rel=0.05, abs=2e-4
                )


def test_the_gradient_is_exact_without_the_error_too(engine, random_sae, made_up):
    """Directional derivative over all features of the first site, through the second SAE."""
    (protein,) = made_up(10)
    saes = {"layer.1": random_sae("relu"), "layer.2": random_sae("relu", seed=1)}
    with engine.splice(saes, keep_error=False) as spliced:
        (trace,) = spliced.trace([protein])
        features = trace.features["layer.1"].detach()
        weights = torch.randn(10, 20)
        score = (trace.logits * weights).sum()
        (slope,) = torch.autograd.grad(score, trace.features["layer.1"])
        towards = torch.randn_like(features)
        ends = []
        for step in (0.002, -0.002):
            spliced["layer.1"].patch(
                SparseCodes(
                    torch.arange(11) * 80,
                    torch.arange(80).repeat(10).int(),
                    (features + step * towards).flatten(),
                    80,
                )
            )
            (logits,) = spliced.logits([protein])
            ends.append(float((logits * weights).sum()))
    assert (ends[0] - ends[1]) / 0.004 == pytest.approx(float((slope * towards).sum()), rel=0.05)


def test_a_value_that_is_set_takes_a_gradient(engine, random_sae, made_up):
    (protein,) = made_up(15)
    value = torch.tensor(3.0, requires_grad=True)
    with engine.splice({SITE: random_sae()}) as spliced:
        spliced[SITE].set(6, value, positions=4)
        (logits,) = spliced.logits([protein])
        (trace,) = spliced.trace([protein])
    (slope,) = torch.autograd.grad(logits[0, 0], value)
    (same,) = torch.autograd.grad(trace.logits[0, 0], trace.features[SITE])
    assert float(slope) == pytest.approx(float(same[3, 6]), rel=1e-3)
    assert float(slope) != 0


def test_the_padded_attention_of_accelerators_gives_the_same_gradient(
    engine, random_sae, made_up, monkeypatch
):
    proteins = made_up(9, 14)

    def slopes():
        with engine.splice({SITE: random_sae()}) as spliced:
            spliced[SITE].set(2, value := torch.tensor(2.0, requires_grad=True))
            total = sum(logits[:, 5].sum() for logits in spliced.logits(proteins))
        return torch.autograd.grad(total, value)[0]

    packed = slopes()
    monkeypatch.setattr(_esm2_forward, "_attend_packed", _esm2_forward._attend_padded)
    torch.testing.assert_close(slopes(), packed, atol=1e-4, rtol=1e-3)
    assert packed.abs() > 1e-3


def test_in_bf16_nothing_changes_by_itself_and_gradients_are_near(toy, random_sae, made_up):
    (protein,) = made_up(20)
    found = []
    for precision in ("bf16", "fp32"):
        model = Esm2Engine(toy, name="toy", options=LoadOptions(device="cpu", precision=precision))
        with model.splice({SITE: random_sae()}) as spliced:
            assert torch.equal(next(spliced.logits([protein])), next(model.logits([protein])))
            (trace,) = spliced.trace([protein])
        (slope,) = torch.autograd.grad(trace.logits[7, 3], trace.features[SITE])
        found.append(slope)
    assert 0 < (found[0] - found[1]).norm() / found[1].norm() < 0.1


def test_an_edit_may_keep_its_rows_for_the_gradient(engine, made_up):
    scale = torch.ones((), requires_grad=True)
    edits = {"layer.1": lambda rows: rows * scale, "layer.2": lambda rows: rows.square() / 2}
    (logits,) = engine.logits(made_up(12), edits=edits)
    (slope,) = torch.autograd.grad(logits[0, 0], scale)
    ends = []
    for factor in (1.01, 0.99):
        edits["layer.1"] = lambda rows, f=factor: rows * f
        ends.append(float(next(engine.logits(made_up(12), edits=edits))[0, 0]))
    assert float(slope) == pytest.approx((ends[0] - ends[1]) / 0.02, rel=0.05)


def test_the_model_records_nothing_where_nothing_takes_a_gradient(engine, random_sae, made_up):
    with engine.splice({SITE: random_sae()}) as spliced:
        assert not any(logits.requires_grad for logits in spliced.logits(made_up(10)))
        with torch.no_grad():
            spliced[SITE].set(3, torch.tensor(1.0, requires_grad=True))
            assert not any(logits.requires_grad for logits in spliced.logits(made_up(10)))


@pytest.mark.parametrize("architecture", ["topk", "relu"])
@pytest.mark.parametrize("keep_error", [True, False])
def test_a_transcoder_reads_one_site_and_writes_another(
    engine, random_sae, made_up, codes_by_hand, rows_by_hand, architecture, keep_error
):
    proteins = made_up(20, 130, 11)
    coder = random_sae(architecture, d_out=32, skip=True)
    key = ("layer.1", "layer.2")
    reads = list(engine.activations(proteins, key))
    with engine.splice({key: coder}, keep_error=keep_error) as spliced:
        spliced[key].set(5, 4.0, positions=3)
        got = list(spliced.activations(proteins, ["layer.2"]))
        traced = list(spliced.trace([proteins[0]]))
        _compare([t.logits.detach() for t in traced], spliced.logits(proteins[:1]), 1e-4)
        if keep_error:
            spliced[key].reset()
            _compare(spliced.logits(proteins), engine.logits(proteins))
    for reading, shown in zip(reads[::2], got[::2], strict=True):  # the long one is read in windows
        read, written = reading.rows["layer.1"], reading.rows["layer.2"]
        codes = codes_by_hand(coder, read)
        rebuilt = rows_by_hand(coder, codes, read)
        codes[2, 5] = 4.0
        wanted = rows_by_hand(coder, codes, read) + keep_error * (written - rebuilt)
        torch.testing.assert_close(shown.rows["layer.2"], wanted, atol=1e-4, rtol=0)


class _Plain(Spliceable):
    """Applies edits as a stranger's model may: without saying where rows come from."""

    def __init__(self, engine, window=None):
        from dataclasses import replace

        self.engine, self.calls = engine, []
        self.info = replace(engine.info, window=window)

    @staticmethod
    def _bare(edits):
        return {site: lambda rows, e=edit: e(rows) for site, edit in (edits or {}).items()}

    def activations(self, sequences, sites, *, edits=None):
        sequences = list(sequences)
        self.calls.append(len(sequences))
        return self.engine.activations(sequences, sites, edits=self._bare(edits))

    def logits(self, sequences, *, masked=None, edits=None):
        sequences = list(sequences)
        self.calls.append(len(sequences))
        return self.engine.logits(sequences, masked=masked, edits=self._bare(edits))


def test_a_model_that_does_not_place_edits_is_read_one_protein_at_a_time(
    engine, random_sae, made_up
):
    proteins, plain = made_up(12, 40, 7), _Plain(engine)
    saes = {SITE: random_sae()}
    assert isinstance(plain, LanguageModel)
    with engine.splice(saes) as ours, plain.splice(saes) as theirs:
        for spliced in (ours, theirs):
            spliced[SITE].set(2, 9.0)
        _compare(theirs.logits(proteins), ours.logits(proteins))
        assert plain.calls == [3]
        for spliced in (ours, theirs):
            spliced[SITE].set(2, 4.0, positions=[3], index=[2])
        hidden = [[1], [], [2]]
        _compare(theirs.logits(proteins, masked=hidden), ours.logits(proteins, masked=hidden))
        assert plain.calls == [3, 1, 1, 1]
        sites = [SITE, "layer.3"]
        for one, other in zip(
            theirs.activations(proteins, sites), ours.activations(proteins, sites), strict=True
        ):
            assert isinstance(one, Reading)
            assert one.index == other.index
            _compare(one.rows.values(), other.rows.values())


def test_a_model_in_windows_that_does_not_place_edits_is_refused(engine, random_sae, made_up):
    with _Plain(engine, window=60).splice({SITE: random_sae()}) as spliced:
        list(spliced.logits(made_up(80)))
        spliced[SITE].set(2, 9.0, positions=3)
        with pytest.raises(MismatchError, match="edit_rows"):
            spliced.logits(made_up(80))


def test_a_model_that_keeps_no_gradient_is_named(engine, random_sae, made_up):
    class Silent(_Plain):
        def logits(self, sequences, *, masked=None, edits=None):
            with torch.no_grad():
                yield from super().logits(sequences, masked=masked, edits=edits)

    with (
        Silent(engine).splice({SITE: random_sae()}) as spliced,
        pytest.raises(MismatchError, match=r"without a gradient from toy.*no_grad"),
    ):
        next(spliced.trace(made_up(8)))


def test_a_protein_in_windows_cannot_be_traced(engine, random_sae, made_up):
    with (
        engine.splice({SITE: random_sae()}) as spliced,
        pytest.raises(MismatchError, match="130 residues, read in windows of 60"),
    ):
        next(spliced.trace(made_up(130)))


def test_after_its_block_a_splice_reads_no_more_and_the_model_is_as_before(
    engine, random_sae, made_up
):
    proteins = made_up(10)
    before = list(engine.logits(proteins))
    with engine.splice({SITE: random_sae()}, keep_error=False) as spliced:
        list(spliced.logits(proteins))
        _compare(engine.logits(proteins), before)
    with pytest.raises(MismatchError, match="block has ended"):
        spliced.logits(proteins)


def test_wrong_sites_and_widths_are_refused(engine, random_sae):
    with pytest.raises(NotFoundError, match=r"'layer\.9'"):
        engine.splice({"layer.9": random_sae()})
    with pytest.raises(MismatchError, match=r"width 32.*width 16"):
        engine.splice({SITE: random_sae(width=16)})
    with pytest.raises(MismatchError, match=r"two that write layer\.2"):
        engine.splice({"layer.2": random_sae(), ("layer.1", "layer.2"): random_sae(d_out=32)})
    with pytest.raises(NotFoundError, match=r"layer\.1.*'layer\.2'"):
        engine.splice({SITE: random_sae()})["layer.2"]


def test_a_transcoder_whose_sites_are_swapped_is_named(engine, random_sae, made_up):
    key = ("layer.2", "layer.1")
    with (
        engine.splice({key: random_sae(d_out=32)}) as spliced,
        pytest.raises(MismatchError, match=r"reads layer\.2 and writes layer\.1"),
    ):
        list(spliced.logits(made_up(8)))


def test_wrong_features_positions_and_shapes_are_named(engine, random_sae, made_up):
    with engine.splice({SITE: random_sae()}) as spliced:
        site = spliced[SITE]
        with pytest.raises(NotFoundError, match="features from 0 to 79"):
            site.ablate(80)
        with pytest.raises(NotFoundError, match="none"):
            site.ablate([])
        with pytest.raises(MismatchError, match=r"positions from 1.*\[0\]"):
            site.ablate(3, positions=0)
        with pytest.raises(MismatchError, match=r"\(2, 1\).*\(3, 1\)"):
            site.set(3, torch.ones(3, 1), positions=[1, 2])
        with pytest.raises(MismatchError, match=r"codes of 80 features.*9"):
            site.patch(SparseCodes.from_dense(torch.ones(4, 9)))
        with pytest.raises(MismatchError, match=r"source positions up to 4.*5"):
            site.patch(SparseCodes.from_dense(torch.ones(4, 80)), positions=5)
        site.set(3, torch.ones(4, 1))
        with pytest.raises(MismatchError, match="the 6 residues of protein 1; got values for 4"):
            list(spliced.logits(made_up(6)))
        site.reset()
        site.set(3, 1.0, positions=7)
        with pytest.raises(MismatchError, match=r"positions up to 6.*protein 2.*7"):
            list(spliced.logits(made_up(8, 6)))
