"""What goes to a LangGraph server and comes back, as `RemoteGraph` needs it: no I/O in here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_FORK,
    CONFIG_KEY_LEASE,
    CONFIG_KEY_RESUMES_OWN,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_STRICT_RESUME,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_THREAD_ID,
    CONFIG_KEY_WRITER,
    INTERRUPT,
    NS_SEP,
)
from langgraph_rust.errors import GraphInterrupt, ParentCommand
from langgraph_rust.types import Command, Interrupt, PregelTask, StateSnapshot

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Graph as DrawableGraph

    from langgraph_rust.pregel.protocol import StreamProtocol

_OF_THE_CALLER = frozenset(
    (
        CONFIG_KEY_CHECKPOINT_MAP,
        CONFIG_KEY_CHECKPOINT_ID,
        CONFIG_KEY_CHECKPOINT_NS,
        CONFIG_KEY_TASK_ID,
        CONFIG_KEY_STRICT_RESUME,
        CONFIG_KEY_WRITER,
        CONFIG_KEY_LEASE,
        CONFIG_KEY_FORK,
        CONFIG_KEY_RESUMES_OWN,
    )
)
"""Entries of `configurable` that mean nothing to another graph."""

_COORDINATES = (
    CONFIG_KEY_THREAD_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
)


class RemoteException(Exception):
    """A run on the server failed."""


RemoteException.__module__ = "langgraph_rust.pregel.remote"


# --- To the server -------------------------------------------------------------------------------


def sanitize_config(config: RunnableConfig) -> RunnableConfig:
    """Return what a server may get of a config: plain data, nothing about the caller's graph."""
    sanitized: dict[str, Any] = {}
    if "recursion_limit" in config:
        sanitized["recursion_limit"] = config["recursion_limit"]
    if "tags" in config:
        sanitized["tags"] = [tag for tag in config["tags"] if isinstance(tag, str)]
    if "metadata" in config:
        sanitized["metadata"] = _plain(config["metadata"])
    if CONF in config:
        conf = {k: v for k, v in config[CONF].items() if k not in _OF_THE_CALLER}
        sanitized[CONF] = _plain(conf)
    return sanitized  # type: ignore[return-value]


def _plain(value: Any) -> Any:
    """Return a value without all that is no plain data; `None` if nothing is left."""
    if isinstance(value, (str, int, float, bool, UUID)):
        return value
    if isinstance(value, Mapping):
        plain = {k: _plain(v) for k, v in value.items() if isinstance(k, str)}
        return {k: v for k, v in plain.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [item for item in map(_plain, value) if item is not None]
    return None


def checkpoint_of(config: RunnableConfig | None) -> Any:
    """Return what in a config addresses a checkpoint, `None` if nothing does."""
    conf: Any = {} if config is None else config.get(CONF, {})
    return {key: conf[key] for key in _COORDINATES if key in conf} or None


class StreamModes(NamedTuple):
    """The stream modes of a run."""

    sent: list[Any]
    """What the server is asked for."""
    requested: list[Any]
    """What the caller asked for."""
    single: bool
    """Whether the caller named one mode, not a list."""
    outer: StreamProtocol | None
    """The stream of the graph around, which gets what it wants, too."""


def stream_modes(stream_mode: Any, config: RunnableConfig | None, default: str) -> StreamModes:
    """Return the stream modes for what a caller asks for, which is `default` if nothing."""
    single = not stream_mode or isinstance(stream_mode, str)
    wanted = [stream_mode or default] if single else list(stream_mode)
    requested = ["messages" if mode == "messages-tuple" else mode for mode in wanted]
    outer = (config or {}).get(CONF, {}).get(CONFIG_KEY_STREAM)
    if outer:
        wanted.extend(outer.modes)
    sent: list[Any] = [mode for mode in wanted if mode not in ("messages", "events")]
    # Servers use the plain name for another form.
    if "messages" in wanted:
        sent.append("messages-tuple")
    # These tell of interrupts.
    if "updates" not in sent:
        sent.append("updates")
    return StreamModes(sent, requested, single, outer)


class RunStream:
    """A run to be streamed: the arguments for the client, and what becomes of the chunks."""

    def __init__(
        self,
        assistant_id: str,
        input: Any,
        config: RunnableConfig,
        call_config: RunnableConfig | None,
        *,
        stream_mode: Any,
        subgraphs: bool,
        version: str,
        **arguments: Any,
    ) -> None:
        """Make a run.

        Args:
            assistant_id: The graph on the server.
            input: Its input, or a command.
            config: The whole config.
            call_config: The config of the call alone, which says what graph calls.
            stream_mode: What the caller asks for.
            subgraphs: Whether the caller asks for subgraphs' chunks.
            version: `"v1"` or `"v2"`.
            **arguments: What else the client takes.
        """
        self._modes = stream_modes(stream_mode, call_config, "updates")
        self._subgraphs = subgraphs
        self._version = version
        caller = (call_config or {}).get(CONF, {}).get(CONFIG_KEY_CHECKPOINT_NS)
        self._caller = tuple(caller.split(NS_SEP)) if caller else ()
        sanitized: Any = sanitize_config(config)
        is_command = isinstance(input, Command)
        self.arguments: dict[str, Any] = {
            "thread_id": sanitized.get(CONF, {}).pop(CONFIG_KEY_THREAD_ID, None),
            "assistant_id": assistant_id,
            "input": None if is_command else input,
            "command": asdict(input) if is_command else None,
            "config": sanitized,
            "stream_mode": self._modes.sent,
            "stream_subgraphs": subgraphs or self._modes.outer is not None,
            "if_not_exists": "create",
            **arguments,
        }

    def receive(self, chunk: Any) -> Iterator[Any]:
        """Yield what the caller gets for a chunk, if anything; pass it on to the graph around.

        Raises:
            ParentCommand: The chunk is a command for the graph around.
            GraphInterrupt: The run was interrupted, and a graph called it.
            RemoteException: The run failed.
        """
        mode, *inner = chunk.event.split(NS_SEP)
        data, namespace = chunk.data, self._caller + tuple(inner)
        if mode == "command" and data.get("graph") == Command.PARENT:
            raise ParentCommand(Command(**data))
        outer = self._modes.outer
        if outer is not None and mode in outer.modes:
            outer((namespace, mode, data))
        if chunk.event.startswith("error"):
            raise RemoteException(data)
        if self._caller and chunk.event.startswith("updates") and _interrupts(data):
            raise GraphInterrupt(_interrupts(data))
        if self._is_requested(mode, inner):
            yield self._shaped(chunk, mode, namespace)

    def _is_requested(self, mode: str, inner: Sequence[str]) -> bool:
        # A server sends a message only once, so that of a subgraph may be all there is.
        of_scope = self._subgraphs or not inner or mode == "messages"
        return of_scope and mode in self._modes.requested

    def _shaped(self, chunk: Any, mode: str, namespace: tuple[str, ...]) -> Any:
        if chunk.event.startswith("messages"):
            chunk = chunk._replace(data=tuple(chunk.data))
        if self._version == "v2":
            interrupts: list[Any] = []
            if mode == "values" and isinstance(chunk.data, dict):
                interrupts = _interrupts(chunk.data)
                chunk.data.pop(INTERRUPT, None)
            return {
                "type": mode,
                "ns": namespace,
                "data": chunk.data,
                "interrupts": tuple(interrupts),
            }
        if self._subgraphs:
            single = self._modes.single
            return (namespace, chunk.data) if single else (namespace, mode, chunk.data)
        return chunk.data if self._modes.single else chunk


def _interrupts(data: Any) -> list[Any]:
    """Return the questions in a payload."""
    found = (data.get(INTERRUPT) or ()) if isinstance(data, dict) else ()
    return [Interrupt(**item) if isinstance(item, dict) else item for item in found]


# --- From the server -----------------------------------------------------------------------------


def to_snapshot(state: Any) -> StateSnapshot:
    """Return a thread's state as the server tells it."""
    tasks = tuple(map(_to_task, state["tasks"]))
    parent = state["parent_checkpoint"]
    return StateSnapshot(
        values=state["values"],
        next=tuple(state["next"] or ()),
        config=to_config(state["checkpoint"]),
        metadata=dict(state["metadata"]),  # type: ignore[arg-type]
        created_at=state["created_at"],
        parent_config=to_config(parent) if parent else None,
        tasks=tasks,
        interrupts=tuple(interrupt for task in tasks for interrupt in task.interrupts),
    )


def _to_task(task: Any) -> PregelTask:
    state: Any = None
    if task["state"]:
        state = to_snapshot(task["state"])
    elif task["checkpoint"]:
        state = {CONF: task["checkpoint"]}
    return PregelTask(
        id=task["id"],
        name=task["name"],
        path=(),
        error=Exception(task["error"]) if task["error"] else None,
        interrupts=tuple(Interrupt(**interrupt) for interrupt in task["interrupts"]),
        state=state,
        result=task.get("result"),
    )


def to_config(checkpoint: Any) -> RunnableConfig:
    """Return a config that addresses a checkpoint."""
    return {
        CONF: {
            CONFIG_KEY_THREAD_ID: checkpoint["thread_id"],
            CONFIG_KEY_CHECKPOINT_NS: checkpoint["checkpoint_ns"],
            CONFIG_KEY_CHECKPOINT_ID: checkpoint["checkpoint_id"],
            CONFIG_KEY_CHECKPOINT_MAP: checkpoint.get("checkpoint_map", {}),
        }
    }


def to_drawable(graph: Any) -> DrawableGraph:
    """Return a graph to draw."""
    from langchain_core.runnables.graph import Edge, Graph, Node

    nodes = {}
    for node in graph["nodes"]:
        id_, data, name = str(node["id"]), node.get("data", {}), node.get("name")
        if name is None:
            name = data.get("name", id_) if isinstance(data, dict) else id_
        # a server sends what describes the node's runnable, not the runnable
        nodes[id_] = Node(id=id_, name=name, data=data, metadata=node.get("metadata"))  # pyright: ignore[reportArgumentType]
    return Graph(nodes=nodes, edges=[Edge(**edge) for edge in graph["edges"]])
