"""Functions that only decide: they wait for nothing, and are as quick on an event loop's thread.

An async run has sync functions called by a worker, since nobody knows whether they wait for
something. Of a few it is known: the routes of agents.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, TypeVar

from langgraph_rust._internal._quiet._known import is_known

__all__ = ("decides", "only_decides")

F = TypeVar("F", bound=Callable[..., Any])

_FACTORY = "langchain.agents.factory"

_ROUTES = tuple(
    f"{_FACTORY}:{name}"
    for name in (
        "_add_middleware_edge.<locals>.jump_edge",
        "_make_model_to_model_edge.<locals>.model_to_model",
        "_make_model_to_tools_edge.<locals>.model_to_tools",
        "_make_tools_to_model_edge.<locals>.tools_to_model",
    )
)

_CALLED_BY_ROUTES = ("_fetch_last_ai_and_tool_messages", "_resolve_jump")

_own: set[Callable[..., Any]] = set()


def decides(function: F) -> F:
    """Mark a function of this package as one that only decides."""
    _own.add(function)
    return function


def only_decides(function: Any) -> bool:
    """Tell whether `function` is known to only decide."""
    plain = function.__func__ if type(function) is MethodType else function
    if type(plain) is not FunctionType:
        return False
    if plain.__module__ != _FACTORY:
        return plain in _own
    called = (plain.__globals__.get(name) for name in _CALLED_BY_ROUTES)
    return is_known(plain, *_ROUTES) and all(
        is_known(helper, f"{_FACTORY}:{name}")
        for name, helper in zip(_CALLED_BY_ROUTES, called, strict=True)
    )
