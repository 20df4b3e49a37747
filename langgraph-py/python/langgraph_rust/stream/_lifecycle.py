"""Transformers about subgraphs: their starts and ends, and handles of their runs.

What subgraphs there are is told by `tasks` events: a task in a namespace means that the subgraph of
this namespace has started; the result of the task that runs it, that it has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import NotRequired, TypedDict

from langgraph_rust._internal._log import logger
from langgraph_rust.errors import GraphDrained, GraphInterrupt
from langgraph_rust.stream._types import ProtocolEvent, StreamTransformer
from langgraph_rust.stream.run_stream import AsyncSubgraphRunStream, SubgraphRunStream
from langgraph_rust.stream.stream_channel import StreamChannel

if TYPE_CHECKING:
    from langchain_protocol.protocol import LifecycleCause

    from langgraph_rust.stream._mux import StreamMux

Namespace = tuple[str, ...]
Handle = SubgraphRunStream | AsyncSubgraphRunStream

SubgraphStatus = Literal["started", "completed", "failed", "interrupted", "drained"]
"""How far a subgraph is."""

Transition = tuple[Namespace, SubgraphStatus, "str | None"]
"""A subgraph that has ended: its namespace, how, and its error."""


class LifecyclePayload(TypedDict, total=False):
    """The start or the end of a subgraph."""

    event: SubgraphStatus
    """What happened to it."""
    namespace: list[str]
    """Its namespace."""
    graph_name: NotRequired[str]
    """The name of the node that runs it, or of the agent that it is; only of starts."""
    trigger_call_id: NotRequired[str]
    """The id of the task that runs it; only of starts."""
    cause: NotRequired[LifecycleCause]
    """The tool call that an agent was started by; only of starts."""
    error: NotRequired[str]
    """Why it failed."""


class _TasksLifecycleBase(StreamTransformer):
    """Watches the starts and ends of subgraphs; other packages subclass it, too.

    Subclasses say which subgraphs they want to know of and what to do, by `_should_track`,
    `_on_started` and `_on_terminal`. `tasks` events do not enter the run's log.
    """

    required_stream_modes = ("tasks",)

    def __init__(self, scope: Namespace = ()) -> None:
        super().__init__(scope)
        self._seen: set[Namespace] = set()
        # Subgraphs that have not ended, with the ids of the tasks that run them.
        self._open: dict[Namespace, str] = {}
        # The agent's name, by namespace, as the first task there says; for subclasses.
        self._lc_by_ns: dict[Namespace, str | None] = {}
        # The tool calls that tasks execute, by task id.
        self._pending_tool_calls: dict[str, str] = {}
        # The cause of the start that `_on_started` is being told of.
        self._pending_cause: LifecycleCause | None = None

    def _should_track(self, ns: Namespace) -> bool:
        """Tell whether starts and ends of the subgraph at `ns` matter."""
        raise NotImplementedError

    def _on_started(
        self, ns: Namespace, graph_name: str | None, trigger_call_id: str | None
    ) -> None:
        """Called when a subgraph has started; `self._pending_cause` says why, if that is known."""
        raise NotImplementedError

    def _on_terminal(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> None:
        """Called when a subgraph has ended."""
        raise NotImplementedError

    def process(self, event: ProtocolEvent) -> bool:
        """Tell the subclass of starts and ends that the event means."""
        if event["method"] != "tasks":
            return True
        for transition in self._read_task(event):
            self._on_terminal(*transition)
        return False

    def finalize(self) -> None:
        """Tell the subclass that what has not ended has completed."""
        self._end_open("completed", None)

    def fail(self, err: BaseException) -> None:
        """Tell the subclass that what has not ended has ended as the run has."""
        self._end_open(*_status_of(err))

    def _end_open(self, status: SubgraphStatus, error: str | None) -> None:
        for ns in list(self._open):
            self._on_terminal(ns, status, error)
        self._open.clear()

    def _read_task(self, event: ProtocolEvent) -> list[Transition]:
        """Take in a `tasks` event: return the subgraphs that have ended with it."""
        ns, data = tuple(event["params"]["namespace"]), event["params"]["data"]
        if "result" in data:
            return self._pop_terminal_transitions(ns, data)
        self._record_identity(ns, data)
        self._record_pending_tool_calls(data)
        self._handle_task_start(ns, data)
        return []

    def _record_identity(self, ns: Namespace, data: dict[str, Any]) -> None:
        """Note the name of the agent that the task belongs to."""
        self._lc_by_ns.setdefault(ns, _agent_name(data))

    def _record_pending_tool_calls(self, data: dict[str, Any]) -> None:
        """Note the tool call that the task executes, if it does."""
        task_id, tool_call_id = data.get("id"), _tool_call_id(data.get("input"))
        if isinstance(task_id, str) and tool_call_id is not None:
            self._pending_tool_calls[task_id] = tool_call_id

    def _handle_task_start(self, ns: Namespace, data: dict[str, Any]) -> None:
        """If it is the first task of a subgraph, tell the subclass that this has started."""
        if ns in self._seen or not self._should_track(ns):
            return
        self._seen.add(ns)
        node, has_id, task_id = ns[-1].partition(":")
        agent, cause = _agent_name(data), None
        if agent is not None and task_id in self._pending_tool_calls:
            cause = {"type": "toolCall", "tool_call_id": self._pending_tool_calls[task_id]}
        # Not an argument: overrides in other packages do not expect it.
        self._pending_cause = cause  # type: ignore[assignment]
        self._on_started(
            ns, (node or None) if agent is None else agent, task_id if has_id else None
        )
        if has_id:
            self._open[ns] = task_id

    def _pop_terminal_transitions(self, ns: Namespace, data: dict[str, Any]) -> list[Transition]:
        """Return the subgraphs that have ended with a task's result, and regard them as ended."""
        task_id = data.get("id")
        ended = [
            child for child, runner in self._open.items() if child[:-1] == ns and runner == task_id
        ]
        for child in ended:
            del self._open[child]
        return [(child, *_status_of_result(data)) for child in ended]


def _agent_name(data: dict[str, Any]) -> str | None:
    return (data.get("metadata") or {}).get("lc_agent_name")


def _tool_call_id(given: Any) -> str | None:
    """Return the id of the tool call in a task's input; of the first, if it is a list of calls."""
    calls = given if isinstance(given, list) else ()
    if isinstance(given, dict):
        # A call with the state that the tool is to see.
        calls = (given.get("tool_call"),)
    ids = (call.get("id") for call in calls if isinstance(call, dict))
    return next((id_ for id_ in ids if isinstance(id_, str)), None)


def _status_of_result(data: dict[str, Any]) -> tuple[SubgraphStatus, str | None]:
    if data.get("interrupts"):
        return "interrupted", None
    error = data.get("error")
    return ("failed", str(error)) if error else ("completed", None)


def _status_of(err: BaseException) -> tuple[SubgraphStatus, str | None]:
    if isinstance(err, GraphDrained):
        return "drained", None
    return ("interrupted", None) if isinstance(err, GraphInterrupt) else ("failed", str(err))


class LifecycleTransformer(_TasksLifecycleBase):
    """Offers the starts and ends of all subgraphs below the scope, as `run.lifecycle`.

    They are in the run's log, too, as `lifecycle` events.
    """

    _native = True

    def __init__(self, scope: Namespace = ()) -> None:
        super().__init__(scope)
        self._channel: StreamChannel[LifecyclePayload] = StreamChannel("lifecycle")

    def init(self) -> dict[str, Any]:
        """Return the one projection."""
        return {"lifecycle": self._channel}

    def _should_track(self, ns: Namespace) -> bool:
        depth = len(self.scope)
        return len(ns) > depth and ns[:depth] == self.scope

    def _on_started(
        self, ns: Namespace, graph_name: str | None, trigger_call_id: str | None
    ) -> None:
        if trigger_call_id is None:
            # No result could ever be told to be that of the task that runs it.
            return
        payload: LifecyclePayload = {"event": "started", "namespace": list(ns)}
        if graph_name:
            payload["graph_name"] = graph_name
        payload["trigger_call_id"] = trigger_call_id
        if self._pending_cause is not None:
            payload["cause"] = self._pending_cause
        self._channel.push(payload)

    def _on_terminal(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> None:
        payload: LifecyclePayload = {"event": status, "namespace": list(ns)}
        if error is not None:
            payload["error"] = error
        self._channel.push(payload)


class SubgraphTransformer(_TasksLifecycleBase):
    """Offers a handle for every subgraph directly below the scope, as `run.subgraphs`.

    A handle has a mux of its own, with transformers like this run's, which is given the subgraph's
    events. Subgraphs of the subgraph are found by the `SubgraphTransformer` in there.
    """

    _native = True
    supports_sync = True

    def __init__(self, scope: Namespace = ()) -> None:
        super().__init__(scope)
        self._log: StreamChannel[Handle] = StreamChannel()
        self._handles: dict[Namespace, Handle] = {}
        self._mux: StreamMux | None = None

    def init(self) -> dict[str, Any]:
        """Return the one projection."""
        return {"subgraphs": self._log}

    def _on_register(self, mux: StreamMux) -> None:
        self._mux = mux

    def _should_track(self, ns: Namespace) -> bool:
        return len(ns) == len(self.scope) + 1 and ns[:-1] == self.scope

    def _on_started(
        self, ns: Namespace, graph_name: str | None, trigger_call_id: str | None
    ) -> None:
        if self._mux is None or self._mux._factories is None:
            # Nothing to make the handle's transformers with.
            return
        mux = self._mux._make_child(ns)
        kind = AsyncSubgraphRunStream if mux.is_async else SubgraphRunStream
        handle = kind(mux, path=ns, graph_name=graph_name, trigger_call_id=trigger_call_id)
        self._handles[ns] = handle
        self._log.push(handle)

    def process(self, event: ProtocolEvent) -> bool:
        """Follow the subgraphs, and pass the event on to the one it is of."""
        keep = super().process(event)
        if (handle := self._handle_for(event)) is not None:
            handle._mux.push(event)
        return keep

    async def aprocess(self, event: ProtocolEvent) -> bool:
        """Async twin of `process`."""
        keep = event["method"] != "tasks"
        if not keep:
            for transition in self._read_task(event):
                if (end := self._end(*transition)) is not None:
                    await end.arun()
        if (handle := self._handle_for(event)) is not None:
            await handle._mux.apush(event)
        return keep

    def _handle_for(self, event: ProtocolEvent) -> Handle | None:
        """Return the handle of the subgraph that the event happened in, told what it says."""
        ns, depth = tuple(event["params"]["namespace"]), len(self.scope) + 1
        handle = self._handles.get(ns[:depth]) if len(ns) >= depth else None
        if handle is None or handle._mux._events._closed:
            return None
        handle._observe_event(event)
        return handle

    def _on_terminal(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> None:
        if (end := self._end(ns, status, error)) is not None:
            end.run()

    def finalize(self) -> None:
        """End the handles that have not ended."""
        first: BaseException | None = None
        for end in self._end_all("completed", None):
            try:
                end.run()
            except BaseException as error:
                first = first or error
        if first is not None:
            raise first

    async def afinalize(self) -> None:
        """Async twin of `finalize`."""
        first: BaseException | None = None
        for end in self._end_all("completed", None):
            try:
                await end.arun()
            except BaseException as error:
                first = first or error
        if first is not None:
            raise first

    def fail(self, err: BaseException) -> None:
        """End the handles that have not ended as the run has."""
        for end in self._end_all(*_status_of(err), err):
            try:
                end.run()
            except Exception:
                end.log_failure()

    async def afail(self, err: BaseException) -> None:
        """Async twin of `fail`."""
        for end in self._end_all(*_status_of(err), err):
            try:
                await end.arun()
            except Exception:
                end.log_failure()

    def _end_all(
        self, status: SubgraphStatus, error: str | None, err: BaseException | None = None
    ) -> Iterator[_End]:
        self._open.clear()
        for ns, handle in self._handles.items():
            self._end(ns, status, error)
            if not handle._mux._events._closed:
                yield _End(handle, err)

    def _end(self, ns: Namespace, status: SubgraphStatus, error: str | None) -> _End | None:
        """Note on the handle that its subgraph has ended; return what closes its mux.

        `None` if it had ended before.
        """
        handle = self._handles.get(ns)
        if handle is None or handle._seen_terminal:
            return None
        handle._seen_terminal = True
        handle.status, handle.error = status, error
        if handle._mux._events._closed:
            return None
        failure = RuntimeError(error or "Subgraph failed") if status == "failed" else None
        return _End(handle, failure)


class _End:
    """The end of a handle's mux."""

    def __init__(self, handle: Handle, err: BaseException | None) -> None:
        self._handle = handle
        self._err = err

    def run(self) -> None:
        """Close the mux, or fail it."""
        mux = self._handle._mux
        mux.close() if self._err is None else mux.fail(self._err)

    async def arun(self) -> None:
        """Async twin of `run`."""
        mux = self._handle._mux
        await (mux.aclose() if self._err is None else mux.afail(self._err))

    def log_failure(self) -> None:
        """Log that it did not work."""
        logger.warning(
            "Error failing subgraph mini-mux at %s; subscribers may not see the terminal error.",
            self._handle.path,
            exc_info=True,
        )
