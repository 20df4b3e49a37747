"""What a run is to do: checked and encoded where it is asked for, read by a worker."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypedDict

from langgraph_rust.pregel._build.asked import check_durability, check_modes
from langgraph_rust.runs._plans import NewRun
from langgraph_rust.runs._statements import FIRST

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.serde.base import SerializerProtocol
    from langgraph_rust.pregel import Pregel
    from langgraph_rust.types import Durability, StreamMode

__all__ = ("Asked", "Request", "new_run")

_LOCAL = frozenset(("callbacks", "run_id", "run_name"))
"""Entries of a config that mean something in one process alone, or that a run has of its own."""

_QUEUE_BYTES = 40
"""Procrastinate listens to a channel of the queue's name; PostgreSQL cuts those off."""


_PRIORITY = FIRST - 1


class Asked(TypedDict, total=False):
    """The keyword arguments of `enqueue` that say how the graph runs."""

    config: RunnableConfig | None
    """As for `invoke`, without callbacks; its `thread_id` counts if `thread_id` is not given."""
    context: Any
    """As for `invoke`."""
    stream_mode: StreamMode | Sequence[StreamMode]
    """What the run's stream is made of; `updates` if left out."""
    subgraphs: bool
    """Whether the stream has what subgraphs stream, too."""
    durability: Durability
    """As for `invoke`; `sync` if left out, so that what is shown is stored."""
    interrupt_before: str | Sequence[str] | None
    """As for `invoke`."""
    interrupt_after: str | Sequence[str] | None
    """As for `invoke`."""
    timeout: float | timedelta | None
    """How long the run may take, in seconds, from when it was first taken up."""


class Request(TypedDict):
    """What a worker is told of a run."""

    input: Any
    config: dict[str, Any]
    context: Any
    stream_mode: list[StreamMode]
    subgraphs: bool
    durability: Durability
    interrupt_before: Any
    interrupt_after: Any
    timeout: float | None


def new_run(
    graphs: Mapping[str, Pregel],
    graph: str | Pregel,
    input: Any,
    asked: Asked,
    *,
    thread_id: str | None,
    queue: str | None,
    priority: int,
    at: datetime | timedelta | None,
    serde: SerializerProtocol,
) -> NewRun:
    """Check what is asked for, and encode it.

    Raises:
        ValueError: the graph is not among `graphs`, a config has callbacks, a time has no zone, a
            thread's id cannot be stored, a timeout or a priority is none, or a queue has too long a
            name.
        TypeError: something cannot be encoded, or is asked for that nobody knows.
    """
    if unknown := asked.keys() - Asked.__annotations__.keys():
        raise TypeError(f"enqueue() got unexpected keyword arguments: {', '.join(unknown)}")
    name = _name(graphs, graph)
    given: dict[str, Any] = {**(asked.get("config") or {})}
    config = {key: value for key, value in given.items() if value is not None}
    if config.get("callbacks"):
        raise ValueError("callbacks stay in this process: a run that is enqueued cannot have them")
    own = config.get("configurable", {}).get("thread_id")
    modes: Any = asked.get("stream_mode", "updates")
    timeout = asked.get("timeout")
    modes = [modes] if isinstance(modes, str) else [*modes]
    check_modes({*modes})
    durability = asked.get("durability", "sync")
    check_durability(durability)
    request: Request = {
        "input": input,
        "config": {key: value for key, value in config.items() if key not in _LOCAL},
        "context": asked.get("context"),
        "stream_mode": modes,
        "subgraphs": asked.get("subgraphs", False),
        "durability": durability,
        "interrupt_before": asked.get("interrupt_before"),
        "interrupt_after": asked.get("interrupt_after"),
        "timeout": _seconds(timeout),
    }
    return NewRun(
        id=str(uuid.uuid4()),
        thread_id=_thread(next((one for one in (thread_id, own) if one is not None), None)),
        graph=name,
        queue=_queue(queue or name),
        priority=_priority(priority),
        at=_time(at),
        request=serde.dumps_typed(request),
    )


def _thread(given: Any) -> str:
    thread_id = str(uuid.uuid4()) if given is None else str(given)
    if not thread_id:
        raise ValueError("thread_id is empty: leave it out for a new thread")
    if "\0" in thread_id or any("\ud800" <= letter <= "\udfff" for letter in thread_id):
        raise ValueError(f"Postgres cannot store the thread_id {thread_id!r}: it is no plain text")
    return thread_id


def _name(graphs: Mapping[str, Pregel], graph: str | Pregel) -> str:
    if isinstance(graph, str):
        if graphs and graph not in graphs:
            raise ValueError(f"no graph is called '{graph}'; there are: {', '.join(graphs)}")
        return graph
    for name, one in graphs.items():
        if one is graph:
            return name
    raise ValueError(
        "workers find graphs by name: enqueue the name, or give Runs(graphs={'name': graph})"
    )


def _queue(name: str) -> str:
    if len(name.encode()) > _QUEUE_BYTES:
        raise ValueError(f"the name of a queue has at most {_QUEUE_BYTES} bytes: '{name}'")
    return name


def _seconds(timeout: Any) -> float | None:
    if timeout is None:
        return None
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise ValueError(f"timeout is a positive number of seconds, or a timedelta: {timeout!r}")
    return float(seconds)


def _priority(priority: Any) -> int:
    if not isinstance(priority, int) or abs(priority) > _PRIORITY:
        raise ValueError(f"priority is a whole number of at most {_PRIORITY}: {priority!r}")
    return priority


def _time(at: datetime | timedelta | None) -> datetime | None:
    if isinstance(at, timedelta):
        return datetime.now(timezone.utc) + at
    if at is not None and not isinstance(at, datetime):
        raise TypeError(f"at is a datetime with a zone, or a timedelta from now: {at!r}")
    if at is not None and at.utcoffset() is None:
        raise ValueError(f"a time needs a zone: {at}")
    return at
