"""Contexts, threads and tasks to run things in, with the ambient config they are to have."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_rust._engine import call_on_worker
from langgraph_rust._internal._config import var_child_runnable_config
from langgraph_rust._internal._runnable.chain_run import context_for

if TYPE_CHECKING:
    import asyncio

    from langchain_core.runnables import RunnableConfig

Output = TypeVar("Output", covariant=True)

ASYNCIO_ACCEPTS_CONTEXT = sys.version_info >= (3, 11)
"""Whether `asyncio.create_task` takes a context."""


@contextmanager
def set_config_context(config: RunnableConfig, run: Any = None) -> Generator[Context, None, None]:
    """Provide a copy of the context to run things in, with `config` as ambient config.

    Args:
        config: The config that `get_config()` returns there.
        run: The langsmith run that traces there nest in.
    """
    yield context_for(config, run)


@contextmanager
def ambient(config: RunnableConfig) -> Generator[None, None, None]:
    """Make `config` the ambient one here, without a context of its own.

    What completes a config from the ambient one must not find the name of a run around it there.
    """
    token = var_child_runnable_config.set(config)
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


def create_task_in_config_context(
    coro_factory: Callable[[], Coroutine[Any, Any, Any]], config: RunnableConfig
) -> asyncio.Task[Any]:
    """Create an asyncio task for `coro_factory()` whose ambient config is `config`."""
    import asyncio

    # A new task copies the context it is created in, on all Python versions.
    return context_for(config).run(lambda: asyncio.create_task(coro_factory()))


async def run_in_executor(
    executor_or_config: Any, func: Callable[..., Output], *args: Any, **kwargs: Any
) -> Output:
    """Call a blocking function in a thread, in a copy of the current context.

    Args:
        executor_or_config: An executor, which runs it without the context; `None` or a config for
            the engine's workers, of which there are as many as needed: code that waits for other
            code in threads never waits for a thread.
        func: What to call.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Raises:
        RuntimeError: It raised `StopIteration`, which a future cannot hold.
    """
    import asyncio

    def call() -> Output:
        try:
            return func(*args, **kwargs)
        except StopIteration as error:
            raise RuntimeError from error

    if executor_or_config is None or isinstance(executor_or_config, dict):
        return await call_on_worker(call)
    return await asyncio.get_running_loop().run_in_executor(executor_or_config, call)


async def await_in(context: Context, coroutine: Awaitable[Any]) -> Any:
    """Await in a given context; in the current one where asyncio cannot do that."""
    if not ASYNCIO_ACCEPTS_CONTEXT:
        return await coroutine
    import asyncio

    task = asyncio.create_task(bring(coroutine), context=context)  # type: ignore[call-arg]
    try:
        return brought(await task)
    except asyncio.CancelledError:
        # Before it began, perhaps: then nobody has looked at it, which Python would complain of.
        if inspect.iscoroutine(coroutine):
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()
        raise


async def bring(coroutine: Awaitable[Any]) -> tuple[Any, BaseException | None]:
    """Await, as a task of its own, what may raise `SystemExit` or `KeyboardInterrupt`.

    Those end the event loop as soon as a task raises them, before whoever awaits the task hears of
    it: a run could not tell how it ended. So they are returned; `brought` raises them.
    """
    try:
        return await coroutine, None
    except (SystemExit, KeyboardInterrupt) as error:
        return None, error


def brought(outcome: tuple[Any, BaseException | None]) -> Any:
    """Return, or raise, what `bring` has brought."""
    value, error = outcome
    if error is not None:
        raise error
    return value
