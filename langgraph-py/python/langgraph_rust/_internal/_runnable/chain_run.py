"""The run of one runnable, as callback handlers see it.

`start_run` makes one before the work, whoever did the work calls `end` or `error`. When nobody
listens, it is a `_SilentRun`, for which langchain-core is not even imported. Async handlers need
the `a` twins; everything else is the same for both.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import (
    context_with_config,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
    patch_config,
)
from langgraph_rust._internal._lazy.callbacks import SilentCallbackManager
from langgraph_rust._internal._lazy.listening import needs_callbacks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextvars import Context

    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.types import TracePolicy


class ChainRun:
    """A started run that has handlers.

    Args:
        manager: langchain-core's run manager for it, sync or async.
        policy: Says what tracers record of the output.
    """

    __slots__ = ("_manager", "_policy")

    def __init__(self, manager: Any, policy: TracePolicy | None) -> None:
        self._manager = manager
        self._policy = policy

    def child_config(self, config: RunnableConfig, tag: str | None = None) -> RunnableConfig:
        """Return the config for a runnable that runs within this run."""
        return patch_config(config, callbacks=self._manager.get_child(tag))

    def context(self, config: RunnableConfig) -> Context:
        """Return a context to work in: `config` is the ambient one, and traces nest in this run."""
        return context_for(config, self._traced_run())

    def tap(self, stream: Any, method: str) -> Any:
        """Let handlers that feed a stream of events see the output `stream` as it passes."""
        for handler in self._manager.handlers:
            if _is_stream_handler(handler):
                stream = getattr(handler, method)(self._manager.run_id, stream)
        return stream

    def end(self, output: Any) -> None:
        """Report success."""
        for manager, payload in self._reports(output):
            manager.on_chain_end(payload)

    async def aend(self, output: Any) -> None:
        """Report success."""
        for manager, payload in self._reports(output):
            await manager.on_chain_end(payload)

    def error(self, error: BaseException) -> None:
        """Report failure."""
        self._manager.on_chain_error(error)

    async def aerror(self, error: BaseException) -> None:
        """Report failure."""
        await self._manager.on_chain_error(error)

    def _reports(self, output: Any) -> Iterator[tuple[Any, Any]]:
        recorded = _recorded(output, self._policy and self._policy.process_outputs)
        if recorded is output:
            yield self._manager, output
            return
        others, tracers = _split_handlers(self._manager)
        # Once begun, a report is shielded from cancellation. With the tracers first, a
        # cancellation here can never leave a run open in a trace.
        yield tracers, recorded
        yield others, output

    def _traced_run(self) -> Any:
        module = sys.modules.get("langchain_core.tracers.langchain")
        if module is None:
            return None
        for handler in self._manager.handlers:
            if isinstance(handler, module.LangChainTracer):
                return handler.run_map.get(str(self._manager.run_id))
        return None


class _SilentRun(ChainRun):
    """A run that nobody listens to."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, None)

    def child_config(self, config: RunnableConfig, tag: str | None = None) -> RunnableConfig:
        return patch_config(config, callbacks=SilentCallbackManager())

    def context(self, config: RunnableConfig) -> Context:
        return context_with_config(config)

    def tap(self, stream: Any, method: str) -> Any:
        return stream

    def end(self, output: Any) -> None:
        pass

    async def aend(self, output: Any) -> None:
        pass

    def error(self, error: BaseException) -> None:
        pass

    async def aerror(self, error: BaseException) -> None:
        pass


_SILENT_RUN = _SilentRun()


def start_run(
    name: str | None,
    config: RunnableConfig,
    payload: Any,
    *,
    tags: Sequence[str] | None = None,
    shown: Callable[[Any], Any] | None = None,
    policy: TracePolicy | None = None,
) -> ChainRun:
    """Tell the config's handlers that a runnable starts to work on `payload`.

    Args:
        name: Of the run, unless the config has one; it may have none.
        config: Loses its `run_id`, which is this run's and nobody else's.
        payload: The input.
        tags: Further tags of the run.
        shown: Maps the input to what all handlers are told.
        policy: Says what tracers record instead of input and output.
    """
    run_id = config.pop("run_id", None)
    if not needs_callbacks(config):
        return _SILENT_RUN
    payload = _recorded(payload, shown)
    recorded = _recorded(payload, policy and policy.process_inputs)
    manager = get_callback_manager_for_config(config, tags)
    name = config.get("run_name") or name
    if recorded is payload:
        run = manager.on_chain_start(None, payload, name=name, run_id=run_id)
        return ChainRun(run, policy)
    others, tracers = _split_handlers(manager)
    run = others.on_chain_start(None, payload, name=name, run_id=run_id)
    tracers.on_chain_start(None, recorded, name=name, run_id=run.run_id)
    run.handlers = manager.handlers
    return ChainRun(run, policy)


async def astart_run(
    name: str | None,
    config: RunnableConfig,
    payload: Any,
    *,
    tags: Sequence[str] | None = None,
    shown: Callable[[Any], Any] | None = None,
    policy: TracePolicy | None = None,
) -> ChainRun:
    """Do what `start_run` does, with an async callback manager."""
    run_id = config.pop("run_id", None)
    if not needs_callbacks(config):
        return _SILENT_RUN
    payload = _recorded(payload, shown)
    recorded = _recorded(payload, policy and policy.process_inputs)
    manager = get_async_callback_manager_for_config(config, tags)
    name = config.get("run_name") or name
    if recorded is payload:
        run = await manager.on_chain_start(None, payload, name=name, run_id=run_id)
        return ChainRun(run, policy)
    others, tracers = _split_handlers(manager)
    # Tracers last: a cancellation before them leaves no run open in a trace.
    run = await others.on_chain_start(None, payload, name=name, run_id=run_id)
    await tracers.on_chain_start(None, recorded, name=name, run_id=run.run_id)
    run.handlers = manager.handlers
    return ChainRun(run, policy)


def context_for(config: RunnableConfig, traced_run: Any = None) -> Context:
    """Return a copy of the context with `config` as ambient config, nested in a langsmith run."""
    context = context_with_config(config)
    if traced_run is not None:
        from langsmith.run_helpers import _set_tracing_context

        context.run(_set_tracing_context, {"parent": traced_run})
    return context


def _recorded(value: Any, transform: Callable[[Any], Any] | None) -> Any:
    """Return what to record of a value; the value itself if there is no transform or it fails."""
    if transform is None:
        return value
    try:
        return transform(value)
    except Exception:
        from logging import getLogger

        getLogger("langgraph._internal._runnable").exception(
            "trace input/output processor raised; recording untransformed payload"
        )
        return value


def _split_handlers(manager: Any) -> tuple[Any, Any]:
    """Return two copies of a manager: one with all handlers but tracers, one with the tracers."""
    from langchain_core.tracers.base import BaseTracer

    others, tracers = copy.copy(manager), copy.copy(manager)
    others.handlers, tracers.handlers = [], []
    for handler in manager.handlers:
        # The tracer behind `astream_log` is no record: it feeds the caller's own stream.
        records = isinstance(handler, BaseTracer) and not _is_stream_handler(handler)
        (tracers if records else others).handlers.append(handler)
    return others, tracers


def _is_stream_handler(handler: object) -> bool:
    module = sys.modules.get("langchain_core.tracers._streaming")
    marker = getattr(module, "_StreamingCallbackHandler", None)
    # By inheritance: as a protocol it would match any handler that has methods of these names.
    return marker is not None and marker in type(handler).__mro__
