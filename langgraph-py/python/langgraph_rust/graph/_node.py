"""What a node may be (`StateNode`) and what the builder knows about it (`StateNodeSpec`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, Union

from langgraph_rust._internal._typing import EMPTY_SEQ, DeprecatedKwargs
from langgraph_rust.typing import ContextT, NodeInputT, NodeInputT_contra

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig

    from langgraph_rust._internal._lazy.runnable import LazyRunnable
    from langgraph_rust.runtime import Runtime
    from langgraph_rust.store.base import BaseStore
    from langgraph_rust.types import (
        CachePolicy,
        RetryPolicy,
        StreamWriter,
        TimeoutPolicy,
        TracePolicy,
    )


class _Node(Protocol[NodeInputT_contra]):
    def __call__(self, state: NodeInputT_contra) -> Any: ...


class _NodeWithConfig(Protocol[NodeInputT_contra]):
    def __call__(self, state: NodeInputT_contra, config: RunnableConfig) -> Any: ...


class _NodeWithWriter(Protocol[NodeInputT_contra]):
    def __call__(self, state: NodeInputT_contra, *, writer: StreamWriter) -> Any: ...


class _NodeWithStore(Protocol[NodeInputT_contra]):
    def __call__(self, state: NodeInputT_contra, *, store: BaseStore) -> Any: ...


class _NodeWithWriterStore(Protocol[NodeInputT_contra]):
    def __call__(
        self, state: NodeInputT_contra, *, writer: StreamWriter, store: BaseStore
    ) -> Any: ...


class _NodeWithConfigWriter(Protocol[NodeInputT_contra]):
    def __call__(
        self, state: NodeInputT_contra, *, config: RunnableConfig, writer: StreamWriter
    ) -> Any: ...


class _NodeWithConfigStore(Protocol[NodeInputT_contra]):
    def __call__(
        self, state: NodeInputT_contra, *, config: RunnableConfig, store: BaseStore
    ) -> Any: ...


class _NodeWithConfigWriterStore(Protocol[NodeInputT_contra]):
    def __call__(
        self,
        state: NodeInputT_contra,
        *,
        config: RunnableConfig,
        writer: StreamWriter,
        store: BaseStore,
    ) -> Any: ...


class _NodeWithRuntime(Protocol[NodeInputT_contra, ContextT]):
    def __call__(self, state: NodeInputT_contra, *, runtime: Runtime[ContextT]) -> Any: ...


if TYPE_CHECKING:
    _RunnableNode: TypeAlias = Runnable[NodeInputT, Any] | LazyRunnable
else:
    # naming the class would import langchain-core; at run time the alias is only for show
    _RunnableNode = "Runnable"

StateNode: TypeAlias = Union[  # noqa: UP007 - `|` does not take the forward reference
    _Node[NodeInputT],
    _NodeWithConfig[NodeInputT],
    _NodeWithWriter[NodeInputT],
    _NodeWithStore[NodeInputT],
    _NodeWithWriterStore[NodeInputT],
    _NodeWithConfigWriter[NodeInputT],
    _NodeWithConfigStore[NodeInputT],
    _NodeWithConfigWriterStore[NodeInputT],
    _NodeWithRuntime[NodeInputT, ContextT],
    _RunnableNode,
]
"""A function of the state, which may ask for more by parameter name, or a `Runnable`."""


class NodeKwargs(DeprecatedKwargs, total=False):
    """Keyword arguments of nodes that upstream has not."""

    executor: str | Mapping[str, Any] | None
    """Where the node runs: the executor's kind, alone or as `"kind"` beside its options."""


@dataclass(slots=True)
class StateNodeSpec(Generic[NodeInputT, ContextT]):
    """A node as added to a `StateGraph`."""

    runnable: StateNode[NodeInputT, ContextT]
    """What runs, already made a runnable."""
    metadata: dict[str, Any] | None
    """Metadata of the node's runs, for tracing and drawing."""
    input_schema: type[NodeInputT]
    """The schema whose keys the node gets as input."""
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None
    """When to try again after an error; the first policy that matches decides."""
    cache_policy: CachePolicy | None
    """Whether and how the node's writes are cached."""
    is_error_handler: bool = False
    """Whether the node only runs when another failed."""
    error_handler_node: str | None = None
    """The node that handles failures of this one."""
    ends: tuple[str, ...] | dict[str, str] | None = EMPTY_SEQ
    """Nodes it may route to with a `Command`, for drawing; a dict gives labels."""
    defer: bool = False
    """Whether it waits until nothing else is left to run."""
    timeout: TimeoutPolicy | None = None
    """Limits of one attempt."""
    trace_policy: TracePolicy | None = None
    """What tracers record of the node's input and output."""
