"""Ways to run a graph, and to end a run before it is over. What came of it is an `Outcome`."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.stress.build import Graphs
from tests.stress.chunks import unstored
from tests.stress.world import RUN, Entry, Ledger, SaverError, Signalled, Token


@dataclass
class Outcome:
    """What came of one run."""

    ledger: Ledger
    run: dict[str, Any]
    result: Any = None
    error: BaseException | None = None
    is_left: bool = False
    """Whether the caller left before the end."""
    chunks: int = 0
    unstored: list[str] = field(default_factory=list)
    """Chunks that were shown before they were stored."""
    still_running: list[Entry] = field(default_factory=list)
    """What ran when the run was over."""
    cancelling: int = 0
    """How many requests to cancel it the caller's task was left with."""


def options(graphs: Graphs, run: dict[str, Any], ledger: Ledger, token: Token) -> dict[str, Any]:
    """The keyword arguments of a run."""
    config: dict[str, Any] = {"configurable": {"thread_id": ledger.thread_id}}
    if run["limit"]:
        config["max_concurrency"] = run["limit"]
    given: dict[str, Any] = {"config": config, "context": token}
    if graphs.saver is not None:
        given["durability"] = run["durability"]
    if run["how"] == "stream":
        given |= {"stream_mode": run["modes"], "subgraphs": run["subgraphs"]}
    return given


def run_sync(graphs: Graphs, outcome: Outcome, token: Token) -> None:
    """Run on this thread."""
    # Whatever the nodes do to the context must not be seen here.
    contextvars.copy_context().run(_run_sync, graphs, outcome, token)
    outcome.ledger.over_at = time.monotonic()
    outcome.still_running = outcome.ledger.unfinished()


def _run_sync(graphs: Graphs, outcome: Outcome, token: Token) -> None:
    RUN.set(outcome.ledger)
    run = outcome.run
    keywords = options(graphs, run, outcome.ledger, token)
    end = run["end"] or {}
    try:
        with _Alarm(end, outcome.ledger) if "signal" in end else _NOTHING:
            if run["how"] == "invoke":
                outcome.result = graphs.graph.invoke(graphs.given(), **keywords)
            else:
                _consume(graphs, outcome, keywords)
    except BaseException as error:
        outcome.error = error


def _consume(graphs: Graphs, outcome: Outcome, keywords: dict[str, Any]) -> None:
    end = outcome.run["end"] or {}
    stream = graphs.graph.stream(graphs.given(), **keywords)
    if end.get("after") != 0:
        try:
            for chunk in stream:
                _note_chunk(graphs, outcome, chunk)
                if outcome.chunks == end.get("after"):
                    break
            else:
                return
        except Signalled:
            # Heard here and not in the run, it leaves the stream open while its traceback lives.
            stream.close()
            raise
    outcome.is_left = True
    outcome.ledger.outside.append("closed")
    if end["close"] == "close":
        stream.close()


def _note_chunk(graphs: Graphs, outcome: Outcome, chunk: Any) -> None:
    outcome.chunks += 1
    # When storing has failed, what the run made is handed out all the same.
    failed = any(isinstance(error, SaverError) for error in outcome.ledger.raised)
    if graphs.saver is not None and outcome.run["durability"] == "sync" and not failed:
        outcome.unstored += unstored(graphs.saver, outcome, chunk)


async def run_async(graphs: Graphs, outcome: Outcome, token: Token) -> None:
    """Run on this event loop, in an asyncio task of its own."""
    RUN.set(outcome.ledger)
    work = _run_async(graphs, outcome, token)
    end = outcome.run["end"] or {}
    if end.get("cancel") == "cancel":
        await _cancelled(work, end, outcome.ledger)
    else:
        await asyncio.create_task(work)
    outcome.ledger.over_at = time.monotonic()
    outcome.still_running = outcome.ledger.unfinished()


async def _cancelled(work: Any, end: dict[str, Any], ledger: Ledger) -> None:
    """Have the run cancelled after a while, or when a certain node begins."""
    loop, task = asyncio.get_running_loop(), asyncio.create_task(work)

    def cancel() -> None:
        if not task.done():
            ledger.outside.append("cancelled")
            task.cancel()

    if "at" in end:
        ledger.on_enter[end["at"]] = lambda: _from_anywhere(loop, cancel)
    else:
        loop.call_later(end["ms"] / 1000, cancel)
    await asyncio.wait([task])
    ledger.on_enter.clear()


def _from_anywhere(loop: Any, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


async def _run_async(graphs: Graphs, outcome: Outcome, token: Token) -> None:
    task = asyncio.current_task()
    end = outcome.run["end"] or {}
    seconds = end.get("ms", 0) / 1000
    try:
        work = _arun(graphs, outcome, token)
        if end.get("cancel") == "timeout":
            async with asyncio.timeout(seconds):
                await work
        elif end.get("cancel") == "wait_for":
            await asyncio.wait_for(work, seconds)
        else:
            await work
    except BaseException as error:
        outcome.error = error
        # What raised the error, not whether it came in time, tells who did it.
        if end.get("cancel") in ("timeout", "wait_for") and isinstance(error, TimeoutError):
            outcome.ledger.outside.append("cancelled")
    requested = outcome.ledger.outside.count("cancelled") if end.get("cancel") == "cancel" else 0
    outcome.cancelling = task.cancelling() - requested


async def _arun(graphs: Graphs, outcome: Outcome, token: Token) -> None:
    keywords = options(graphs, outcome.run, outcome.ledger, token)
    if outcome.run["how"] == "invoke":
        outcome.result = await graphs.graph.ainvoke(graphs.given(), **keywords)
        return
    end = outcome.run["end"] or {}
    stream = graphs.graph.astream(graphs.given(), **keywords)
    if end.get("after") != 0:
        async for chunk in stream:
            _note_chunk(graphs, outcome, chunk)
            if outcome.chunks == end.get("after"):
                break
        else:
            return
    outcome.is_left = True
    outcome.ledger.outside.append("closed")
    if end["close"] == "close":
        await stream.aclose()


async def run_in_coroutine(graphs: Graphs, outcome: Outcome, token: Token) -> None:
    """Run a sync graph on the event loop's thread."""
    run_sync(graphs, outcome, token)


def run_on_thread(graphs: Graphs, outcome: Outcome, token: Token) -> threading.Thread:
    """Run on a new thread, which is returned."""
    thread = threading.Thread(
        target=run_sync, args=(graphs, outcome, token), name="stress-run", daemon=True
    )
    thread.start()
    return thread


class _Alarm:
    """Lets a signal arrive after some time, or when a node sends it; its handler raises."""

    def __init__(self, end: dict[str, Any], ledger: Ledger) -> None:
        self.seconds = (end["signal"] or 0) / 1000
        self.ledger = ledger
        self.is_armed = False

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self._ring)
        self.is_armed = True
        if self.seconds:
            signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_: Any) -> None:
        self.is_armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        # One that comes too late must neither end the process nor keep the ledger.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)

    def _ring(self, *_: Any) -> None:
        if self.is_armed and not self.ledger.calm:
            self.is_armed = False
            # What it raises may hit the first lines of `__exit__`, which then do nothing.
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            self.ledger.outside.append("signalled")
            error = Signalled()
            self.ledger.note_raised(error)
            raise error


class _Nothing:
    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        pass


_NOTHING = _Nothing()


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for something that should be so in a moment."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.0005)
    return True
