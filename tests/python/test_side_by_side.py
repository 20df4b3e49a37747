"""Sync calls made side by side: which thread makes them, their order, how they end."""

from __future__ import annotations

import signal
import threading
import time
from functools import partial
from typing import Any

import pytest

from langgraph_rust._engine import side_by_side


def fails(text: str) -> None:
    raise ValueError(text)


def test_results_in_order() -> None:
    assert side_by_side([partial(int, n) for n in range(40)]) == [*range(40)]
    assert side_by_side([]) == []


@pytest.mark.parametrize("takes_part", [True, False])
def test_after_a_failure_nothing_begins(takes_part: bool) -> None:
    made: list[Any] = []
    with pytest.raises(ValueError, match="first"):
        side_by_side([partial(fails, "first"), *[partial(made.append, 1)] * 5], 1, takes_part)
    assert not made


def test_the_first_error_in_order_is_raised_when_all_have_ended() -> None:
    ended: list[Any] = []

    def late(text: str) -> None:
        time.sleep(0.05)
        ended.append(text)
        raise ValueError(text)

    with pytest.raises(ValueError, match="a"):
        side_by_side([partial(late, text) for text in "abc"])
    assert ended


def test_calls_that_compute_are_made_here() -> None:
    assert {*side_by_side([threading.get_ident] * 50)} == {threading.get_ident()}


def test_none_is_made_here_if_this_thread_is_not_to_take_part() -> None:
    made = side_by_side([threading.get_ident] * 20, None, False)
    assert len(made) == 20 and threading.get_ident() not in made


def test_calls_that_wait_overlap() -> None:
    began = time.monotonic()
    side_by_side([partial(time.sleep, 0.1)] * 20)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_at_a_time_than_the_limit(limit: int) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    side_by_side([work] * 20, limit)
    assert most == limit


def test_within_each_other() -> None:
    def inner(n: int) -> int:
        return sum(side_by_side([partial(int, n)] * 5))

    assert side_by_side([partial(inner, n) for n in range(9)]) == [5 * n for n in range(9)]


def test_an_exit_begins_nothing_more() -> None:
    made: list[Any] = []

    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        side_by_side([leave, *[partial(made.append, 1)] * 5], 1)
    assert not made


def test_a_signal_is_heard_while_others_are_waited_for() -> None:
    begun = threading.Event()

    def wait() -> None:
        begun.set()
        time.sleep(3)

    def here() -> None:
        begun.wait(5)
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    def hear(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, hear)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            side_by_side([here, wait])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 2
