"""The native module: the engine on Python objects.

Channels are public API, re-exported by `langgraph_rust.channels`. The rest is what the package is
built on and may change with any release. Names with an underscore that the module also has are for
its own Rust code.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future as ThreadFuture
from typing import Any, Generic, Literal, TypeVar, final

from langchain_core.runnables import RunnableConfig
from typing_extensions import Self

from langgraph_rust.cache.base import BaseCache
from langgraph_rust.checkpoint.base import (
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph_rust.pregel.main import Pregel
from langgraph_rust.runtime import Runtime
from langgraph_rust.store.base import BaseStore
from langgraph_rust.types import All, CachePolicy, Durability, Interrupt, RetryPolicy, TimeoutPolicy

_Value = TypeVar("_Value")
_Update = TypeVar("_Update")
_Checkpoint = TypeVar("_Checkpoint")
_Result = TypeVar("_Result")

class BaseChannel(Generic[_Value, _Update, _Checkpoint]):
    """The interface every channel has.

    Derive from it, and define `ValueType`, `UpdateType`, `get`, `update` and `from_checkpoint`, to
    make a kind of channel in Python. These raise `NotImplementedError` here; the others have a
    default that is built on them.
    """

    typ: Any
    """The type of the channel's values, as declared."""
    key: str
    """The channel's name in its graph, for error messages."""

    def __init__(self, typ: Any, key: str = "") -> None: ...
    @property
    def ValueType(self) -> Any:
        """The type of what `get` returns."""

    @property
    def UpdateType(self) -> Any:
        """The type of one write."""

    def copy(self) -> Self:
        """Return an independent channel of the same kind with the same value."""

    def checkpoint(self) -> _Checkpoint | Any:
        """Return what is stored of the channel, `MISSING` if nothing is."""

    def from_checkpoint(self, checkpoint: _Checkpoint | Any) -> Self:
        """Return a channel of the same kind that holds what `checkpoint` returned.

        It holds nothing if that is `MISSING`.
        """

    def get(self) -> _Value:
        """Return the current value.

        Raises:
            EmptyChannelError: There is none.
        """

    def is_available(self) -> bool:
        """Tell whether there is a value to get."""

    def update(self, values: Sequence[_Update]) -> bool:
        """Apply the writes of one step, maybe none, and tell whether the channel changed.

        Raises:
            InvalidUpdateError: The channel does not accept these writes.
        """

    def consume(self) -> bool:
        """Hear that a task ran which the channel triggered; tell whether the channel changed."""

    def finish(self) -> bool:
        """Hear that the run is about to end; tell whether the channel changed."""

    def __getstate__(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Return what copies keep: `__dict__`, if there is one, and the other attributes."""

    def __setstate__(self, state: tuple[dict[str, Any] | None, dict[str, Any]]) -> None: ...

class LastValue(BaseChannel[_Value, _Value, _Value]):
    """Keeps the last write; accepts one write per step.

    Args:
        typ: Type of the values.
        key: The channel's name in its graph, for error messages.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""

class LastValueAfterFinish(BaseChannel[_Value, _Value, tuple[_Value, bool]]):
    """Keeps the last write back until the run is about to end; gone once a task ran on it.

    Args:
        typ: Type of the values.
        key: The channel's name in its graph, for error messages.
    """

    value: _Value | Any
    """What the channel holds, readable or not, `MISSING` if nothing."""
    finished: bool
    """Whether the value can be read."""

class AnyValue(BaseChannel[_Value, _Value, _Value]):
    """Keeps the last of several writes that are taken to be equal, for one step.

    Args:
        typ: Type of the values.
        key: The channel's name in its graph, for error messages.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""

class EphemeralValue(BaseChannel[_Value, _Value, _Value]):
    """Holds what was written in the step before, and is empty otherwise.

    Args:
        typ: Type of the values.
        guard: Whether a second write in one step is an error.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""
    guard: bool
    """Whether a second write in one step is an error."""

    def __init__(self, typ: Any, guard: bool = True) -> None: ...

class UntrackedValue(BaseChannel[_Value, _Value, _Value]):
    """Keeps the last write for the run; never stored.

    Args:
        typ: Type of the values.
        guard: Whether a second write in one step is an error.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""
    guard: bool
    """Whether a second write in one step is an error."""

    def __init__(self, typ: type[_Value], guard: bool = True) -> None: ...

class BinaryOperatorAggregate(BaseChannel[_Value, _Value, _Value]):
    """Folds every write into its value.

    One write of a step may be an `Overwrite`, which replaces the value.

    Args:
        typ: Type of the values; called for the first one, if it can be called.
        operator: The reducer: called with the value and a write, returns the new value.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""
    operator: Callable[[_Value, _Value], _Value]
    """The reducer."""

    def __init__(self, typ: type[_Value], operator: Callable[[_Value, _Value], _Value]) -> None: ...

class DeltaChannel(BaseChannel[_Value, Any, Any]):
    """Folds the writes of a step into its value with one call, and stores the writes.

    Its value is rebuilt from the newest one that is stored and the writes since. Beta.

    Args:
        reducer: Called with the value and a list of writes, returns the new value. Applying two
            lists one after the other must give the same as applying both as one.
        typ: Type of the values; called for the first one. By default what the state's field is
            annotated with.
        snapshot_frequency: After how many steps that wrote to it the value is stored.

    Raises:
        ValueError: `snapshot_frequency` is not positive.
    """

    value: _Value | Any
    """What the channel holds, `MISSING` if nothing."""

    def __init__(
        self,
        reducer: Callable[[Any, Sequence[Any]], Any],
        typ: type[_Value] | None = None,
        *,
        snapshot_frequency: int = 100,
    ) -> None: ...
    @property
    def reducer(self) -> Callable[[Any, Sequence[Any]], Any]:
        """The reducer."""

    @property
    def snapshot_frequency(self) -> int:
        """After how many steps that wrote to it the value is stored."""

    def replay_writes(self, writes: Sequence[tuple[str, str, Any]]) -> None:
        """Apply stored writes, `(task id, channel, value)` each, oldest first.

        From the last `Overwrite` among them on.
        """

class NamedBarrierValue(BaseChannel[_Value, _Value, set[_Value]]):
    """Opens once every name was written, and closes when a task ran on it. Reads as `None`.

    Args:
        typ: Type of the names: `str`.
        names: The names to wait for.

    Raises:
        TypeError: A name is no string.
    """

    names: set[_Value]
    """The names waited for. Assign to change them: each read returns a new set."""
    seen: set[_Value]
    """The names written since the barrier last closed. Assign to change them."""

    def __init__(self, typ: type[_Value], names: Iterable[_Value]) -> None: ...

class NamedBarrierValueAfterFinish(BaseChannel[_Value, _Value, tuple[set[_Value], bool]]):
    """A `NamedBarrierValue` that opens only when, besides, the run is about to end.

    Args:
        typ: Type of the names: `str`.
        names: The names to wait for.

    Raises:
        TypeError: A name is no string.
    """

    names: set[_Value]
    """The names waited for. Assign to change them: each read returns a new set."""
    seen: set[_Value]
    """The names written since the barrier last closed. Assign to change them."""
    finished: bool
    """Whether the barrier may open."""

    def __init__(self, typ: type[_Value], names: Iterable[_Value]) -> None: ...

class Topic(BaseChannel[Sequence[_Value], _Value | list[_Value], list[_Value]]):
    """Collects writes in a list; a list written adds its items.

    Args:
        typ: Type of the items.
        accumulate: Whether items stay for later steps.
    """

    values: list[_Value]
    """The items. Assign to change them: each read returns a new list."""
    accumulate: bool
    """Whether items stay for later steps."""

    def __init__(self, typ: type[_Value], accumulate: bool = False) -> None: ...

class StateUpdates:
    """Turns a node's result into updates of the state.

    Args:
        keys: The keys that the graph's state has; others are left out. With `__root__` as the only
            one, the result as a whole is the state.
    """

    def __init__(self, keys: Sequence[str]) -> None: ...
    def __call__(self, input: Any) -> list[tuple[str, Any]] | None:
        """Return the updates as `(key, value)` pairs; `None` if the result is `None`.

        Raises:
            InvalidUpdateError: The result is nothing a node may return.
        """

class ControlWrites:
    """Turns a node's result into the writes that start the nodes it goes to."""

    def __init__(self) -> None: ...
    def __call__(self, input: Any) -> list[tuple[str, Any]]:
        """Return the writes as `(channel, value)` pairs.

        Raises:
            ParentCommand: The result holds a command for the enclosing graph.
        """

# --- graphs and runs ---

_Chunk = tuple[tuple[str, ...], str, Any]
_Shape = str | Callable[[Any, str, Any], Any]
_Versioning = Literal["text"] | Callable[[Any, None], Any]

@final
class Plan:
    """A graph as the engine runs it: made once, immutable, shared by all runs.

    Args:
        pregel: The graph. Its nodes, channels and settings are read now; later changes to them are
            not seen.

    Raises:
        ValueError: A node names a channel that the graph does not have.
    """

    def __init__(self, pregel: Pregel[Any, Any, Any, Any]) -> None: ...
    def needs_history(self, checkpoint: Checkpoint) -> list[str]:
        """Return the channels whose values a stored checkpoint lacks though they were written to.

        They store changes: `get_delta_channel_history` of the saver has them.
        """

@final
class Sink:
    """A run's stream. Events wait here, in order, until the run hands them to its caller.

    Args:
        modes: Stream modes that the caller wants.
        outer: The stream of the run around this one, which is passed what it wants first. Any
            callable with a set `modes` will do.
    """

    def __init__(self, modes: Iterable[str], outer: Any | None = None) -> None: ...
    @property
    def modes(self) -> set[str]:
        """The modes that anybody wants, the streams around this one included."""

    def __call__(self, chunk: _Chunk) -> None:
        """Take an event `(namespace, mode, payload)`; it is dropped if nobody wants the mode."""

    def put(self, chunk: _Chunk) -> None:
        """Take an event for the caller alone, not for the streams around this one."""

@final
class GraphRun:
    """One run of a graph. Iterate over it for its chunks, or `invoke` it for its result.

    An async run is driven by `ainvoke` or `anext` instead. A run is used up by one of these, and
    closed by an error.

    Args:
        pregel: The graph.
        plan: Its plan.
        input: What to run it on; `None` to go on from where the thread stands.
        config: The run's config, complete.
        checkpoint_config: Names the checkpoint to start from, and where new ones are stored.
        output_keys: Channels whose values are shown and returned: a name, or several.
        interrupt_before: Nodes to stop before, or `"*"`.
        interrupt_after: Nodes to stop after, or `"*"`.
        runtime: What the tasks' runtimes are copies of.
        command: If `input` is a command: its `(channel, value)` writes, whether it answers
            questions, and whether by interrupt id.
        saver: Where checkpoints are stored.
        never_blocks: Whether async runs may call the saver's sync methods.
        takes_path: Whether the saver's `put_writes` takes the task's path.
        joins: Whether the saver has `put_superstep`.
        claims: Whether what is stored first says whose the thread is: no task begins before.
        linear: Which channels with reducers are stored as changes: those whose reducers are known
            to replay, or those of these names.
        versioning: How channel versions are counted: `None` for 1, 2, 3; `"text"` for the way of
            the savers that ship; or the saver's `get_next_version`.
        saved: What the saver has for `checkpoint_config`.
        histories: Those of the channels that `Plan.needs_history` names for it.
        addressed: Whether the caller named that checkpoint.
        superseded: Whether the thread has moved past it.
        durability: When checkpoints are stored.
        store: Memory across threads, for nodes that ask for it.
        cache: Where results of nodes with a cache policy are kept.
        manager: The callback manager, if anybody listens; nodes are then run as runnables.
        sink: Where stream events go.
        shape: What a chunk is made of: `"payload"`, `"moded"` (with the mode before it),
            `"namespaced"` (with the namespace before it), `"full"` (with both), or what a function
            makes of namespace, mode and payload, `NotImplemented` to drop the event.
        eager: Whether chunks leave while tasks run, rather than when one is done.
        latest: Whether the caller waits for the end.
        subgraphs: Whether runs within this one stream to its sink.
        is_async: Whether nodes are run by their async functions.
        drains: Whether nodes are run by `astream`, for handlers that tap them.

    Raises:
        EmptyInputError: There is neither input nor a thread to go on with.
        InvalidUpdateError: A channel does not accept the input.
    """

    def __init__(
        self,
        pregel: Pregel[Any, Any, Any, Any],
        plan: Plan,
        input: Any,
        config: RunnableConfig,
        *,
        checkpoint_config: RunnableConfig,
        output_keys: str | Sequence[str],
        interrupt_before: All | Sequence[str],
        interrupt_after: All | Sequence[str],
        runtime: Runtime[Any],
        command: tuple[list[tuple[str, Any]], bool, bool] | None = None,
        saver: BaseCheckpointSaver[Any] | None = None,
        never_blocks: bool = False,
        takes_path: bool = True,
        joins: bool = False,
        claims: bool = False,
        linear: bool | list[str] = False,
        versioning: _Versioning | None = None,
        saved: CheckpointTuple | None = None,
        histories: Mapping[str, DeltaChannelHistory] | None = None,
        addressed: bool = False,
        superseded: bool = False,
        durability: Durability | str = "async",
        store: BaseStore | None = None,
        cache: BaseCache[Any] | None = None,
        manager: Any | None = None,
        sink: Sink | None = None,
        shape: _Shape | None = None,
        eager: bool = False,
        latest: bool = False,
        subgraphs: bool = False,
        is_async: bool = False,
        drains: bool = False,
    ) -> None: ...
    def invoke(self) -> tuple[Any, list[Interrupt]]:
        """Run to the end; return the latest output and the questions that were asked."""

    def __iter__(self) -> Iterator[Any]: ...
    def __next__(self) -> Any:
        """Run up to the next chunk."""

    def close(self) -> None:
        """Stop the run of a caller who lost interest; what must be stored still is."""

    def ainvoke(self) -> Awaitable[tuple[Any, list[Interrupt]]]:
        """Async twin of `invoke`."""

    def anext(self) -> Awaitable[Any]:
        """Run up to the next chunk; the awaitable raises `StopAsyncIteration` at the end."""

    def aclose(self) -> Awaitable[None] | None:
        """Async twin of `close`; `None` if the run has failed and is gone."""

    def lifecycle(self) -> list[tuple[str, str, str, tuple[str, ...], tuple[Interrupt, ...]]]:
        """Return the resumptions and pauses since the last time.

        Each is `(kind, status, checkpoint id, namespace, interrupts)`, with the kind `"resume"` or
        `"interrupt"`.
        """

    def output(self) -> Any:
        """Return the output channels' current values."""

@final
class TaskConfig(dict[str, Any]):
    """The ambient config of a node that did not ask for its config: a dict filled on first use.

    Made by the engine only.
    """

    def plain(self) -> dict[str, Any]:
        """Return the config as a plain dict, the same each time."""

@final
class Callee:
    """A function that is called as a task, and what the engine knows of it."""

    def __init__(self, func: Callable[..., Any]) -> None: ...
    def start(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        retry_policy: Sequence[RetryPolicy] | None,
        cache_policy: CachePolicy[Any] | None,
        timeout: TimeoutPolicy | None,
    ) -> Any | None:
        """Call the function as a task of the one that runs here; return the future of its result.

        `None` if the ambient config is not just what a task was given: then it is to be called
        through the config.
        """

@final
class Task:
    """A running task, as its config shows it: `__pregel_send` (called) and `__pregel_scratchpad`.

    It does not keep its run alive. Made by the engine only.
    """

    step: int
    """The current superstep."""
    stop: int
    """The superstep that will not be run any more."""
    resume: list[Any]
    """The answers received so far, in the order of the questions."""

    def __call__(self, writes: Iterable[tuple[str, Any]]) -> None:
        """Write `(channel, value)` pairs on behalf of the task."""

    @property
    def graph_namespace(self) -> str | None:
        """The namespace of the graph that the task is of; `None` when its run is over."""

    def is_over(self) -> bool:
        """Whether nobody waits for the task any more, so that what it does is best stopped."""

    def discard_writes(self) -> None:
        """Drop what has been written so far."""

    def call_counter(self) -> int:
        """Return the number of the task's next call, from zero."""

    def interrupt_counter(self) -> int:
        """Return the number of the task's next question, from zero."""

    def subgraph_counter(self) -> int:
        """Return the number of the next graph run inside the task, from zero."""

    def get_null_resume(self, consume: bool = False) -> Any:
        """Return the answer that was given without an id, or `None`; `consume` takes it away."""

    def name_part(self, name: str) -> str:
        """Return a name for a part of the task that no other part of this attempt has."""

    def part_resume(self, part: str) -> list[Any]:
        """Return a new list of the answers of a part of the task.

        One that its next interrupt is given by id is among them, and is stored, for when the task
        runs again.
        """

    def asked_before(self) -> Any:
        """Return what the task was interrupted with before, as it is stored, or `None`."""

    def keep_part_resume(self, part: str, values: list[Any]) -> None:
        """Have these answers of a part of the task stored in place of those before."""

    def call(
        self,
        func: Callable[..., Any],
        input: tuple[tuple[Any, ...], Mapping[str, Any]],
        *,
        retry_policy: Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy[Any] | None = None,
        timeout: TimeoutPolicy | None = None,
        callbacks: Any | None = None,
    ) -> ThreadFuture[Any] | Awaitable[Any]:
        """Run `func` on `(args, kwargs)` as a task of its own in the same superstep.

        Returns:
            A future of its result: of `concurrent.futures` in a sync run, of asyncio in an async
            one.

        Raises:
            RuntimeError: The run is over, or `func` is a coroutine function and the run is sync.
        """

@final
class StateView:
    """A thread's state outside of a run, to be read and written to.

    Args:
        plan: The graph's plan.
        checkpoint: What is stored; `None` for a thread that has not begun.
        histories: Those of the channels that `Plan.needs_history` names for it.
    """

    def __init__(
        self,
        plan: Plan,
        checkpoint: Checkpoint | None = None,
        histories: Mapping[str, DeltaChannelHistory] | None = None,
    ) -> None: ...
    @property
    def checkpoint_id(self) -> str:
        """The id of the checkpoint."""

    @property
    def updated(self) -> list[str] | None:
        """The channels that the last writes changed, if known."""

    @property
    def versions(self) -> dict[str, str | int | float]:
        """The channels' versions."""

    @property
    def versions_seen(self) -> dict[str, dict[str, str | int | float]]:
        """For each node, the versions it has run on."""

    def values(self, keys: str | Sequence[str]) -> Any:
        """Return the value of one channel, or a dict of those of several that have one."""

    def read(
        self,
        select: str | Sequence[str],
        fresh: bool = False,
        writes: Iterable[tuple[str, Any]] | None = None,
    ) -> Any:
        """Return the same; with `fresh`, as it would be after `writes`."""

    def tasks(
        self, namespace: str, step: int
    ) -> list[tuple[str, str, tuple[Any, ...], tuple[str, ...]]]:
        """Return the tasks of the next superstep: `(id, name, path, triggers)`."""

    def apply(
        self,
        items: Sequence[tuple[str, tuple[Any, ...], bool, Iterable[tuple[str, Any]]]],
        versioning: _Versioning | None = None,
    ) -> None:
        """Apply writes as a superstep does.

        Args:
            items: Who wrote, the path of the task, whether it is a task rather than input, and the
                `(channel, value)` pairs.
            versioning: As for `GraphRun`.

        Raises:
            InvalidUpdateError: A channel does not accept its writes.
        """

    def pass_interrupts(self) -> None:
        """Note that static interrupts have seen the state."""

    def admit(self, writes: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Return writes as they are stored and applied: messages for delta channels have ids."""

    def delta_targets(
        self, writes: Iterable[tuple[str, Any]], overwritten: bool = False
    ) -> list[str]:
        """Return the delta channels that writes go to, or those that they overwrite."""

    def updated_checkpoint(
        self,
        step: int,
        counters: Mapping[str, Any] | None,
        updated: set[str],
        sealed: set[str],
        versioning: _Versioning | None = None,
    ) -> tuple[Checkpoint, dict[str, Any]]:
        """Return the state as the checkpoint after an update, and more metadata for it.

        Args:
            step: The number that its id is made for.
            counters: Metadata of the checkpoint before; `None` for a thread that had none.
            updated: The channels that were written to.
            sealed: Delta channels whose values are to be part of it; so are those that are due.
            versioning: As for `GraphRun`.
        """

    def checkpoint(self, step: int, checkpoint_id: str | None = None) -> Checkpoint:
        """Return the state as a checkpoint to be stored.

        Args:
            step: The superstep, which becomes part of a new id.
            checkpoint_id: The id to use instead of a new one.
        """

@final
class Coroutine:
    """A run to be awaited, or a node of its own asyncio task. Made by the engine only."""

    def send(self, value: Any, /) -> Any:
        """Take a turn."""

    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        """Take a turn in which an exception arrives."""

    def close(self) -> None:
        """End without another turn."""

    def __await__(self) -> Iterator[Any]: ...

def call_on_worker(code: Callable[[], Any]) -> Awaitable[Any]:
    """Have a worker thread call `code` in a copy of the current context.

    A few dozen such calls run at the same time, and any number of those that wait for tasks that
    they have called. Needs a running event loop.
    """

def part_task_id(task: str, part: str) -> str:
    """Return the id under which a part of a task keeps its answers."""

class Pace:
    """What is known of how long some sync code takes: at first, that it may be quick."""

    def __new__(cls) -> Self: ...

def call_paced(code: Callable[[], _Result], pace: Pace) -> tuple[bool, Any]:
    """Do as `call_on_worker`, for a caller who has nothing else to do.

    Waits a moment, some 100 us at most, for the result of code whose `pace` lets that come so soon.
    Returns whether it did, and the result, or else a future of it.
    """

def side_by_side(
    calls: Sequence[Callable[[], _Result]], limit: int | None = None, takes_part: bool = True
) -> list[_Result]:
    """Make calls side by side, on this thread and on workers; return their results in order.

    Calls that wait for something overlap; those that compute are made one after the other, as
    further threads would only slow them down. After a failure no further call begins, those that
    have begun are waited for, and the first error in the order of the calls is raised. A signal, or
    an exit from a call on this thread, is raised at once.

    Args:
        calls: What to call, without arguments, in this order.
        limit: How many may be made at the same time; as many as there are if left out.
        takes_part: Whether this thread makes calls, too.
    """

def checkpoint_id(clock_seq: int) -> str:
    """Return a new UUID of version 6, greater than all that this process has made before.

    Args:
        clock_seq: Goes into the 14 bits of the sequence field; savers put the superstep there.
    """

def timestamp() -> str:
    """Return the time in UTC as ISO 8601 text."""

def _panic_at(name: str | None) -> None:
    """Have the engine panic when it runs a task of this name next; `None`: no longer. For tests."""

def _merge_metadata(
    metadata: dict[str, Any], sections: list[dict[str, Any]], excluded: set[str]
) -> dict[str, Any]:
    """Return `metadata` with the strings and numbers of the sections that it does not have."""

def _encode(value: Any, describe: Callable[[Any], tuple[Any, ...]]) -> bytes:
    """Encode a value; `describe` says what to store of one of a class that is not known."""

def _encode_typed(value: Any, describe: Callable[[Any], tuple[Any, ...]]) -> tuple[str, bytes]:
    """Encode a value; return the name of the encoding, and the bytes."""

class _Decoder:
    """Decodes values: `rebuild` makes what a record describes, if `permits` its class."""

    def __init__(
        self, rebuild: Callable[..., Any], permits: Callable[[str, str], bool]
    ) -> None: ...
    def decode(self, data: Any, ext_hook: Callable[[int, bytes], Any] | None = None) -> Any:
        """Decode bytes; with `ext_hook`, records are made by it."""
    def record(self, code: int, body: bytes) -> Any:
        """Decode the body of a record of this kind."""

def _draw(
    nodes: list[tuple[str, list[str], str, str, int | None]],
    edges: list[tuple[int, int, str | None, bool]],
    clusters: list[tuple[str, int | None]],
    theme: str,
    scale: float | None = None,
) -> Any:
    """Draw a graph: as SVG, or with a `scale` as PNG, in so many pixels for one of the SVG's.

    Args:
        nodes: Label, lines below it, what it is drawn as (`"first"`, `"last"`), what became of it
            (`"done"`, `"next"`, `"waiting"`, `"failed"`, `"untouched"`), and its box.
        edges: Source and target by their places, label, whether it is only taken sometimes.
        clusters: Label, and the box around it, which comes before.
        theme: `"light"`, `"dark"`, or `"auto"`.

    Raises:
        ValueError: There is no such theme, or the picture would be too large.
    """
