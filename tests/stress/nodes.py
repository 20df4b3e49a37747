"""What the nodes of a program do, from data.

A node's work is a generator that asks for what a sync node does by calling and an async node by
awaiting, so that both do the same.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from langgraph_rust.config import get_config, get_stream_writer
from langgraph_rust.types import Command, Send, interrupt
from tests.stress.reentry import areenter, reenter
from tests.stress.world import ERRORS, PHASE, RUN, Ledger, fails_here

HELD_BACK = 2.0
"""Seconds that a node takes which is to be timed out; it is cancelled long before."""


@dataclass(frozen=True)
class Ask:
    """Something that a sync and an async node do each in its own way."""

    call: Callable[[], Any]
    awaited: Callable[[], Any]


Work = Generator[Ask, Any, Any]


def work(name: str, node: dict[str, Any], ledger: Ledger, graphs: Any, state: Any) -> Work:
    """Perform the steps of `node`, then give what it returns."""
    log = len(state.get("log") or ()) if isinstance(state, dict) else -1
    for step in node["steps"]:
        yield from STEPS[step["do"]](step, name, ledger, graphs, state)
    return returned(node["returns"], name, log)


def returned(returns: dict[str, Any], name: str, log: int) -> Any:
    """What a node returns; it depends on the length of the log and on nothing else."""
    update: dict[str, Any] = {"log": [f"{name}@{log}"]}
    if returns.get("bag"):
        update["bag"] = {name: 1}
    if returns["form"] == "command":
        return Command(update=update, goto=targets(returns["goto"], log))
    return update


def targets(options: list[list[Any]], log: int) -> list[Any]:
    """One of `options`, each a list of names and of packets, which are `[name, number]`."""
    chosen = options[log % len(options)]
    return [
        Send(one[0], {"log": [str(one[1])] * one[1]}) if isinstance(one, list) else one
        for one in chosen
    ]


def as_node(name: str, node: dict[str, Any], graphs: Any, concurrent: bool) -> Callable[..., Any]:
    """A function with the signature that `node` names, sync or async."""

    def run(state):
        ledger = RUN.get()
        with ledger.execution(name, concurrent, False):
            identify(node, ledger)
            return now(work(name, node, ledger, graphs, state))

    async def arun(state):
        ledger = RUN.get()
        with ledger.execution(name, concurrent, True):
            identify(node, ledger)
            return await soon(work(name, node, ledger, graphs, state))

    def run_with_config(state, config):
        _keep_reading(config)
        result = run(state)
        return _spoil(node, config) or result

    async def arun_with_config(state, config):
        _keep_reading(config)
        result = await arun(state)
        return _spoil(node, config) or result

    if node["signature"] == "config":
        return arun_with_config if node["async"] else run_with_config
    return arun if node["async"] else run


def identify(node: dict[str, Any], ledger: Ledger) -> None:
    """Note which attempt of which task this is, if the node is one that looks."""
    if not node["looks"]:
        return
    configurable = get_config()["configurable"]
    info = configurable["__pregel_runtime"].execution_info
    attempt = info.node_attempt if info else 0
    with ledger.lock:
        ledger.identities.append((PHASE.get(), configurable["__pregel_task_id"], attempt))


def _keep_reading(config: Any) -> None:
    if ledger := RUN.get():
        ledger.reading = config["configurable"].get("__pregel_read")


def _spoil(node: dict[str, Any], config: Any) -> None:
    ledger = RUN.get()
    if node.get("spoils") == "config" and ledger and not ledger.calm:
        config.pop("configurable")
        config.clear()


def now(work: Work) -> Any:
    """Do a sync node's work."""
    answer = None
    while True:
        try:
            ask = work.send(answer)
        except StopIteration as end:
            return end.value
        answer = ask.call()


async def soon(work: Work) -> Any:
    """Do an async node's work."""
    answer = None
    while True:
        try:
            ask = work.send(answer)
        except StopIteration as end:
            return end.value
        answer = await ask.awaited()


def _sleep(step, name, ledger, graphs, state) -> Work:
    seconds = step["ms"] / 1000
    yield Ask(lambda: time.sleep(seconds), lambda: asyncio.sleep(seconds))


def _compute(step, name, ledger, graphs, state) -> Work:
    sum(i * i for i in range(step["n"]))
    yield Ask(lambda: None, lambda: asyncio.sleep(0))


def _emit(step, name, ledger, graphs, state) -> Work:
    get_stream_writer()({"from": name})
    yield Ask(lambda: None, lambda: asyncio.sleep(0))


def _ask(step, name, ledger, graphs, state) -> Work:
    answer = interrupt(f"{name}?")
    if answer != "yes":
        raise AssertionError(f"an answer to another question: {answer!r}")
    yield Ask(lambda: None, lambda: asyncio.sleep(0))


def _mutate(step, name, ledger, graphs, state) -> Work:
    """Spoil the state that the node was given: it is the node's own. A packet's content is not."""
    if isinstance(state, dict) and "bag" in state:
        state.clear()
        state["log"] = None
    yield Ask(lambda: None, lambda: asyncio.sleep(0))


def _reenter(step, name, ledger, graphs, state) -> Work:
    yield Ask(
        lambda: reenter(graphs, ledger, step["what"], step["where"]),
        lambda: areenter(graphs, ledger, step["what"], step["where"]),
    )


def _fail(step, name, ledger, graphs, state) -> Work:
    if ledger.calm:
        return
    if step["times"] is not None and ledger.count(name) > step["times"]:
        return
    how = step["how"]
    error = ERRORS[step["error"]](f"{name} fails")
    if how == "raise":
        yield Ask(lambda: fails_here(ledger, error, "node"), lambda: _afails_here(ledger, error))
    elif how == "late":
        yield Ask(lambda: fails_here(ledger, error, "node"), lambda: _fails_later(ledger, error))
    else:
        yield Ask(lambda: None, lambda: _cancelled_inside(how))


async def _afails_here(ledger: Ledger, error: BaseException) -> None:
    fails_here(ledger, error, "node")


async def _fails_later(ledger: Ledger, error: BaseException) -> None:
    await asyncio.sleep(0.001)
    fails_here(ledger, error, "node")


async def _cancelled_inside(how: str) -> None:
    """Await something that somebody else cancels."""
    loop, cancelled = asyncio.get_running_loop(), []
    inner: Any = loop.create_future() if how == "future" else asyncio.ensure_future(_forever())
    loop.call_later(0.001, lambda: cancelled.append(inner.cancel()))
    try:
        await (asyncio.gather(inner, asyncio.sleep(0)) if how == "gather" else inner)
    except asyncio.CancelledError as caught:
        error: Any = caught
        error.own, error.place = any(cancelled), f"node's {how}"
        raise


async def _forever() -> None:
    await asyncio.get_running_loop().create_future()


def _too_slow(step, name, ledger, graphs, state) -> Work:
    """Take longer than the node's timeout allows."""
    if not ledger.calm:
        ledger.timed_out += 1
        yield Ask(lambda: None, lambda: asyncio.sleep(HELD_BACK))


def _timed_inside(step, name, ledger, graphs, state) -> Work:
    """Use a timeout of one's own, which the run around must not take for its own."""
    yield Ask(lambda: None, _own_timeout)


async def _own_timeout() -> None:
    try:
        await asyncio.wait_for(_forever(), 0.001)
    except asyncio.TimeoutError:
        return
    raise AssertionError("the node's own timeout did not come")


def _stubborn(step, name, ledger, graphs, state) -> Work:
    """Catch a cancellation and go on."""
    yield Ask(lambda: time.sleep(0.001), _uncancelled)


async def _uncancelled() -> None:
    try:
        await asyncio.sleep(0.003)
    except asyncio.CancelledError:
        await asyncio.sleep(0)


def _cleanup(step, name, ledger, graphs, state) -> Work:
    """Take a while to end when cancelled."""
    yield Ask(lambda: time.sleep(0.001), _cleaned_up)


async def _cleaned_up() -> None:
    try:
        await asyncio.sleep(0.002)
    finally:
        await asyncio.sleep(0.001)


def _signal(step, name, ledger, graphs, state) -> Work:
    if not ledger.calm:
        os.kill(os.getpid(), signal.SIGALRM)
    yield Ask(lambda: None, lambda: asyncio.sleep(0))


STEPS: dict[str, Callable[..., Work]] = {
    "sleep": _sleep,
    "compute": _compute,
    "emit": _emit,
    "ask": _ask,
    "mutate": _mutate,
    "reenter": _reenter,
    "fail": _fail,
    "too_slow": _too_slow,
    "timed_inside": _timed_inside,
    "stubborn": _stubborn,
    "cleanup": _cleanup,
    "signal": _signal,
}
