import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.activations import buffer_bytes, shuffled_rows
from bio_interp.errors import InputError, MismatchError


def _readings(lengths: list[int]) -> list[torch.Tensor]:
    rows = torch.arange(sum(lengths), dtype=torch.float32).unsqueeze(1).expand(-1, 2)
    return list(rows.split(lengths)) if lengths else []


@given(
    st.lists(st.integers(0, 40), max_size=8),
    st.integers(1, 50),
    st.integers(1, 30),
    st.integers(0, 99),
)
def test_every_row_comes_out_once_in_full_batches(
    lengths: list[int], buffer_rows: int, batch_rows: int, seed: int
) -> None:
    batches = list(
        shuffled_rows(_readings(lengths), buffer_rows=buffer_rows, batch_rows=batch_rows, seed=seed)
    )
    rows = torch.cat([torch.empty(0, 2), *batches])
    assert rows[:, 0].sort().values.tolist() == list(range(sum(lengths)))
    assert all(len(batch) == batch_rows for batch in batches[:-1])
    assert torch.equal(rows[:, 0], rows[:, 1])


def test_one_seed_gives_one_order_and_another_gives_another() -> None:
    first, again, other = (
        torch.cat(list(shuffled_rows(_readings([50] * 20), buffer_rows=200, batch_rows=64, seed=s)))
        for s in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_neighbours_are_torn_apart() -> None:
    batches = shuffled_rows(_readings([100] * 100), buffer_rows=2000, batch_rows=500, seed=0)
    rows = torch.cat(list(batches))[:, 0]
    next_to_each_other = (rows.diff().abs() == 1).float().mean()
    assert next_to_each_other < 0.01
    first = rows[:500]
    assert len((first // 100).unique()) >= 19  # proteins in the first batch


def test_the_buffer_is_read_only_as_far_as_needed() -> None:
    taken = 0

    def readings():
        nonlocal taken
        for rows in _readings([10] * 100):
            taken += 1
            yield rows

    next(shuffled_rows(readings(), buffer_rows=200, batch_rows=20, seed=0))
    assert taken == 22


def test_half_precision_halves_the_buffer_and_batches_are_float32() -> None:
    batches = shuffled_rows(
        _readings([5, 5]), buffer_rows=4, batch_rows=3, seed=0, dtype=torch.float16
    )
    assert {batch.dtype for batch in batches} == {torch.float32}
    assert buffer_bytes(100, 8, torch.float16) * 2 == buffer_bytes(100, 8) == 3200


def test_rows_of_two_widths_are_refused() -> None:
    with pytest.raises(MismatchError, match="one site"):
        list(
            shuffled_rows([torch.ones(3, 2), torch.ones(3, 4)], buffer_rows=5, batch_rows=2, seed=0)
        )


@pytest.mark.parametrize("name", ["buffer_rows", "batch_rows"])
def test_an_empty_buffer_or_batch_is_refused_at_once(name: str) -> None:
    with pytest.raises(InputError, match=name):
        shuffled_rows([], **{"buffer_rows": 5, "batch_rows": 5, "seed": 0, name: 0})


def test_rows_of_several_sites_are_mixed_together() -> None:
    readings = [
        {"a": torch.full((5, 1), float(n)), "b": torch.full((5, 2), 10.0 * n)} for n in range(8)
    ]
    batches = list(shuffled_rows(readings, buffer_rows=10, batch_rows=8, seed=0))
    assert [batch["a"].shape[0] for batch in batches] == [8] * 5
    for batch in batches:
        assert torch.equal(batch["b"], 10 * batch["a"].repeat(1, 2))
    alone = shuffled_rows([r["a"] for r in readings], buffer_rows=10, batch_rows=8, seed=0)
    assert torch.equal(torch.cat([b["a"] for b in batches]), torch.cat(list(alone)))


def test_a_reading_that_lacks_a_site_is_refused() -> None:
    readings = [{"a": torch.ones(3, 1), "b": torch.ones(3, 1)}, {"a": torch.ones(3, 1)}]
    with pytest.raises(MismatchError, match="same sites"):
        list(shuffled_rows(readings, buffer_rows=5, batch_rows=2, seed=0))
