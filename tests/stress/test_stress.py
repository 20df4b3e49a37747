"""The checks can fail: each is given an outcome that is wrong in its way, and only in that."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import NodeCancelledError
from tests.stress.build import build
from tests.stress.checks import findings
from tests.stress.chunks import unstored
from tests.stress.generate import program
from tests.stress.noise import Noise
from tests.stress.perform import End, Observation, perform
from tests.stress.processes import Worker
from tests.stress.runs import Outcome
from tests.stress.shrink import candidates
from tests.stress.worker import alive
from tests.stress.world import Entry, Ledger, Signalled, Token, fails_here

NODE: dict[str, Any] = {
    "async": False,
    "signature": "state",
    "looks": False,
    "steps": [],
    "returns": {"form": "update"},
}
RUN: dict[str, Any] = {
    "how": "invoke",
    "where": "plain",
    "limit": 2,
    "durability": "sync",
    "end": None,
}


def plain_program(**node: Any) -> dict[str, Any]:
    """A program of one node."""
    graph = {
        "reducer": {"kind": "plain", "at": 0},
        "nodes": {"n0": {**NODE, **node}},
        "edges": [["__start__", "n0"]],
        "joins": [],
        "branches": [],
        "interrupt_before": None,
    }
    return {
        "seed": 0,
        "async": False,
        "graph": graph,
        "saver": {"kind": "memory", "ms": 0, "fails": []},
        "cache": False,
        "panics_at": None,
        "runs": [RUN],
        "loop": "main",
        "switch": 0.005,
    }


def good(**run: Any) -> Observation:
    """What a program does that runs as it should."""
    outcome = Outcome(Ledger("t0"), {**RUN, **run}, result="end")
    outcome.ledger.entries.append(Entry("n0", 0, True, 1, False, how="done"))
    outcome.ledger.most = 2
    expected = End(result="end", stored="state", counts={"n0": 1})
    return Observation(plain_program(), expected, [outcome], [End(stored="state")])


def raised(ledger: Ledger, error: BaseException) -> BaseException:
    """The error, as a node raises it."""
    try:
        fails_here(ledger, error, "node")
    except BaseException as caught:
        return caught
    raise AssertionError


def failed(seen: Observation, error: BaseException, result: BaseException | None = None) -> None:
    """Have the node fail with `error`, and the run with `result`."""
    outcome = seen.outcomes[0]
    raised(outcome.ledger, error)
    outcome.ledger.entries[0].how, outcome.ledger.entries[0].error = "failed", error
    outcome.error = result


def checks(seen: Observation) -> set[str]:
    return {finding.check for finding in findings(seen)}


def test_what_is_right_passes() -> None:
    assert checks(good()) == set()
    seen = good()
    error = ValueError("n0 fails")
    failed(seen, error, error)
    assert checks(seen) == set()


def test_a_nodes_own_cancellation_is_named() -> None:
    seen = good()
    own = asyncio.CancelledError()
    failed(seen, own, NodeCancelledError("n0"))
    seen.outcomes[0].error.__cause__ = own  # pyright: ignore[reportOptionalMemberAccess]
    assert checks(seen) == set()
    seen.outcomes[0].error = own
    assert checks(seen) == {"raw_cancellation"}


def _lost(seen: Observation) -> None:
    failed(seen, ValueError("n0 fails"))


def _foreign(seen: Observation) -> None:
    seen.outcomes[0].error = KeyError("from nowhere")


def _wrapped(seen: Observation) -> None:
    error = ValueError("n0 fails")
    failed(seen, error, LookupError("around"))
    seen.outcomes[0].error.__cause__ = error  # pyright: ignore[reportOptionalMemberAccess]


def _cancelled_by_nobody(seen: Observation) -> None:
    seen.outcomes[0].error = asyncio.CancelledError()


def _lost_cancellation(seen: Observation) -> None:
    seen.outcomes[0].ledger.outside.append("cancelled")


def _lost_signal(seen: Observation) -> None:
    seen.outcomes[0].ledger.outside.append("signalled")


def _no_traceback(seen: Observation) -> None:
    error = ValueError("n0 fails")
    failed(seen, error, error)
    error.__traceback__ = None


def _started_twice(seen: Observation) -> None:
    seen.outcomes[0].ledger.identities += [(0, "id", 1)] * 2


def _starts_late(seen: Observation) -> None:
    seen.outcomes[0].ledger.entries[0].late = 0.01


def _runs_on(seen: Observation) -> None:
    seen.outcomes[0].still_running = [Entry("n0", 0, True, 1, False)]


def _executions(seen: Observation) -> None:
    seen.outcomes[0].ledger.entries *= 2


def _concurrency(seen: Observation) -> None:
    seen.outcomes[0].ledger.most = 3


def _result(seen: Observation) -> None:
    seen.outcomes[0].result = "another end"


def _cancelling(seen: Observation) -> None:
    seen.outcomes[0].cancelling = 1


def _shown(seen: Observation) -> None:
    seen.outcomes[0].unstored = ["values"]


def _resume_differs(seen: Observation) -> None:
    seen.resumed[0].stored = "another state"


def _resume_fails(seen: Observation) -> None:
    seen.resumed[0].error = ValueError()


def _left_behind(seen: Observation) -> None:
    seen.left_behind = ["n0"]


def _pending(seen: Observation) -> None:
    seen.pending_tasks = ["Task-1"]


def _threads(seen: Observation) -> None:
    seen.new_threads = ["Thread-1"]


def _noise(seen: Observation) -> None:
    seen.noise = ["unraisable: ValueError: "]


def _stored(seen: Observation) -> None:
    seen.unstored_exit = [0]


def _calm(seen: Observation) -> None:
    seen.expected.error = ValueError()


BAD: dict[str, Callable[[Observation], None]] = {
    "lost_failure": _lost,
    "foreign_error": _foreign,
    "wrapped_error": _wrapped,
    "cancelled_by_nobody": _cancelled_by_nobody,
    "lost_cancellation": _lost_cancellation,
    "lost_signal": _lost_signal,
    "traceback": _no_traceback,
    "started_twice": _started_twice,
    "starts_late": _starts_late,
    "runs_on": _runs_on,
    "executions": _executions,
    "concurrency": _concurrency,
    "result": _result,
    "cancelling": _cancelling,
    "shown_before_stored": _shown,
    "resume_differs": _resume_differs,
    "resume_fails": _resume_fails,
    "tasks_end": _left_behind,
    "pending_tasks": _pending,
    "threads": _threads,
    "noise": _noise,
    "stored": _stored,
    "calm": _calm,
}


def test_what_ends_a_run_just_before_a_first_line_is_seen_by_nobody() -> None:
    seen = good()
    seen.outcomes[0].ledger.entries[0].late = 0.005
    assert checks(seen) == set()


@pytest.mark.parametrize("check", BAD)
def test_what_is_wrong_is_found(check: str) -> None:
    seen = good()
    BAD[check](seen)
    assert checks(seen) == {check}


def test_failures_that_somebody_dealt_with_may_be_gone() -> None:
    for option, handled in (({"retry": {"attempts": 2, "ms": 0}}, 0), ({"handler": True}, 1)):
        seen = good()
        seen.program = plain_program(**option)
        failed(seen, ValueError("n0 fails"))
        seen.outcomes[0].ledger.entries.append(Entry("n0", 0, True, 1, False, how="done"))
        seen.outcomes[0].ledger.handled["n0"] = handled
        assert checks(seen) == set()


def test_objects_that_live_on_are_found() -> None:
    token = Token()
    assert [one.check for one in alive([("context", weakref.ref(token))])] == ["objects"]
    assert alive([("context", weakref.ref(Token()))]) == []


def test_chunks_that_are_not_stored_are_found() -> None:
    outcome = Outcome(Ledger("t0"), {**RUN, "how": "stream", "subgraphs": False})
    saver = InMemorySaver()
    assert unstored(saver, outcome, ("values", {"log": ["in"]})) == ["values"]
    assert unstored(saver, outcome, ("updates", {"n0": {"log": ["n0"]}})) == ["updates"]
    assert unstored(saver, outcome, ("values", {"log": []})) == []


def test_noise_is_heard() -> None:
    class Loud:
        def __del__(self) -> None:
            raise ValueError("unheard")

    with Noise() as noise:
        loud: Any = Loud()
        del loud
        warnings.warn("coroutine was never awaited", RuntimeWarning, stacklevel=1)
        asyncio.run(_never_asked())
    assert [heard.split(":")[0] for heard in noise.heard] == ["unraisable", "warning", "loop"]
    assert sys.unraisablehook is sys.__unraisablehook__ or noise.heard


async def _never_asked() -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError())
    del future


def test_programs_are_the_same_each_time() -> None:
    for seed in range(100):
        assert program(seed) == program(seed) == json.loads(json.dumps(program(seed)))


def test_smaller_programs_are_programs() -> None:
    for seed in range(20):
        for smaller in candidates(program(seed)):
            build(smaller)
            assert len(json.dumps(smaller)) < len(json.dumps(program(seed))) + 10


def test_an_ordinary_program_does_what_it_says() -> None:
    step = {"do": "fail", "error": "ValueError", "times": None, "how": "raise"}
    seen = perform(plain_program(steps=[step]), [])
    assert isinstance(seen.outcomes[0].error, ValueError)
    assert seen.resumed[0].stored == seen.expected.stored
    assert findings(seen) == []


def test_a_program_that_hangs_costs_itself_only() -> None:
    worker = Worker(hangs_after=3)
    try:
        (finding,) = worker.judge(plain_program(steps=[{"do": "sleep", "ms": 9000}]))
        assert finding["check"] == "ends" and "nodes.py" in finding["detail"]
        assert worker.judge(plain_program()) == []
        os.kill(worker.pid, signal.SIGSEGV)
        assert [one["check"] for one in worker.judge(plain_program())] == ["alive"]
        assert worker.judge(plain_program()) == []
    finally:
        worker.close()


def test_a_signal_arrives() -> None:
    sent = plain_program(steps=[{"do": "signal"}])
    sent["runs"] = [{**RUN, "end": {"signal": None}}]
    seen = perform(sent, [])
    assert isinstance(seen.outcomes[0].error, Signalled)
    assert findings(seen) == []
