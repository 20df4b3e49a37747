"""The parts of this room that import langchain-core, loaded by the first call."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from langgraph_rust._internal._quiet._reasons import count_reason

__all__ = ("contexts", "models", "tokens", "tools")

_ROOM = __name__.rpartition(".")[0]

_contexts: Any = None
_tools: Any = None
_models: Any = None
_tokens: Any = None


def contexts() -> Any:
    """Return the module for configs and contexts of calls."""
    global _contexts
    if _contexts is None:
        _contexts = import_module(f"{_ROOM}._contexts")
    return _contexts


def tools() -> Any:
    """Return the module for calls of tools."""
    global _tools
    if _tools is None:
        _tools = _load("_tools")
    return _tools


def models() -> Any:
    """Return the module for calls of models."""
    global _models
    if _models is None:
        _models = _load("_models")
    return _models


def tokens() -> Any:
    """Return the module for tokens; `None` if langchain-core is not a known one."""
    global _tokens
    if _tokens is None:
        loaded = _load("_tokens")
        _tokens = loaded if isinstance(loaded, ModuleType) else False
    return _tokens or None


def _load(name: str) -> Any:
    try:
        return import_module(f"{_ROOM}.{name}")
    except (AttributeError, ImportError) as error:
        # Names that langchain-core keeps to itself come and go.
        return _Ordinary(f"this release of langchain-core is not a known one: {error}")


class _Ordinary:
    """Makes ordinary calls, where no other can be made.

    Args:
        reason: Why.
    """

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def call(self, called: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
        count_reason(self._reason)
        return called.invoke(value, config, **kwargs)

    async def acall(self, called: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
        count_reason(self._reason)
        return await called.ainvoke(value, config, **kwargs)

    def enter(self, method: Any, *called: Any) -> Any:
        count_reason(self._reason)
        *args, kwargs = called
        return method(*args, **kwargs)

    aenter = enter  # returns what is awaited
