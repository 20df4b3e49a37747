"""The words of the API: commands, sends, interrupts, policies, snapshots and stream parts."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    final,
    overload,
)
from warnings import warn

from typing_extensions import (
    NotRequired,
    TypeAliasType,
    TypedDict,
    TypeVar,
    Unpack,
    deprecated,
)
from xxhash import xxh3_128_hexdigest

from langgraph_rust._internal._asking import asker_in, part_question_id
from langgraph_rust._internal._cache import default_cache_key
from langgraph_rust._internal._constants import CONF, NS_SEP
from langgraph_rust._internal._constants import INTERRUPT as _INTERRUPT_KEY
from langgraph_rust._internal._fields import get_cached_annotated_keys, get_update_as_tuples
from langgraph_rust._internal._lazy.import_hooks import fill_when_imported, when_imported
from langgraph_rust._internal._retry import default_retry_on
from langgraph_rust._internal._typing import DC_KWARGS as _DC_KWARGS
from langgraph_rust._internal._typing import MISSING, DeprecatedKwargs
from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointMetadata
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10, LangGraphDeprecatedSinceV11

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage
    from langchain_core.messages.tool import ToolOutputMixin
    from langchain_core.runnables import Runnable, RunnableConfig
    from pydantic import TypeAdapter

    from langgraph_rust.pregel.protocol import PregelProtocol
else:
    # What annotations resolve to until the modules that define these names are loaded.
    AnyMessage = Runnable = Any
    RunnableConfig = dict[str, Any]
    PregelProtocol = Any
    fill_when_imported(
        globals(),
        {
            "AnyMessage": "langchain_core.messages.utils",
            "Runnable": "langchain_core.runnables.base",
            "RunnableConfig": "langchain_core.runnables.config",
            "PregelProtocol": f"{__package__}.pregel.protocol",
        },
    )

    class _Placeholder:
        """Keeps the bases of `ToolOutputMixin` assignable."""

    class ToolOutputMixin(_Placeholder):
        """Becomes a child of langchain-core's class of this name as soon as that exists."""

    def _adopt_tool_output_mixin(module: Any) -> None:
        ToolOutputMixin.__bases__ = (_Placeholder, module.ToolOutputMixin)

    when_imported("langchain_core.messages.tool", _adopt_tool_output_mixin)

__all__ = (
    "All",
    "CachePolicy",
    "CheckpointPayload",
    "CheckpointStreamPart",
    "CheckpointTask",
    "Checkpointer",
    "Command",
    "CustomStreamPart",
    "DebugPayload",
    "DebugStreamPart",
    "Durability",
    "GraphOutput",
    "Interrupt",
    "MessagesStreamPart",
    "Overwrite",
    "PregelExecutableTask",
    "PregelTask",
    "RetryPolicy",
    "Send",
    "StateSnapshot",
    "StateUpdate",
    "StreamMode",
    "StreamPart",
    "StreamWriter",
    "TaskPayload",
    "TaskResultPayload",
    "TasksStreamPart",
    "TimeoutPolicy",
    "TracePolicy",
    "UpdatesStreamPart",
    "ValuesStreamPart",
    "ensure_valid_checkpointer",
    "interrupt",
    "omit_payload",
)

# Not those of `langgraph_rust.typing`: a bound or a default would leak into the aliases below.
StateT = TypeVar("StateT")
OutputT = TypeVar("OutputT")
ResponseT = TypeVar("ResponseT", default=Any)

# --- Modes ---------------------------------------------------------------------------------------

Durability = Literal["sync", "async", "exit"]
"""When a run's checkpoints are stored.

- `"sync"`: before the next step starts.
- `"async"`: while the next step runs.
- `"exit"`: only when the run ends, by success, interrupt or error.
"""

All = Literal["*"]
"""Stands for every node where a list of node names is expected."""

Checkpointer = None | bool | BaseCheckpointSaver
"""What a graph may be compiled with.

- a saver: checkpoints are stored there.
- `None`: a subgraph inherits its parent's saver, with a namespace of its own for each call.
- `True`: a subgraph inherits its parent's saver and keeps its state between calls.
- `False`: no checkpoints, even when the parent has a saver.
"""


def ensure_valid_checkpointer(checkpointer: Checkpointer) -> Checkpointer:
    """Return `checkpointer` if it is a saver, a bool or `None`.

    Raises:
        TypeError: It is anything else.
    """
    if checkpointer in (None, True, False) or isinstance(checkpointer, BaseCheckpointSaver):
        return checkpointer
    if _is_saver_by_shape(checkpointer):
        return checkpointer
    raise TypeError(
        "Invalid checkpointer provided. Expected an instance of "
        "`BaseCheckpointSaver`, `True`, `False`, or `None`. "
        f"Received {type(checkpointer).__name__!s}. "
        "Pass a proper saver (e.g., InMemorySaver, AsyncPostgresSaver)."
    )


def _is_saver_by_shape(value: object) -> bool:
    # A saver of a package that builds on upstream's base class, without drop-in mode.
    return any(
        base.__name__ == "BaseCheckpointSaver" and base.__module__ == "langgraph.checkpoint.base"
        for base in type(value).__mro__
    )


StreamMode = Literal["values", "updates", "checkpoints", "tasks", "debug", "messages", "custom"]
"""What a stream emits.

- `"values"`: the whole state after each step; for the functional API once, at the end.
- `"updates"`: what each node or task returned, one chunk per task.
- `"custom"`: whatever nodes pass to their `StreamWriter`.
- `"messages"`: tokens of chat models called in nodes, each with its metadata.
- `"checkpoints"`: each checkpoint, in the form of `get_state()`.
- `"tasks"`: the start and the result of each task.
- `"debug"`: `"checkpoints"` and `"tasks"`, wrapped with step and time.
"""

StreamWriter = Callable[[Any], None]
"""Writes its argument to the `custom` stream; does nothing when nobody streams that mode."""

# --- Stream payloads -----------------------------------------------------------------------------


class TaskPayload(TypedDict):
    """A task starts."""

    id: str
    """Id of the task."""
    name: str
    """Name of the node."""
    input: Any
    """What the node is called with."""
    triggers: list[str]
    """Channels whose update started the task."""
    metadata: NotRequired[dict[str, Any]]
    """Metadata of the task's config; absent when there is none. May hold keys of any origin."""


class TaskResultPayload(TypedDict):
    """A task finished."""

    id: str
    """Id of the task."""
    name: str
    """Name of the node."""
    error: str | None
    """The error, when it failed."""
    interrupts: list[dict]
    """The interrupts it raised, as dicts."""
    result: dict[str, Any]
    """What it wrote, by channel."""


class CheckpointTask(TypedDict):
    """A task of a checkpoint.

    A failed one has `error`, a finished one `result` and `interrupts`, a waiting one `interrupts`.
    """

    id: str
    """Id of the task."""
    name: str
    """Name of the node."""
    error: NotRequired[str]
    """The error, when it failed."""
    result: NotRequired[Any]
    """What it wrote, when it finished."""
    interrupts: NotRequired[list[dict]]
    """The interrupts it raised, as dicts."""
    state: StateSnapshot | RunnableConfig | None
    """The subgraph's snapshot, or a config that addresses it; `None` for a plain node."""


class CheckpointPayload(TypedDict, Generic[StateT]):
    """A checkpoint was made."""

    config: RunnableConfig | None
    """Addresses this checkpoint."""
    metadata: CheckpointMetadata
    """Its metadata: source, step, parents, ..."""
    values: StateT
    """The state."""
    next: list[str]
    """Nodes that run next."""
    parent_config: RunnableConfig | None
    """Addresses the checkpoint before it, if there is one."""
    tasks: list[CheckpointTask]
    """Tasks of the next step."""


class _DebugCheckpointPayload(TypedDict, Generic[StateT]):
    """A `debug` chunk about a checkpoint."""

    step: int
    timestamp: str
    type: Literal["checkpoint"]
    payload: CheckpointPayload[StateT]


class _DebugTaskPayload(TypedDict):
    """A `debug` chunk about the start of a task."""

    step: int
    timestamp: str
    type: Literal["task"]
    payload: TaskPayload


class _DebugTaskResultPayload(TypedDict):
    """A `debug` chunk about the result of a task."""

    step: int
    timestamp: str
    type: Literal["task_result"]
    payload: TaskResultPayload


DebugPayload = TypeAliasType(
    "DebugPayload",
    _DebugCheckpointPayload[StateT] | _DebugTaskPayload | _DebugTaskResultPayload,
    type_params=(StateT,),
)
"""A `debug` chunk: a payload with its `type`, super-step number and ISO timestamp."""


class ValuesStreamPart(TypedDict, Generic[OutputT]):
    """A chunk of mode `values`: the state after a step."""

    type: Literal["values"]
    """Which mode it is."""
    ns: tuple[str, ...]
    """Path of the (sub)graph; empty for the root. The same in all parts."""
    data: OutputT
    """The state."""
    interrupts: tuple[Interrupt, ...]
    """Interrupts of the step."""


class UpdatesStreamPart(TypedDict):
    """A chunk of mode `updates`: node name -> what it returned.

    May also have the keys `__interrupt__` and `__metadata__`.
    """

    type: Literal["updates"]
    """Which mode it is."""
    ns: tuple[str, ...]
    """Path of the (sub)graph; empty for the root."""
    data: dict[str, Any]
    """By node, what it returned."""


class MessagesStreamPart(TypedDict):
    """A chunk of mode `messages`: a message or message chunk, and its metadata."""

    type: Literal["messages"]
    """Which mode it is."""
    ns: tuple[str, ...]
    """Path of the (sub)graph; empty for the root."""
    data: tuple[AnyMessage, dict[str, Any]]
    """The message, and where it comes from."""


class CustomStreamPart(TypedDict):
    """A chunk of mode `custom`: whatever a node wrote."""

    type: Literal["custom"]
    """Which mode it is."""
    ns: tuple[str, ...]
    """Path of the (sub)graph; empty for the root."""
    data: Any
    """What the node wrote."""


class CheckpointStreamPart(TypedDict, Generic[StateT]):
    """A chunk of mode `checkpoints`."""

    type: Literal["checkpoints"]
    """Which mode it is."""
    ns: tuple[str, ...]
    """Path of the (sub)graph; empty for the root."""
    data: CheckpointPayload[StateT]
    """The checkpoint, as `get_state` would show it."""


class TasksStreamPart(TypedDict):
    """A chunk of mode `tasks`: `TaskPayload` at the start, `TaskResultPayload` at the end."""

    type: Literal["tasks"]
    """Which mode it is."""
    ns: tuple[str, ...]
    """Path of the (sub)graph; empty for the root."""
    data: TaskPayload | TaskResultPayload
    """The task, or its result."""


class DebugStreamPart(TypedDict, Generic[StateT]):
    """A chunk of mode `debug`."""

    type: Literal["debug"]
    """Which mode it is."""
    ns: tuple[str, ...]
    """Path of the (sub)graph; empty for the root."""
    data: DebugPayload[StateT]
    """A task, its result or a checkpoint, with step and time."""


StreamPart = TypeAliasType(
    "StreamPart",
    ValuesStreamPart[OutputT]
    | UpdatesStreamPart
    | MessagesStreamPart
    | CustomStreamPart
    | CheckpointStreamPart[StateT]
    | TasksStreamPart
    | DebugStreamPart[StateT],
    type_params=(StateT, OutputT),
)
"""Any chunk of `stream(version="v2")`; its `type` tells which."""


@dataclass(frozen=True)
class GraphOutput(Generic[OutputT]):
    """What `invoke(version="v2")` returns.

    Reading it like the dict that version 1 returns still works, with a deprecation warning.
    """

    value: OutputT
    """The output, in the form of the output schema."""
    interrupts: tuple[Interrupt, ...] = ()
    """Interrupts that wait for an answer."""

    def __getitem__(self, key: str) -> Any:
        _warn_dict_access("result[key]")
        if key == _INTERRUPT_KEY:
            return self.interrupts
        if isinstance(self.value, dict):
            return self.value[key]
        if hasattr(self.value, key):
            return getattr(self.value, key)
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        _warn_dict_access("key in result")
        if key == _INTERRUPT_KEY:
            return bool(self.interrupts)
        if isinstance(self.value, dict):
            return key in self.value
        return isinstance(key, str) and hasattr(self.value, key)


def _warn_dict_access(expression: str) -> None:
    warn(
        f"Accessing GraphOutput via `{expression}` is deprecated. "
        "Use `result.value` to access the output value directly, "
        "or `result.interrupts` for interrupts.",
        LangGraphDeprecatedSinceV11,
        stacklevel=3,
    )


# --- Policies ------------------------------------------------------------------------------------


class RetryPolicy(NamedTuple):
    """When and how often to run a failed node again. Intervals are seconds."""

    initial_interval: float = 0.5
    """Wait before the first retry."""
    backoff_factor: float = 2.0
    """Each further wait is this many times longer."""
    max_interval: float = 128.0
    """No wait is longer than this, jitter aside."""
    max_attempts: int = 3
    """Attempts in all, the first included."""
    jitter: bool = True
    """Whether to add up to a second of random time to each wait."""
    retry_on: type[Exception] | Sequence[type[Exception]] | Callable[[Exception], bool] = (
        default_retry_on
    )
    """Exception classes to retry, or a predicate on the exception."""


@dataclass(**_DC_KWARGS)
class TimeoutPolicy:
    """How long one attempt of an async node may take.

    Limits work by asyncio cancellation: code that blocks the event loop is not stopped before it
    gives way. Numbers are seconds.
    """

    run_timeout: float | timedelta | None = None
    """Limit for the whole attempt; nothing extends it."""

    idle_timeout: float | timedelta | None = None
    """Limit for the time without progress."""

    refresh_on: Literal["auto", "heartbeat"] = "auto"
    """What counts as progress.

    `"auto"`: writes, stream chunks, child calls, callback events and `runtime.heartbeat()`;
    `"heartbeat"`: only the last.
    """

    @classmethod
    def coerce(cls, value: float | timedelta | TimeoutPolicy | None) -> TimeoutPolicy | None:
        """Return `value` as a policy whose limits are float seconds.

        Args:
            value: A policy, or a `run_timeout`, or `None`.

        Returns:
            `None` if there is no limit at all; `value` itself if it already has this form.

        Raises:
            ValueError: A limit is not positive, or `refresh_on` is unknown.
        """
        if value is None:
            return None
        policy = value if isinstance(value, TimeoutPolicy) else cls(run_timeout=value)
        if policy.refresh_on not in ("auto", "heartbeat"):
            raise ValueError("refresh_on must be 'auto' or 'heartbeat'")
        run = _positive_seconds(policy.run_timeout, "run_timeout")
        idle = _positive_seconds(policy.idle_timeout, "idle_timeout")
        if run is None and idle is None:
            return None
        if run is policy.run_timeout and idle is policy.idle_timeout:
            return policy
        return cls(run_timeout=run, idle_timeout=idle, refresh_on=policy.refresh_on)


def _positive_seconds(value: float | timedelta | None, field: str) -> float | None:
    if value is None:
        return None
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds <= 0:
        raise ValueError(f"{field} must be greater than 0")
    return seconds


KeyFuncT = TypeVar("KeyFuncT", bound=Callable[..., str | bytes])
"""Type of a cache policy's key function."""


@dataclass(**_DC_KWARGS)
class CachePolicy(Generic[KeyFuncT]):
    """How a node's results are cached."""

    key_func: KeyFuncT = default_cache_key  # type: ignore[assignment]
    """Makes the cache key from the node's input; by default its pickle."""

    ttl: int | None = None
    """Seconds until an entry expires; `None` for never."""


@dataclass(**_DC_KWARGS)
class TracePolicy:
    """What tracers record of a node's own run; child runs and the graph's run are not affected.

    This keeps large payloads out of traces. It is no protection of secrets: use the tracing
    client's own means for that. The functions must not change the value they are given.
    """

    process_inputs: Callable[[Any], Any] | None = None
    """Maps the node's input to what is recorded."""

    process_outputs: Callable[[Any], Any] | None = None
    """Maps the node's output to what is recorded."""


def omit_payload(_value: Any) -> dict[str, Any]:
    """Record nothing of a value; for the fields of `TracePolicy`."""
    return {}


# --- Interrupts ----------------------------------------------------------------------------------

_DEFAULT_INTERRUPT_ID = "placeholder-id"


def _interrupt_id(ns: str, answered: int, part: str | None = None) -> str:
    # A task's first question has the bare hash, which is what older checkpoints contain. Further
    # ones are told apart by how many answers the task has had, since the order of calls in
    # parallel code is not stable. No real namespace ends in "|<number>".
    if part is None:
        return xxh3_128_hexdigest((f"{ns}{NS_SEP}{answered}" if answered else ns).encode())
    return part_question_id(xxh3_128_hexdigest(ns.encode()), part, answered)


@final
@dataclass(init=False, slots=True)
class Interrupt(Generic[ResponseT]):
    """A question that a node asks the caller of the graph.

    Args:
        value: What to tell the caller; any serializable value.
        id: Identifies the interrupt in `Command(resume={id: answer})`.
        response_schema: JSON schema, or type, of the expected answer.
        **deprecated_kwargs: Arguments of old versions; `ns` still determines the id.
    """

    value: Any
    """What the caller is told."""

    id: str
    """Identifies the interrupt when it is answered."""

    response_schema: type[ResponseT] | dict[str, Any] | None = None
    """What the answer must look like. What callers receive is always a JSON schema."""

    def __init__(
        self,
        value: Any,
        id: str = _DEFAULT_INTERRUPT_ID,
        *,
        response_schema: type[ResponseT] | dict[str, Any] | None = None,
        **deprecated_kwargs: Unpack[DeprecatedKwargs],
    ) -> None:
        ns = deprecated_kwargs.get("ns", MISSING)
        if id == _DEFAULT_INTERRUPT_ID and isinstance(ns, Sequence):
            id = _interrupt_id(NS_SEP.join(ns), 0)
        self.value = value
        self.id = id
        self.response_schema = response_schema

    @classmethod
    def from_ns(
        cls,
        value: Any,
        ns: str,
        *,
        response_schema: type[ResponseT] | dict[str, Any] | None = None,
    ) -> Interrupt[ResponseT]:
        """Make the first interrupt of the task whose checkpoint namespace is `ns`."""
        return cls(value=value, id=_interrupt_id(ns, 0), response_schema=response_schema)

    @property
    @deprecated("`interrupt_id` is deprecated. Use `id` instead.", category=None)
    def interrupt_id(self) -> str:
        """The `id`, under its old name."""
        warn(
            "`interrupt_id` is deprecated. Use `id` instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=2,
        )
        return self.id


# --- Tasks and snapshots -------------------------------------------------------------------------


class StateUpdate(NamedTuple):
    """One write of `bulk_update_state`."""

    values: dict[str, Any] | None
    """What to write."""
    as_node: str | None = None
    """The node to write as; inferred when `None`."""
    task_id: str | None = None
    """The task to write as; chosen when `None`."""


class PregelTask(NamedTuple):
    """A task as a snapshot shows it."""

    id: str
    """Id of the task."""
    name: str
    """Name of the node."""
    path: tuple[str | int | tuple, ...]
    """How the task came to be; tasks are ordered by it."""
    error: Exception | None = None
    """The error, when it failed."""
    interrupts: tuple[Interrupt, ...] = ()
    """The interrupts it raised."""
    state: RunnableConfig | StateSnapshot | None = None
    """The subgraph's snapshot, or a config that addresses it; `None` for a plain node."""
    result: Any | None = None
    """What it wrote, when it finished."""


class CacheKey(NamedTuple):
    """Where a task's result is cached."""

    ns: tuple[str, ...]
    """Namespace of the entry."""
    key: str
    """Key within the namespace."""
    ttl: int | None
    """Seconds until the entry expires; `None` for never."""


# Weak references to slotted dataclasses need 3.11; without slots every class allows them.
_T_DC_KWARGS: dict[str, bool] = (
    {"weakref_slot": True, "slots": True, "frozen": True}
    if sys.version_info >= (3, 11)
    else {"frozen": True}
)


@dataclass(**_T_DC_KWARGS)
class PregelExecutableTask:
    """A task as a runner receives it."""

    name: str
    """Name of the node."""
    input: Any
    """What the node is given."""
    proc: Runnable
    """What is run: the node, with its writers."""
    writes: deque[tuple[str, Any]]
    """Channels and values; filled while it runs."""
    config: RunnableConfig
    """The task's config."""
    triggers: Sequence[str]
    """Channels that the node was started by."""
    retry_policy: Sequence[RetryPolicy]
    """When it is tried again; none if empty."""
    cache_key: CacheKey | None
    """Where its result is cached, if it is."""
    id: str
    """Names the task for ever."""
    path: tuple[str | int | tuple, ...]
    """Its place among the tasks of the superstep; writes are applied in the order of paths."""
    writers: Sequence[Runnable] = ()
    """The node's writers alone."""
    subgraphs: Sequence[PregelProtocol] = ()
    """Graphs within the node."""
    timeout: TimeoutPolicy | None = None
    """How long it may take; only of async nodes."""


class StateSnapshot(NamedTuple):
    """The state of a graph between two steps."""

    values: dict[str, Any] | Any
    """The state."""
    next: tuple[str, ...]
    """The node of each task that is still to run."""
    config: RunnableConfig
    """Addresses this checkpoint."""
    metadata: CheckpointMetadata | None
    """The checkpoint's metadata."""
    created_at: str | None
    """When it was made, as an ISO timestamp."""
    parent_config: RunnableConfig | None
    """Addresses the checkpoint before it, if there is one."""
    tasks: tuple[PregelTask, ...]
    """The step's tasks, with their errors, interrupts and results as far as there are any."""
    interrupts: tuple[Interrupt, ...]
    """The step's interrupts.

    For the latest state (no `checkpoint_id` given) only those that wait for an answer; for an
    addressed checkpoint or in the history, the last of each task, answered or not.
    """


# --- What nodes and callers send -----------------------------------------------------------------


class Send:
    """Run a node in the next step with an input of its own.

    Returned by a conditional edge or in `Command(goto=...)`, once for each run of the node; this
    is how a graph maps a node over a list.

    Args:
        node: Name of the node.
        arg: Its input; need not have the form of the graph's state.
        timeout: Timeout for this run instead of the node's own; a number or `timedelta` limits the
            whole attempt.
    """

    __slots__ = ("arg", "node", "timeout")

    node: str
    """Name of the node."""
    arg: Any
    """Its input."""
    timeout: TimeoutPolicy | None
    """Timeout for this run, if not the node's own."""

    def __init__(
        self,
        /,
        node: str,
        arg: Any,
        *,
        timeout: float | timedelta | TimeoutPolicy | None = None,
    ) -> None:
        self.node = node
        self.arg = arg
        self.timeout = None if timeout is None else TimeoutPolicy.coerce(timeout)

    def __hash__(self) -> int:
        return hash((self.node, self.arg, self.timeout))

    def __eq__(self, value: object) -> bool:
        return (
            isinstance(value, Send)
            and self.node == value.node
            and self.arg == value.arg
            and self.timeout == value.timeout
        )

    def __repr__(self) -> str:
        timeout = "" if self.timeout is None else f", timeout={self.timeout!r}"
        return f"Send(node={self.node!r}, arg={self.arg!r}{timeout})"


N = TypeVar("N", bound=Hashable)
"""Names of the nodes that a `Command` may go to."""


@dataclass(**_DC_KWARGS)
class Command(Generic[N], ToolOutputMixin):
    """Update the state and choose the next nodes in one value; or resume an interrupted run.

    Returned by a node or a tool, or passed to the graph as its input.
    """

    graph: str | None = None
    """The graph it is for: `None` for the current one, `Command.PARENT` for the enclosing one."""
    update: Any | None = None
    """State update: a dict, a list of `(key, value)` pairs, or an object with annotated fields."""
    resume: dict[str, Any] | Any | None = None
    """Answer to the pending interrupt; or a dict of interrupt id -> answer."""
    goto: Send | Sequence[Send | N] | N = ()
    """Nodes to run next: a name, a `Send`, or a sequence of these."""

    PARENT: ClassVar[Literal["__parent__"]] = "__parent__"
    """Value of `graph` for the closest enclosing graph."""

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in asdict(self).items() if value)
        return f"Command({', '.join(shown)})"

    def _update_as_tuples(self) -> Sequence[tuple[str, Any]]:
        """Return the update as `(channel, value)` pairs; a bare value goes to `__root__`."""
        update = self.update
        if update is None:
            return []
        if isinstance(update, dict):
            return list(update.items())
        if isinstance(update, (list, tuple)) and all(map(_is_pair, update)):
            return update
        if keys := get_cached_annotated_keys(type(update)):
            return get_update_as_tuples(update, keys)
        return [("__root__", update)]


def _is_pair(item: object) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)


@dataclass(slots=True)
class Overwrite:
    """Replace the value of a channel that has a reducer, instead of passing it to the reducer.

    A channel accepts one `Overwrite` per step; a second one raises `InvalidUpdateError`.
    """

    value: Any
    """The new value."""

    type: Literal["__overwrite__"] = "__overwrite__"
    """Lets channels recognise the object after a trip through JSON has made it a dict."""


@overload
def interrupt(value: Any, *, response_schema: type[ResponseT]) -> ResponseT: ...


@overload
def interrupt(value: Any, *, response_schema: dict[str, Any] | None = None) -> Any: ...


def interrupt(value: Any, *, response_schema: dict[str, Any] | type | None = None) -> Any:
    """Ask the caller of the graph something, from within a node.

    The first time, this stops the run: the caller finds an `Interrupt` with `value` in the result.
    When the graph is run again with `Command(resume=answer)`, the node starts **from its
    beginning** and this call returns the answer. Several calls in one node are matched with their
    answers by their order. Needs a checkpointer.

    Args:
        value: What to tell the caller; any serializable value.
        response_schema: What the answer must look like. A JSON schema is only passed on. A pydantic
            model, `TypedDict` or dataclass is passed on as its JSON schema, and also validates the
            answer.

    Returns:
        The answer; for a validating schema, the validated object.

    Raises:
        GraphInterrupt: There is no answer yet. The engine handles it; do not catch it.
        pydantic.ValidationError: The answer does not fit `response_schema`. Nothing is stored, so
            the interrupt can be answered again. `errors.is_invalid_resume` recognises the error.
        RuntimeError: Not called from within a node.
    """
    from langgraph_rust.config import get_config
    from langgraph_rust.errors import GraphInterrupt

    adapter = _adapter_for(response_schema)
    asker = asker_in(get_config()[CONF])
    index = asker.next_index()
    answers = asker.answers
    if index < len(answers):
        try:
            answer = _validated(adapter, answers[index])
        except BaseException:
            asker.refuse(index)
            raise
        asker.keep(answers[: index + 1])
        return answer
    raw = asker.take_unnamed()
    if raw is not None:
        assert len(answers) == index, (answers, index)
        answer = _validated(adapter, raw)
        answers.append(raw)
        asker.keep(answers)
        return answer
    question = Interrupt(
        value=value,
        id=_interrupt_id(asker.namespace, len(answers), asker.part),
        response_schema=adapter.json_schema() if adapter else response_schema,
    )
    raise GraphInterrupt((question,))


def _adapter_for(schema: dict[str, Any] | type | None) -> TypeAdapter[Any] | None:
    if schema is None or isinstance(schema, dict):
        return None
    from pydantic import TypeAdapter

    return TypeAdapter(schema)


def _validated(adapter: TypeAdapter[Any] | None, answer: Any) -> Any:
    if adapter is None:
        return answer
    from pydantic import ValidationError

    from langgraph_rust.errors import _mark_invalid_resume

    try:
        return adapter.validate_python(answer)
    except ValidationError as error:
        _mark_invalid_resume(error)
        raise
