"""The program interrupted at some moment, and gone on with in the same process."""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import json
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from langgraph_rust.checkpoint.memory import InMemorySaver
from tests.kills.judge import wrong
from tests.kills.program import (
    Say,
    Way,
    ago_on,
    awritten,
    go_on,
    open_async_saver,
    open_saver,
    written,
)

KEPT, FAULT = "kept ", "fault "
"""What lines begin with that say what was stored then, and what is wrong with the saver."""

PATIENCE = 30
"""Seconds after which the program hangs."""


@dataclass(frozen=True)
class Interruption:
    """How the program runs, and what comes between."""

    way: Way
    is_signal: bool
    """Whether a `KeyboardInterrupt`, from wherever the program is; else its task is cancelled.

    On an event loop, `asyncio.run` makes a cancellation of an interrupt, too, and raises it at the
    end: an event loop itself does not bear one.
    """

    def __str__(self) -> str:
        return f"{self.way}, {'signal' if self.is_signal else 'cancelled'}"


def interruptions(on_postgres: bool) -> list[Interruption]:
    """All that there are, on Postgres or on SQLite and in memory."""
    savers = ("single", "pool") if on_postgres else ("", "memory")
    # Before Python 3.11, `asyncio.run` leaves an interrupt to the event loop.
    modes = ((False, True), (True, False), (True, True))[: 3 if sys.version_info >= (3, 11) else 2]
    return [
        Interruption(Way(is_async, durability, saver), is_signal)
        for saver, durability, (is_async, is_signal) in itertools.product(
            savers, ("sync", "async", "exit"), modes
        )
    ]


def interrupted(database: str, how: Interruption, delay: float, say: Say) -> None:
    """Begin the thread, interrupt the run, say what is stored, and go on to the end.

    Args:
        database: As for `run`.
        how: What runs, and what comes between.
        delay: When it does, in seconds after the beginning.
        say: As for `run`.
    """
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    way = how.way
    if not way.is_async:
        with open_saver(database, way.saver) as saver:
            error = _until_signal(lambda: (_arm(delay), go_on(saver, way.durability, say)))
            say(KEPT + json.dumps(written(saver)))
            _tell_busy(saver, say)
            go_on(saver, way.durability, say)
    elif how.is_signal:
        keep = nullcontext(InMemorySaver()) if way.saver == "memory" else None
        error = _until_signal(lambda: asyncio.run(_begin(database, way, delay, say, keep)))
        asyncio.run(_look_and_go_on(database, way, say, keep))
    else:
        error = None
        asyncio.run(_cancelled(database, way, delay, say))
    # Until here, its traceback has kept alive what it passed through.
    del error


Opened = AbstractAsyncContextManager[Any]


async def _begin(database: str, way: Way, delay: float, say: Say, keep: Opened | None) -> None:
    _arm(delay)
    async with keep or open_async_saver(database, way.saver) as saver:
        await ago_on(saver, way.durability, say)


async def _cancelled(database: str, way: Way, delay: float, say: Say) -> None:
    async with open_async_saver(database, way.saver) as saver:
        task = asyncio.ensure_future(ago_on(saver, way.durability, say))
        asyncio.get_running_loop().call_later(delay, task.cancel)
        with suppress(asyncio.CancelledError):
            await task
        await _look_and_go_on(database, way, say, nullcontext(saver))


async def _look_and_go_on(database: str, way: Way, say: Say, keep: Opened | None) -> None:
    async with keep or open_async_saver(database, way.saver) as saver:
        say(KEPT + json.dumps(await awritten(saver)))
        _tell_busy(saver, say)
        await ago_on(saver, way.durability, say)


def _arm(delay: float) -> None:
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, max(delay, 1e-6))


def _until_signal(work: Callable[[], object]) -> BaseException | None:
    """Do `work`, which arms the signal, until that comes, and return what it raised."""
    try:
        try:
            work()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt as error:
        return error
    return None


def _tell_busy(saver: Any, say: Say) -> None:
    """Say what the saver was left in, if nobody uses it any more."""
    conn = getattr(saver, "conn", None)
    if conn is None:
        return
    if saver.lock.locked():
        say(f"{FAULT}the saver's lock is held")
    if getattr(conn, "in_transaction", False):
        say(f"{FAULT}the connection is in a transaction")
    if hasattr(conn, "pgconn") and conn.info.transaction_status.name != "IDLE":
        say(f"{FAULT}the connection is {conn.info.transaction_status.name}")


def faults(lines: Sequence[str], how: Interruption, end: Sequence[str]) -> Iterator[str]:
    """Say what is wrong, from what the program said and the state that it should end with."""
    places = [place for place, line in enumerate(lines) if line.startswith(KEPT)]
    if not places:
        yield f"cannot be gone on with: {lines[-3:]}"
        return
    before, after = lines[: places[0]], lines[places[0] + 1 :]
    kept = json.loads(lines[places[0]].removeprefix(KEPT))
    yield from (line.removeprefix(FAULT) for line in after if line.startswith(FAULT))
    yield from wrong(how.way.durability, before, kept, after, end)
