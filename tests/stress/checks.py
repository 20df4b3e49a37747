"""What must hold for a program, whatever went wrong in it. Each check has a name of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from langgraph_rust.errors import NodeCancelledError
from tests.stress.errors import chain, origin, seen_lines, short, unwrapped
from tests.stress.perform import End, Observation
from tests.stress.runs import Outcome
from tests.stress.world import SaverError

MOMENT = 0.0002
"""Seconds from a worker's last look at whether its task is still wanted to the task's first line,
besides one turn of another thread: whatever ends the run in between is not seen. With the looks
taken out, most tasks that begin late do so later than this."""


@dataclass(frozen=True)
class Finding:
    """A check that failed."""

    check: str
    cause: str
    """What findings of one kind have in common."""
    detail: str = ""

    def plain(self) -> dict[str, str]:
        """As data."""
        return asdict(self)


def findings(seen: Observation) -> list[Finding]:
    """Everything that is wrong with a program."""
    if seen.expected.error is not None:
        return [Finding("calm", short(seen.expected.error), "the undisturbed run failed")]
    found = [*_after(seen)]
    if seen.loop_ended:
        return found
    for outcome in seen.outcomes:
        for check in RUN_CHECKS:
            found += check(seen, outcome)
    for outcome, resumed in zip(seen.outcomes, seen.resumed, strict=False):
        found += _resumes(seen, outcome, resumed)
    return found


def _after(seen: Observation) -> Iterator[Finding]:
    """What is left when all runs are over."""
    if seen.loop_ended:
        # The event loop cancelled everything, and what it raises holds on to it.
        return
    if seen.left_behind:
        yield Finding("tasks_end", "left behind", f"{seen.left_behind} never ended")
    if seen.pending_tasks:
        yield Finding("pending_tasks", "asyncio tasks", str(seen.pending_tasks))
    if seen.new_threads:
        yield Finding("threads", "new threads", str(seen.new_threads))
    for heard in seen.noise:
        if "entry" in seen.program and "Future exception was never retrieved" in heard:
            # A caller that fails at one of its calls never asks what became of the others.
            continue
        yield Finding("noise", heard[:90], heard)
    for index in seen.unstored_exit:
        run = seen.program["runs"][index]
        yield Finding("stored", f"{run['durability']}, {_ended(run)}", "no checkpoint at all")


def _right_error(seen: Observation, outcome: Outcome) -> Iterator[Finding]:
    error, ledger = outcome.error, outcome.ledger
    if error is None or (isinstance(error, TimeoutError) and _was(outcome, "cancelled")):
        return
    if isinstance(error, asyncio.CancelledError) and not getattr(error, "own", False):
        if not _was(outcome, "cancelled"):
            yield Finding("cancelled_by_nobody", _where(outcome), repr(error))
        return
    if ledger.timed_out and type(error).__name__ == "NodeTimeoutError":
        return
    if seen.program["panics_at"] and "panic" in repr(error).lower():
        return
    root = origin(error, ledger.raised)
    if root is None:
        if not _expected_refusal(seen, error):
            yield Finding("foreign_error", f"{_where(outcome)}: {short(error)}", repr(error))
    elif root is not error and unwrapped(error) is not root:
        yield Finding("wrapped_error", f"{type(error).__name__} around {type(root).__name__}")


def _expected_refusal(seen: Observation, error: BaseException) -> bool:
    """A node that spoils its config breaks what needs the config after it."""
    spoils = "'spoils'" in str(seen.program)
    return spoils and isinstance(error, (KeyError, RuntimeError))


def _nothing_lost(seen: Observation, outcome: Outcome) -> Iterator[Finding]:
    """A run that ends well had no failure that nobody dealt with."""
    if outcome.error is not None or outcome.is_left or _was(outcome, "closed"):
        return
    if lost := unhandled(seen.program, outcome):
        yield Finding("lost_failure", f"{_where(outcome)}: {', '.join(sorted(set(lost)))}")
    elif _was(outcome, "signalled"):
        yield Finding("lost_signal", _where(outcome))
    elif _was(outcome, "cancelled") and not _may_swallow(seen, outcome):
        yield Finding("lost_cancellation", _where(outcome))


def _may_swallow(seen: Observation, outcome: Outcome) -> bool:
    return "'stubborn'" in str(seen.program) or bool(outcome.ledger.caught)


def unhandled(program: dict[str, Any], outcome: Outcome) -> list[str]:
    """Failures in the run's own phase that were neither retried, nor handled, nor caught."""
    ledger = outcome.ledger
    mine = [entry for entry in ledger.entries if entry.phase == 0]
    if "entry" in program and any(entry.how == "asked" for entry in mine):
        # The caller learns of the question first and pauses; the failure is found on the way back.
        return []
    failed = Counter(entry.name for entry in mine if entry.how == "failed")
    kinds = {entry.name: short(entry.error) for entry in mine if entry.how == "failed"}
    done = Counter(entry.name for entry in mine if entry.how == "done")
    nodes, lost = all_nodes(program), []
    for name, times in failed.items():
        attempts = (nodes[name].get("retry") or {}).get("attempts", 1)
        dealt = (attempts - 1) * done[name] + attempts * ledger.handled[name]
        if times > dealt and not ledger.caught and not _caller_retries(program, name):
            lost.append(kinds[name])
    alone = {id(entry.error) for entry in mine}
    if not ledger.caught and not ledger.handled and not any("retry" in n for n in nodes.values()):
        others = [error for error in ledger.raised if id(error) not in alone]
        lost += [short(error) for error in others]
    return lost


def _caller_retries(program: dict[str, Any], name: str) -> bool:
    """Whether a task that calls `name`, directly or not, is tried again when that fails."""
    tasks = program["entry"]["tasks"] if "entry" in program else {}
    callers = [task for task in tasks.items() if name in task[1]["calls"]]
    return any("retry" in task or _caller_retries(program, caller) for caller, task in callers)


def all_nodes(program: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The nodes and called tasks of a program by name, those of subgraphs too."""
    if "entry" in program:
        return {"entry": program["entry"]["root"], **program["entry"]["tasks"]}
    found: dict[str, dict[str, Any]] = {}
    graphs = [program["graph"]]
    while graphs:
        for name, node in graphs.pop()["nodes"].items():
            found[name] = node
            if "graph" in node:
                graphs.append(node["graph"])
    return found


def _node_cancelled(seen: Observation, outcome: Outcome) -> Iterator[Finding]:
    """What a node's own cancellation becomes."""
    if _is_cancelled(outcome):
        return
    for error in chain(outcome.error):
        if isinstance(error, asyncio.CancelledError) and getattr(error, "own", False):
            if not isinstance(outcome.error, NodeCancelledError):
                yield Finding("raw_cancellation", f"{_where(outcome)}: {short(outcome.error)}")
            return


def _is_cancelled(outcome: Outcome) -> bool:
    """It was asked to, and did: a node's own cancellation may have come at the same time."""
    ends = TimeoutError, asyncio.CancelledError
    return isinstance(outcome.error, ends) and _was(outcome, "cancelled")


def _traceback(seen: Observation, outcome: Outcome) -> Iterator[Finding]:
    root = origin(outcome.error, outcome.ledger.raised) if outcome.error else None
    if root is None or (_is_cancelled(outcome) and isinstance(root, asyncio.CancelledError)):
        return
    names = {name for error in chain(outcome.error) for name in seen_lines(error)}
    if not names & {"fails_here", "_cancelled_inside", "_note", "_ring"} and _has_frames(root):
        yield Finding("traceback", f"{_where(outcome)}: {short(root)}", str(sorted(names)))


def _has_frames(root: BaseException) -> bool:
    # A `StopIteration` that a generator passes on, or a signal's, has no line of its own; a panic
    # has none in Python.
    return type(root).__name__ != "NodeTimeoutError" and "ended by a panic" not in str(root)


def _ends_once(seen: Observation, outcome: Outcome) -> Iterator[Finding]:
    twice = [key for key, times in Counter(outcome.ledger.identities).items() if times > 1]
    if twice:
        yield Finding("started_twice", _where(outcome), str(twice))
    # A stream that was only dropped is closed by the event loop, when it gets round to it.
    moment = MOMENT + seen.program["switch"]
    late = [
        f"{entry.name} {entry.late:.4f} s after the end"
        for entry in outcome.ledger.entries
        if entry.late is not None and entry.late > moment
    ]
    if late and (outcome.run["end"] or {}).get("close") != "drop":
        yield Finding("starts_late", f"{_where(outcome)}, {_ended(outcome.run)}", str(late))
    running = [entry for entry in outcome.still_running if not _may_stay(outcome, entry)]
    if running:
        kinds = {"async" if entry.is_async else "sync" for entry in running}
        cause = f"{_where(outcome)}, {_ended(outcome.run)}: {'+'.join(sorted(kinds))} node"
        yield Finding("runs_on", cause, str([entry.name for entry in running]))
    if _was_undisturbed(seen, outcome) and not seen.expected.is_paused:
        done = Counter(entry.name for entry in outcome.ledger.entries if entry.phase == 0)
        if dict(done) != seen.expected.counts:
            yield Finding("executions", _where(outcome), f"{done} and {seen.expected.counts}")


def _may_stay(outcome: Outcome, entry: Any) -> bool:
    """Sync code cannot be stopped: an async run leaves it behind when it is cancelled."""
    if outcome.ledger.outside:
        return True
    return outcome.run["where"] == "async" and not entry.is_async


def _was_undisturbed(seen: Observation, outcome: Outcome) -> bool:
    ledger = outcome.ledger
    nothing = not (ledger.raised or ledger.outside or ledger.handled or ledger.caught)
    return nothing and outcome.error is None and not outcome.is_left and not seen.program["cache"]


def _limit(seen: Observation, outcome: Outcome) -> Iterator[Finding]:
    limit = outcome.run["limit"]
    if limit and outcome.ledger.most > limit:
        called = "called tasks" if "entry" in seen.program else "nodes"
        cause = f"{called}, {_where(outcome)}"
        yield Finding("concurrency", cause, f"{outcome.ledger.most} at once, limit {limit}")


def _result(seen: Observation, outcome: Outcome) -> Iterator[Finding]:
    """A run that ends well gives what the undisturbed one gives."""
    if outcome.error is not None or outcome.is_left or outcome.run["how"] != "invoke":
        return
    if seen.expected.is_paused or _differs_rightly(outcome):
        return
    if outcome.result != seen.expected.result:
        yield Finding("result", _where(outcome), f"{outcome.result} for {seen.expected.result}")


def _differs_rightly(outcome: Outcome) -> bool:
    """An error handler, or a caller that catches, adds what the undisturbed run has not."""
    return bool(outcome.ledger.handled or outcome.ledger.caught)


def _stays(seen: Observation, outcome: Outcome) -> Iterator[Finding]:
    if outcome.cancelling:
        yield Finding("cancelling", _ended(outcome.run), str(outcome.cancelling))
    if outcome.unstored:
        saver, modes = seen.program["saver"]["kind"], "+".join(sorted(set(outcome.unstored)))
        yield Finding("shown_before_stored", f"{_where(outcome)}, {saver} saver: {modes}")


def _resumes(seen: Observation, outcome: Outcome, resumed: End) -> Iterator[Finding]:
    places = {short(error) for error in outcome.ledger.raised} or {short(outcome.error)}
    cause = f"{outcome.run['durability']}, {_ended(outcome.run)}, {' + '.join(sorted(places))}"
    if _remembers(seen, outcome):
        return
    if resumed.error is not None:
        yield Finding("resume_fails", f"{cause}: {short(resumed.error)}", repr(resumed.error))
    elif not _differs_rightly(outcome):
        if resumed.stored != seen.expected.stored:
            detail = f"{resumed.stored} for {seen.expected.stored}"
            yield Finding("resume_differs", cause, detail)


def _remembers(seen: Observation, outcome: Outcome) -> bool:
    """A subgraph with a memory of its own has run, and the saver lost what came of that."""
    lost = any(isinstance(error, SaverError) for error in outcome.ledger.raised)
    return lost and any(
        node.get("graph", {}).get("saver") for node in all_nodes(seen.program).values()
    )


def _was(outcome: Outcome, what: str) -> bool:
    return what in outcome.ledger.outside


def _where(outcome: Outcome) -> str:
    return f"{outcome.run['how']} {outcome.run['where']}"


def _ended(run: dict[str, Any]) -> str:
    end = run["end"] or {}
    if "close" in end:
        return f"{'aclose' if run['where'] == 'async' else 'close'} ({end['close']})"
    return end.get("cancel") or ("signal" if "signal" in end else "left alone")


RUN_CHECKS = (
    _right_error,
    _nothing_lost,
    _node_cancelled,
    _traceback,
    _ends_once,
    _limit,
    _result,
    _stays,
)
