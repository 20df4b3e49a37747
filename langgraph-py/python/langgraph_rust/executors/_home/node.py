"""The runnable of a node whose code runs elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import ensure_config
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_SCRATCHPAD
from langgraph_rust._internal._lazy.runnable import LazyRunnable
from langgraph_rust._internal._runnable import run_in_executor
from langgraph_rust.executors._here import is_worker
from langgraph_rust.executors._home.attempt import Limits, attempt
from langgraph_rust.executors._home.desk import Desk
from langgraph_rust.executors._home.request import make_request
from langgraph_rust.executors._travel.pickling import dumps_node
from langgraph_rust.executors.base import Call, NotPortableError, WorkerDiedError

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig

    from langgraph_rust.executors._spec import Spec
    from langgraph_rust.types import TimeoutPolicy


class RemoteNode(LazyRunnable):
    """Runs a node's own code where an executor has a place for it; in a worker, on the spot.

    Args:
        at_home: The node's runnable.
        name: The node's name.
        spec: Where it runs.
        timeout: The node's limits. They hold for sync code as well: its process is stopped.
        by_default: Whether nobody has asked for this node: then it runs at home if something that
            it is given cannot be sent.
    """

    runs_elsewhere = True

    def __init__(
        self,
        at_home: Runnable[Any, Any] | LazyRunnable,
        name: str,
        spec: Spec,
        timeout: TimeoutPolicy | None = None,
        *,
        by_default: bool = False,
    ) -> None:
        self.at_home = at_home
        self.name = name
        self.spec = spec
        self.timeout = timeout
        self.by_default = by_default
        self.limits = Limits.of(timeout, spec.heartbeat_timeout)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Have the node run, and wait for its result.

        Raises:
            NotPortableError: Something cannot be sent.
            WorkerDiedError: The worker ended before the node did, and all retries are used up.
            NodeTimeoutError: It took too long.
        """
        config = config or ensure_config()
        if is_worker():
            return self.at_home.invoke(input, config)
        return self._perform(input, config, _is_over(config), is_async=False)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Async twin of `invoke`; if it is cancelled, the node is stopped."""
        config = config or ensure_config()
        if is_worker():
            return await self.at_home.ainvoke(input, config)
        stopped = threading.Event()

        def perform() -> Any:
            return self._perform(input, config, stopped.is_set, is_async=True)

        try:
            return await run_in_executor(None, perform)
        finally:
            stopped.set()

    def _perform(
        self,
        input: Any,
        config: RunnableConfig,
        is_stopped: Callable[[], bool],
        *,
        is_async: bool,
    ) -> Any:
        spec = self.spec
        try:
            call = self._call(input, config, is_async=is_async)
        except NotPortableError:
            if not self.by_default:
                raise
            # A default is for sync functions alone, and this is a thread that may wait.
            return self.at_home.invoke(input, config)
        executor = spec.executor
        left = executor.max_retries if spec.max_retries is None else spec.max_retries
        desk = Desk(config, str(self.name))
        while True:
            try:
                return attempt(executor, call, desk, self.limits, is_stopped)
            except WorkerDiedError:
                if not left or is_stopped():
                    raise
                left -= 1
                desk.restart()
                # Made anew: the task may have been given answers since.
                call = self._call(input, config, is_async=is_async)

    def _call(self, input: Any, config: RunnableConfig, *, is_async: bool) -> Call:
        """The node's call, as its task is now."""
        spec, name = self.spec, str(self.name)
        function = dumps_node(self.at_home, spec.graph, name)
        request = make_request(
            name, input, config, spec, is_async=is_async, leaves_out=not self.by_default
        )
        return Call(name, function, *request, spec.options)


def _is_over(config: RunnableConfig) -> Callable[[], bool]:
    """Whether nobody waits for the task of this config any more."""
    task = (config.get(CONF) or {}).get(CONFIG_KEY_SCRATCHPAD)
    return getattr(task, "is_over", bool)
