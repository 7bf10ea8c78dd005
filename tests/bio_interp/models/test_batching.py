import logging
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.errors import BioInterpError
from bio_interp.models import batches_by_length, map_by_length, read_windows, with_oom_halving


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 60), max_size=50),
    st.integers(1, 100),
    st.integers(1, 200),
    st.booleans(),
)
def test_results_come_in_input_order_whatever_the_batches(lengths, budget, window, padded):
    items = [(i, "A" * n) for i, n in enumerate(lengths)]
    mapped = map_by_length(
        list,
        items,
        length=lambda item: len(item[1]),
        token_budget=budget,
        window_residues=window,
        padded=padded,
    )
    assert list(mapped) == items


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), max_size=50), st.integers(1, 100))
def test_every_item_is_in_one_batch_within_the_budget(lengths, budget):
    padded = batches_by_length(lengths, token_budget=budget)
    assert sorted(i for batch in padded for i in batch) == list(range(len(lengths)))
    assert all(len(b) == 1 or len(b) * max(lengths[i] for i in b) <= budget for b in padded)
    packed = batches_by_length(lengths, token_budget=budget, padded=False)
    assert all(len(b) == 1 or sum(lengths[i] for i in b) <= budget for b in packed)
    assert len(packed) <= len(padded)


def test_sorting_by_length_leaves_little_padding():
    pick = random.Random(0)
    lengths = [pick.randint(30, 1000) for _ in range(300)]
    batches = batches_by_length(lengths, token_budget=4096)
    padded = sum(len(b) * max(lengths[i] for i in b) for b in batches)
    assert padded < 1.05 * sum(lengths)


def test_reading_a_window_takes_no_more_of_the_stream_than_the_window():
    taken = []
    stream = (taken.append(i) or "A" * 10 for i in range(1000))
    windows = read_windows(stream, length=len, residues=35)
    assert len(next(windows)) == 4
    assert len(taken) == 4


def test_items_of_no_length_do_not_make_an_endless_window():
    windows = read_windows(iter(lambda: "", None), length=len, residues=10)
    assert len(next(windows)) == 10


class Memory:
    """Holds two items and no more."""

    def __init__(self, error):
        self.error, self.sizes = error, []

    def __call__(self, batch):
        self.sizes.append(len(batch))
        if len(batch) > 2:
            raise self.error
        return [item * 10 for item in batch]


CPU_ERROR = "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError(CPU_ERROR)]
)
def test_out_of_memory_halves_the_batch_logs_it_and_goes_on(error, caplog):
    memory = Memory(error)
    with caplog.at_level(logging.WARNING, "bio_interp"):
        assert with_oom_halving(memory, [1, 2, 3, 4, 5]) == [10, 20, 30, 40, 50]
    assert memory.sizes == [5, 3, 2, 1, 2]
    assert "out of memory with 5 proteins" in caplog.text


def test_one_item_too_large_for_the_memory_is_an_error_in_three_parts():
    def run(batch):
        raise MemoryError

    with pytest.raises(BioInterpError, match="memory for one protein"):
        with_oom_halving(run, [1, 2])


def test_another_error_is_not_taken_for_out_of_memory():
    def run(batch):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        with_oom_halving(run, [1, 2])


def test_an_empty_stream_gives_nothing():
    assert list(map_by_length(list, [], length=len, token_budget=5)) == []
