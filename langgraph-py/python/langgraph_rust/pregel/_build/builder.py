"""`NodeBuilder`, for nodes of a `Pregel` that is put together by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._runnable import RunnableSeq, coerce_to_runnable
from langgraph_rust._internal._timeout import coerce_timeout_policy
from langgraph_rust.pregel._build.read import DEFAULT_BOUND, PregelNode
from langgraph_rust.pregel._build.write import ChannelWrite, ChannelWriteEntry

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from langchain_core.runnables import Runnable
    from typing_extensions import Self

    from langgraph_rust._internal._lazy.runnable import LazyRunnable
    from langgraph_rust._internal._runnable import RunnableLike
    from langgraph_rust.types import CachePolicy, RetryPolicy, TimeoutPolicy

    _WriteValue = Callable[[Any], Any] | Any


class NodeBuilder:
    """Describes a node step by step; every method but `build` returns the builder.

    ```python
    NodeBuilder().subscribe_only("question").do(answer).write_to("answer")
    ```
    """

    __slots__ = (
        "_bound",
        "_cache_policy",
        "_channels",
        "_metadata",
        "_retry_policy",
        "_tags",
        "_timeout",
        "_triggers",
        "_writes",
    )

    _channels: str | list[str]
    _triggers: list[str]
    _tags: list[str]
    _metadata: dict[str, Any]
    _writes: list[ChannelWriteEntry]
    _bound: Runnable | LazyRunnable
    _retry_policy: list[RetryPolicy]
    _cache_policy: CachePolicy | None
    _timeout: TimeoutPolicy | None

    def __init__(self) -> None:
        """Start with a node that reads, runs and writes nothing."""
        self._channels = []
        self._triggers = []
        self._tags = []
        self._metadata = {}
        self._writes = []
        self._bound = DEFAULT_BOUND
        self._retry_policy = []
        self._cache_policy = None
        self._timeout = None

    def subscribe_only(self, channel: str) -> Self:
        """Run when `channel` is updated, with its value as the input.

        Raises `ValueError` if the node already reads channels.
        """
        if self._channels:
            raise ValueError(
                "Cannot subscribe to single channels when other channels are already subscribed to"
            )
        self._channels = channel
        self._triggers.append(channel)
        return self

    def subscribe_to(self, *channels: str, read: bool = True) -> Self:
        """Run when any of `channels` is updated.

        The input is a dict of the channels read; with `read=False` these are not in it. Raises
        `ValueError` after `subscribe_only`.
        """
        if isinstance(self._channels, str):
            raise ValueError("Cannot subscribe to channels when subscribed to a single channel")
        if read:
            self._channels.extend(channels)
        self._triggers.extend(channels)
        return self

    def read_from(self, *channels: str) -> Self:
        """Have `channels` in the input without running for their updates."""
        assert isinstance(self._channels, list), (
            "Cannot read additional channels when subscribed to single channels"
        )
        self._channels.extend(channels)
        return self

    def do(self, node: RunnableLike) -> Self:
        """Run a function or runnable; a second one gets the result of the first."""
        runnable = coerce_to_runnable(node, name=None, trace=True)
        is_first = self._bound is DEFAULT_BOUND
        self._bound = runnable if is_first else RunnableSeq(self._bound, runnable)
        return self

    def write_to(self, *channels: str | ChannelWriteEntry, **kwargs: _WriteValue) -> Self:
        """Write results.

        Args:
            *channels: Channels that get the node's result, or entries that say more.
            **kwargs: Channel -> a function of the result, or any other value to write as it is.
        """
        for channel in channels:
            entry = ChannelWriteEntry(channel) if isinstance(channel, str) else channel
            self._writes.append(entry)
        for name, value in kwargs.items():
            self._writes.append(
                ChannelWriteEntry(name, mapper=value)
                if callable(value)
                else ChannelWriteEntry(name, value=value)
            )
        return self

    def meta(self, *tags: str, **metadata: Any) -> Self:
        """Add tags and metadata for tracing."""
        self._tags.extend(tags)
        self._metadata.update(metadata)
        return self

    def add_retry_policies(self, *policies: RetryPolicy) -> Self:
        """Add policies; the first that matches an error decides about a retry."""
        self._retry_policy.extend(policies)
        return self

    def add_cache_policy(self, policy: CachePolicy) -> Self:
        """Cache the node's writes."""
        self._cache_policy = policy
        return self

    def set_timeout(self, timeout: float | timedelta | TimeoutPolicy | None) -> Self:
        """Limit each attempt; a number is seconds. Only async nodes can have a limit."""
        self._timeout = coerce_timeout_policy(timeout)
        return self

    def build(self) -> PregelNode:
        """Return the node."""
        return PregelNode(
            channels=self._channels,
            triggers=self._triggers,
            tags=self._tags,
            metadata=self._metadata,
            writers=[ChannelWrite(self._writes)],
            bound=self._bound,
            retry_policy=self._retry_policy,
            cache_policy=self._cache_policy,
            timeout=self._timeout,
        )
