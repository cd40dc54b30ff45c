import contextlib
import signal
import threading
import time

import pytest

from bench.deadlines import OverdueError, deadline


def endless():
    while True:
        with contextlib.suppress(Exception):
            sum(range(100))


def test_a_loop_without_end_is_interrupted_even_if_it_swallows_errors():
    began = time.monotonic()
    with pytest.raises(OverdueError, match=r"it took longer than 0.1 s"), deadline(0.1, "it"):
        endless()
    assert time.monotonic() - began < 5


def test_what_ends_in_time_is_left_alone_and_so_is_the_signal():
    before = signal.getsignal(signal.SIGALRM)
    with deadline(10):
        inside = signal.getsignal(signal.SIGALRM)
    assert inside is not before
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_without_a_limit_and_in_other_threads_nothing_is_set():
    before = signal.getsignal(signal.SIGALRM)
    with deadline(None):
        assert signal.getsignal(signal.SIGALRM) is before
    seen = []

    def run():
        with deadline(1):
            seen.append(signal.getsignal(signal.SIGALRM) is before)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [True]
