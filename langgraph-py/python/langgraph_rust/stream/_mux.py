"""`StreamMux`: passes a run's events through its transformers, and into its log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph_rust.stream._convert import make_event
from langgraph_rust.stream._types import (
    ProtocolEvent,
    StreamTransformer,
    transformer_requires_async,
)
from langgraph_rust.stream.stream_channel import StreamChannel

if TYPE_CHECKING:
    import asyncio

TransformerFactory = Callable[["tuple[str, ...]"], StreamTransformer]
"""Makes a transformer for a scope; a `StreamTransformer` class is one."""


class StreamMux:
    """The transformers of one scope, their projections, and the log of events.

    Every event is shown to all transformers, in the order of registration, those with
    `before_builtins` first. It enters the log unless one of them objected.

    Attributes:
        is_async: Whether the run is async.
        scope: The namespace that the transformers are about.
        extensions: The projections of all transformers, by name.
        native_keys: The names of those that belong to native transformers.
    """

    def __init__(
        self,
        transformers: Sequence[StreamTransformer] | None = None,
        *,
        is_async: bool = False,
        factories: Sequence[TransformerFactory] | None = None,
        scope: tuple[str, ...] = (),
        _assign_seq: bool = True,
    ) -> None:
        """Make the transformers and register them.

        Args:
            transformers: Ready-made ones, for this scope only; registered last.
            is_async: Whether the run is async.
            factories: Make the transformers for this scope, and for every scope below it.
            scope: The namespace that the transformers are about.
            _assign_seq: Whether events that enter the log are numbered. Only in the log of the
                whole run they are, since a subgraph's log has the same event objects.

        Raises:
            RuntimeError: A transformer needs an async run.
            TypeError: The projections of a transformer are no dict.
            ValueError: Two transformers have projections of the same name.
        """
        self.is_async = is_async
        self.scope = scope
        self.extensions: dict[str, Any] = {}
        self.native_keys: set[str] = set()
        self._assign_seq = _assign_seq
        self._seq = 0
        self._push_seq = 0
        self._pump_fn: Callable[[], bool] | None = None
        self._apump_fn: Callable[[], Awaitable[bool]] | None = None
        self._transformers: list[StreamTransformer] = []
        self._owners: dict[str, StreamTransformer] = {}
        self._channels: list[StreamChannel[Any]] = []
        self._events: StreamChannel[ProtocolEvent] = StreamChannel()
        self._events._bind(is_async=is_async)
        self._events._bind_mux(self)
        self._factories = None if factories is None else list(factories)
        for made in ([factory(scope) for factory in factories or ()], transformers or ()):
            for transformer in sorted(made, key=lambda t: not t.before_builtins):
                self._register(transformer)

    def transformer_by_key(self, key: str) -> StreamTransformer | None:
        """Return the transformer that a projection belongs to, `None` if there is no such one."""
        return self._owners.get(key)

    def _register(self, transformer: StreamTransformer) -> None:
        name = type(transformer).__name__
        if transformer_requires_async(transformer) and not self.is_async:
            raise RuntimeError(
                f"{name} requires an async run — "
                "it overrides aprocess/afinalize/afail or sets "
                "requires_async=True. Use astream(), not stream()."
            )
        projections = transformer.init()
        if not isinstance(projections, dict):
            raise TypeError(
                f"StreamTransformer.init() must return a dict, got {type(projections).__name__}"
            )
        if taken := sorted(projections.keys() & self.extensions.keys()):
            owned = ", ".join(
                f"{key!r} (owned by {type(self._owners[key]).__name__})" for key in taken
            )
            raise ValueError(
                f"Transformer {name} returned projection keys that conflict with "
                f"already-registered keys: {owned}"
            )
        native = bool(getattr(transformer, "_native", False))
        self._transformers.append(transformer)
        for channel in projections.values():
            if isinstance(channel, StreamChannel):
                self._adopt(channel, native)
        self.extensions.update(projections)
        self._owners.update(dict.fromkeys(projections, transformer))
        if native:
            self.native_keys.update(projections)
        transformer._on_register(self)

    def _adopt(self, channel: StreamChannel[Any], native: bool) -> None:
        channel._bind(is_async=self.is_async)
        channel._bind_mux(self)
        self._channels.append(channel)
        if channel.name is not None:
            channel._wire(partial(self._log, channel.name if native else f"custom:{channel.name}"))

    def _log(self, method: str, item: Any) -> None:
        """Put what was pushed to a named channel in the log, past the transformers."""
        self._append(make_event(method, [], item))

    def _append(self, event: ProtocolEvent) -> None:
        if self._assign_seq:
            self._seq += 1
            event["seq"] = self._seq
        self._events.push(event)

    def _next_push_seq(self) -> int:
        """Number an item among those of all channels."""
        self._push_seq += 1
        return self._push_seq

    # Whoever reads a projection drives the run.

    def bind_pump(self, fn: Callable[[], bool]) -> None:
        """Let every projection drive a sync run: `fn` makes it go on by an event.

        `fn` returns whether there may be more to come.
        """
        self._pump_fn = fn
        for channel in (self._events, *self._channels):
            channel._request_more = fn
        self._call_hook("_bind_pump", fn)

    def bind_apump(self, fn: Callable[[], Awaitable[bool]]) -> None:
        """Async twin of `bind_pump`."""
        self._apump_fn = fn
        for channel in (self._events, *self._channels):
            channel._arequest_more = fn
        self._call_hook("_bind_apump", fn)

    def _call_hook(self, name: str, fn: Callable[[], Any]) -> None:
        for transformer in self._transformers:
            hook = getattr(transformer, name, None)
            if hook is not None:
                hook(fn)

    def _make_child(self, scope: tuple[str, ...]) -> StreamMux:
        """Return a mux for a subgraph, with transformers of its own; the same reader drives it.

        Raises:
            RuntimeError: The transformers were ready-made, so there is no way to make more.
        """
        if self._factories is None:
            raise RuntimeError(
                "StreamMux._make_child requires the mux to be constructed "
                "with `factories=`; pre-built transformers can't be "
                "cloned to a new scope."
            )
        child = StreamMux(
            factories=self._factories, is_async=self.is_async, scope=scope, _assign_seq=False
        )
        if self._pump_fn is not None:
            child.bind_pump(self._pump_fn)
        if self._apump_fn is not None:
            child.bind_apump(self._apump_fn)
        return child

    # Sync runs.

    def push(self, event: ProtocolEvent) -> None:
        """Show an event to all transformers, and put it in the log unless one objects."""
        # All of them see it, whatever the others say.
        if all([transformer.process(event) for transformer in self._transformers]):
            self._append(event)

    def close(self) -> None:
        """End the run well: transformers are told, then projections and log are closed.

        Raises:
            BaseException: The first that a transformer raised; everything is closed nevertheless.
        """
        errors = list(_errors_of(t.finalize for t in self._transformers))
        self._close_channels()
        if errors:
            raise errors[0]

    def fail(self, err: BaseException) -> None:
        """End the run with an exception: transformers are told, projections and log get it.

        An `Exception` that a transformer raises then is dropped.
        """
        errors = list(_errors_of(partial(t.fail, err) for t in self._transformers))
        self._fail_channels(err)
        _raise_exits(errors)

    # Async runs.

    async def apush(self, event: ProtocolEvent) -> None:
        """Async twin of `push`; transformers are waited for one after the other."""
        if all([await transformer.aprocess(event) for transformer in self._transformers]):
            self._append(event)

    async def aclose(self) -> None:
        """Async twin of `close`; scheduled work is waited for first.

        Raises:
            BaseException: The first that scheduled work or a transformer raised. In the former
                case nothing is closed; `afail` is to be called with it.
        """
        await self._join_scheduled()
        errors = [error async for error in _aerrors_of(t.afinalize for t in self._transformers)]
        self._close_channels()
        if errors:
            raise errors[0]

    async def afail(self, err: BaseException) -> None:
        """Async twin of `fail`; scheduled work is cancelled first."""
        import asyncio

        scheduled = self._scheduled()
        for task in scheduled:
            task.cancel()
        await asyncio.gather(*scheduled, return_exceptions=True)
        hooks = (partial(t.afail, err) for t in self._transformers)
        errors = [error async for error in _aerrors_of(hooks)]
        self._fail_channels(err)
        _raise_exits(errors)

    async def _join_scheduled(self) -> None:
        import asyncio

        for outcome in await asyncio.gather(*self._scheduled(), return_exceptions=True):
            is_error = isinstance(outcome, BaseException)
            if is_error and not isinstance(outcome, asyncio.CancelledError):
                raise outcome

    def _scheduled(self) -> list[asyncio.Task[Any]]:
        tasks = (task for t in self._transformers for task in t._scheduled_tasks())
        return [task for task in tasks if not task.done()]

    def _close_channels(self) -> None:
        for channel in self._channels:
            if not channel._closed:
                channel.close()
        self._events.close()

    def _fail_channels(self, err: BaseException) -> None:
        for channel in (*self._channels, self._events):
            if not channel._closed:
                channel.fail(err)


def _errors_of(hooks: Iterable[Callable[[], None]]) -> Iterator[BaseException]:
    """Call all hooks; yield what they raise."""
    for hook in hooks:
        try:
            hook()
        except BaseException as error:
            yield error


async def _aerrors_of(
    hooks: Iterable[Callable[[], Awaitable[None]]],
) -> AsyncIterator[BaseException]:
    for hook in hooks:
        try:
            await hook()
        except BaseException as error:
            yield error


def _raise_exits(errors: list[BaseException]) -> None:
    """Raise the first that is no error but a request to stop, such as a cancellation."""
    for error in errors:
        if not isinstance(error, Exception):
            raise error
