"""What a running node can reach: context, store, stream writer, ids of the execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, cast

from typing_extensions import TypedDict, Unpack

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_RUNTIME
from langgraph_rust._internal._lazy.import_hooks import fill_when_imported
from langgraph_rust._internal._typing import DC_KWARGS
from langgraph_rust.config import get_config
from langgraph_rust.types import StreamWriter
from langgraph_rust.typing import ContextT

if TYPE_CHECKING:
    from langgraph_sdk.auth.types import BaseUser

    from langgraph_rust.store.base import BaseStore

    _User = BaseUser
else:
    # What annotations resolve to; neither the SDK nor the stores are loaded for them.
    _User = BaseStore = Any
    fill_when_imported(globals(), {"BaseStore": f"{__package__}.store.base"})

__all__ = (
    "BaseUser",
    "ExecutionInfo",
    "RunControl",
    "Runtime",
    "ServerInfo",
    "get_runtime",
)


def __getattr__(name: str) -> Any:
    if name == "BaseUser":
        from langgraph_sdk.auth.types import BaseUser

        globals()[name] = BaseUser
        return BaseUser
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, slots=True)
class ExecutionInfo:
    """Which execution of which task this is."""

    checkpoint_id: str
    """The checkpoint that the step started from."""

    checkpoint_ns: str
    """The task's checkpoint namespace."""

    task_id: str
    """Id of the task."""

    thread_id: str | None = None
    """The thread; `None` without a checkpointer."""

    run_id: str | None = None
    """The run; `None` unless the config named one."""

    node_attempt: int = 1
    """Number of the attempt, from 1."""

    node_first_attempt_time: float | None = None
    """When the first attempt began, in seconds since the epoch."""

    def patch(self, **overrides: Any) -> ExecutionInfo:
        """Return a copy with some fields replaced."""
        return replace(self, **overrides)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a LangGraph server says about the run."""

    assistant_id: str
    """Id of the assistant."""

    graph_id: str
    """Id of the graph."""

    user: _User | None = None
    """The authenticated user (a `BaseUser`), if there is one."""


class RunControl:
    """Asks a run to stop early; pass a new one to each run as `control=`.

    May be used from any thread.
    """

    # A request is one attribute assignment, so no lock is needed.
    __slots__ = ("_drain_reason",)

    def __init__(self) -> None:
        self._drain_reason: str | None = None

    def request_drain(self, reason: str = "shutdown") -> None:
        """Ask the run to stop before its next step; it then raises `GraphDrained`."""
        self._drain_reason = reason

    @property
    def drain_requested(self) -> bool:
        """Whether a stop was asked for."""
        return self._drain_reason is not None

    @property
    def drain_reason(self) -> str | None:
        """Why, if a stop was asked for."""
        return self._drain_reason


def _no_op_stream_writer(_: Any) -> None:
    """Drop a chunk."""


def _no_op_heartbeat() -> None:
    """Do nothing."""


class _RuntimeOverrides(TypedDict, Generic[ContextT], total=False):
    """Keyword arguments of `Runtime.override`."""

    context: ContextT
    store: BaseStore | None
    stream_writer: StreamWriter
    heartbeat: Callable[[], None]
    previous: Any
    execution_info: ExecutionInfo
    server_info: ServerInfo | None
    control: RunControl | None


@dataclass(**DC_KWARGS)
class Runtime(Generic[ContextT]):
    """What a node gets as its `runtime` parameter.

    The config is not part of it: declare a `config: RunnableConfig` parameter, or call
    `langgraph_rust.config.get_config()`.
    """

    context: ContextT = field(default=None)  # type: ignore[assignment]
    """The run's context, as passed to `invoke(..., context=...)`."""

    store: BaseStore | None = field(default=None)
    """The store that the graph was compiled with."""

    stream_writer: StreamWriter = field(default=_no_op_stream_writer)
    """Writes its argument to the `custom` stream."""

    heartbeat: Callable[[], None] = field(default=_no_op_heartbeat)
    """Tells the engine that the node is making progress, for its `idle_timeout`.

    Needed in long work that neither writes, streams nor calls anything. Without such a timeout it
    does nothing.
    """

    previous: Any = field(default=None)
    """What the entrypoint saved for this thread in its previous run; functional API only."""

    execution_info: ExecutionInfo | None = field(default=None)
    """Which execution this is; `None` outside of a task."""

    server_info: ServerInfo | None = field(default=None)
    """What the server says about the run; `None` without a server."""

    control: RunControl | None = field(default=None)
    """Asks the run to stop early; `None` outside of a run."""

    def merge(self, other: Runtime[ContextT]) -> Runtime[ContextT]:
        """Return a runtime with the values of `other`, and this one's where `other` has none."""
        writer, heartbeat = other.stream_writer, other.heartbeat
        return Runtime(
            context=other.context or self.context,
            store=other.store or self.store,
            stream_writer=self.stream_writer if writer is _no_op_stream_writer else writer,
            heartbeat=self.heartbeat if heartbeat is _no_op_heartbeat else heartbeat,
            previous=self.previous if other.previous is None else other.previous,
            execution_info=other.execution_info or self.execution_info,
            server_info=other.server_info or self.server_info,
            control=other.control or self.control,
        )

    def override(self, **overrides: Unpack[_RuntimeOverrides[ContextT]]) -> Runtime[ContextT]:
        """Return a copy with some fields replaced."""
        return replace(self, **overrides)

    def patch_execution_info(self, **overrides: Any) -> Runtime[ContextT]:
        """Return a copy with some fields of `execution_info` replaced.

        Raises:
            RuntimeError: There is no `execution_info`.
        """
        if self.execution_info is None:
            raise RuntimeError("Cannot patch execution_info before it has been set")
        return replace(self, execution_info=self.execution_info.patch(**overrides))

    @property
    def drain_requested(self) -> bool:
        """Whether the run was asked to stop early."""
        return self.control is not None and self.control.drain_requested

    @property
    def drain_reason(self) -> str | None:
        """Why the run was asked to stop early, if it was."""
        return None if self.control is None else self.control.drain_reason


DEFAULT_RUNTIME: Runtime[Any] = Runtime()
"""The runtime where nothing was configured."""


def get_runtime(context_schema: type[ContextT] | None = None) -> Runtime[ContextT]:
    """Return the runtime of the running node or task.

    Args:
        context_schema: Type of the context, for type checkers; not used otherwise.

    Raises:
        RuntimeError: Nothing is running.
    """
    return cast("Runtime[ContextT]", get_config()[CONF].get(CONFIG_KEY_RUNTIME))
