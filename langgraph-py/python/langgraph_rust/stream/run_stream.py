"""The handles that `stream_events(version="v3")` returns, and those of subgraphs.

Nothing runs in the background: a run goes on while one of its projections is read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

from langchain_core._api import beta
from typing_extensions import Self

from langgraph_rust.stream._convert import convert_to_protocol_event
from langgraph_rust.stream.stream_channel import StreamChannel

if TYPE_CHECKING:
    import asyncio

    from langchain_core.language_models.chat_model_stream import (
        AsyncChatModelStream,
        ChatModelStream,
    )

    from langgraph_rust.stream._mux import StreamMux
    from langgraph_rust.stream._types import ProtocolEvent
    from langgraph_rust.stream.transformers import LifecyclePayload, SubgraphStatus

_BETA = "The v3 streaming protocol on Pregel is experimental."


class _RunStream:
    """What sync and async handles have in common: the projections, and the state so far."""

    # Of transformers that are only there if somebody registered them.
    updates: StreamChannel[dict[str, Any]]
    custom: StreamChannel[Any]
    checkpoints: StreamChannel[dict[str, Any]]
    debug: StreamChannel[dict[str, Any]]
    tasks: StreamChannel[dict[str, Any]]

    def __init__(self, mux: StreamMux) -> None:
        self._mux = mux
        self.extensions: Mapping[str, Any] = MappingProxyType(mux.extensions)
        self._exhausted = False
        self._latest: dict[str, Any] | None = None
        self._interrupts: list[Any] = []
        self._namespace = list(mux.scope)
        for key in mux.native_keys:
            setattr(self, key, mux.extensions[key])

    def __getattr__(self, name: str) -> StreamChannel[Any]:
        # Projections are attributes of the instance, so there is none of this name. Looked up in
        # `__dict__`, as this is also called on handles that are not complete yet.
        mux = self.__dict__.get("_mux")
        registered = ", ".join(sorted(mux.native_keys)) if mux is not None else ""
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r} "
            f"(registered projections: {registered or 'none'})"
        )

    @property
    def _interrupted(self) -> bool:
        return bool(self._interrupts)

    def _observe_event(self, event: ProtocolEvent) -> None:
        """Note the state that an event brings, and the questions."""
        params = event["params"]
        if event["method"] == "values" and params["namespace"] == self._namespace:
            self._latest = params["data"]
            self._interrupts.extend(params.get("interrupts", ()))

    def _raise_error(self) -> None:
        """Raise the exception that the run ended with, if it did."""
        error = self._mux._events._error
        if error is not None:
            raise error


@beta(message=_BETA)
class GraphRunStream(_RunStream):
    """A sync run. Reading any of its projections, or its log, makes it go on.

    Iterate over the handle itself for all events. A projection can be read once; see
    `StreamChannel.tee` for more readers. Use the handle as a context manager to stop the run when
    you leave early.

    Always there are the projections `values` (the states), `messages` (of chat models),
    `lifecycle` (starts and ends of subgraphs) and `subgraphs` (handles of subgraphs); other
    transformers bring others. `extensions` has all of them by name.
    """

    values: StreamChannel[dict[str, Any]]
    messages: StreamChannel[ChatModelStream]
    lifecycle: StreamChannel[LifecyclePayload]
    subgraphs: StreamChannel[SubgraphRunStream]

    def __init__(
        self, graph_iter: Iterator[Any] | None, mux: StreamMux, *, wire_pump: bool = True
    ) -> None:
        """Make a handle.

        Args:
            graph_iter: The parts of `stream(version="v2", subgraphs=True)`; `None` for a handle of
                a part of another run.
            mux: The transformers.
            wire_pump: Whether reading a projection makes this run go on.
        """
        super().__init__(mux)
        self._graph_iter = graph_iter
        if wire_pump:
            mux.bind_pump(self._pump_next)

    def _pump_next(self) -> bool:
        """Make the run go on by one event; return whether there may be more to come."""
        if self._exhausted or self._graph_iter is None:
            return False
        try:
            part = next(self._graph_iter, None)
            if part is not None:
                event = convert_to_protocol_event(part)
                self._observe_event(event)
                self._mux.push(event)
                return True
        except Exception as error:
            self._exhausted = True
            self._mux.fail(error)
            return False
        self._exhausted = True
        self._mux.close()
        return False

    def abort(self) -> None:
        """Stop the run; what runs in it is cancelled, and projections end. Repeatable."""
        if self._exhausted:
            return
        self._exhausted = True
        graph_iter, self._graph_iter = self._graph_iter, None
        close = getattr(graph_iter, "close", None)
        with suppress(Exception):
            if close is not None:
                close()
        with suppress(Exception):
            self._mux.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.abort()

    @property
    def output(self) -> dict[str, Any] | None:
        """The last state, `None` without one; runs to the end, and raises what it ended with."""
        self._finish()
        return self._latest

    @property
    def interrupted(self) -> bool:
        """Whether the run waits for answers; runs to the end, and raises what it ended with."""
        self._finish()
        return self._interrupted

    @property
    def interrupts(self) -> list[Any]:
        """The questions asked; runs to the end, and raises what it ended with."""
        self._finish()
        return self._interrupts

    def _finish(self) -> None:
        while self._pump_next():
            pass
        self._raise_error()

    def __iter__(self) -> Iterator[ProtocolEvent]:
        """Read the run's log; only once."""
        return iter(self._mux._events)

    def interleave(self, *names: str) -> Iterator[tuple[str, Any]]:
        """Read several projections as one stream of `(name, item)`, in the order of the items.

        The projections have this one reader while it reads, and may be read again after that.

        Raises:
            KeyError: There is no projection of that name.
            TypeError: It is no `StreamChannel`, or the run is async.
            RuntimeError: Somebody else reads it.
        """
        channels: dict[str, StreamChannel[Any]] = {}
        try:
            for name in names:
                channel = self.extensions[name]
                _check_readable(name, channel)
                channel._subscribed = True
                channels[name] = channel
            yield from _in_order(channels, self._mux._pump_fn)
        finally:
            for channel in channels.values():
                channel._subscribed = False


def _check_readable(name: str, channel: Any) -> None:
    """Raise unless `interleave` may read the projection."""
    if not isinstance(channel, StreamChannel):
        raise TypeError(
            "interleave() requires StreamChannel projections, "
            f"got {type(channel).__name__} for {name!r}"
        )
    if channel._is_async is None:
        raise TypeError(
            f"StreamChannel {name!r} has not been bound yet. "
            "Register the transformer with a StreamMux first."
        )
    if channel._is_async:
        raise TypeError(
            f"StreamChannel {name!r} is bound to async mode — "
            "sync interleave() cannot consume async channels."
        )
    if channel._subscribed:
        raise RuntimeError(
            f"StreamChannel {name!r} already has a subscriber; use .tee(n) for fan-out."
        )


def _in_order(
    channels: Mapping[str, StreamChannel[Any]], pump: Callable[[], bool] | None
) -> Iterator[tuple[str, Any]]:
    """Yield the items of several channels in the order in which they were pushed."""
    while True:
        unfinished = {name: ch for name, ch in channels.items() if not ch._is_drained()}
        waiting = [(ch._items[0][0], name) for name, ch in unfinished.items() if ch._items]
        if waiting:
            name = min(waiting)[1]
            yield name, channels[name]._items.popleft()[1]
        elif not unfinished:
            return
        elif pump is None or not pump():
            if not any(ch._items or ch._closed for ch in unfinished.values()):
                return


@beta(message=_BETA)
class AsyncGraphRunStream(_RunStream):
    """An async run. Reading any of its projections, or its log, makes it go on.

    Several tasks may read different projections at the same time; one of them makes the run go on
    and the others wait for what comes. Iterate over the handle itself for all events. A projection
    can be read once; see `StreamChannel.atee` for more readers. Use the handle as an async context
    manager to stop the run when you leave early.

    The projections are those of `GraphRunStream`.
    """

    values: StreamChannel[dict[str, Any]]
    """The state after each superstep."""
    messages: StreamChannel[AsyncChatModelStream]
    """Answers of chat models, each a stream of its pieces."""
    lifecycle: StreamChannel[LifecyclePayload]
    """Starts and ends of subgraphs."""
    subgraphs: StreamChannel[AsyncSubgraphRunStream]
    """A handle for each subgraph that begins."""

    def __init__(
        self, graph_aiter: AsyncIterator[Any] | None, mux: StreamMux, *, wire_pump: bool = True
    ) -> None:
        """Make a handle.

        Args:
            graph_aiter: The parts of `astream(version="v2", subgraphs=True)`; `None` for a handle
                of a part of another run.
            mux: The transformers.
            wire_pump: Whether reading a projection makes this run go on.
        """
        super().__init__(mux)
        self._graph_aiter = graph_aiter
        # Done when the reader that makes the run go on has made it go on by an event.
        self._step: asyncio.Future[None] | None = None
        # That reader's request for the next part.
        self._pull: asyncio.Future[Any] | None = None
        self._aborted = False
        if wire_pump:
            mux.bind_apump(self._apump_next)

    async def _apump_next(self) -> bool:
        """Make the run go on by one event, or wait until another reader has.

        Returns whether there may be more to come.
        """
        import asyncio

        if self._exhausted or self._graph_aiter is None:
            return False
        if self._step is not None:
            await asyncio.wait((self._step,))
            return not self._exhausted
        self._step = asyncio.get_running_loop().create_future()
        try:
            return await self._advance(self._graph_aiter)
        finally:
            self._end_step()

    async def _advance(self, graph_aiter: AsyncIterator[Any]) -> bool:
        try:
            try:
                part = await self._next_part(graph_aiter)
            except StopAsyncIteration:
                pass
            else:
                if self._aborted:
                    return False
                event = convert_to_protocol_event(part)
                self._observe_event(event)
                await self._mux.apush(event)
                return True
        except Exception as error:
            self._exhausted = True
            await self._mux.afail(error)
            return False
        self._exhausted = True
        try:
            await self._mux.aclose()
        except Exception as error:
            await self._mux.afail(error)
            raise
        return False

    async def _next_part(self, graph_aiter: AsyncIterator[Any]) -> Any:
        import asyncio

        # As a task of its own, so that `abort` can cancel it, and with it what runs in the graph;
        # an async generator that is at work cannot be closed.
        self._pull = asyncio.ensure_future(anext(graph_aiter))
        try:
            return await self._pull
        except asyncio.CancelledError:
            if self._aborted:
                return None
            self._pull.cancel()
            raise
        finally:
            self._pull = None

    def _end_step(self) -> None:
        step, self._step = self._step, None
        if step is not None and not step.done():
            step.set_result(None)

    async def abort(self) -> None:
        """Stop the run; what runs in it is cancelled, and projections end. Repeatable."""
        import asyncio

        if self._exhausted:
            return
        self._exhausted = self._aborted = True
        graph_aiter, self._graph_aiter = self._graph_aiter, None
        pull = self._pull
        self._end_step()
        if pull is not None and not pull.done():
            pull.cancel()
            await asyncio.wait((pull,))
        close = getattr(graph_aiter, "aclose", None)
        with suppress(Exception):
            if close is not None:
                await close()
        with suppress(Exception):
            await self._mux.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.abort()

    async def output(self) -> dict[str, Any] | None:
        """Run to the end; return the last state, `None` if there is none.

        Raises:
            BaseException: What the run ended with.
        """
        await self._finish()
        return self._latest

    async def interrupted(self) -> bool:
        """Run to the end; return whether the run waits for answers.

        Raises:
            BaseException: What the run ended with.
        """
        await self._finish()
        return self._interrupted

    async def interrupts(self) -> list[Any]:
        """Run to the end; return the questions asked.

        Raises:
            BaseException: What the run ended with.
        """
        await self._finish()
        return self._interrupts

    async def _finish(self) -> None:
        while await self._apump_next():
            pass
        self._raise_error()

    def __aiter__(self) -> AsyncIterator[ProtocolEvent]:
        """Read the run's log; only once."""
        return aiter(self._mux._events)


class _Subgraph(_RunStream):
    """What tells the handle of a subgraph's run from that of a whole run."""

    path: tuple[str, ...]
    """The subgraph's namespace."""
    graph_name: str | None
    """The name of the node that runs it, or of the agent that it is."""
    trigger_call_id: str | None
    """The id of the task that runs it."""
    status: SubgraphStatus
    """How far it is."""
    error: str | None
    """Why it failed, if it did."""

    def _describe(
        self, path: tuple[str, ...], graph_name: str | None, trigger_call_id: str | None
    ) -> None:
        self.path = path
        self.graph_name = graph_name
        self.trigger_call_id = trigger_call_id
        self.status = "started"
        self.error = None
        self._seen_terminal = False

    @property
    def _is_over(self) -> bool:
        return self._exhausted or self._seen_terminal or self._mux._events._closed


class SubgraphRunStream(GraphRunStream, _Subgraph):
    """A subgraph's part of a sync run, from `run.subgraphs`.

    Its projections are about the subgraph; reading them makes the whole run go on. Start reading
    before you ask for the next subgraph, or miss what happens until then.
    """

    def __init__(
        self,
        mux: StreamMux,
        *,
        path: tuple[str, ...],
        graph_name: str | None = None,
        trigger_call_id: str | None = None,
    ) -> None:
        """Make a handle; the attributes say what each argument means."""
        super().__init__(None, mux, wire_pump=False)
        self._describe(path, graph_name, trigger_call_id)

    def _pump_next(self) -> bool:
        pump = self._mux._pump_fn
        return not self._is_over and pump is not None and pump()


class AsyncSubgraphRunStream(AsyncGraphRunStream, _Subgraph):
    """A subgraph's part of an async run, from `run.subgraphs`; see `SubgraphRunStream`."""

    def __init__(
        self,
        mux: StreamMux,
        *,
        path: tuple[str, ...],
        graph_name: str | None = None,
        trigger_call_id: str | None = None,
    ) -> None:
        """Make a handle; the attributes say what each argument means."""
        super().__init__(None, mux, wire_pump=False)
        self._describe(path, graph_name, trigger_call_id)

    async def _apump_next(self) -> bool:
        pump = self._mux._apump_fn
        return not self._is_over and pump is not None and await pump()
