import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._rows import Batches, Opened, Place, TensorRows
from bio_interp.sae._sites import Sites

ONE = Sites(("",), (1,))


def _take(batches: Batches, count: int) -> list[tuple[list[float], int, int]]:
    stream = iter(batches)
    return [
        (rows.squeeze(1).tolist(), epoch, row)
        for rows, epoch, row, _ in (next(stream) for _ in range(count))
    ]


def _numbered(lengths: list[int]):
    def source(epoch: int):
        rows = torch.arange(sum(lengths), dtype=torch.float32).unsqueeze(1) + 1000 * epoch
        return iter(rows.split(lengths))

    return source


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(1, 12), st.integers(0, 12))
def test_a_stream_that_goes_on_from_a_place_gives_what_would_have_come(
    lengths: list[int], batch_rows: int, after: int
) -> None:
    lengths = [*lengths, 1]
    whole = _take(Batches(_numbered(lengths), batch_rows, ONE), 16)
    place = Place(*whole[after][1:])
    rest = _take(Batches(_numbered(lengths), batch_rows, ONE, start=place), 15 - after)
    assert rest == whole[after + 1 :]


def test_batches_span_epochs_and_leave_no_row_out() -> None:
    batches = _take(Batches(_numbered([3, 2]), 4, ONE), 3)
    assert batches == [
        ([0, 1, 2, 3], 0, 4),
        ([4, 1000, 1001, 1002], 1, 3),
        ([1003, 1004, 2000, 2001], 2, 2),
    ]


def test_rows_looked_at_are_yielded_again() -> None:
    opened = Opened.look(_numbered([3, 2, 4]), 4)
    assert opened.head(ONE, 4).squeeze(1).tolist() == [0, 1, 2, 3]
    batches = Batches(_numbered([3, 2, 4]), 3, ONE, opened=opened)
    assert [rows for rows, _, _ in _take(batches, 4)] == [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7, 8],
        [1000, 1001, 1002],
    ]


def test_an_iterator_is_refused_because_it_can_be_read_once() -> None:
    with pytest.raises(InputError, match="read once"):
        Opened.look(iter([torch.ones(2, 1)]), 1)


def test_no_rows_are_an_error() -> None:
    with pytest.raises(InputError, match="at least one row"):
        Opened.look([torch.empty(0, 3)], 1)


def test_an_epoch_that_stays_empty_is_an_error_and_not_an_endless_loop() -> None:
    with pytest.raises(InputError, match="0 rows in epoch 1"):
        _take(Batches(lambda epoch: [torch.ones(2, 1)][epoch:], 2, ONE), 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_rows_that_are_not_numbers_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="finite"):
        _take(Batches([torch.tensor([[1.0], [value]])], 2, ONE), 1)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(MismatchError, match=r"\(any, 3\)"):
        _take(Batches([torch.ones(2, 1)], 2, Sites(("",), (3,))), 1)


def test_half_precision_rows_come_out_as_float32() -> None:
    rows, *_ = next(iter(Batches([torch.ones(2, 1, dtype=torch.float16)], 2, ONE)))
    assert rows.dtype == torch.float32


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=6),
    st.integers(1, 12),
    st.integers(0, 12),
    st.integers(2, 7),
    st.integers(0, 2),
)
def test_long_rows_are_left_out_of_full_batches_and_a_resumed_stream_leaves_out_the_same(
    lengths: list[int], batch_rows: int, after: int, every: int, prefetch: int
) -> None:
    lengths = [*lengths, 2]  # one of two neighbours is short

    def source(epoch: int):
        rows = torch.arange(1.0, sum(lengths) + 1).unsqueeze(1) + 100 * epoch
        rows[(torch.arange(len(rows)) + epoch + 1) % every == 0] += 1e6
        return iter(rows.split(lengths))

    def stream(start: Place, count: int):
        batches = Batches(
            source,
            batch_rows,
            ONE,
            limits=torch.tensor([1e5]),
            start=start,
            count=count,
            prefetch=prefetch,
        )
        return list(batches)

    whole = stream(Place(), 16)
    rows = torch.cat([batch.rows for batch in whole]).squeeze(1)
    epochs = whole[-1].epoch + 1
    kept = torch.cat([r for e in range(epochs) for r in source(e)]).squeeze(1)
    assert torch.equal(rows, kept[kept < 1e5][: 16 * batch_rows])
    seen = (epochs - 1) * sum(lengths) + whole[-1].row
    assert sum(batch.left_out for batch in whole) == seen - 16 * batch_rows
    rest = stream(Place(whole[after].epoch, whole[after].row), 15 - after)
    assert [(b.rows.tolist(), *b[1:]) for b in rest] == [
        (b.rows.tolist(), *b[1:]) for b in whole[after + 1 :]
    ]


def test_a_stream_with_no_short_row_is_an_error_and_not_an_endless_loop() -> None:
    with pytest.raises(InputError, match="max_norm_ratio"):
        next(iter(Batches([torch.full((9, 1), 9.0)], 4, ONE, limits=torch.tensor([1.0]))))


def test_rows_in_memory_come_once_an_epoch_in_an_order_of_its_own() -> None:
    rows = torch.arange(20_000.0).unsqueeze(1)
    epochs = [torch.cat(list(TensorRows(rows).start(epoch, 0))) for epoch in (0, 1)]
    assert not torch.equal(epochs[0], epochs[1])
    for epoch in epochs:
        assert torch.equal(epoch.sort(dim=0).values, rows)


def test_rows_in_memory_go_on_within_an_epoch_without_what_was_before() -> None:
    rows = TensorRows({"a": torch.arange(30.0).unsqueeze(1), "b": torch.rand(30, 2)})
    whole, rest = (
        torch.cat([torch.cat([p["a"], p["b"]], 1) for p in rows.start(3, row)]) for row in (0, 11)
    )
    assert torch.equal(whole[11:], rest)
    batches = Batches(rows, 4, Sites(("a", "b"), (1, 2)), start=Place(3, 11), count=2)
    assert [(batch.epoch, batch.row) for batch in batches] == [(3, 15), (3, 19)]


def test_the_limit_is_a_multiple_of_the_median_norm_of_each_site() -> None:
    sites = Sites(("a", "b"), (2, 1))
    rows = torch.tensor([[3.0, 4.0, 1.0], [0.0, 5.0, 2.0], [60.0, 0.0, 3.0]])
    assert sites.norm_limits(rows, 10.0).tolist() == [50.0, 20.0]
    assert sites.within(rows, torch.tensor([50.0, 2.5])).tolist() == [True, True, False]
    assert sites.norm_limits(rows, None).isinf().all()
    assert sites.norm_limits(torch.zeros(3, 3), 10.0).isinf().all()  # nothing to compare with


def test_sites_in_memory_with_other_numbers_of_rows_are_refused() -> None:
    with pytest.raises(MismatchError, match="as many rows"):
        next(TensorRows({"a": torch.ones(3, 1), "b": torch.ones(4, 1)}).start(0, 0))
