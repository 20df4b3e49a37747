"""Calls side by side: where they run, in which contexts, how many at a time, and how they end."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from _driver_graphs import PATIENCE

from langgraph_rust.prebuilt._side_by_side import side_by_side

Var = ContextVar("Var", default="unset")


def here() -> int:
    return threading.get_ident()


class Meeting:
    """Counts who is in it at once, and lets all go when so many were."""

    def __init__(self, expected: int) -> None:
        self.expected, self.inside, self.most = expected, 0, 0
        self.changed = threading.Condition()

    def __call__(self) -> int:
        with self.changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.expected, PATIENCE)
            self.inside -= 1
        return here()


def test_nothing_to_do() -> None:
    assert side_by_side([]) == []


def test_a_single_call_stays_on_the_thread() -> None:
    assert side_by_side([here]) == [here()]


def test_its_context_is_a_copy() -> None:
    Var.set("outside")

    def change() -> str:
        before = Var.get()
        Var.set("inside")
        return before

    assert side_by_side([change]) == ["outside"]
    assert side_by_side([change, change, change]) == ["outside"] * 3
    assert Var.get() == "outside"


def test_results_are_in_order() -> None:
    def sleeps(seconds: float) -> Callable[[], float]:
        return lambda: time.sleep(seconds) or seconds

    waits = [0.03, 0.01, 0.02, 0.0]
    assert side_by_side([sleeps(wait) for wait in waits]) == waits


def test_several_overlap_and_the_caller_takes_part() -> None:
    meeting = Meeting(4)
    threads = side_by_side([meeting] * 4)
    assert meeting.most == 4
    assert len(set(threads)) == 4 and here() in threads


def test_no_more_than_the_limit_at_a_time() -> None:
    meeting = Meeting(2)
    side_by_side([meeting] * 6, limit=2)
    assert meeting.most == 2
    assert set(side_by_side([here] * 6, limit=1)) == {here()}


def test_a_limit_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="max_concurrency must be greater than 0, got 0"):
        side_by_side([here], limit=0)


@pytest.mark.parametrize("count", [1, 3])
async def test_within_an_event_loop_all_leave_the_thread(count: int) -> None:
    # They may run loops of their own.
    def runs_a_loop() -> int:
        return asyncio.run(asyncio.sleep(0, here()))

    assert here() not in side_by_side([runs_a_loop] * count)


def test_of_several_failures_the_first_in_order_is_raised() -> None:
    gate = threading.Event()

    def late() -> None:
        gate.wait(PATIENCE)
        raise KeyError("late")

    def early() -> None:
        gate.set()
        raise ValueError("early")

    with pytest.raises(KeyError, match="late"):
        side_by_side([late, early])


def test_after_a_failure_nothing_begins_and_what_began_is_waited_for() -> None:
    done: list[int] = []

    def works() -> None:
        time.sleep(0.05)
        done.append(1)

    def fails() -> None:
        time.sleep(0.01)
        raise ValueError

    with pytest.raises(ValueError):
        side_by_side([works, fails, works, works], limit=2)
    assert done == [1]


async def test_after_a_failure_within_an_event_loop() -> None:
    begun: list[int] = []

    def fails() -> None:
        begun.append(1)
        time.sleep(0.01)
        raise ValueError

    with pytest.raises(ValueError):
        side_by_side([fails] * 6, limit=2)
    assert 1 <= len(begun) <= 2


def test_calls_within_calls_never_wait_for_a_thread() -> None:
    def nested(depth: int) -> Callable[[], int]:
        if not depth:
            return lambda: 1
        return lambda: sum(side_by_side([nested(depth - 1)] * 3))

    assert side_by_side([nested(4)] * 3) == [81] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_after_a_fork(run_program: Callable[..., Any]) -> None:
    code = """
    import os, threading, time
    from langgraph_rust.prebuilt._side_by_side import side_by_side

    def waits():
        time.sleep(0.01)
        return threading.get_ident()

    assert len(set(side_by_side([waits] * 3))) == 3
    pid = os.fork()
    if pid == 0:
        assert len(set(side_by_side([waits] * 3))) == 3
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    """
    run_program(code)


def test_idle_threads_do_not_keep_the_process(run_program: Callable[..., Any]) -> None:
    run_program(
        """
        import time
        from langgraph_rust.prebuilt._side_by_side import side_by_side
        side_by_side([lambda: time.sleep(0.01)] * 3)
        """
    )
