"""The engine's own runnables: a function with injected arguments, and a sequence."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, contextmanager
from contextvars import Context, copy_context
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ForwardRef, NamedTuple, Optional, TypeVar

from langgraph_rust._internal._chain_run import astart_run, context_for, start_run
from langgraph_rust._internal._config import ensure_config
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_NODE_ERROR, CONFIG_KEY_RUNTIME
from langgraph_rust._internal._lazy_runnable import LazyRunnable, is_runnable
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.errors import NodeError
from langgraph_rust.types import StreamWriter, TracePolicy

if TYPE_CHECKING:
    import asyncio

    from langchain_core.runnables import Runnable, RunnableConfig
    from langchain_core.runnables.base import RunnableLike as _LCRunnableLike
    from typing_extensions import TypeIs

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)

ASYNCIO_ACCEPTS_CONTEXT = sys.version_info >= (3, 11)
"""Whether `asyncio.create_task` takes a context."""

if TYPE_CHECKING:
    RunnableLike = _LCRunnableLike[Any, Any] | Callable[..., Any]
else:
    RunnableLike = LazyRunnable | Callable[..., Any] | Mapping[str, Any]
"""What `coerce_to_runnable` accepts: a runnable, a function (with injected parameters), a dict."""

# --- Injected parameters -------------------------------------------------------------------------

_EMPTY = inspect.Parameter.empty


class _Injectable(NamedTuple):
    """A parameter that a node function gets if it declares it by this name and annotation."""

    name: str
    accepts: Callable[[Any], bool]
    """Whether an annotation asks for it."""
    runtime_key: str
    """Attribute of `Runtime` that holds the value; `N/A` if it comes from elsewhere."""
    default: Any
    """Value when there is none; without a default, that is an error."""


def _anything(annotation: Any) -> bool:
    return True


def _is_config(annotation: Any) -> bool:
    if annotation is _EMPTY or annotation in ("RunnableConfig", "Optional[RunnableConfig]"):
        return True
    # While this module is not loaded, no annotation can be an object of it.
    module = sys.modules.get("langchain_core.runnables.config")
    config_class = getattr(module, "RunnableConfig", None)
    return config_class is not None and (
        annotation == config_class or annotation == Optional[config_class]  # noqa: UP045
    )


def _is_writer(annotation: Any) -> bool:
    return annotation is _EMPTY or annotation in ("StreamWriter", StreamWriter)


def _is_store(annotation: Any) -> bool:
    if annotation is _EMPTY or annotation == "BaseStore":
        return True
    return any(annotation == store for store in _store_classes())


def _is_optional_store(annotation: Any) -> bool:
    if annotation == "Optional[BaseStore]":
        return True
    return any(annotation == Optional[store] for store in _store_classes())  # noqa: UP045


def _store_classes() -> Iterator[Any]:
    """Yield the loaded `BaseStore` classes: ours, and upstream's if both are in use."""
    for name in ("langgraph_rust.store.base", "langgraph.store.base"):
        if store := getattr(sys.modules.get(name), "BaseStore", None):
            yield store


def _is_node_error(annotation: Any) -> bool:
    return annotation in ("NodeError", NodeError)


def _no_op_writer(_: Any) -> None:
    """Drop a chunk."""


KWARGS_CONFIG_KEYS: tuple[_Injectable, ...] = (
    _Injectable("config", _is_config, "N/A", _EMPTY),
    _Injectable("writer", _is_writer, "stream_writer", _no_op_writer),
    _Injectable("store", _is_store, "store", _EMPTY),
    _Injectable("store", _is_optional_store, "store", None),
    _Injectable("previous", _anything, "previous", _EMPTY),
    _Injectable("runtime", _anything, "N/A", _EMPTY),
    # Any node may have a parameter of this type; only error handlers always get a value.
    _Injectable("error", _is_node_error, "N/A", None),
)
"""All parameters that can be injected."""

VALID_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
"""Kinds of parameters that can be passed by name."""


def _injected_parameters(func: Callable[..., Any]) -> dict[str, tuple[str, Any]]:
    """Return name -> `(runtime key, default)` of the parameters to inject into `func`."""
    declared = _parameters(func)
    accepted: dict[str, tuple[str, Any]] = {}
    for name, accepts, runtime_key, default in KWARGS_CONFIG_KEYS:
        parameter = declared.get(name)
        if parameter is None or parameter.kind not in VALID_KINDS:
            continue
        annotation = parameter.annotation
        if isinstance(annotation, ForwardRef):
            annotation = annotation.__forward_arg__
        if accepts(annotation):
            accepted[name] = (runtime_key, default)
        elif name == "config":
            warnings.warn(
                "The 'config' parameter should be typed as 'RunnableConfig' or "
                f"'RunnableConfig | None', not '{annotation}'. ",
                UserWarning,
                stacklevel=5,
            )
    return accepted


def _parameters(func: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        # Names that only exist for type checkers must not be evaluated.
        return inspect.signature(func, annotation_format=Format.FORWARDREF).parameters
    return inspect.signature(func).parameters


# --- Contexts ------------------------------------------------------------------------------------


@contextmanager
def set_config_context(config: RunnableConfig, run: Any = None) -> Generator[Context, None, None]:
    """Provide a copy of the context to run things in, with `config` as ambient config.

    Args:
        config: The config that `get_config()` returns there.
        run: The langsmith run that traces there nest in.
    """
    yield context_for(config, run)


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
            the event loop's default executor.
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

    loop = asyncio.get_running_loop()
    if executor_or_config is None or isinstance(executor_or_config, dict):
        return await loop.run_in_executor(None, copy_context().run, call)
    return await loop.run_in_executor(executor_or_config, call)


# --- A function ----------------------------------------------------------------------------------


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
        self.func_accepts = _injected_parameters(main)

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
            run = start_run(self, config, input, tags=self.tags)
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
            run = await astart_run(self, config, input, tags=self.tags)
            try:
                context = run.context(run.child_config(config))
                result = await _await_in(context, self.afunc(*args, **kwargs))
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
            value = _injected_value(name, runtime_key, config)
            if value is MISSING:
                value = default
            if value is _EMPTY:
                raise ValueError(f"Missing required config key '{runtime_key}' for '{self.name}'.")
            kwargs[name] = value
        return args, kwargs


def _function_name(func: Callable[..., Any]) -> str | None:
    name = getattr(func, "__name__", None)
    return None if name == "<lambda>" else name


def _injected_value(name: str, runtime_key: str, config: RunnableConfig) -> Any:
    if name == "config":
        return config
    conf = config.get(CONF, {})
    if name == "error":
        return conf.get(CONFIG_KEY_NODE_ERROR, MISSING)
    runtime = conf.get(CONFIG_KEY_RUNTIME)
    if not runtime:
        return MISSING
    if name == "runtime":
        return runtime
    # Servers may put an object of their own there.
    return getattr(runtime, runtime_key, MISSING)


async def _await_in(context: Context, coroutine: Awaitable[Any]) -> Any:
    """Await in a given context; in the current one where asyncio cannot do that."""
    if not ASYNCIO_ACCEPTS_CONTEXT:
        return await coroutine
    import asyncio

    return await asyncio.create_task(coroutine, context=context)  # type: ignore[arg-type]


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


# --- A sequence ----------------------------------------------------------------------------------


class RunnableSeq(LazyRunnable):
    """A node followed by what handles its output; each step's output is the next one's input.

    Only the first step runs with its config as the ambient one.

    Args:
        *steps: At least two; nested sequences are flattened.
        name: Name in traces.
        trace_inputs: Maps the input to what all callback handlers are told.
        trace_policy: What tracers record instead of that and of the output.

    Raises:
        ValueError: There are less than two steps.
    """

    def __init__(
        self,
        *steps: RunnableLike,
        name: str | None = None,
        trace_inputs: Callable[[Any], Any] | None = None,
        trace_policy: TracePolicy | None = None,
    ) -> None:
        flat: list[Any] = []
        for step in steps:
            if _is_sequence(step):
                flat.extend(step.steps)  # type: ignore[attr-defined]
            else:
                flat.append(coerce_to_runnable(step, name=None, trace=True))
        if len(flat) < 2:
            raise ValueError(f"RunnableSeq must have at least 2 steps, got {len(flat)}")
        self.steps = flat
        self.name = name
        self.trace_inputs = trace_inputs
        self.trace_policy = trace_policy or TracePolicy()

    def __or__(self, other: Any) -> Runnable:  # type: ignore[override]
        name = self.name or (other.name if _is_sequence(other) else None)
        return RunnableSeq(*self.steps, other, name=name)

    def __ror__(self, other: Any) -> Runnable:  # type: ignore[override]
        if isinstance(other, RunnableSeq):
            return RunnableSeq(*other.steps, *self.steps, name=other.name or self.name)
        from langchain_core.runnables.base import RunnableSequence

        if isinstance(other, RunnableSequence):
            return RunnableSequence(*other.steps, *self.steps, name=other.name or self.name)
        first = coerce_to_runnable(other, name=None, trace=True)
        return RunnableSequence(first, *self.steps, name=self.name)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run all steps; `kwargs` go to the first."""
        if config is None:
            config = ensure_config()
        run = start_run(self, config, input, **self._recording())
        try:
            for number, step in enumerate(self.steps, 1):
                config = run.child_config(config, f"seq:step:{number}")
                if number == 1:
                    context = run.context(config)
                    input = context.run(step.invoke, input, config, **kwargs)
                else:
                    input = step.invoke(input, config)
        except BaseException as error:
            run.error(error)
            raise
        run.end(input)
        return input

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run all steps; `kwargs` go to the first."""
        if config is None:
            config = ensure_config()
        run = await astart_run(self, config, input, **self._recording())
        try:
            for number, step in enumerate(self.steps, 1):
                config = run.child_config(config, f"seq:step:{number}")
                if number == 1:
                    first = step.ainvoke(input, config, **kwargs)
                    input = await _await_in(run.context(config), first)
                else:
                    input = await step.ainvoke(input, config)
        except BaseException as error:
            await run.aerror(error)
            raise
        await run.aend(input)
        return input

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Run all steps as a pipeline of streams; yields a single `None` when they are done."""
        if config is None:
            config = ensure_config()
        run = start_run(self, config, input, **self._recording())
        config = run.child_config(config, "seq:step:1")
        context = run.context(config)
        try:
            chunks = self.steps[0].stream(input, config, **kwargs)
            for number, step in enumerate(self.steps[1:], 2):
                config = run.child_config(config, f"seq:step:{number}")
                chunks = step.transform(chunks, config)
            output = context.run(_last, run.tap(chunks, "tap_output_iter"))
            yield
        except BaseException as error:
            run.error(error)
            raise
        run.end(output)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Run all steps as a pipeline of streams; yields a single `None` when they are done."""
        if config is None:
            config = ensure_config()
        run = await astart_run(self, config, input, **self._recording())
        config = run.child_config(config, "seq:step:1")
        context = run.context(config)
        try:
            async with AsyncExitStack() as stack:
                chunks = self.steps[0].astream(input, config, **kwargs)
                _close_with(stack, chunks)
                for number, step in enumerate(self.steps[1:], 2):
                    config = run.child_config(config, f"seq:step:{number}")
                    chunks = step.atransform(chunks, config)
                    _close_with(stack, chunks)
                output = await _await_in(context, _alast(run.tap(chunks, "tap_output_aiter")))
                yield
        except BaseException as error:
            await run.aerror(error)
            raise
        await run.aend(output)

    def _recording(self) -> dict[str, Any]:
        return {"shown": self.trace_inputs, "policy": self.trace_policy}


def _is_sequence(thing: object) -> bool:
    if isinstance(thing, RunnableSeq):
        return True
    # No instance of a class can exist before its module does.
    sequence = getattr(sys.modules.get("langchain_core.runnables.base"), "RunnableSequence", None)
    return sequence is not None and isinstance(thing, sequence)


def _close_with(stack: AsyncExitStack, chunks: Any) -> None:
    if hasattr(chunks, "aclose"):
        stack.push_async_callback(chunks.aclose)


def _last(chunks: Iterator[Any]) -> Any:
    last = None
    for last in chunks:  # noqa: B007
        pass
    return last


async def _alast(chunks: AsyncIterator[Any]) -> Any:
    last = None
    async for last in chunks:  # noqa: B007
        pass
    return last
