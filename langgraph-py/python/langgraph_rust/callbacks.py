"""Callbacks for what happens to a graph as a whole: interrupts and resumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.callbacks.manager import ahandle_event, handle_event
from langchain_core.runnables import RunnableConfig
from typing_extensions import Self

from langgraph_rust.types import Interrupt

__all__ = (
    "GraphCallbackHandler",
    "GraphInterruptEvent",
    "GraphLifecycleEvent",
    "GraphLifecycleStatus",
    "GraphResumeEvent",
    "get_async_graph_callback_manager_for_config",
    "get_sync_graph_callback_manager_for_config",
)


GraphLifecycleStatus: TypeAlias = Literal[
    "input",
    "pending",
    "done",
    "interrupt_before",
    "interrupt_after",
    "out_of_steps",
]
"""Where in its life a run is when an event is sent."""


@dataclass(frozen=True)
class GraphInterruptEvent:
    """A run stopped at interrupts."""

    run_id: UUID | None
    """Id of the run, if it has one."""

    status: GraphLifecycleStatus
    """Where the run was."""

    checkpoint_id: str
    """The checkpoint to resume from."""

    checkpoint_ns: tuple[str, ...]
    """Path of the graph; empty for the root."""

    interrupts: tuple[Interrupt, ...]
    """What it stopped for."""


@dataclass(frozen=True)
class GraphResumeEvent:
    """A run goes on from a checkpoint."""

    run_id: UUID | None
    """Id of the run, if it has one."""

    status: GraphLifecycleStatus
    """Where the run is."""

    checkpoint_id: str
    """The checkpoint it resumes from."""

    checkpoint_ns: tuple[str, ...]
    """Path of the graph; empty for the root."""


GraphLifecycleEvent: TypeAlias = GraphInterruptEvent | GraphResumeEvent
"""Any event that a `GraphCallbackHandler` receives."""


class GraphCallbackHandler(BaseCallbackHandler):
    """Base for handlers that want to know when a graph stops for an interrupt, and when it goes on.

    Pass an instance in `config["callbacks"]`. Handlers of other classes get none of these events.
    """

    def on_interrupt(self, event: GraphInterruptEvent) -> Any:
        """Handle a stop at interrupts; does nothing by default."""

    def on_resume(self, event: GraphResumeEvent) -> Any:
        """Handle the resumption of a run; does nothing by default."""


_KEEP = object()


class _GraphManager(BaseCallbackManager):
    """Holds the graph handlers of a config, and the id of the run they are told about."""

    run_id: UUID | None

    def __init__(
        self,
        handlers: Sequence[GraphCallbackHandler] | None = None,
        inheritable_handlers: Sequence[GraphCallbackHandler] | None = None,
        parent_run_id: UUID | None = None,
        *,
        tags: list[str] | None = None,
        inheritable_tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inheritable_metadata: dict[str, Any] | None = None,
        run_id: UUID | None = None,
    ) -> None:
        super().__init__(
            handlers=list(handlers or ()),
            inheritable_handlers=list(inheritable_handlers or ()),
            parent_run_id=parent_run_id,
            tags=tags,
            inheritable_tags=inheritable_tags,
            metadata=metadata,
            inheritable_metadata=inheritable_metadata,
        )
        self.run_id = run_id

    def copy(self, *, run_id: UUID | object | None = _KEEP) -> Self:
        """Return a copy, for another run if `run_id` is given.

        Raises:
            TypeError: `run_id` is neither a UUID nor `None`.
        """
        if run_id is _KEEP:
            run_id = self.run_id
        elif run_id is not None and not isinstance(run_id, UUID):
            raise TypeError("run_id must be a UUID or None")
        return self._from_manager(self, run_id)

    @classmethod
    def configure(cls, callbacks: object | None = None, *, run_id: UUID | None = None) -> Self:
        """Make a manager from a config's `callbacks`.

        Args:
            callbacks: A handler, a sequence of handlers, a manager of any kind, or `None`. Only
                graph handlers are kept.
            run_id: Id of the run that handlers are told about.

        Raises:
            TypeError: `callbacks` is none of these.
        """
        if callbacks is None:
            return cls(run_id=run_id)
        if isinstance(callbacks, BaseCallbackManager):
            return cls._from_manager(callbacks, run_id)
        if isinstance(callbacks, GraphCallbackHandler):
            return cls((callbacks,), run_id=run_id)
        if isinstance(callbacks, (str, bytes)) or not isinstance(callbacks, Sequence):
            raise TypeError("callbacks must be a handler, sequence, or manager")
        return cls(_graph_handlers(callbacks), run_id=run_id)

    @classmethod
    def _from_manager(cls, manager: BaseCallbackManager, run_id: Any) -> Self:
        return cls(
            _graph_handlers(manager.handlers),
            _graph_handlers(manager.inheritable_handlers),
            manager.parent_run_id,
            tags=manager.tags.copy(),
            inheritable_tags=manager.inheritable_tags.copy(),
            metadata=manager.metadata.copy(),
            inheritable_metadata=manager.inheritable_metadata.copy(),
            run_id=run_id,
        )


def _graph_handlers(handlers: Sequence[Any]) -> list[GraphCallbackHandler]:
    return [handler for handler in handlers if isinstance(handler, GraphCallbackHandler)]


class _GraphCallbackManager(_GraphManager):
    """Sends events to handlers from sync code."""

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        """Tell all handlers about a stop at interrupts."""
        handle_event(self.handlers, "on_interrupt", None, event)

    def on_resume(self, event: GraphResumeEvent) -> None:
        """Tell all handlers about the resumption of a run."""
        handle_event(self.handlers, "on_resume", None, event)


class _AsyncGraphCallbackManager(_GraphManager):
    """Sends events to handlers from async code."""

    @property
    def is_async(self) -> bool:
        """Always true."""
        return True

    async def on_interrupt(self, event: GraphInterruptEvent) -> None:
        """Tell all handlers about a stop at interrupts."""
        await ahandle_event(self.handlers, "on_interrupt", None, event)

    async def on_resume(self, event: GraphResumeEvent) -> None:
        """Tell all handlers about the resumption of a run."""
        await ahandle_event(self.handlers, "on_resume", None, event)


GraphCallbacks: TypeAlias = (
    BaseCallbackManager
    | GraphCallbackHandler
    | Sequence[BaseCallbackHandler]
    | Sequence[GraphCallbackHandler]
    | None
)
"""What a config's `callbacks` may be."""


def get_sync_graph_callback_manager_for_config(
    config: RunnableConfig, *, run_id: UUID | None = None
) -> _GraphCallbackManager:
    """Return a manager of the config's graph handlers for a sync run.

    Args:
        config: Its `callbacks` are looked through.
        run_id: Id of the run that handlers are told about.
    """
    return _GraphCallbackManager.configure(config.get("callbacks"), run_id=run_id)


def get_async_graph_callback_manager_for_config(
    config: RunnableConfig, *, run_id: UUID | None = None
) -> _AsyncGraphCallbackManager:
    """Return a manager of the config's graph handlers for an async run.

    Args:
        config: Its `callbacks` are looked through.
        run_id: Id of the run that handlers are told about.
    """
    return _AsyncGraphCallbackManager.configure(config.get("callbacks"), run_id=run_id)
