import os
import signal
import threading
import time

import pytest
import torch

from bio_interp.sae import TrainConfig, train
from bio_interp.sae._prefetch import Prefetched


def _threads() -> int:
    return sum(thread.name == "prefetch" for thread in threading.enumerate())


def test_items_come_in_order_and_the_thread_ends_with_them() -> None:
    assert list(Prefetched(iter(range(100)), depth=3)) == list(range(100))
    assert _threads() == 0


def test_an_error_of_the_reader_is_raised_after_the_items_before_it() -> None:
    def items():
        yield 1
        raise OSError("disk")

    ahead = Prefetched(items(), depth=5)
    assert next(ahead) == 1
    with pytest.raises(OSError, match="disk"):
        next(ahead)
    with pytest.raises(StopIteration):
        next(ahead)
    assert _threads() == 0


def test_no_more_than_the_depth_is_read_ahead() -> None:
    made: list[int] = []

    def items():
        for number in range(100):
            made.append(number)
            yield number

    ahead = Prefetched(items(), depth=2)
    assert next(ahead) == 0
    time.sleep(0.1)
    assert made == [0, 1, 2, 3]  # one taken, two waiting, one in the hand
    ahead.close()
    assert _threads() == 0
    assert len(made) <= 6


def test_reading_goes_on_while_the_reader_of_it_is_at_work() -> None:
    reading = threading.Event()

    def items():
        yield 0
        reading.set()
        yield 1

    ahead = Prefetched(items(), depth=1)
    assert next(ahead) == 0
    assert reading.wait(5)
    ahead.close()


def test_what_is_read_has_no_gradients() -> None:
    weight = torch.ones(2, requires_grad=True)
    assert not next(Prefetched(iter([weight * 2 for _ in range(1)]), depth=1)).is_leaf
    assert next(Prefetched((weight * 2 for _ in range(1)), depth=1)).is_leaf


def test_ctrl_c_is_heard_while_training_waits_for_rows_and_the_reader_is_ended(tmp_path) -> None:
    waiting, released = threading.Event(), threading.Event()

    def source(epoch: int):
        yield torch.randn(100, 4)
        waiting.set()
        released.wait(20)
        yield torch.randn(100, 4)

    def interrupt() -> None:
        waiting.wait(20)
        time.sleep(2.0)  # until the main thread waits in its turn, on a busy machine too
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        released.set()

    hand = threading.Thread(target=interrupt)
    hand.start()
    config = TrainConfig(d_sae=8, k=1, total_rows=1000, batch_rows=50, norm_rows=50)
    with pytest.raises(KeyboardInterrupt):
        train(source, config, folder=tmp_path, prefetch=2)
    hand.join()
    assert _threads() == 0
