"""Small graphs for the tests of the drivers."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from typing_extensions import TypedDict

from langgraph_rust.checkpoint.base import BaseCheckpointSaver
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.pregel import Pregel

PATIENCE = 5
"""Seconds after which something that ought to happen counts as never happening."""


class State(TypedDict, total=False):
    """A value and a list that grows."""

    value: Any
    log: Annotated[list[Any], operator.add]


def fan_out(nodes: Sequence[Callable[..., Any]], **options: Any) -> Pregel:
    """Compile a graph whose nodes `n0`, `n1`, ... all run in the first step."""
    builder = StateGraph(State)
    for position, node in enumerate(nodes):
        builder.add_node(f"n{position}", node)
        builder.add_edge(START, f"n{position}")
    return builder.compile(**options)


def chain(nodes: Sequence[Callable[..., Any]], **options: Any) -> Pregel:
    """Compile a graph whose nodes `n0`, `n1`, ... run one after another."""
    builder = StateGraph(State)
    for position, node in enumerate(nodes):
        builder.add_node(f"n{position}", node)
        builder.add_edge(f"n{position - 1}" if position else START, f"n{position}")
    return builder.compile(**options)


class Meeting:
    """A node that waits until `size` of its kind run at the same time, and counts them."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size, timeout=PATIENCE)
        self.lock = threading.Lock()
        self.running = self.most = 0
        self.threads: set[int] = set()

    def __call__(self, state: State) -> State:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
            self.threads.add(threading.get_ident())
        try:
            self.barrier.wait()
        finally:
            with self.lock:
                self.running -= 1
        return {"log": ["met"]}


class PlainSaver(BaseCheckpointSaver):
    """A saver as others write them: only the base class's methods, and it notes its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = InMemorySaver()
        self.events: list[str] = []

    def get_tuple(self, config: Any) -> Any:
        return self.memory.get_tuple(config)

    def list(self, config: Any, **options: Any) -> Any:
        return self.memory.list(config, **options)

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        self.events.append(f"put {metadata['step']}")
        return self.memory.put(config, checkpoint, metadata, new_versions)

    def put_writes(self, config: Any, writes: Any, task_id: str) -> None:
        channels = [channel for channel, _ in writes if not channel.startswith(("branch:", "__"))]
        self.events.append("writes " + ",".join(channels))
        self.memory.put_writes(config, writes, task_id)

    async def aget_tuple(self, config: Any) -> Any:
        return self.get_tuple(config)

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: Any, writes: Any, task_id: str, task_path: str = ""
    ) -> None:
        self.put_writes(config, writes, task_id)


def thread(name: str = "1") -> dict[str, Any]:
    """Return the config of a thread."""
    return {"configurable": {"thread_id": name}}
