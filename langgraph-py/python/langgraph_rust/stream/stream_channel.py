"""`StreamChannel`, a queue between a transformer and the one who reads its projection."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from langgraph_rust.stream._mux import StreamMux

T = TypeVar("T")


class StreamChannel(Generic[T]):
    """Takes items from a transformer and gives them to a single reader.

    The reader drives the run: when the channel is empty, asking for the next item makes the run go
    on until there is one. Items pushed before somebody reads are dropped, as are items once they
    were read; `tee` and `atee` serve several readers.

    A channel belongs to a sync or an async run, and is then read with `for` or `async for`.
    """

    def __init__(self, name: str | None = None, *, maxlen: int | None = None) -> None:
        """Make a channel.

        Args:
            name: If given, items also go to the run's log, as events named after it.
            maxlen: Reserved. As reading drives the run, a channel never holds much.

        Raises:
            ValueError: `maxlen` is not positive.
        """
        if maxlen is not None and maxlen <= 0:
            raise ValueError("StreamChannel maxlen must be a positive int or None")
        self.name = name
        self._maxlen = maxlen
        # With each item its place among all items pushed in the run.
        self._items: deque[tuple[int, T]] = deque()
        self._closed = False
        self._error: BaseException | None = None
        self._subscribed = False
        # Set when it is added to a run.
        self._is_async: bool | None = None
        self._mux: StreamMux | None = None
        self._wire_fn: Callable[[T], None] | None = None
        # Make the run go on a little; return whether there may be more to come.
        self._request_more: Callable[[], bool] | None = None
        self._arequest_more: Callable[[], Awaitable[bool]] | None = None

    # Called by the transformer.

    def push(self, item: T) -> None:
        """Give an item to the reader, if there is one, and to the run's log, if it has a name.

        Raises:
            RuntimeError: The channel is closed.
        """
        if self._subscribed:
            if self._closed:
                raise RuntimeError("Cannot push to a closed StreamChannel")
            place = 0 if self._mux is None else self._mux._next_push_seq()
            self._items.append((place, item))
        if self._wire_fn is not None:
            self._wire_fn(item)

    def close(self) -> None:
        """End the stream; the run does it, too, when it is over."""
        self._closed = True

    def fail(self, err: BaseException) -> None:
        """End the stream with an exception, which the reader gets after the last item."""
        self._error = err
        self._closed = True

    # Called by the run.

    def _bind(self, *, is_async: bool) -> None:
        """Say how the channel is read."""
        if self._is_async is not None:
            raise RuntimeError("StreamChannel is already bound")
        self._is_async = is_async

    def _bind_mux(self, mux: StreamMux) -> None:
        """Say whose items the channel's are put in order with."""
        self._mux = mux

    def _wire(self, fn: Callable[[T], None]) -> None:
        """Also give all items to `fn`."""
        self._wire_fn = fn

    # Called by the reader.

    def __iter__(self) -> Iterator[T]:
        """Read the items of a sync run; only once.

        Raises:
            TypeError: The run is async, or the channel belongs to none.
            RuntimeError: Somebody reads already.
        """
        self._subscribe(is_async=False, fan_out="tee")
        return self._read()

    def __aiter__(self) -> AsyncIterator[T]:
        """Read the items of an async run; only once.

        Raises:
            TypeError: The run is sync, or the channel belongs to none.
            RuntimeError: Somebody reads already.
        """
        self._subscribe(is_async=True, fan_out="atee")
        return self._aread()

    def tee(self, n: int = 2) -> tuple[Iterator[T], ...]:
        """Return `n` iterators that each give all items.

        Raises:
            ValueError: `n` is less than 1.
            TypeError: The run is async, or the channel belongs to none.
            RuntimeError: Somebody reads already.
        """
        if n < 1:
            raise ValueError("tee() requires n >= 1")
        source = iter(self)
        branches = _Branches[T](n)

        def branch(queue: deque[T]) -> Iterator[T]:
            while not branches.is_drained(queue):
                if not queue:
                    try:
                        branches.push(next(source))
                    except StopIteration:
                        branches.end()
                    except Exception as error:
                        branches.end(error)
                else:
                    yield queue.popleft()

        return tuple(map(branch, branches.queues))

    def atee(self, n: int = 2) -> tuple[AsyncIterator[T], ...]:
        """Return `n` async iterators that each give all items.

        Raises:
            ValueError: `n` is less than 1.
            TypeError: The run is sync, or the channel belongs to none.
            RuntimeError: Somebody reads already.
        """
        import asyncio

        if n < 1:
            raise ValueError("atee() requires n >= 1")
        source = aiter(self)
        branches = _Branches[T](n)
        one_at_a_time = asyncio.Lock()

        async def fetch(queue: deque[T]) -> None:
            async with one_at_a_time:
                if queue or branches.over:
                    return
                try:
                    branches.push(await anext(source))
                except StopAsyncIteration:
                    branches.end()
                except Exception as error:
                    branches.end(error)

        async def branch(queue: deque[T]) -> AsyncIterator[T]:
            while not branches.is_drained(queue):
                if not queue:
                    await fetch(queue)
                else:
                    yield queue.popleft()

        return tuple(map(branch, branches.queues))

    def _subscribe(self, *, is_async: bool, fan_out: str) -> None:
        """Become the reader, in the way of reading that `is_async` says."""
        if self._is_async is None:
            raise TypeError(
                "StreamChannel has not been bound yet. "
                "Register the transformer with a StreamMux first."
            )
        if self._is_async and not is_async:
            raise TypeError("This StreamChannel is bound to async mode — use 'async for' instead.")
        if is_async and not self._is_async:
            raise TypeError("This StreamChannel is bound to sync mode — use 'for' instead.")
        if self._subscribed:
            raise RuntimeError(
                f"StreamChannel already has a subscriber; use .{fan_out}(n) for fan-out."
            )
        self._subscribed = True

    def _read(self) -> Iterator[T]:
        while not self._is_drained():
            if self._items:
                yield self._items.popleft()[1]
            elif self._request_more is None or not self._request_more():
                if not self._items and not self._closed:
                    return

    async def _aread(self) -> AsyncIterator[T]:
        while not self._is_drained():
            if self._items:
                yield self._items.popleft()[1]
            elif self._arequest_more is None or not await self._arequest_more():
                if not self._items and not self._closed:
                    return

    def _is_drained(self) -> bool:
        """Tell whether the stream is over; raises the exception that it ended with."""
        over = self._closed and not self._items
        if over and self._error is not None:
            raise self._error
        return over


class _Branches(Generic[T]):
    """The queues of several readers of one stream."""

    def __init__(self, n: int) -> None:
        self.queues: list[deque[T]] = [deque() for _ in range(n)]
        self.over = False
        self._error: Exception | None = None

    def push(self, item: T) -> None:
        """Give an item to all readers."""
        for queue in self.queues:
            queue.append(item)

    def end(self, error: Exception | None = None) -> None:
        """Note that the stream is over."""
        self.over, self._error = True, error

    def is_drained(self, queue: deque[T]) -> bool:
        """Tell whether a reader has had all; raises the exception that the stream ended with."""
        over = self.over and not queue
        if over and self._error is not None:
            raise self._error
        return over
