"""One program from beginning to end: undisturbed, disturbed, resumed, looked at afterwards."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any

from langgraph_rust import _engine
from langgraph_rust.types import Command
from tests.stress.build import Graphs, build
from tests.stress.noise import Noise
from tests.stress.runs import (
    Outcome,
    run_async,
    run_in_coroutine,
    run_on_thread,
    run_sync,
    wait_until,
)
from tests.stress.world import PHASE, RUN, Ledger, Token

GRACE = 1.0
"""Seconds in which what a run left behind has to end."""

ROUNDS = 60
"""How often a run is resumed before it counts as one that never ends."""

Refs = list[tuple[str, "weakref.ref[Any]"]]


@dataclass
class End:
    """Where a run comes to when nothing disturbs it."""

    error: BaseException | None = None
    result: Any = None
    stored: Any = None
    counts: dict[str, int] = field(default_factory=dict)
    is_paused: bool = False
    """Whether it asked something on the way, so that nodes ran again."""


@dataclass
class Observation:
    """What a program did."""

    program: dict[str, Any]
    expected: End
    outcomes: list[Outcome] = field(default_factory=list)
    resumed: list[End] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    pending_tasks: list[str] = field(default_factory=list)
    new_threads: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    unstored_exit: list[int] = field(default_factory=list)
    loop_ended: bool = False
    """Whether an exit out of an asyncio task ended the event loop, as asyncio does."""


def perform(program: dict[str, Any], refs: Refs) -> Observation:
    """Run the program; `refs` gets weak references to what must be gone afterwards."""
    calm = build(program)
    seen = Observation(program, run_calmly(calm, Ledger("calm", calm=True), refs))
    graphs = build(program)
    refs += [("graph", weakref.ref(graphs.graph)), ("graph", weakref.ref(calm.graph))]
    before = set(threading.enumerate())
    interval = sys.getswitchinterval()
    sys.setswitchinterval(program["switch"])
    with Noise() as noise:
        _engine._panic_at(program["panics_at"])
        try:
            _disturbed(graphs, seen, refs)
        finally:
            _engine._panic_at(None)
            sys.setswitchinterval(interval)
        _wait_for_rest(seen)
        if graphs.saver is not None:
            _resume_all(graphs, seen)
        gc.collect()
    seen.noise = noise.heard
    wait_until(lambda: not _new_threads(before), 0.3)
    seen.new_threads = [thread.name for thread in _new_threads(before)]
    return seen


def _new_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    """Threads that were not there; workers wait a while for more work, which is all right."""
    now = set(threading.enumerate()) - before
    return [thread for thread in now if thread.name != "langgraph-worker"]


def _disturbed(graphs: Graphs, seen: Observation, refs: Refs) -> None:
    """Do the program's runs, all at once."""
    outcomes = [Outcome(Ledger(f"t{i}"), run) for i, run in enumerate(seen.program["runs"])]
    seen.outcomes = outcomes
    refs += [("ledger", weakref.ref(outcome.ledger)) for outcome in outcomes]
    on_loop = [one for one in outcomes if one.run["where"] in ("async", "coroutine")]
    others = [one for one in outcomes if one not in on_loop]
    threads = []
    alone = len(others) == 1 and others[0].run["where"] == "plain" and not on_loop
    for outcome in [] if alone else others:
        threads.append(run_on_thread(graphs, outcome, _token(refs)))
    if on_loop:
        _run_loop(graphs, on_loop, seen, refs)
    if alone:
        run_sync(graphs, others[0], _token(refs))
    for thread in threads:
        thread.join()


def _token(refs: Refs) -> Token:
    token = Token()
    refs.append(("context", weakref.ref(token)))
    return token


def _run_loop(graphs: Graphs, outcomes: list[Outcome], seen: Observation, refs: Refs) -> None:
    async def main() -> None:
        works = [_on_loop(graphs, outcome, _token(refs)) for outcome in outcomes]
        # The runs themselves catch what they raise: an exit inside a task would end the loop.
        await asyncio.gather(*works)
        await _settle(seen)

    def begin() -> None:
        try:
            asyncio.run(main())
        except (KeyboardInterrupt, SystemExit) as error:
            # From an asyncio task these end the loop, which cancels all other tasks.
            if not any(error in outcome.ledger.raised for outcome in outcomes):
                raise
            seen.loop_ended = True
            for outcome in outcomes:
                # Not those that had come to their end before.
                if outcome.cancelling or outcome.error is not None:
                    outcome.ledger.outside.append("cancelled")
                outcome.cancelling = 0

    if seen.program["loop"] == "main":
        begin()
    else:
        thread = threading.Thread(target=begin, name="stress-loop")
        thread.start()
        thread.join()


def _on_loop(graphs: Graphs, outcome: Outcome, token: Token) -> Any:
    run = run_async if outcome.run["where"] == "async" else run_in_coroutine
    return run(graphs, outcome, token)


async def _settle(seen: Observation) -> None:
    """Give dropped streams a moment, then note the tasks that are still there."""
    for _ in range(100):
        gc.collect(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if not others:
            return
        await asyncio.sleep(0.002)
    seen.pending_tasks = [task.get_name() for task in others]


def _wait_for_rest(seen: Observation) -> None:
    """Sync nodes of a run that was cancelled end when they end."""
    for outcome in seen.outcomes:
        ledger = outcome.ledger
        wait_until(lambda ledger=ledger: not ledger.unfinished(), GRACE)
        seen.left_behind += [entry.name for entry in ledger.unfinished() if _counts(outcome, entry)]


def _counts(outcome: Outcome, entry: Any) -> bool:
    # A signal may hit the very lines that note the end of a node.
    return "signalled" not in outcome.ledger.outside or entry.thread != threading.get_ident()


def _resume_all(graphs: Graphs, seen: Observation) -> None:
    for index, outcome in enumerate(seen.outcomes):
        config = {"configurable": {"thread_id": outcome.ledger.thread_id}}
        if graphs.saver.get_tuple(config) is None and _promised(outcome):
            seen.unstored_exit.append(index)
        outcome.ledger.calm = True
        seen.resumed.append(run_calmly(graphs, outcome.ledger, None))


def _promised(outcome: Outcome) -> bool:
    """Whether something of the run must be stored, whatever ended it."""
    failed = any(type(error).__name__ == "SaverError" for error in outcome.ledger.raised)
    # A signal may have hit the saver itself.
    return outcome.chunks > 0 and not failed and "signalled" not in outcome.ledger.outside


def run_calmly(graphs: Graphs, ledger: Ledger, refs: Refs | None) -> End:
    """Run, or resume, until there is nothing left to do."""
    if refs is not None:
        refs.append(("ledger", weakref.ref(ledger)))
    context = contextvars.copy_context()
    context.run(RUN.set, ledger)
    end = End()
    try:
        if graphs.is_async:
            context.run(asyncio.run, _until_done(graphs, ledger, end, True))
        else:
            _drain(context, _until_done(graphs, ledger, end, False))
    except BaseException as error:
        end.error = error
    end.is_paused |= any(entry.how == "asked" for entry in ledger.entries)
    for entry in ledger.entries:
        if entry.how == "done":
            end.counts[entry.name] = end.counts.get(entry.name, 0) + 1
    return end


def _drain(context: contextvars.Context, steps: Any) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        context.run(steps.send, None)
    except StopIteration:
        return
    raise AssertionError("a sync run waited")


async def _until_done(graphs: Graphs, ledger: Ledger, end: End, is_async: bool) -> None:
    config: Any = {"configurable": {"thread_id": ledger.thread_id}}
    graph, value = graphs.graph, graphs.given()
    if graphs.saver is not None and graphs.saver.get_tuple(config) is not None:
        value = _answers(graph.get_state(config), end)
        if value == "over":
            end.stored = graph.get_state(config).values
            return
    for _ in range(ROUNDS):
        ledger.phase += 1
        PHASE.set(ledger.phase)
        end.result = await graph.ainvoke(value, config) if is_async else graph.invoke(value, config)
        if graphs.saver is None:
            return
        state = graph.get_state(config)
        value = _answers(state, end)
        if value == "over":
            end.stored = state.values
            return
    raise AssertionError(f"still not done after {ROUNDS} rounds: {state.next}")


def _answers(state: Any, end: End) -> Any:
    """What to go on with: answers to what was asked, or nothing."""
    # `next` leaves out tasks that are done, but what they wrote may not have been applied yet; and
    # a run that failed on its very input has no tasks, but goes on all the same.
    is_begun = (state.metadata or {}).get("step") != -1
    if not state.tasks and is_begun:
        return "over"
    if state.interrupts:
        end.is_paused = True
        return Command(resume={one.id: "yes" for one in state.interrupts})
    end.is_paused = True
    return None
