"""Thousands of runs, on threads and on event loops: nothing leaks, hangs or gets lost."""

from __future__ import annotations

import asyncio
import collections
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from _driver_graphs import State, chain, fan_out, thread

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.types import interrupt

THREADS, TASKS = 8, 40
ROUNDS = 10_000
GROWTH = 24 * 2**20
"""Bytes by which the process may grow; a thousandth of a leak per run is more."""


class Token:
    """A user's object in a run's state; counts those that live."""

    born: collections.deque[None] = collections.deque()
    gone: collections.deque[None] = collections.deque()

    def __init__(self) -> None:
        self.born.append(None)
        # Enough for a leak to show in the size of the process.
        self.ballast = bytearray(10_000)

    def __del__(self) -> None:
        self.gone.append(None)

    @classmethod
    def alive(cls) -> int:
        return len(cls.born) - len(cls.gone)


class Planned(Exception):
    """What nodes raise that are to fail."""


def keeps(state: State) -> State:
    return {"log": [state["value"]]}


def fails(state: State) -> State:
    raise Planned(state["value"])


def asks(state: State) -> State:
    return {"log": [interrupt(1)]}


async def akeeps(state: State) -> State:
    await asyncio.sleep(0)
    return {"log": [state["value"]]}


async def afails(state: State) -> State:
    await asyncio.sleep(0)
    raise Planned(state["value"])


async def hangs(state: State) -> State:
    await asyncio.Event().wait()
    return {}


NESTED = fan_out([keeps, chain([keeps, keeps])])
ANESTED = fan_out([akeeps, chain([akeeps, keeps])])


def run_chain() -> str:
    return f"done {len(chain_of_three.invoke({'value': Token()})['log'])}"


def run_fan_out() -> str:
    return f"done {len(wide.invoke({'value': Token()})['log'])}"


def run_nested() -> str:
    return f"done {len(NESTED.invoke({'value': Token()})['log'])}"


def run_failing() -> str:
    try:
        failing.invoke({"value": Token()})
    except Planned:
        return "failed"
    return "lost"


def run_failing_stream() -> str:
    try:
        list(failing.stream({"value": Token()}, stream_mode=["updates", "custom"]))
    except Planned:
        return "failed"
    return "lost"


def run_interrupted() -> str:
    graph = fan_out([asks, keeps], checkpointer=InMemorySaver())
    return f"asked {len(graph.invoke({'value': 1}, thread())['__interrupt__'])}"


def run_closed() -> str:
    stream = chain_of_three.stream({"value": Token()}, stream_mode="updates")
    next(stream)
    stream.close()
    return "closed"


async def arun_chain() -> str:
    return f"done {len((await achain.ainvoke({'value': Token()}))['log'])}"


async def arun_fan_out() -> str:
    return f"done {len((await awide.ainvoke({'value': Token()}))['log'])}"


async def arun_nested() -> str:
    return f"done {len((await ANESTED.ainvoke({'value': Token()}))['log'])}"


async def arun_failing() -> str:
    try:
        await afailing.ainvoke({"value": Token()})
    except Planned:
        return "failed"
    return "lost"


async def arun_cancelled() -> str:
    task = asyncio.create_task(hanging.ainvoke({"value": Token()}))
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return "cancelled"
    return "lost"


async def arun_cancelled_alone() -> str:
    try:
        await asyncio.wait_for(chain_that_hangs.ainvoke({"value": Token()}), 0.001)
    except asyncio.TimeoutError:
        return "cancelled"
    return "lost"


async def arun_closed() -> str:
    stream = awide.astream({"value": Token()}, stream_mode="updates")
    await anext(stream)
    await stream.aclose()
    return "closed"


chain_of_three = chain([keeps] * 3)
wide = fan_out([keeps] * 4)
failing = fan_out([keeps, fails, keeps])
achain = chain([akeeps, keeps, akeeps])
awide = fan_out([akeeps, keeps, akeeps])
afailing = fan_out([akeeps, afails, hangs])
hanging = fan_out([hangs, akeeps, hangs])
chain_that_hangs = chain([akeeps, hangs])

SYNC: dict[Callable[[], str], str] = {
    run_chain: "done 3",
    run_fan_out: "done 4",
    run_nested: "done 3",
    run_failing: "failed",
    run_failing_stream: "failed",
    run_interrupted: "asked 1",
    run_closed: "closed",
}
ASYNC: dict[Callable[[], Any], str] = {
    arun_chain: "done 3",
    arun_fan_out: "done 3",
    arun_nested: "done 3",
    arun_failing: "failed",
    arun_cancelled: "cancelled",
    arun_cancelled_alone: "cancelled",
    arun_closed: "closed",
}


def soak(runs: int) -> collections.Counter[tuple[str, str]]:
    """Do so many runs, half of them on threads; count how each kind ended."""
    ended: collections.Counter[tuple[str, str]] = collections.Counter()
    lock = threading.Lock()

    def note(kind: Callable[..., Any], end: str) -> None:
        with lock:
            ended[kind.__name__, end] += 1

    def work(kinds: Iterator[Callable[[], str]]) -> None:
        for kind in kinds:
            try:
                note(kind, kind())
            except BaseException as error:
                note(kind, repr(error))

    async def awork(kinds: Iterator[Callable[[], Any]]) -> None:
        for kind in kinds:
            try:
                note(kind, await kind())
            except Exception as error:
                note(kind, repr(error))

    async def amain() -> None:
        share = runs // 2 // TASKS
        await asyncio.gather(*(awork(turns(ASYNC, share, start)) for start in range(TASKS)))

    share = runs // 2 // THREADS
    threads = [
        threading.Thread(target=work, args=(turns(SYNC, share, start),)) for start in range(THREADS)
    ]
    for one in threads:
        one.start()
    asyncio.run(amain())
    for one in threads:
        one.join()
    return ended


def turns(kinds: dict[Any, str], count: int, start: int) -> Iterator[Any]:
    """Take the kinds in turn, so many, beginning with one of them."""
    in_order = list(kinds)
    return (in_order[(start + position) % len(in_order)] for position in range(count))


def natives() -> collections.Counter[str]:
    """Count the engine's objects that belong to runs, once the workers are done with theirs."""
    names = {"GraphRun", "Coroutine", "Task", "TaskConfig", "ConfigBase", "Sink", "StoreDone"}
    found: collections.Counter[str] = collections.Counter()
    for _ in range(50):
        gc.collect()
        types = (type(thing) for thing in gc.get_objects())
        engine = (t.__name__ for t in types if t.__module__ == "langgraph_rust._engine")
        found = collections.Counter(name for name in engine if name in names)
        if not found:
            break
    return found


def resident() -> int:
    """Return how many bytes of memory the process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def soaked() -> Iterator[dict[str, Any]]:
    """The runs, done once, and what was there before and after."""
    found: dict[str, Any] = {"natives before": natives(), "tokens before": Token.alive()}
    soak(ROUNDS // 5)
    on_linux = sys.platform == "linux"
    before = resident() if on_linux else 0
    found["ended"] = soak(ROUNDS - ROUNDS // 5)
    found["natives"], found["tokens"] = natives(), Token.alive()
    found["growth"] = resident() - before if on_linux else 0
    yield found


def test_every_run_ends_as_it_should(soaked: dict[str, Any]) -> None:
    expected = {(kind.__name__, end) for kind, end in (SYNC | ASYNC).items()}
    assert set(soaked["ended"]) == expected


def test_objects_of_users_are_let_go(soaked: dict[str, Any]) -> None:
    assert soaked["tokens"] == soaked["tokens before"]


def test_objects_of_the_engine_are_let_go(soaked: dict[str, Any]) -> None:
    assert not soaked["natives"] - soaked["natives before"]


def test_the_process_does_not_grow(soaked: dict[str, Any]) -> None:
    assert soaked["growth"] < GROWTH


@pytest.mark.parametrize("kind", SYNC, ids=lambda kind: kind.__name__)
def test_a_run_leaves_nothing_behind(kind: Callable[[], str]) -> None:
    before = Token.alive()
    assert kind() == SYNC[kind]
    gc.collect()
    assert Token.alive() == before


@pytest.mark.parametrize("kind", ASYNC, ids=lambda kind: kind.__name__)
def test_an_async_run_leaves_nothing_behind(kind: Callable[[], Any]) -> None:
    before = Token.alive()
    assert asyncio.run(kind()) == ASYNC[kind]
    gc.collect()
    assert Token.alive() == before
