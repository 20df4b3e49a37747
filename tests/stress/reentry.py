"""Nodes that run graphs: another one or the one they are part of, on whatever thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any
from uuid import uuid4

from tests.stress.world import RUN, Ledger

DEPTH: ContextVar[int] = ContextVar("DEPTH", default=0)
"""How many runs are around."""

OTHER = ["left", "right", "after"]
"""What the other graph logs."""


def reenter(graphs: Any, ledger: Ledger, what: str, where: str) -> None:
    """Run a graph from a sync node."""
    if DEPTH.get() > 1:
        return
    run = _same(graphs) if what == "same" else _other(graphs)
    if where == "here":
        copy_context().run(run)
    elif where == "pool":
        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(_alone, run) for _ in range(2)]
            [future.result() for future in futures]
    elif where == "loop":
        # An event loop of its own, on a thread of its own.
        _on_thread(lambda: asyncio.run(_to_thread(run)))
    else:
        _on_thread(run)


async def areenter(graphs: Any, ledger: Ledger, what: str, where: str) -> None:
    """Run a graph from an async node."""
    if DEPTH.get() > 1:
        return
    if where == "thread":
        await asyncio.to_thread(_alone, _other(graphs))
    elif where == "here":
        _other(graphs)()
    else:
        runs = [graphs.other.ainvoke({"log": []}) for _ in range(2)]
        for result in await asyncio.gather(*runs):
            _expect(result)


async def _to_thread(run: Callable[[], None]) -> None:
    await asyncio.to_thread(run)


def _on_thread(run: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def begin() -> None:
        try:
            run()
        except BaseException as error:
            failed.append(error)

    # A new thread knows nothing of the run around.
    thread = threading.Thread(target=begin, name="stress-node")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _alone(run: Callable[[], None]) -> None:
    from contextvars import Context

    Context().run(run)


def _same(graphs: Any) -> Callable[[], None]:
    depth = DEPTH.get()

    def run() -> None:
        DEPTH.set(depth + 1)
        # A thread of its own: on one that was used, each run's input would be what all before left.
        inner = Ledger(f"inner-{uuid4()}", calm=True)
        RUN.set(inner)
        graphs.invoke_calmly(inner)

    # Without the context of the node, in which it would be a part of the run around.
    return lambda: _alone(run)


def _other(graphs: Any) -> Callable[[], None]:
    return lambda: _expect(graphs.other.invoke({"log": []}))


def _expect(result: Any) -> None:
    if result["log"] != OTHER:
        raise AssertionError(f"the other graph gave {result!r}")
