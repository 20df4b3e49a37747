"""Threads that are greenlets: gevent's monkey patches, as its servers apply them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("gevent")

RunProgram = Callable[..., Any]

BEGIN = """
from gevent import monkey
monkey.patch_all()
import asyncio, threading
import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from _driver_graphs import PATIENCE, State, chain, fan_out, thread
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, interrupt

class Meeting:
    '''A node that waits until so many of its kind are there, and notes the most at once.'''

    def __init__(self, size):
        self.size, self.running, self.most, self.arrived = size, 0, 0, 0
        self.all_there = Event()

    def __call__(self, state):
        self.running += 1
        self.most = max(self.most, self.running)
        self.arrived += 1
        if self.arrived % self.size == 0:
            self.all_there.set()
            self.all_there = Event()
        else:
            assert self.all_there.wait(PATIENCE), "the others never came"
        self.running -= 1
        return {"log": ["met"]}

def together(*functions):
    jobs = [gevent.spawn(function) for function in functions]
    gevent.joinall(jobs, timeout=PATIENCE, raise_error=True)
    return [job.get(block=False) for job in jobs]

"""


def lines(run_program: RunProgram, program: str) -> list[str]:
    done = run_program(BEGIN + textwrap.dedent(program))
    assert not done.stderr
    return done.stdout.splitlines()


def test_tasks_of_a_superstep_overlap(run_program: RunProgram) -> None:
    assert lines(
        run_program,
        """
        print(len(fan_out([Meeting(6)] * 6).invoke({})["log"]))
        print(len(list(fan_out([Meeting(6)] * 6).stream({}))))
        print(len(list(fan_out([Meeting(6)] * 6).stream({}, stream_mode="custom"))))
        print(len(chain([fan_out([Meeting(3)] * 3)] * 2).invoke({})["log"]))
        print(len(fan_out([fan_out([Meeting(3)] * 3)] * 3).invoke({})["log"]))
        """,
    ) == ["6", "6", "0", "9", "9"]


def test_max_concurrency_is_reached_and_not_exceeded(run_program: RunProgram) -> None:
    assert lines(
        run_program,
        """
        for limit in (1, 2, 3):
            config = {"max_concurrency": limit}
            nodes, calls = Meeting(limit), Meeting(limit)
            fan_out([nodes] * 6).invoke({}, config)
            work = task(lambda state: calls(state), name="work")
            flow = entrypoint()(lambda _: [one.result() for one in [work({}) for _ in range(6)]])
            flow.invoke(1, config)
            print(nodes.most, calls.most)
        """,
    ) == ["1 1", "2 2", "3 3"]


def test_called_tasks_overlap_and_may_call_tasks(run_program: RunProgram) -> None:
    assert lines(
        run_program,
        """
        import concurrent.futures
        meeting = Meeting(9)
        leaf = task(lambda state: len(meeting(state)["log"]), name="leaf")
        def calls(function):
            return lambda _: sum(one.result() for one in [function({}) for _ in range(3)])
        twig = task(calls(leaf), name="twig")
        tree = entrypoint()(calls(twig))
        print(tree.invoke(1), meeting.most)

        def waits(_):
            done, late = concurrent.futures.wait([twig(0) for _ in range(3)], timeout=PATIENCE)
            return sum(one.result() for one in done), len(late)
        print(entrypoint()(waits).invoke(1))
        """,
    ) == ["9 9", "(9, 0)"]


def test_runs_in_greenlets_overlap(run_program: RunProgram) -> None:
    """Nobody's waiting keeps others from running, whatever it is that waits."""
    assert lines(
        run_program,
        """
        alone, beside, streamed = Meeting(5), Meeting(10), Meeting(10)
        print(len(together(*[lambda: chain([alone]).invoke({})] * 5)), alone.most)
        print(len(together(*[lambda: fan_out([beside] * 2).invoke({})] * 5)), beside.most)
        print(len(together(*[lambda: list(fan_out([streamed] * 2).stream({}))] * 5)), streamed.most)
        """,
    ) == ["5 5", "5 10", "5 10"]


def test_a_stream_hands_out_chunks_while_nodes_wait(run_program: RunProgram) -> None:
    assert lines(
        run_program,
        """
        seen = Event()
        def waits(_):
            assert seen.wait(PATIENCE)
            return {"log": ["slow"]}
        graph = fan_out([waits, lambda _: {"log": ["fast"]}])
        for chunk in graph.stream({}, stream_mode="updates"):
            print(chunk)
            seen.set()
        """,
    ) == ["{'n1': {'log': ['fast']}}", "{'n0': {'log': ['slow']}}"]


def test_others_run_while_a_run_waits_for_its_tasks(run_program: RunProgram) -> None:
    assert lines(
        run_program,
        """
        release, ended = Event(), []
        def waits(_):
            assert release.wait(PATIENCE)
            return {"log": [1]}
        run = lambda: ended.append(len(fan_out([waits] * 3).invoke({})["log"]))
        def other():
            assert not ended
            release.set()
        together(run, other)
        print(ended)
        """,
    ) == ["[3]"]


def test_interrupts_failures_and_closing(run_program: RunProgram) -> None:
    assert lines(
        run_program,
        """
        def asks(_):
            return {"log": [interrupt("sure?")]}
        graph = fan_out([asks, Meeting(1)], checkpointer=InMemorySaver())
        print([each.value for each in graph.invoke({"log": []}, thread())["__interrupt__"]])
        print(graph.invoke(Command(resume="yes"), thread())["log"])

        def fails(_):
            raise ValueError("own")
        for run in (lambda graph: graph.invoke({}), lambda graph: list(graph.stream({}))):
            try:
                run(fan_out([fails, Meeting(1)]))
            except ValueError as error:
                print(error)

        graph = chain([lambda _: {"log": [1]}, fails])
        stream = graph.stream({}, stream_mode="updates")
        print(next(stream))
        stream.close()
        """,
    ) == ["['sure?']", "['yes', 'met']", "own", "own", "{'n0': {'log': [1]}}"]


def test_a_step_timeout(run_program: RunProgram) -> None:
    assert lines(
        run_program,
        """
        release = Event()
        graph = fan_out([lambda _: release.wait(PATIENCE) and None, lambda _: None])
        graph.step_timeout = 0.02
        try:
            graph.invoke({})
        except TimeoutError as error:
            print(error, release.is_set())
        release.set()
        """,
    ) == ["Timed out False"]


def test_async_runs(run_program: RunProgram) -> None:
    """On a loop within a greenlet; sync nodes are greenlets, which take turns with the loop."""
    assert lines(
        run_program,
        """
        async def anode(_):
            await asyncio.sleep(0)
            return {"log": ["async"]}
        print(asyncio.run(fan_out([anode] * 3).ainvoke({}))["log"])
        print(asyncio.run(chain([anode, lambda _: {"log": ["sync"]}]).ainvoke({}))["log"])
        print(len(asyncio.run(fan_out([Meeting(3)] * 3).ainvoke({}))["log"]))
        """,
    ) == ["['async', 'async', 'async']", "['async', 'sync']", "3"]
