"""What is run elsewhere: workers import it."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from langgraph_rust.graph import START, StateGraph


def pid(state: Any) -> Any:
    """Where it runs."""
    return {"log": [os.getpid()]}


def dies_once(state: Any) -> Any:
    """Dies, but for the second time."""
    mark = Path(state["value"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"log": ["alive"]}


def dies(state: Any) -> Any:
    """Dies."""
    os._exit(3)


def freezes(state: Any) -> Any:
    """Does nothing any more, as a whole process."""
    os.kill(os.getpid(), signal.SIGSTOP)


def for_ever(state: Any) -> Any:
    """Computes without end, and says where."""
    Path(state["value"]).write_text(str(os.getpid()))
    while True:
        pass


def fails(state: Any) -> Any:
    """Fails, a little later."""
    time.sleep(0.3)
    raise ValueError("failed")


SOCKET = socket.socket()


def holds(state: Any) -> Any:
    """Uses what cannot be sent, but can be imported."""
    return {"log": [SOCKET.fileno() > 0]}


def talks(state: Any) -> Any:
    """Says something all the time, and where it is."""
    from langgraph_rust.config import get_stream_writer

    Path(state["value"]).write_text(str(os.getpid()))
    writer = get_stream_writer()
    while True:
        writer(1)
        time.sleep(0.005)


def leaves_a_child(state: Any) -> Any:
    """Dies, while a process that it has started lives."""
    os.system("sleep 20 &")
    os.kill(os.getpid(), signal.SIGKILL)


def forks(state: Any) -> Any:
    """Returns twice."""
    return {"log": [os.fork() == 0]}


def five(state: Any) -> Any:
    """Returns five."""
    return {"log": [5]}


def around(state: Any) -> Any:
    """The folder and a variable of the environment."""
    return {"log": [os.getcwd(), os.environ.get("EXECUTOR_TEST")]}


def _local() -> Any:
    def local(state: Any) -> Any:
        return {"log": [SOCKET.fileno() > 0]}

    return local


APP = (
    StateGraph(dict)
    .add_node("local", _local(), executor={"kind": "process", "graph": f"{__name__}:APP"})
    .add_edge(START, "local")
    .compile()
)
