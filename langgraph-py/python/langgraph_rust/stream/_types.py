"""Protocol events, and the interface of what transforms them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from typing_extensions import NotRequired, TypedDict

if TYPE_CHECKING:
    import asyncio

    from langgraph_rust.stream._mux import StreamMux


class _ProtocolEventParams(TypedDict):
    """What an event says."""

    namespace: list[str]
    """Where it happened: the namespace of the graph, empty for the root."""
    timestamp: int
    """When, in milliseconds since the epoch, by a clock that may be set back."""
    data: Any
    """The payload; its form depends on the event's method."""
    interrupts: NotRequired[tuple[Any, ...]]
    """Questions that wait for an answer; only of `values` events."""


class ProtocolEvent(TypedDict):
    """Something that happened in a run."""

    type: Literal["event"]
    """Tells it from other messages of the protocol."""
    event_id: NotRequired[str]
    """Names the event, if whoever sends it does."""
    seq: NotRequired[int]
    """Place in the order of the run's events, from 1; given when it enters the run's log."""
    method: str
    """What happened: a stream mode, or the channel that it was pushed to."""
    params: _ProtocolEventParams
    """Where and when it happened, and what."""


class StreamTransformer(ABC):
    """Makes something out of a run's events, while they happen.

    A transformer sees every event of the run before it enters the run's log. What it makes of them
    it offers as projections: `init` returns them by name, usually `StreamChannel`s. Subclasses
    override `init`, and `process` or `aprocess`.

    A transformer is made for a scope, the namespace whose events it is about; subgraphs get
    transformers of their own. So what is registered is a class or a function from scope to
    transformer.

    Transformers that do async work (they override an `a` method, call `schedule` or set
    `requires_async`) only take part in async runs.
    """

    requires_async: ClassVar[bool] = False
    """Whether it needs an event loop, without overriding an `a` method."""

    supports_sync: ClassVar[bool] = False
    """Whether it can do without an event loop, although it overrides an `a` method."""

    required_stream_modes: ClassVar[tuple[str, ...]] = ()
    """Stream modes whose events it needs; a run produces what any transformer needs."""

    before_builtins: ClassVar[bool] = False
    """Whether it sees events before the built-in transformers do, for instance to redact them.

    Such a transformer must leave `tasks` events and all namespaces as they are.
    """

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        """Make a transformer for events at `scope`; `()` is the root graph."""
        self.scope: tuple[str, ...] = scope

    @abstractmethod
    def init(self) -> dict[str, Any]:
        """Return the projections by name; they become entries of `run.extensions`.

        A `StreamChannel` with a name also sends what it is given to the run's log, as events with
        the method `custom:<name>`. Channels are closed at the end of the run.

        Projections of a class with `_native = True` are attributes of the run, too, and their
        channels' events have the plain name.
        """

    def _on_register(self, mux: StreamMux) -> None:  # noqa: B027
        """Called when the transformer was added to `mux`."""

    def process(self, event: ProtocolEvent) -> bool:
        """Look at an event in a sync run; return whether it may enter the run's log."""
        raise NotImplementedError(f"{type(self).__name__} must override process() or aprocess()")

    async def aprocess(self, event: ProtocolEvent) -> bool:
        """Look at an event in an async run; return whether it may enter the run's log.

        The run waits for it. Calls `process` unless overridden.
        """
        return self.process(event)

    def finalize(self) -> None:  # noqa: B027
        """Called when a sync run has ended well."""

    async def afinalize(self) -> None:
        """Called when an async run has ended well, and all scheduled work is done.

        Calls `finalize` unless overridden.
        """
        self.finalize()

    def fail(self, err: BaseException) -> None:  # noqa: B027
        """Called when a sync run has failed with `err`."""

    async def afail(self, err: BaseException) -> None:
        """Called when an async run has failed with `err`, and all scheduled work is cancelled.

        Calls `fail` unless overridden.
        """
        self.fail(err)

    def schedule(
        self, coro: Coroutine[Any, Any, Any], *, on_error: Literal["log", "raise"] = "log"
    ) -> asyncio.Task[Any]:
        """Do async work beside the run; the run does not end before it.

        Args:
            coro: The work.
            on_error: `"log"` to only log when it fails, `"raise"` to let the run fail, too.

        Returns:
            The task. Nobody needs to wait for it.

        Raises:
            RuntimeError: The run is not async.
        """
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            coro.close()
            raise RuntimeError(
                f"{type(self).__name__}.schedule() requires a running "
                "event loop; this transformer must run under astream(), "
                "not stream(). Set requires_async=True on the class so "
                "this fails at registration rather than at first event."
            ) from None
        task = loop.create_task(_logging_errors(coro) if on_error == "log" else coro)
        tasks = self._scheduled_tasks()
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    def _scheduled_tasks(self) -> set[asyncio.Task[Any]]:
        """The unfinished tasks of `schedule`."""
        # Made here, because a subclass may not call the constructor.
        return vars(self).setdefault("_scheduled", set())


async def _logging_errors(coro: Coroutine[Any, Any, Any]) -> Any:
    import asyncio
    from logging import getLogger

    try:
        return await coro
    except asyncio.CancelledError:
        raise
    except BaseException:
        getLogger("langgraph.stream._types").exception("Scheduled StreamTransformer task failed")


def transformer_requires_async(transformer: StreamTransformer) -> bool:
    """Tell whether a transformer can only take part in async runs."""
    if transformer.requires_async or transformer.supports_sync:
        return transformer.requires_async
    cls = type(transformer)
    hooks = ("aprocess", "afinalize", "afail")
    return any(getattr(cls, hook) is not getattr(StreamTransformer, hook) for hook in hooks)
