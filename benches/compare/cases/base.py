"""A case: the same work for a graph library and for a hand-written loop.

Nothing here imports `langgraph` at module level: the process that starts the measurements lists
cases too, and has no graph library.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, Literal
from uuid import uuid4

Mode = Literal["sync", "async"]
MODES: tuple[Mode, ...] = ("sync", "async")
Durability = Literal["exit", "async", "sync"]
Run = Callable[[], Any] | Callable[[], Awaitable[Any]]
"""One run of a case: plain in mode ``sync``, a coroutine function in mode ``async``.

It returns the list of what was streamed, or the result, to tell whether two sides did the same."""

SUFFIXES: dict[Durability | None, str] = {
    None: "",
    "exit": "_checkpoint",
    "async": "_checkpoint_default",
}
"""What the name of a case ends with, by the durability that its saver is used with; `None`: it has
no saver. Upstream's own benchmark stores at the end."""

POSTGRES = "BENCH_POSTGRES"
"""The environment variable that says how to connect to a server."""

NO_LIMIT = 1_000_000_000
"""A recursion limit that no case reaches."""


class Case(ABC):
    """Something to measure. ``steps`` is how many supersteps a run takes, subgraphs included."""

    name: str
    steps: int
    unit: str = "step"
    """What ``steps`` counts."""
    modes: tuple[Mode, ...] = MODES
    """What it can be measured in."""
    beside: str | None = None
    """A package that it needs besides what every case has; see `benches.compare.places`."""
    needs_postgres: bool = False
    """Whether it needs a server, which `POSTGRES` then names in the environment."""

    def __init__(self) -> None:
        self._saver: Any = None
        self._threads: list[str] = []

    @abstractmethod
    def graph(self, mode: Mode) -> Run:
        """Build the graph with whatever `langgraph` is in this process; a run of it."""

    @abstractmethod
    def floor(self, mode: Mode) -> Run:
        """The hand-written loop over the same functions. Called where `langgraph` is upstream."""

    def others(self, mode: Mode) -> tuple[str, ...]:
        """The sides besides the three that can do this: peers, or another floor."""
        return ()

    def other(self, side: str, mode: Mode) -> Run:
        """A run on one of the `others`, called in that side's process."""
        raise NotImplementedError

    async def aopen(self) -> None:
        """Make what belongs to the event loop. Comes after `graph` in mode ``async``."""
        return

    async def aclose(self) -> None:
        """Give it back."""
        return

    def clean(self) -> None:
        """Forget the threads of the runs so far; outside the time taken, or memory would fill."""
        for thread in self._threads if self._saver else ():
            self._saver.delete_thread(thread)
        self._threads.clear()

    def stream_run(
        self, graph: Any, value: Any, mode: Mode, durability: Durability | None = "exit"
    ) -> Run:
        """A run that drains the graph's stream, with a saver as upstream's benchmark does, or with
        the durability that a user gets who asks for none (`None`)."""
        options = {"durability": durability} if self._saver else {}

        def run() -> list[Any]:
            return list(graph.stream(value, self._config(), **options))

        async def arun() -> list[Any]:
            chunks = graph.astream(value, self._config(), **options)
            return [chunk async for chunk in chunks]

        return run if mode == "sync" else arun

    def invoke_run(self, graph: Any, value: Any, mode: Mode) -> Run:
        """A run that is one ``invoke`` or ``ainvoke``."""

        def run() -> Any:
            return graph.invoke(value, self._config())

        async def arun() -> Any:
            return await graph.ainvoke(value, self._config())

        return run if mode == "sync" else arun

    def new_saver(self, checkpoint: bool) -> Any:
        """An in-memory saver, or none."""
        if checkpoint:
            from langgraph.checkpoint.memory import InMemorySaver

            self._saver = InMemorySaver()
        return self._saver

    def _config(self) -> dict[str, Any]:
        """A fresh thread without a recursion limit."""
        self._threads.append(str(uuid4()))
        return {"configurable": {"thread_id": self._threads[-1]}, "recursion_limit": NO_LIMIT}


def in_either_mode(work: Callable[[], Any], mode: Mode) -> Run:
    """A floor whose nodes are plain functions: the loop is the same in both modes."""

    async def arun() -> Any:
        return work()

    return work if mode == "sync" else arun
