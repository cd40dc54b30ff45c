import contextlib
import signal
import threading

import pytest

from bench.deadlines import OverdueError, deadline


def endless(told=list):
    told((1,))
    while True:
        with contextlib.suppress(Exception):
            sum(range(100))


@pytest.fixture
def clean():
    """No alarm is set and nobody's handler is left, before and after."""
    before = signal.getsignal(signal.SIGALRM)
    yield before
    left = signal.getitimer(signal.ITIMER_REAL)
    signal.setitimer(signal.ITIMER_REAL, 0)
    found = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, before)
    assert left[0] == 0
    assert found is before


def ring_at(monkeypatch, is_the_moment):
    """Let an alarm fall due inside of the calls of `setitimer` that are chosen."""
    real = signal.setitimer

    def setitimer(which, seconds, interval=0.0):
        if is_the_moment(seconds):
            monkeypatch.setattr(signal, "setitimer", real)
            real(which, seconds, interval)
            signal.raise_signal(signal.SIGALRM)
            sum(range(10))
            return
        real(which, seconds, interval)

    monkeypatch.setattr(signal, "setitimer", setitimer)


def test_a_loop_without_end_is_interrupted_even_if_it_swallows_errors(clean):
    with pytest.raises(OverdueError, match=r"it took longer than 0.1 s"), deadline(0.1, "it"):
        endless()


def test_what_ends_in_time_is_left_alone_and_so_is_the_signal(clean):
    with deadline(10):
        inside = signal.getsignal(signal.SIGALRM)
    assert inside is not clean


def test_an_alarm_once_the_block_has_ended_is_nobodys(clean, monkeypatch):
    ring_at(monkeypatch, lambda seconds: seconds == 0)
    reached = False
    with deadline(0.05):
        with contextlib.suppress(OverdueError):
            endless()
        reached = True
    assert reached


def test_an_alarm_before_the_block_has_begun_rings_inside(clean, monkeypatch):
    ring_at(monkeypatch, lambda seconds: seconds > 0)
    monkeypatch.setattr(deadline, "_arm", lambda self: signal.setitimer(signal.ITIMER_REAL, 1e-4))
    begun = []
    with pytest.raises(OverdueError), deadline(1e-6):
        endless(begun.append)
    assert begun


def test_a_handler_and_a_timer_of_before_are_put_back_with_what_was_left(clean):
    rung = []
    signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        mine = signal.getsignal(signal.SIGALRM)
        signal.setitimer(signal.ITIMER_REAL, 1000, 500)
        with deadline(10):
            signal.signal(signal.SIGALRM, signal.SIG_IGN)  # what foreign code may do
            signal.setitimer(signal.ITIMER_REAL, 0)
        assert signal.getsignal(signal.SIGALRM) is mine
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 10 < left <= 1000
        assert interval == 500
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with deadline(1000):
            while not rung:
                pass
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, clean)


def test_an_outer_limit_holds_inside_of_an_inner_one(clean):
    overdue = pytest.raises(OverdueError, match="outer took")
    with overdue, deadline(0.1, "outer"), deadline(1000, "inner"):
        endless()


def test_an_outer_limit_goes_on_after_an_inner_one(clean):
    def one_after_another():
        with pytest.raises(OverdueError, match="inner took"), deadline(0.05, "inner"):
            endless()
        endless()

    with pytest.raises(OverdueError, match="outer took"), deadline(0.3, "outer"):
        one_after_another()


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
