"""What the annotations of nodes and routers say: the input they want, where they may lead."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from inspect import isfunction, ismethod, signature
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust._internal._typing import EMPTY_SEQ
from langgraph_rust.types import Command


@dataclass(slots=True)
class NodeHints:
    """What a node's annotations say."""

    input_schema: type[Any] | None = None
    """The class of the first parameter, if it has annotated fields."""
    ends: tuple[str, ...] = EMPTY_SEQ
    """The node names in a `Command[Literal[...]]` return annotation."""


def node_hints(action: Any, *, wants_input: bool) -> NodeHints:
    """Read a node's annotations; ones that cannot be resolved say nothing.

    Unless `wants_input`, the input schema is not looked for.
    """
    found = NodeHints()
    with suppress(NameError, TypeError, StopIteration):
        hints = _node_annotations(action)
        if hints and wants_input:
            found.input_schema = _input_schema(action, hints)
        found.ends = _command_targets(hints.get("return"))
    return found


def router_input_schema(path: Any) -> type[Any] | None:
    """The class of a router's first parameter, if it has annotated fields."""
    with suppress(TypeError, StopIteration):
        func = _router_function(path)
        if func is not None and (hints := _cached_hints(func)):
            return _input_schema(func, hints)
    return None


def router_targets(path: Any) -> tuple[Any, ...] | None:
    """What a router returns according to a `Literal` return annotation."""
    if _wraps_function(path):
        # a router is free to be anything callable, with annotations that make no sense here
        with suppress(Exception):
            returned = _cached_hints(path.func or path.afunc).get("return")
            if get_origin(returned) is Literal:
                return get_args(returned)
    return None


def _node_annotations(action: Any) -> dict[str, Any]:
    if isfunction(action) or ismethod(action):
        return _cached_hints(action)
    call = getattr(action, "__call__", None)  # noqa: B004 - the method itself is wanted
    if not ismethod(call):
        return {}
    return get_type_hints(call) or get_type_hints(action)


def _input_schema(func: Callable[..., Any], hints: dict[str, Any]) -> type[Any] | None:
    hint = hints.get(_first_parameter(func))
    return hint if isinstance(hint, type) and _has_fields(hint) else None


def _first_parameter(func: Callable[..., Any]) -> str:
    if isfunction(func) and func.__code__.co_argcount and not func.__dict__:
        return func.__code__.co_varnames[0]
    return next(iter(signature(func).parameters))


def _command_targets(returned: Any) -> tuple[str, ...]:
    options = get_args(returned) if get_origin(returned) is Union else (returned,)
    command = next((option for option in options if get_origin(option) is Command), None)
    targets = get_args(command)[:1]
    if targets and get_origin(targets[0]) is Literal:
        return get_args(targets[0])
    return EMPTY_SEQ


def _wraps_function(path: Any) -> bool:
    """Whether `path` is a `RunnableCallable` or a langchain-core `RunnableLambda`."""
    return isinstance(path, RunnableCallable) or any(
        cls.__name__ == "RunnableLambda" and cls.__module__.startswith("langchain_core.")
        for cls in type(path).__mro__
    )


def _router_function(path: Any) -> Callable[..., Any] | None:
    if not _wraps_function(path):
        return path if callable(path) else None
    # RunnableLambda has no attribute for the variant it was not given
    for func in (getattr(path, "func", None), getattr(path, "afunc", None)):
        if isfunction(func) or ismethod(func):
            return func
        call = getattr(func, "__call__", None)  # noqa: B004 - the method itself is wanted
        if ismethod(call):
            return call
    return None


# Graphs of thousands of nodes often share functions and always share schemas.
_HINTS: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
_HAS_FIELDS: WeakKeyDictionary[type[Any], bool] = WeakKeyDictionary()


def _cached_hints(func: Callable[..., Any]) -> dict[str, Any]:
    if not isfunction(func):
        return get_type_hints(func)
    if not func.__annotations__:
        return {}
    hints = _HINTS.get(func)
    if hints is None:
        hints = _HINTS[func] = get_type_hints(func)
    return hints


def _has_fields(cls: type[Any]) -> bool:
    known = _HAS_FIELDS.get(cls)
    if known is None:
        known = _HAS_FIELDS[cls] = bool(get_type_hints(cls))
    return known
