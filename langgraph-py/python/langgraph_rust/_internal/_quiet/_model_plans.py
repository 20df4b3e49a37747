"""What is found out once about the classes of chat models."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import chat_models
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.runnables import base as runnables
from langchain_core.runnables import config as configs
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.utils._signature import _signature_parameters

from langgraph_rust._internal._quiet._known import is_known
from langgraph_rust._internal._quiet._memo import Memo
from langgraph_rust._internal._quiet._silence import Skipped, managed
from langgraph_rust._internal._quiet._watch import unchanged_since_now

__all__ = ("SKIPPED", "BindingClass", "ModelClass", "binding_class", "model_class")

SKIPPED = Skipped(
    [
        *managed(
            "CallbackManager",
            "AsyncCallbackManager",
            "CallbackManagerForLLMRun",
            "AsyncCallbackManagerForLLMRun",
        ),
        (chat_models, "CallbackManager"),
        (chat_models, "AsyncCallbackManager"),
        (chat_models, "ensure_config"),
        (chat_models, "convert_to_messages"),
        (chat_models, "ChatPromptValue"),
        (chat_models, "StringPromptValue"),
        (chat_models, "LLMResult"),
        (chat_models, "_normalize_messages"),
        (chat_models, "_format_for_tracing"),
        (chat_models, "_signature_parameters"),
        (chat_models, "_generate_response_from_error"),
        (chat_models, "_gen_info_and_msg_metadata"),
        (runnables, "merge_configs"),
        (configs, "ensure_config"),
    ]
)

METHODS = (
    "invoke",
    "ainvoke",
    "generate",
    "agenerate",
    "generate_prompt",
    "agenerate_prompt",
    "_convert_input",
    "_generate_with_cache",
    "_agenerate_with_cache",
    "_should_stream",
    "_should_use_protocol_streaming",
    "_streaming_disabled",
    "_generate",
    "_agenerate",
    "_stream",
    "_astream",
)

for _name in METHODS:
    getattr(BaseChatModel, _name)  # a release without one is not a known one

_BASE = "language_models.chat_models:BaseChatModel."
_ALWAYS = (
    "_convert_input",
    "_should_stream",
    "_should_use_protocol_streaming",
    "_streaming_disabled",
)
_SYNC = ("generate", "generate_prompt", "_generate_with_cache")
_ASYNC = ("agenerate", "agenerate_prompt", "_agenerate_with_cache")


class ModelClass:
    """What calls of models of one class may pass over.

    Attributes:
        entry: Why `invoke` and `ainvoke` of the class are not langchain-core's, by whether async;
            `None` where they are.
        below: The same of what langchain-core's `invoke` and `ainvoke` call.
        takes_manager: Whether the method that generates takes a run manager, by whether async.
        streams: Whether a call may stream though nobody asked for a stream, by whether async.
        is_as_seen: Tells whether the methods of the class are still those.
    """

    __slots__ = ("below", "entry", "is_as_seen", "streams", "takes_manager")

    def __init__(self, cls: type[BaseChatModel]) -> None:
        self.is_as_seen = unchanged_since_now((cls, name) for name in METHODS)

        def overridden(*names: str) -> str | None:
            own = (name for name in names if not is_known(getattr(cls, name), _BASE + name))
            found = next(own, None)
            return found and f"{cls.__name__}.{found} is not langchain-core's"

        self.entry = (overridden("invoke"), overridden("ainvoke"))
        self.below = (overridden(*_ALWAYS, *_SYNC), overridden(*_ALWAYS, *_ASYNC))
        self.takes_manager = tuple(
            "run_manager" in _signature_parameters(method)
            for method in (cls._generate, cls._agenerate)
        )
        sync = cls._stream is not BaseChatModel._stream
        self.streams = (sync, sync or cls._astream is not BaseChatModel._astream)


_model_class: Memo[type[BaseChatModel], ModelClass] = Memo(ModelClass)


def model_class(cls: type[BaseChatModel]) -> ModelClass:
    """Return what is known of a class of models, as it is now."""
    found = _model_class(cls)
    if not found.is_as_seen():
        _model_class.forget(cls)
        found = _model_class(cls)
    return found


# --- Bound arguments -----------------------------------------------------------------------------

BINDING_METHODS = ("invoke", "ainvoke", "_merge_configs")

_BINDING = "runnables.base:RunnableBindingBase."


class BindingClass:
    """Whether a class of runnables just calls another one with bound arguments.

    Attributes:
        entry: Why not, by whether async, or `None`.
        below: The same of what langchain-core's `invoke` and `ainvoke` call.
        is_as_seen: Tells whether the methods of the class are still those.
    """

    __slots__ = ("below", "entry", "is_as_seen")

    def __init__(self, cls: type[Any]) -> None:
        self.is_as_seen = unchanged_since_now((cls, name) for name in BINDING_METHODS)

        def overridden(name: str) -> str | None:
            if is_known(getattr(cls, name), _BINDING + name):
                return None
            return f"{cls.__name__}.{name} is not langchain-core's"

        self.entry = (overridden("invoke"), overridden("ainvoke"))
        self.below = overridden("_merge_configs")


_binding_class: Memo[type[Any], BindingClass] = Memo(BindingClass)


def binding_class(cls: type[RunnableBindingBase[Any, Any]]) -> BindingClass:
    """Return what is known of a class of runnables with bound arguments, as it is now."""
    found = _binding_class(cls)
    if not found.is_as_seen():
        _binding_class.forget(cls)
        found = _binding_class(cls)
    return found


