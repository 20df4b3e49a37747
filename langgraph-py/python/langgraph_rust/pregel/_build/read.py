"""`PregelNode`, the parts of a node the engine runs, and `ChannelRead`, reading state by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_READ
from langgraph_rust._internal._lazy.runnable import LazyRunnable
from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust._internal._timeout import coerce_timeout_policy
from langgraph_rust.pregel._build.utils import find_subgraph_pregel
from langgraph_rust.pregel._build.write import ChannelWrite
from langgraph_rust.types import RetryPolicy

if TYPE_CHECKING:
    from datetime import timedelta

    from langchain_core.runnables import Runnable, RunnableConfig

    from langgraph_rust.pregel.protocol import PregelProtocol
    from langgraph_rust.types import CachePolicy, TimeoutPolicy, TracePolicy

READ_TYPE = Callable[[str | Sequence[str], bool], Any | dict[str, Any]]
INPUT_CACHE_KEY_TYPE = tuple[Callable[..., Any] | None, tuple[str, ...]]


class ChannelRead(LazyRunnable):
    """A runnable that ignores its input and returns state of the running task's graph."""

    channel: str | list[str]
    """One channel, read as its value, or several, read as a dict."""
    fresh: bool
    """Whether the task's own writes of this step are visible."""
    mapper: Callable[[Any], Any] | None
    """Changes what was read before it is returned."""

    def __init__(
        self,
        channel: str | list[str],
        *,
        fresh: bool = False,
        mapper: Callable[[Any], Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        """Make a reader of `channel`; `tags` are kept for tracing."""
        self.name = None
        self.tags = tags
        self.channel = channel
        self.fresh = fresh
        self.mapper = mapper

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return `name`, or one that lists the channels read."""
        channels = self.channel if isinstance(self.channel, str) else ",".join(self.channel)
        return super().get_name(suffix, name=name or f"ChannelRead<{channels}>")

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Read through the running task's config."""
        if config is None:
            from langgraph_rust._internal._config import ensure_config

            config = ensure_config()
        return self.do_read(config, select=self.channel, fresh=self.fresh, mapper=self.mapper)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Async twin of `invoke`."""
        return self.invoke(input, config)

    @staticmethod
    def do_read(
        config: RunnableConfig,
        *,
        select: str | list[str],
        fresh: bool = False,
        mapper: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Read channels on behalf of the task `config` belongs to.

        Raises `RuntimeError` if the config belongs to no task.
        """
        try:
            read: READ_TYPE = config[CONF][CONFIG_KEY_READ]
        except KeyError:
            raise RuntimeError(
                "Not configured with a read function"
                "Make sure to call in the context of a Pregel process"
            ) from None
        value = read(select, fresh)
        return mapper(value) if mapper else value


class _DefaultBound(RunnableCallable):
    """Told by its identity, which copies and pickles of graphs keep."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _default_bound, ()


# Drawn graphs show what it is, not how it is told.
_DefaultBound.__name__ = _DefaultBound.__qualname__ = RunnableCallable.__name__
_DefaultBound.__module__ = RunnableCallable.__module__

DEFAULT_BOUND = _DefaultBound(lambda input: input)
"""The `bound` of a node that does nothing but write its input."""


def _default_bound() -> RunnableCallable:
    return DEFAULT_BOUND


class PregelNode:
    """A node: what triggers it, what it reads, what it runs and what it writes.

    It is a description for the engine. `invoke` and its siblings run `bound` alone.
    """

    channels: str | list[str]
    """The input: the value of one channel, or a dict of several (empty ones left out)."""

    triggers: list[str]
    """Channels whose update makes the node run in the next step."""

    mapper: Callable[[Any], Any] | None
    """Changes the input before `bound` gets it, for instance into a schema's class."""

    writers: list[Runnable | LazyRunnable]
    """Run after `bound`, in order, each with its result."""

    bound: Runnable | LazyRunnable
    """The node's own logic."""

    retry_policy: Sequence[RetryPolicy] | None
    """Tried in order; the first that matches an error decides about a retry."""

    cache_policy: CachePolicy | None
    """Whether and how the node's writes are cached."""

    timeout: TimeoutPolicy | None
    """Limits of one attempt, raising `NodeTimeoutError`. Only for async nodes."""

    tags: Sequence[str] | None
    """Tags of the node's runs, for tracing."""

    metadata: Mapping[str, Any] | None
    """Metadata of the node's runs, for tracing."""

    trace_policy: TracePolicy | None
    """What tracers record of the node's input and output."""

    is_error_handler: bool
    """Whether the node runs only to handle the failure of others."""

    error_handler_node: str | None
    """The node that handles failures of this one."""

    subgraphs: Sequence[PregelProtocol]
    """Graphs the node runs, as far as they are declared or can be found in `bound`."""

    def __init__(
        self,
        *,
        channels: str | list[str],
        triggers: Sequence[str],
        mapper: Callable[[Any], Any] | None = None,
        writers: list[Runnable | LazyRunnable] | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        trace_policy: TracePolicy | None = None,
        bound: Runnable | LazyRunnable | None = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        is_error_handler: bool = False,
        error_handler_node: str | None = None,
        subgraphs: Sequence[PregelProtocol] | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
    ) -> None:
        """Make a node; see the attributes for what each argument means."""
        self.channels = channels
        self.triggers = list(triggers)
        self.mapper = mapper
        self.writers = writers or []
        self.tags = tags
        self.metadata = metadata
        self.trace_policy = trace_policy
        self.bound = DEFAULT_BOUND if bound is None else bound
        self.retry_policy = (
            (retry_policy,) if isinstance(retry_policy, RetryPolicy) else retry_policy
        )
        self.cache_policy = cache_policy
        self.is_error_handler = is_error_handler
        self.error_handler_node = error_handler_node
        self.subgraphs = _find_subgraphs(self.bound) if subgraphs is None else subgraphs
        self.timeout = coerce_timeout_policy(timeout)

    def copy(self, update: dict[str, Any]) -> PregelNode:
        """Return a node like this one with some attributes replaced."""
        attributes = {k: v for k, v in self.__dict__.items() if k not in _CACHED}
        return PregelNode(**{**attributes, **update})

    @cached_property
    def flat_writers(self) -> list[Runnable | LazyRunnable]:
        """The writers, with the run of `ChannelWrite`s at the end merged into one."""
        kept = list(self.writers)
        last: list[ChannelWrite] = []
        while kept and isinstance(writer := kept[-1], ChannelWrite):
            last.insert(0, writer)
            kept.pop()
        if len(last) > 1:
            last = [ChannelWrite([entry for writer in last for entry in writer.writes])]
        return [*kept, *last]

    @cached_property
    def node(self) -> Runnable | LazyRunnable | None:
        """`bound` and the writers as one runnable; `None` if there is nothing to run."""
        steps = list(self.flat_writers)
        if self.bound is not DEFAULT_BOUND:
            steps.insert(0, self.bound)
        if len(steps) < 2:
            return steps[0] if steps else None
        from langgraph_rust._internal._runnable import RunnableSeq

        return RunnableSeq(*steps, trace_policy=self.trace_policy)

    @cached_property
    def input_cache_key(self) -> INPUT_CACHE_KEY_TYPE:
        """Equal for nodes that get the same input within a step."""
        channels = self.channels
        return self.mapper, (channels,) if isinstance(channels, str) else tuple(channels)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run `bound` with the node's tags and metadata, without its writers."""
        return self.bound.invoke(input, self._configure(config), **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Async twin of `invoke`."""
        return await self.bound.ainvoke(input, self._configure(config), **kwargs)

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Stream `bound` with the node's tags and metadata, without its writers."""
        yield from self.bound.stream(input, self._configure(config), **kwargs)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Async twin of `stream`."""
        async for item in self.bound.astream(input, self._configure(config), **kwargs):
            yield item

    def _configure(self, config: RunnableConfig | None) -> RunnableConfig:
        from langgraph_rust._internal._config import merge_configs

        # merging leaves `None` out and copies the rest, so other collections will do
        own: Any = {"metadata": self.metadata, "tags": self.tags}
        return merge_configs(own, config)


_CACHED = ("flat_writers", "input_cache_key", "node")


def _find_subgraphs(bound: Runnable | LazyRunnable) -> list[PregelProtocol]:
    if bound is DEFAULT_BOUND:
        return []
    try:
        subgraph = find_subgraph_pregel(bound)
    except Exception:
        # The search touches attributes of arbitrary objects; a node works without its result.
        return []
    return [subgraph] if subgraph else []
