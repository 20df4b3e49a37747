"""Callback managers for runs that nobody listens to.

Code in a node may expect a callback manager in its config, for example to dispatch a custom event.
Making a real one for every node is by far too slow when there is no handler. These cost next to
nothing until one of their attributes is used; then they become langchain-core's managers.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._lazy.import_hooks import when_imported

if TYPE_CHECKING:
    from langchain_core.callbacks import (
        AsyncCallbackManager,
        BaseCallbackManager,
        CallbackManager,
    )
    from typing_extensions import Self, TypeIs

__all__ = (
    "EVENTS",
    "SilentAsyncCallbackManager",
    "SilentCallbackManager",
    "is_callback_manager",
    "is_silent",
)

_MANAGER_MODULE = "langchain_core.callbacks.manager"

EVENTS = (
    "on_chain_start",
    "on_chain_end",
    "on_chain_error",
    "on_chat_model_start",
    "on_llm_start",
    "on_llm_new_token",
    "on_llm_end",
    "on_llm_error",
    "on_stream_event",
    "on_tool_start",
    "on_tool_end",
    "on_tool_error",
    "on_retriever_start",
    "on_retriever_end",
    "on_retriever_error",
    "on_agent_action",
    "on_agent_finish",
    "on_text",
    "on_retry",
    "on_custom_event",
)
"""The methods of langchain-core's handlers, for handlers that do the same at each."""


class _SyncPlaceholder:
    """Keeps the bases of `SilentCallbackManager` assignable."""


class _AsyncPlaceholder:
    """Keeps the bases of `SilentAsyncCallbackManager` assignable."""


class _Silent:
    """Fills in the state of a manager without handlers when somebody first asks for it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # langchain-core makes modified copies by calling the class with a full state.
        if args or kwargs:
            super().__init__(*args, **kwargs)

    def _within(self, tags: list[str] | None, metadata: dict[str, Any] | None) -> Self:
        """Return the manager of a task with these tags and metadata, for what it calls."""
        own = type(self)()
        own.__dict__["_given"] = tags, metadata
        return own

    def __getattr__(self, name: str) -> Any:
        if name in _STATE:
            tags, metadata = self.__dict__.pop("_given", (None, None))
            self.__dict__.update(_fresh_state(tags or [], metadata or {}))
            return self.__dict__[name]
        if name.startswith("_") or not _graft_managers() or not hasattr(type(self), name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self, name)

    def copy(self) -> Self:
        """Return an independent manager with the same state."""
        clone = type(self).__new__(type(self))
        for name, value in self.__dict__.items():
            clone.__dict__[name] = value.copy() if isinstance(value, (list, dict)) else value
        return clone


if TYPE_CHECKING:
    _SyncBase = CallbackManager
    _AsyncBase = AsyncCallbackManager
else:
    _SyncBase = _SyncPlaceholder
    _AsyncBase = _AsyncPlaceholder


class SilentCallbackManager(_Silent, _SyncBase):
    """A `CallbackManager` without handlers; made by calling it without arguments."""


class SilentAsyncCallbackManager(_Silent, _AsyncBase):
    """An `AsyncCallbackManager` without handlers; made by calling it without arguments."""


_STATE = frozenset(
    (
        "handlers",
        "inheritable_handlers",
        "parent_run_id",
        "tags",
        "inheritable_tags",
        "metadata",
        "inheritable_metadata",
    )
)


def is_silent(callbacks: object) -> bool:
    """Tell whether `callbacks` is one of these managers, and still has no handler."""
    return isinstance(callbacks, _Silent) and not callbacks.__dict__.get("handlers")


def is_callback_manager(value: object) -> TypeIs[BaseCallbackManager]:
    """Tell whether `value` is a callback manager, without importing langchain-core."""
    if isinstance(value, _Silent):
        return True
    # No instance of a class can exist before its module does.
    module = sys.modules.get("langchain_core.callbacks.base")
    return module is not None and isinstance(value, module.BaseCallbackManager)


def _fresh_state(tags: list[str], metadata: dict[str, Any]) -> dict[str, Any]:
    from langchain_core.utils.uuid import uuid7

    # A parent run id says that this is within a run, which custom events insist on.
    return {
        "handlers": [],
        "inheritable_handlers": [],
        "parent_run_id": uuid7(),
        "tags": [*tags],
        "inheritable_tags": [*tags],
        "metadata": {**metadata},
        "inheritable_metadata": {**metadata},
    }


def _graft_managers() -> bool:
    import langchain_core.callbacks.manager as manager

    _adopt(manager)
    return True


def _adopt(module: ModuleType) -> None:
    if module.CallbackManager not in SilentCallbackManager.__bases__:
        SilentCallbackManager.__bases__ = (_Silent, _SyncPlaceholder, module.CallbackManager)
        SilentAsyncCallbackManager.__bases__ = (
            _Silent,
            _AsyncPlaceholder,
            module.AsyncCallbackManager,
        )


when_imported(_MANAGER_MODULE, _adopt)
