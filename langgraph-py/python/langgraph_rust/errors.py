"""The exceptions of graphs, and what error handlers receive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal
from warnings import warn

from typing_extensions import deprecated

from langgraph_rust.checkpoint.base import EmptyChannelError
from langgraph_rust.types import Command, Interrupt
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

__all__ = (
    "EmptyChannelError",
    "EmptyInputError",
    "ErrorCode",
    "GraphBubbleUp",
    "GraphDrained",
    "GraphInterrupt",
    "GraphRecursionError",
    "InvalidUpdateError",
    "NodeCancelledError",
    "NodeError",
    "NodeInterrupt",
    "NodeTimeoutError",
    "ParentCommand",
    "TaskNotFound",
    "UnknownInterruptError",
    "is_invalid_resume",
)

_DOCS_URL = "https://docs.langchain.com/oss/python/langgraph/errors/"


class ErrorCode(Enum):
    """Errors that have a page in the online documentation."""

    GRAPH_RECURSION_LIMIT = "GRAPH_RECURSION_LIMIT"
    """A run did not end in time: `GraphRecursionError`."""
    INVALID_CONCURRENT_GRAPH_UPDATE = "INVALID_CONCURRENT_GRAPH_UPDATE"
    """Two writes of a superstep to a channel that takes one."""
    INVALID_GRAPH_NODE_RETURN_VALUE = "INVALID_GRAPH_NODE_RETURN_VALUE"
    """A node returned what is no update."""
    MULTIPLE_SUBGRAPHS = "MULTIPLE_SUBGRAPHS"
    """A node called several subgraphs that store under one name."""
    INVALID_CHAT_HISTORY = "INVALID_CHAT_HISTORY"
    """Tool calls without results in an agent's messages."""


def create_error_message(*, message: str, error_code: ErrorCode) -> str:
    """Return `message` with a link to the page about `error_code`."""
    return f"{message}\nFor troubleshooting, visit: {_DOCS_URL}{error_code.value}"


class GraphBubbleUp(Exception):
    """Base of exceptions by which a node tells the engine something; not a failure."""


class GraphDrained(GraphBubbleUp):
    """The run stopped between two steps because `RunControl.request_drain()` was called.

    Its checkpoint is stored, so it can be resumed.
    """

    def __init__(self, reason: str = "shutdown") -> None:
        self.reason = reason
        super().__init__(f"Graph drained: {reason}")


class GraphRecursionError(RecursionError):
    """The run reached `recursion_limit` steps and was not finished.

    Pass a higher limit if that many steps are right: `graph.invoke(x, {"recursion_limit":
    100000})`.
    """


class InvalidUpdateError(Exception):
    """A channel was written in a way it does not accept, or a node returned an unusable value."""


class GraphInterrupt(GraphBubbleUp):
    """A node or subgraph asked something; raised by `interrupt()`, handled by the engine."""

    def __init__(self, interrupts: Sequence[Interrupt] = ()) -> None:
        super().__init__(interrupts)


@deprecated(
    "NodeInterrupt is deprecated. Please use [`interrupt`][langgraph.types.interrupt] instead.",
    category=None,
)
class NodeInterrupt(GraphInterrupt):
    """Deprecated: stop the run from within a node. Use `interrupt()`."""

    def __init__(self, value: Any, id: str | None = None) -> None:
        warn(
            "NodeInterrupt is deprecated. Please use `langgraph.types.interrupt` instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=2,
        )
        super().__init__([Interrupt(value) if id is None else Interrupt(value, id)])


class ParentCommand(GraphBubbleUp):
    """Carries a `Command` to the enclosing graph."""

    args: tuple[Command]
    """The command, alone."""

    def __init__(self, command: Command) -> None:
        super().__init__(command)


class EmptyInputError(Exception):
    """The graph was run without input, and there was nothing to continue."""


class TaskNotFound(Exception):
    """A distributed runner has no task of the requested id."""


class UnknownInterruptError(Exception):
    """In strict resume mode, a resume does not match the pending interrupts.

    Raised before anything is written, so they can still be answered.

    Args:
        message: Explains the mismatch.
        reason: `"not_pending"`: it names interrupts that are not pending; `"empty_map"`: it is an
            empty dict; `"ambiguous"`: it is a single answer and several interrupts are pending.
        interrupt_ids: The named interrupts that are not pending.
        pending_ids: The interrupts that wait for an answer.
    """

    reason: Literal["not_pending", "empty_map", "ambiguous"]
    interrupt_ids: tuple[str, ...]
    pending_ids: tuple[str, ...]

    def __init__(
        self,
        message: str,
        *,
        reason: Literal["not_pending", "empty_map", "ambiguous"],
        interrupt_ids: Sequence[str] = (),
        pending_ids: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.interrupt_ids = tuple(interrupt_ids)
        self.pending_ids = tuple(pending_ids)


@dataclass(frozen=True, slots=True)
class NodeError:
    """What a node's error handler receives as its `error: NodeError` parameter."""

    node: str
    """Name of the node that failed."""

    error: BaseException
    """What it raised."""


class NodeCancelledError(Exception):
    """A node raised `asyncio.CancelledError` by itself.

    A cancellation by the engine ends a task silently. One that comes out of the node's own code is
    a failure like any other, so it is raised as this.
    """

    node: str
    """Name of the node."""

    def __init__(self, node: str, message: str | None = None) -> None:
        super().__init__(message or f"Node {node!r} raised asyncio.CancelledError")
        self.node = node


class NodeTimeoutError(Exception):
    """An attempt of a node exceeded a limit of its `TimeoutPolicy`.

    Not a `TimeoutError`, which is an `OSError`: default retry policies do retry this one.

    Args:
        node: Name of the node.
        elapsed: Seconds since the attempt began, or since its last progress.
        kind: Which limit it was; that limit must be given.
        idle_timeout: The policy's limit for time without progress, in seconds.
        run_timeout: The policy's limit for the whole attempt, in seconds.

    Raises:
        ValueError: `kind` is unknown, or its limit is missing.
    """

    node: str
    timeout: float
    """The limit that was exceeded, in seconds."""
    run_timeout: float | None
    idle_timeout: float | None
    elapsed: float
    kind: Literal["idle", "run"]

    def __init__(
        self,
        node: str,
        elapsed: float,
        *,
        kind: Literal["idle", "run"],
        idle_timeout: float | None = None,
        run_timeout: float | None = None,
    ) -> None:
        if kind not in ("idle", "run"):
            raise ValueError("kind must be 'idle' or 'run'")
        timeout = idle_timeout if kind == "idle" else run_timeout
        if timeout is None:
            raise ValueError(f"{kind}_timeout is required when kind='{kind}'")
        how = " without making progress" if kind == "idle" else ""
        super().__init__(
            f"Node '{node}' exceeded its {kind} timeout of {timeout:.3f}s{how} "
            f"(elapsed: {elapsed:.3f}s)."
        )
        self.node = node
        self.timeout = timeout
        self.elapsed = elapsed
        self.kind = kind
        self.idle_timeout = idle_timeout
        self.run_timeout = run_timeout


_INVALID_RESUME = "_langgraph_invalid_resume"


def _mark_invalid_resume(error: BaseException) -> None:
    setattr(error, _INVALID_RESUME, True)


def is_invalid_resume(error: BaseException) -> bool:
    """Tell whether `error` says that an answer did not fit an interrupt's `response_schema`.

    Code that handles validation errors of its own, such as a tool runner, lets these pass, so that
    the run fails and the interrupt can be answered again.
    """
    return getattr(error, _INVALID_RESUME, False) is True
