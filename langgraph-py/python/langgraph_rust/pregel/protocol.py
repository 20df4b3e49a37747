"""What `Pregel` and `RemoteGraph` have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from langgraph_rust._internal._lazy.runnable import LazyRunnable
from langgraph_rust.typing import ContextT, InputT, OutputT, StateT

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Graph as DrawableGraph
    from typing_extensions import Self

    from langgraph_rust.types import (
        All,
        Command,
        GraphOutput,
        StateSnapshot,
        StateUpdate,
        StreamMode,
        StreamPart,
    )

__all__ = ("PregelProtocol", "StreamProtocol")

StreamChunk = tuple[tuple[str, ...], str, Any]
"""One streamed item: namespace of the graph it comes from, stream mode, payload."""


class PregelProtocol(LazyRunnable, Generic[StateT, ContextT, InputT, OutputT]):
    """A graph that can be run, streamed, inspected and edited; each method has an async twin."""

    # The methods that run a graph take named arguments where those of `Runnable` take any, as
    # upstream's do, so they override these in a way that type checkers do not accept.

    @abstractmethod
    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Self:
        """Return a copy of the graph with `config` merged into its own."""

    @abstractmethod
    def get_graph(
        self, config: RunnableConfig | None = None, *, xray: int | bool = False
    ) -> DrawableGraph:
        """Return the graph as nodes and edges to draw; `xray` opens subgraphs (int: how deep)."""

    @abstractmethod
    async def aget_graph(
        self, config: RunnableConfig | None = None, *, xray: int | bool = False
    ) -> DrawableGraph:
        """Async twin of `get_graph`."""

    @abstractmethod
    def get_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """Return the thread's state at the checkpoint `config` names, the latest by default."""

    @abstractmethod
    async def aget_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """Async twin of `get_state`."""

    @abstractmethod
    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the thread's states, newest first."""

    @abstractmethod
    def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""

    @abstractmethod
    def bulk_update_state(
        self, config: RunnableConfig, updates: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write updates superstep by superstep; return the config of the last checkpoint made."""

    @abstractmethod
    async def abulk_update_state(
        self, config: RunnableConfig, updates: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Async twin of `bulk_update_state`."""

    @abstractmethod
    def update_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
    ) -> RunnableConfig:
        """Write `values` as if node `as_node` returned them; return the new checkpoint's config."""

    @abstractmethod
    async def aupdate_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
    ) -> RunnableConfig:
        """Async twin of `update_state`."""

    @overload
    @abstractmethod
    def stream(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | list[StreamMode] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        subgraphs: bool = False,
        version: Literal["v2"],
    ) -> Iterator[StreamPart[StateT, OutputT]]: ...

    @overload
    @abstractmethod
    def stream(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | list[StreamMode] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        subgraphs: bool = False,
        version: Literal["v1"] = ...,
    ) -> Iterator[dict[str, Any] | Any]: ...

    @abstractmethod
    def stream(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | list[StreamMode] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        subgraphs: bool = False,
        version: Literal["v1", "v2"] = "v1",
    ) -> Iterator[dict[str, Any] | Any]:
        """Run the graph and yield what happens; `version="v2"` yields typed parts."""

    @overload
    @abstractmethod
    def astream(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | list[StreamMode] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        subgraphs: bool = False,
        version: Literal["v2"],
    ) -> AsyncIterator[StreamPart[StateT, OutputT]]: ...

    @overload
    @abstractmethod
    def astream(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | list[StreamMode] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        subgraphs: bool = False,
        version: Literal["v1"] = ...,
    ) -> AsyncIterator[dict[str, Any] | Any]: ...

    @abstractmethod
    def astream(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | list[StreamMode] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        subgraphs: bool = False,
        version: Literal["v1", "v2"] = "v1",
    ) -> AsyncIterator[dict[str, Any] | Any]:
        """Async twin of `stream`."""

    @overload
    @abstractmethod
    def invoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        version: Literal["v2"],
    ) -> GraphOutput[OutputT]: ...

    @overload
    @abstractmethod
    def invoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        version: Literal["v1"] = ...,
    ) -> dict[str, Any] | Any: ...

    @abstractmethod
    def invoke(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        version: Literal["v1", "v2"] = "v1",
    ) -> dict[str, Any] | Any:
        """Run the graph and return its output; `version="v2"` returns a `GraphOutput`."""

    @overload
    @abstractmethod
    async def ainvoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        version: Literal["v2"],
    ) -> GraphOutput[OutputT]: ...

    @overload
    @abstractmethod
    async def ainvoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        version: Literal["v1"] = ...,
    ) -> dict[str, Any] | Any: ...

    @abstractmethod
    async def ainvoke(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        version: Literal["v1", "v2"] = "v1",
    ) -> dict[str, Any] | Any:
        """Async twin of `invoke`."""


class StreamProtocol:
    """A sink for streamed items: call it with `(namespace, mode, payload)`.

    `modes` is the set of stream modes it wants to receive.
    """

    __slots__ = ("__call__", "modes")

    __call__: Callable[[StreamChunk], None]
    modes: set[StreamMode]

    def __init__(self, __call__: Callable[[StreamChunk], None], modes: set[StreamMode]) -> None:
        """Make a sink that hands each item to `__call__`."""
        self.__call__ = __call__
        self.modes = modes
