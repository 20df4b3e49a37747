"""What an executor is: how it is given a call of a node, and what it gives back.

An executor decides where a node's own code runs, and nothing else. The superstep stays where it is:
the node's input is read, its result is written and checkpoints are stored at home.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = (
    "Call",
    "Executor",
    "Message",
    "NotPortableError",
    "RemoteTraceback",
    "Running",
    "WorkerDiedError",
)


class NotPortableError(TypeError):
    """A node, or what it is given or gives back, cannot be sent to another process."""


class WorkerDiedError(ConnectionError):
    """The process that a node ran in ended before the node did, or was not heard of for too long.

    Default retry policies retry it. `max_retries` of a node's executor does so before that.
    """


class RemoteTraceback(Exception):
    """Where in another process an error was raised: the cause of the error that is raised here."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class Message(NamedTuple):
    """What a worker says of a call."""

    kind: str
    """`"done"`: the call is over, `body` is its end. `"tell"`: something happened. `"ask"`: the
    node waits for an answer."""
    number: int
    """Of a question, to be given with its answer."""
    body: bytes
    """Only `langgraph_rust.executors` knows what is in it."""


@dataclass(frozen=True)
class Call:
    """One attempt of a node, ready to be sent.

    All that is bytes was made by `langgraph_rust.executors`, and is read by its `perform` in the
    worker. The same node has the same `function`, so that a worker that had it need not read it
    again.
    """

    node: str
    """The node's name, for people."""
    function: bytes
    """The node."""
    request: bytes
    """Input, config and the like."""
    values: Mapping[str, bytes]
    """Large fields of the input, apart from it: to be sent once, if the executor can do that."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the node's metadata say beyond the executor's kind: resources and the like."""


class Running(ABC):
    """A call under way. Its methods are called by one thread at a time, but `cancel`."""

    @property
    def is_waiting(self) -> bool:
        """Whether the call waits for a free worker, as far as is known: then no time limit runs."""
        return False

    @abstractmethod
    def next(self, timeout: float) -> Message | None:
        """Wait up to `timeout` seconds for what the worker says next; `None` if it says nothing.

        Raises:
            WorkerDiedError: The worker is gone, and the call with it.
        """

    @abstractmethod
    def answer(self, number: int, body: bytes) -> None:
        """Answer a question of the node's; from any thread. Nothing happens if it is over."""

    def lend(self, lent: bool) -> None:
        """The node begins, or ends, to wait for a task that it has called.

        That task may need a worker itself, so that this one does not count meanwhile.
        """
        return

    @abstractmethod
    def cancel(self) -> None:
        """Stop the node at once, whatever it does; from any thread, any number of times."""


class Executor(ABC):
    """Runs nodes somewhere. One object serves all graphs of the process, from any thread."""

    max_retries: int = 0
    """How often a call is begun anew when its worker dies, unless the node says otherwise."""

    def check(self, options: Mapping[str, Any]) -> None:
        """Look at a node's options when its graph is compiled.

        Raises:
            ValueError: An option is unknown, or has a wrong value.
        """
        for name in options:
            raise ValueError(f"the executor {type(self).__name__} has no option {name!r}")

    @abstractmethod
    def start(self, call: Call) -> Running:
        """Begin a call.

        Raises:
            WorkerDiedError: There is no worker to be had.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of all workers. It can be used again afterwards."""
