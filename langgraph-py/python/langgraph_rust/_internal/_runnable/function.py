"""A function as a runnable, with injected arguments; and what else can be made a runnable."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import ensure_config
from langgraph_rust._internal._lazy.runnable import LazyRunnable, is_runnable
from langgraph_rust._internal._runnable.chain_run import astart_run, start_run
from langgraph_rust._internal._runnable.contexts import await_in, run_in_executor
from langgraph_rust._internal._runnable.injection import EMPTY, injected_parameters, injected_value
from langgraph_rust._internal._typing import MISSING

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig
    from langchain_core.runnables.base import RunnableLike as _LCRunnableLike
    from typing_extensions import TypeIs

    RunnableLike = _LCRunnableLike[Any, Any] | Callable[..., Any]
else:
    RunnableLike = LazyRunnable | Callable[..., Any] | Mapping[str, Any]
"""What `coerce_to_runnable` accepts: a runnable, a function (with injected parameters), a dict."""


class RunnableCallable(LazyRunnable):
    """A function, or a sync and an async one that do the same, as a runnable.

    Parameters of the function that are named and annotated like one of the injectable ones
    (`config`, `writer`, `store`, `previous`, `runtime`, `error`) are filled in on each call, unless
    the caller passes them.

    Args:
        func: The sync function; `None` if there is only an async one.
        afunc: The async function. Without it, `ainvoke` calls `func` directly.
        name: Name in traces; that of the function by default.
        tags: Tags of its runs.
        trace: Whether calls are runs of their own to callback handlers.
        recurse: Whether a runnable that the function returns is invoked with the same input.
        explode_args: Whether the input is a pair `(args, kwargs)` to call the function with.
        **kwargs: Passed on every call.

    Raises:
        ValueError: Neither `func` nor `afunc` is given.
    """

    def __init__(
        self,
        func: Callable[..., Any | Runnable] | None,
        afunc: Callable[..., Awaitable[Any | Runnable]] | None = None,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        trace: bool = True,
        recurse: bool = True,
        explode_args: bool = False,
        **kwargs: Any,
    ) -> None:
        main = func or afunc
        if main is None:
            raise ValueError("At least one of func or afunc must be provided.")
        self.name = _function_name(main) if name is None else name
        self.func = func
        self.afunc = afunc
        self.tags = tags
        self.kwargs = kwargs
        self.trace = trace
        self.recurse = recurse
        self.explode_args = explode_args
        self.func_accepts = injected_parameters(main)

    def __repr__(self) -> str:
        hidden = ("name", "func", "afunc", "config", "kwargs", "trace")
        shown = (f"{key}={value!r}" for key, value in self.__dict__.items() if key not in hidden)
        return f"{self.get_name()}({', '.join(shown)})"

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Call the function with `input`, the injected parameters and `kwargs`.

        Raises:
            TypeError: There is only an async function.
            ValueError: A parameter without default is to be injected, and the config has no value.
        """
        if self.func is None:
            raise TypeError(
                f'No synchronous function provided to "{self.name}".'
                "\nEither initialize with a synchronous function or invoke"
                " via the async API (ainvoke, astream, etc.)"
            )
        if config is None:
            config = ensure_config()
        args, kwargs = self._arguments(input, config, kwargs)
        if self.trace:
            run = start_run(self.get_name(), config, input, tags=self.tags)
            try:
                context = run.context(run.child_config(config))
                result = context.run(self.func, *args, **kwargs)
            except BaseException as error:
                run.error(error)
                raise
            run.end(result)
        else:
            result = self.func(*args, **kwargs)
        if self.recurse and is_runnable(result):
            return result.invoke(input, config)
        return result

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Await the async function; or call the sync one, if that is the only one.

        Raises:
            ValueError: A parameter without default is to be injected, and the config has no value.
        """
        if not self.afunc:
            return self.invoke(input, config, **kwargs)
        if config is None:
            config = ensure_config()
        args, kwargs = self._arguments(input, config, kwargs)
        if self.trace:
            # As upstream does; its sync twin shows the name of the class instead of none.
            run = await astart_run(self.name, config, input, tags=self.tags)
            try:
                context = run.context(run.child_config(config))
                result = await await_in(context, self.afunc(*args, **kwargs))
            except BaseException as error:
                await run.aerror(error)
                raise
            await run.aend(result)
        else:
            result = await self.afunc(*args, **kwargs)
        if self.recurse and is_runnable(result):
            return await result.ainvoke(input, config)
        return result

    def _arguments(
        self, input: Any, config: RunnableConfig, kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments for a call of the function."""
        if self.explode_args:
            args, own = input
            kwargs = {**self.kwargs, **own, **kwargs}
        else:
            args = (input,)
            kwargs = {**self.kwargs, **kwargs}
        for name, (runtime_key, default) in self.func_accepts.items():
            if name in kwargs:
                continue
            value = injected_value(name, runtime_key, config)
            if value is MISSING:
                value = default
            if value is EMPTY:
                raise ValueError(f"Missing required config key '{runtime_key}' for '{self.name}'.")
            kwargs[name] = value
        return args, kwargs


def _function_name(func: Callable[..., Any]) -> str | None:
    name = getattr(func, "__name__", None)
    return None if name == "<lambda>" else name


def is_async_callable(func: Any) -> TypeIs[Callable[..., Awaitable]]:
    """Tell whether calling `func` gives a coroutine."""
    return _is_kind(func, inspect.iscoroutinefunction)


def is_async_generator(func: Any) -> TypeIs[Callable[..., AsyncIterator]]:
    """Tell whether calling `func` gives an async generator."""
    return _is_kind(func, inspect.isasyncgenfunction)


def _is_kind(func: Any, test: Callable[[Any], bool]) -> bool:
    return test(func) or (hasattr(func, "__call__") and test(func.__call__))  # noqa: B004


def coerce_to_runnable(thing: RunnableLike, *, name: str | None, trace: bool) -> Runnable:
    """Return `thing` as a runnable.

    Args:
        thing: A runnable, a function of any kind, or a dict of these.
        name: Name for a function; its own by default.
        trace: Whether calls of a function are runs of their own.

    Raises:
        TypeError: It is none of these.
    """
    if is_runnable(thing):
        return thing
    if is_async_generator(thing) or inspect.isgeneratorfunction(thing):
        from langchain_core.runnables.base import RunnableLambda

        return RunnableLambda(thing, name=name)  # type: ignore[call-overload]
    if callable(thing):
        if is_async_callable(thing):
            return RunnableCallable(None, thing, name=name, trace=trace)
        in_thread = wraps(thing)(partial(run_in_executor, None, thing))
        return RunnableCallable(thing, in_thread, name=name, trace=trace)
    if isinstance(thing, dict):
        from langchain_core.runnables.base import RunnableParallel

        return RunnableParallel(thing)
    raise TypeError(
        f"Expected a Runnable, callable or dict.Instead got an unsupported type: {type(thing)}"
    )
