"""Work that sync and async callers share, written once.

It is a generator that yields a `Call` wherever something may have to be waited for. A sync caller
drives it with `run_sync`, which calls the named method; an async one with `run_async`, which awaits
its twin, the method of the same name with a leading `a`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import lru_cache
from inspect import signature
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Call(NamedTuple):
    """A call of a method that has an async twin."""

    target: Any
    """The object."""
    method: str
    """The sync method's name."""
    args: tuple[Any, ...] = ()
    """Positional arguments."""
    kwargs: Mapping[str, Any] = {}
    """Keyword arguments."""
    optional: Mapping[str, Any] = {}
    """Keyword arguments for methods that take them; older implementations may not."""
    many: bool = False
    """Whether the method yields its results; they come back as a list."""


Steps = Generator[Call, Any, T]
"""Work that is done by driving it; its result is the generator's."""


def run_sync(steps: Steps[T]) -> T:
    """Do the work here and now; return its result."""
    result: Any = None
    failed: BaseException | None = None
    while True:
        try:
            call = _next(steps, result, failed)
        except StopIteration as stop:
            return stop.value
        finally:
            # The error knows this frame.
            failed = None
        try:
            method = getattr(call.target, call.method)
            result = method(*call.args, **_keywords(call, method))
            if call.many:
                result = list(result)
        except BaseException as error:
            failed = error


async def run_async(steps: Steps[T]) -> T:
    """Do the work with the async twins; return its result."""
    result: Any = None
    failed: BaseException | None = None
    while True:
        try:
            call = _next(steps, result, failed)
        except StopIteration as stop:
            return stop.value
        finally:
            failed = None
        try:
            method = getattr(call.target, f"a{call.method}")
            pending = method(*call.args, **_keywords(call, method))
            result = [item async for item in pending] if call.many else await pending
        except BaseException as error:
            failed = error


def _next(steps: Steps[T], result: Any, failed: BaseException | None) -> Call:
    """Go on with what a call gave. An error is raised where the call was made."""
    return steps.send(result) if failed is None else steps.throw(failed)


def accepts(method: Callable[..., Any], parameter: str) -> bool:
    """Tell whether a function or method declares a parameter of that name."""
    func = getattr(method, "__func__", None)
    # Functions of classes stay; anything else, such as a test's stand-in, should not be kept alive.
    return parameter in (_parameters(method) if func is None else _parameters_of_method(func))


def _keywords(call: Call, method: Callable[..., Any]) -> Mapping[str, Any]:
    if not call.optional:
        return call.kwargs
    taken = {name: value for name, value in call.optional.items() if accepts(method, name)}
    return {**call.kwargs, **taken}


def _parameters(func: Callable[..., Any]) -> frozenset[str]:
    return frozenset(signature(func).parameters)


_parameters_of_method = lru_cache(maxsize=64)(_parameters)
