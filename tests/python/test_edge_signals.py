"""A signal may be heard at any time, also while a run is ending for another reason."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from _driver_graphs import PATIENCE

from langgraph_rust.pregel._run.call import resolve_future

RunProgram = Callable[..., Any]

PROGRAM = """
import gc, os, signal, threading, time, weakref
from _driver_graphs import PATIENCE, fan_out
from langgraph_rust.checkpoint.memory import InMemorySaver

class Token: pass

hold, started = threading.Event(), threading.Event()
def fails(_):
    started.wait(PATIENCE)
    raise ValueError("fails")
def works(_):
    started.set()
    hold.wait(PATIENCE)
    return {"log": ["late"]}

def interrupts():
    started.wait(PATIENCE)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)

def run(token):
    config = {"configurable": {"thread_id": "1", "token": token}}
    threading.Thread(target=interrupts).start()
    try:
        HOW
    except KeyboardInterrupt:
        print("interrupted")

graph = fan_out([works, works, fails], checkpointer=InMemorySaver())
token = Token()
gone = weakref.ref(token)
run(token)
del token
print(sorted(graph.get_state({"configurable": {"thread_id": "1"}}).next))
hold.set()
end = time.monotonic() + PATIENCE
while gone() and time.monotonic() < end:
    gc.collect()
    time.sleep(0.01)
print(gone())
"""


@pytest.mark.parametrize(
    "how",
    [
        "list(graph.stream({}, config, durability='exit'))",
        "list(graph.stream({}, config, durability='exit', stream_mode='tasks'))",
    ],
)
def test_a_run_that_waits_for_nodes_after_one_failed(run_program: RunProgram, how: str) -> None:
    """It does not wait any longer, what was done is stored, and nothing of it stays."""
    done = run_program(PROGRAM.replace("HOW", how))
    assert done.stdout == "interrupted\n['n0', 'n1', 'n2']\nNone\n" and not done.stderr


class Interrupted(Future):  # type: ignore[type-arg]
    """A future that hears a signal amid being resolved: locked, or with nobody told."""

    def __init__(self, is_told: bool) -> None:
        super().__init__()
        self.is_told, self.is_interrupted = is_told, False

    def set_result(self, result: Any) -> None:
        if self.is_interrupted:
            return super().set_result(result)
        self.is_interrupted = True
        self._condition.acquire()
        if self.is_told:
            super().set_result(result)
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_told", [False, True])
def test_who_waits_for_a_called_task_gets_its_result(is_told: bool) -> None:
    future, results = Interrupted(is_told), []
    waits = threading.Thread(target=lambda: results.append(future.result(PATIENCE)))
    waits.start()
    with pytest.raises(KeyboardInterrupt):
        resolve_future(future, "result", None)
    waits.join(PATIENCE)
    assert results == ["result"]
