import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._rows import Batches, Opened, Place


def _take(batches: Batches, count: int) -> list[tuple[list[float], int, int]]:
    stream = iter(batches)
    return [
        (rows.squeeze(1).tolist(), epoch, row)
        for rows, epoch, row in (next(stream) for _ in range(count))
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
    whole = _take(Batches(_numbered(lengths), batch_rows, (1,)), 16)
    place = Place(*whole[after][1:])
    rest = _take(Batches(_numbered(lengths), batch_rows, (1,), start=place), 15 - after)
    assert rest == whole[after + 1 :]


def test_batches_span_epochs_and_leave_no_row_out() -> None:
    batches = _take(Batches(_numbered([3, 2]), 4, (1,)), 3)
    assert batches == [
        ([0, 1, 2, 3], 0, 4),
        ([4, 1000, 1001, 1002], 1, 3),
        ([1003, 1004, 2000, 2001], 2, 2),
    ]


def test_rows_looked_at_are_yielded_again() -> None:
    opened = Opened.look(_numbered([3, 2, 4]), 4)
    assert opened.head(4)[0].squeeze(1).tolist() == [0, 1, 2, 3]
    batches = Batches(_numbered([3, 2, 4]), 3, (1,), opened=opened)
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
        _take(Batches(lambda epoch: [torch.ones(2, 1)][epoch:], 2, (1,)), 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_rows_that_are_not_numbers_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="finite"):
        _take(Batches([torch.tensor([[1.0], [value]])], 2, (1,)), 1)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(MismatchError, match=r"\(any, 3\)"):
        _take(Batches([torch.ones(2, 1)], 2, (3,)), 1)


def test_half_precision_rows_come_out_as_float32() -> None:
    rows, _, _ = next(iter(Batches([torch.ones(2, 1, dtype=torch.float16)], 2, (1,))))
    assert rows.dtype == torch.float32
