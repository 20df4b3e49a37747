"""The callback handlers of a run: those of its config, and those that feed its stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import (
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_STREAM_MESSAGES_V2,
    CONFIG_KEY_TASK_ID,
)
from langgraph_rust.pregel._state.single_writer import aend_turn

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust._engine import GraphRun
    from langgraph_rust.pregel._run.launch import Launch
    from langgraph_rust.pregel.protocol import StreamChunk

_HANDLER_MODES = frozenset(("messages", "tools"))
_STREAMS = f"{__name__.partition('.')[0]}.pregel._streams"
_MESSAGES = f"{_STREAMS}.messages"
_TOOLS = f"{_STREAMS}.tools"


def has_handlers_for(modes: set[Any]) -> bool:
    """Tell whether any of these stream modes is fed by callback handlers."""
    return not modes.isdisjoint(_HANDLER_MODES)


def callback_manager(config: RunnableConfig, modes: set[Any], version: str, is_async: bool) -> Any:
    """Return the manager that is to start a run.

    Handlers that feed somebody else's stream, and would take this run's events for that one's, are
    not in it.
    """
    configure = (
        get_async_callback_manager_for_config if is_async else get_callback_manager_for_config
    )
    manager = configure(config)
    if "messages" in modes and version != "v2":
        # Handlers of the old protocol stay: a stream around this one may count on them.
        _drop(manager, _speaks_new_protocol)
    if CONFIG_KEY_TASK_ID not in config[CONF]:
        # This graph's namespace begins at the root, even when it is called within a node.
        _drop(manager, _streams_one_graph)
    if "ls_integration" not in manager.metadata:
        manager.add_metadata({"ls_integration": "langgraph"})
    return manager


def stream_handlers(
    put: Callable[[StreamChunk], Any],
    config: RunnableConfig,
    modes: set[Any],
    *,
    subgraphs: bool,
    version: str,
    namespace: tuple[str, ...],
) -> list[Any]:
    """Return the handlers that `modes` need; they give what they hear to `put`."""
    handlers: list[Any] = []
    if "messages" in modes:
        from langgraph_rust.pregel._streams import messages

        new_protocol = version == "v2" and config[CONF].get(CONFIG_KEY_STREAM_MESSAGES_V2)
        name = "StreamMessagesHandlerV2" if new_protocol else "StreamMessagesHandler"
        handler = getattr(messages, name)
        handlers.append(handler(put, subgraphs, parent_ns=namespace))
    if "tools" in modes:
        from langgraph_rust.pregel._streams.tools import StreamToolCallHandler

        handlers.append(StreamToolCallHandler(put, subgraphs, parent_ns=namespace))
    return handlers


def graph_listeners(config: RunnableConfig, manager: Any, is_async: bool) -> Any:
    """Return the manager of the config's graph callback handlers; `None` if it has none."""
    if "langgraph_rust.callbacks" not in sys.modules:
        # No instance of a class can exist before its module does.
        return None
    from langgraph_rust import callbacks

    configure = (
        callbacks.get_async_graph_callback_manager_for_config
        if is_async
        else callbacks.get_sync_graph_callback_manager_for_config
    )
    listeners = configure(config, run_id=manager.run_id)
    return listeners if listeners.handlers else None


def tell(listeners: Any, run: GraphRun) -> None:
    """Tell graph listeners what happened to a run since the last time."""
    if listeners is not None:
        for name, event in _events(listeners, run):
            getattr(listeners, name)(event)


async def atell(listeners: Any, run: GraphRun) -> None:
    """Async twin of `tell`."""
    if listeners is not None:
        for name, event in _events(listeners, run):
            await getattr(listeners, name)(event)


def _events(listeners: Any, run: GraphRun) -> Iterator[tuple[str, Any]]:
    from langgraph_rust.callbacks import GraphInterruptEvent, GraphResumeEvent

    for kind, status, checkpoint_id, namespace, interrupts in run.lifecycle():
        what = {
            "run_id": listeners.run_id,
            "status": status,
            "checkpoint_id": checkpoint_id,
            "checkpoint_ns": namespace,
        }
        if kind == "resume":
            yield "on_resume", GraphResumeEvent(**what)
        else:
            yield "on_interrupt", GraphInterruptEvent(**what, interrupts=interrupts)


def taps_nodes(manager: Any) -> bool:
    """Tell whether somebody wants the output of nodes as it is streamed, not only their results."""
    from langchain_core.tracers._streaming import _StreamingCallbackHandler

    ours = _loaded(_MESSAGES, "StreamMessagesHandler"), _loaded(_TOOLS, "StreamToolCallHandler")
    # Inheritance: other handlers may have the methods of the protocol without being part of it.
    return any(
        _StreamingCallbackHandler in type(handler).__mro__ and not isinstance(handler, ours)
        for handler in manager.handlers
    )


async def drain(runnable: Any, input: Any, config: RunnableConfig) -> None:
    """Run a node by its stream, for handlers that tap it; its writes are its result."""
    async for _ in runnable.astream(input, config):
        pass


def _drop(manager: Any, unwanted: Callable[[object], bool]) -> None:
    manager.handlers = [h for h in manager.handlers if not unwanted(h)]
    manager.inheritable_handlers = [h for h in manager.inheritable_handlers if not unwanted(h)]


def _streams_one_graph(handler: Any) -> bool:
    kinds = _loaded(_MESSAGES, "StreamMessagesHandler"), _loaded(_TOOLS, "StreamToolCallHandler")
    return isinstance(handler, kinds) and not handler.subgraphs


def _speaks_new_protocol(handler: object) -> bool:
    return isinstance(handler, _loaded(_MESSAGES, "StreamMessagesHandlerV2"))


class _NotLoaded:
    """No object is an instance of this."""


def _loaded(module: str, name: str) -> type:
    # No instance of a class can exist before its module does.
    return getattr(sys.modules.get(module), name, _NotLoaded)


class AsyncStreaming:
    """What is around the chunks of an async run; entered, it gives the run.

    The `StopAsyncIteration` that the run ends with ends the `with` block; an error that the caller
    throws in closes the run. It is no async generator: an event loop that ends closes all of those
    at the same time, and would find one within another busy.
    """

    def __init__(self, launch: Launch, input: Any) -> None:
        self._launch = launch
        self._input = input

    async def __aenter__(self) -> GraphRun:
        """Begin the run."""
        launch = self._launch
        await launch._astart_manager(self._input)
        try:
            self._run = launch._begin(self._input, await launch._afind(self._input))
            self._listeners = launch._graph_listeners()
            await atell(self._listeners, self._run)
        except BaseException as error:
            await aend_turn(launch._turn)
            await launch._areport(error)
            raise
        return self._run

    async def __aexit__(self, _kind: Any, error: BaseException | None, _traceback: Any) -> bool:
        """Tell listeners how the run ended."""
        launch = self._launch
        is_over = error is None or isinstance(error, StopAsyncIteration)
        try:
            if is_over:
                await atell(self._listeners, self._run)
            elif (closing := self._run.aclose()) is not None:
                # The error comes from the caller, so the run has not heard of it.
                await closing
        except BaseException as another:
            await launch._areport(another)
            raise
        finally:
            await aend_turn(launch._turn)
        if error is not None and not is_over:
            await launch._areport(error)
        elif launch._manager is not None:
            await launch._manager.on_chain_end(self._run.output())
        return is_over
