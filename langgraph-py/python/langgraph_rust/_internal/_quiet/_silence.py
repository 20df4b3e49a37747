"""Whether a call of a tool or a model is quiet: nobody listens, and all that is skipped is known.

The callers say which functions of langchain-core they skip (`Skipped`). These are looked at once,
and again whenever one of them is not what it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from langchain_core.callbacks import manager as managers
from langchain_core.runnables.config import var_child_runnable_config as ambient

from langgraph_rust._internal._lazy.callbacks import is_silent
from langgraph_rust._internal._lazy.listening import is_traced_ambiently
from langgraph_rust._internal._quiet._known import is_known
from langgraph_rust._internal._quiet._known.fingerprints import FINGERPRINTS
from langgraph_rust._internal._quiet._known.watch import Place, unchanged_since_now

__all__ = ("LISTENED_TO", "Skipped", "hears", "is_heard", "is_traced", "managed")

LISTENED_TO = "a callback handler, a tracer or a hook listens"

_CLASSES = (managers.CallbackManager, managers.AsyncCallbackManager)


def hears(callbacks: Any) -> bool:
    """Tell whether the callbacks of a config, a tool or a model have a handler."""
    if not callbacks or is_silent(callbacks):
        return False
    if type(callbacks) in _CLASSES:
        return bool(callbacks.handlers or callbacks.inheritable_handlers)
    return True


def is_heard(config: Any) -> bool:
    """Tell whether callbacks that a call is given, or that are ambient, have a handler.

    What is no plain config is taken for one with a handler.
    """
    if config is not None and (type(config) is not dict or hears(config.get("callbacks"))):
        return True
    around = ambient.get()
    return around is not None and hears(around.get("callbacks"))


def is_traced() -> bool:
    """Tell whether langchain-core would add a handler to a call that has none of its own."""
    return is_traced_ambiently(_is_langsmith_on)


class Skipped:
    """The functions of langchain-core that a kind of call skips or does in another way.

    Args:
        watched: Modules and classes, with names in them. Classes are to be langchain-core's own,
            functions known ones.
        trusted: The same, of what nobody has a reason to replace. It is looked at, but not watched.
    """

    __slots__ = ("_is_as_seen", "_reason", "_trusted", "_watched")

    def __init__(self, watched: list[Place], trusted: list[Place]) -> None:
        self._watched = watched
        self._trusted = trusted
        self._is_as_seen: Callable[[], bool] = _never
        self._reason: str | None = None

    @property
    def places(self) -> list[Place]:
        """All that is looked at."""
        return self._watched + self._trusted

    def why_not(self) -> str | None:
        """Return why these cannot be skipped, or `None` if they can."""
        if not self._is_as_seen():
            places = self.places
            for holder, name in places:
                if not hasattr(holder, name):
                    return f"{holder.__name__}.{name} is missing"
            # What is seen by the next call is at least as new as what is judged here.
            unchanged = unchanged_since_now(self._watched)
            self._reason = next(filter(None, map(_judge, places)), None)
            self._is_as_seen = unchanged
        return self._reason


def managed(*names: str) -> list[Place]:
    """Return what every call has of the callback managers, and these classes, with all they have.

    Args:
        names: Of classes in the module of the managers.
    """
    places: list[Place] = [(managers, name) for name in ("_configure", "handle_event", "uuid7")]
    places.append((managers, "ahandle_event"))
    for cls_name, cls_names in _CALLED.items():
        if cls_name in names:
            places.append((managers, cls_name))
            places += [(getattr(managers, cls_name), name) for name in cls_names]
    return places


_OF_MANAGERS = ("__init__", "configure", "set_handlers", "add_tags", "add_metadata")
_OF_TOOL_RUNS = ("__init__", "get_child", "on_tool_end", "on_tool_error")
_OF_MODEL_RUNS = ("__init__", "on_llm_new_token", "on_llm_end", "on_llm_error")

_CALLED = {
    "CallbackManager": (*_OF_MANAGERS, "on_tool_start", "on_chat_model_start"),
    "AsyncCallbackManager": (*_OF_MANAGERS, "on_tool_start", "on_chat_model_start"),
    "CallbackManagerForToolRun": _OF_TOOL_RUNS,
    "AsyncCallbackManagerForToolRun": (*_OF_TOOL_RUNS, "get_sync"),
    "CallbackManagerForLLMRun": _OF_MODEL_RUNS,
    "AsyncCallbackManagerForLLMRun": (*_OF_MODEL_RUNS, "get_sync"),
}


def _never() -> bool:
    return False


def _judge(place: Place) -> str | None:
    holder, name = place
    value = getattr(holder, name)
    if isinstance(value, type):
        is_own = value.__module__.partition(".")[0] in ("langchain_core", "pydantic")
        is_own &= value.__name__ == name
    else:
        is_own = is_known(value, *FINGERPRINTS)
    return None if is_own else f"{holder.__name__}.{name} is not a known one"


# --- LangSmith -----------------------------------------------------------------------------------

_LANGSMITH = "langsmith.utils:tracing_is_enabled"
_known_langsmith: Any = None


def _is_langsmith_on(utils: ModuleType) -> bool:
    """Tell what `tracing_is_enabled` says, in a third of the time where nothing is set."""
    global _known_langsmith
    asked = utils.tracing_is_enabled
    context = sys.modules.get("langsmith._internal._context")
    if asked is not _known_langsmith:
        if context is None or not is_known(asked, _LANGSMITH):
            return asked()
        _known_langsmith = asked
    if (
        context is not None
        and context._TRACING_ENABLED.get() is None
        and context._PARENT_RUN_TREE_REF.get() is None
        and context._GLOBAL_TRACING_ENABLED is None
    ):
        read = utils.get_env_var
        return read("TRACING_V2", default=read("TRACING", default="")) == "true"
    return asked()
