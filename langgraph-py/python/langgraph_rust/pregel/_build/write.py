"""Writers: what a node does with its result.

A `ChannelWrite` is a list of entries that turn the result into `(channel, value)` pairs. The
engine reads `writes` and applies the entries itself; calling a writer as a runnable does the same
through the config, for code outside the engine's view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, TypeVar

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_SEND, TASKS
from langgraph_rust._internal._lazy.runnable import LazyRunnable
from langgraph_rust._internal._typing import Marker
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.types import Send

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig

TYPE_SEND = Callable[[Sequence[tuple[str, Any]]], None]
R = TypeVar("R")

SKIP_WRITE = Marker("SKIP_WRITE", __name__)
"""A mapper returns this to write nothing."""
PASSTHROUGH = Marker("PASSTHROUGH", __name__)
"""The value of an entry that writes whatever the node returned."""


class ChannelWriteEntry(NamedTuple):
    """One write to one channel."""

    channel: str
    """Name of the channel."""
    value: Any = PASSTHROUGH
    """The value to write; `PASSTHROUGH` stands for the node's result."""
    skip_none: bool = False
    """Whether `None`, after mapping, means not to write."""
    mapper: Callable[[Any], Any] | None = None
    """Changes the value before it is written; may return `SKIP_WRITE`."""


class ChannelWriteTupleEntry(NamedTuple):
    """As many writes as a mapper finds in the value."""

    mapper: Callable[[Any], Sequence[tuple[str, Any]] | None]
    """Maps the value to `(channel, value)` pairs, or `None` for no writes."""
    value: Any = PASSTHROUGH
    """The value to map; `PASSTHROUGH` stands for the node's result."""
    static: Sequence[tuple[str, Any, str | None]] | None = None
    """`(channel, value, label)` of writes that may happen, declared for drawing."""


WriteEntry = ChannelWriteEntry | ChannelWriteTupleEntry | Send
"""What a `ChannelWrite` is made of; a `Send` is written as it is."""


class ChannelWrite(LazyRunnable):
    """A writer that applies entries to the result of a node and passes the result on."""

    writes: Sequence[WriteEntry]
    """The entries, applied in order."""

    def __init__(
        self,
        writes: Sequence[WriteEntry],
        *,
        tags: Sequence[str] | None = None,
    ) -> None:
        """Make a writer; `tags` are kept for tracing."""
        self.name = None
        self.tags = tags
        self.writes = writes

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return `name`, or one that lists the channels written to."""
        return super().get_name(suffix, name=name or f"ChannelWrite<{self._targets()}>")

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Write `input` through the running task's config and return it unchanged."""
        self.do_write(config, self.entries_for(input))
        return input

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Async twin of `invoke`."""
        return self.invoke(input, config)

    def entries_for(self, value: Any) -> list[WriteEntry]:
        """Return the entries with `value` in place of every `PASSTHROUGH`."""
        return [e._replace(value=value) if _awaits_input(e) else e for e in self.writes]

    @staticmethod
    def do_write(
        config: RunnableConfig | None,
        writes: Sequence[WriteEntry],
        allow_passthrough: bool = True,
    ) -> None:
        """Write entries on behalf of the task `config` belongs to.

        Raises `InvalidUpdateError` for a write to the reserved tasks channel, and, unless
        `allow_passthrough`, for an entry whose value is still `PASSTHROUGH`.
        """
        for entry in writes:
            if isinstance(entry, ChannelWriteEntry) and entry.channel == TASKS:
                raise InvalidUpdateError("Cannot write to the reserved channel TASKS")
            if not allow_passthrough and _awaits_input(entry):
                raise InvalidUpdateError("PASSTHROUGH value must be replaced")
        if config is None:
            from langgraph_rust.config import get_config

            config = get_config()
        send: TYPE_SEND = config[CONF][CONFIG_KEY_SEND]
        send(_assemble_writes(writes))

    @staticmethod
    def is_writer(runnable: Any) -> bool:
        """Whether `runnable` is a `ChannelWrite` or was marked by `register_writer`."""
        return isinstance(runnable, ChannelWrite) or hasattr(runnable, "_is_channel_writer")

    @staticmethod
    def get_static_writes(
        runnable: Runnable | LazyRunnable,
    ) -> Sequence[tuple[str, Any, str | None]] | None:
        """Return the `(channel, value, label)` writes a writer declares, `None` if none."""
        if isinstance(runnable, ChannelWrite):
            declared = [
                write
                for entry in runnable.writes
                if isinstance(entry, ChannelWriteTupleEntry)
                for write in entry.static or ()
            ]
            return declared or None
        static = getattr(runnable, "_is_channel_writer", None)
        if not static:
            return None
        written = _assemble_writes([entry for entry, _ in static])
        return [(*write, label) for write, (_, label) in zip(written, static, strict=False)]

    @staticmethod
    def register_writer(
        runnable: R,
        static: Sequence[tuple[ChannelWriteEntry | Send, str | None]] | None = None,
    ) -> R:
        """Mark any runnable as a writer, optionally with `(entry, label)` writes it may do."""
        # models and frozen dataclasses refuse a plain setattr
        object.__setattr__(runnable, "_is_channel_writer", static)
        return runnable

    def _targets(self) -> str:
        return ",".join(
            "..."
            if isinstance(entry, ChannelWriteTupleEntry)
            else entry.channel
            if isinstance(entry, ChannelWriteEntry)
            else entry.node
            for entry in self.writes
        )


def _awaits_input(
    entry: WriteEntry,
) -> TypeGuard[ChannelWriteEntry | ChannelWriteTupleEntry]:
    return getattr(entry, "value", None) is PASSTHROUGH


def _assemble_writes(writes: Sequence[WriteEntry]) -> list[tuple[str, Any]]:
    """Turn entries into the `(channel, value)` pairs they stand for."""
    pairs: list[tuple[str, Any]] = []
    for entry in writes:
        if isinstance(entry, ChannelWriteEntry):
            value = entry.value if entry.mapper is None else entry.mapper(entry.value)
            if value is not SKIP_WRITE and not (value is None and entry.skip_none):
                pairs.append((entry.channel, value))
        elif isinstance(entry, ChannelWriteTupleEntry):
            pairs.extend(entry.mapper(entry.value) or ())
        elif isinstance(entry, Send):
            pairs.append((TASKS, entry))
        else:
            raise ValueError(f"Invalid write entry: {entry}")
    return pairs
