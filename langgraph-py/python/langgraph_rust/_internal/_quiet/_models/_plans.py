"""What is found out once about the classes of chat models."""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.language_models import chat_models
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.runnables import base as runnables
from langchain_core.runnables import config as configs
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.utils._signature import _signature_parameters

from langgraph_rust._internal._quiet._known import is_known
from langgraph_rust._internal._quiet._known.memo import Memo
from langgraph_rust._internal._quiet._known.watch import class_unchanged_since_now
from langgraph_rust._internal._quiet._silence import Skipped, managed

__all__ = ("BINDING_METHODS", "METHODS", "SKIPPED", "BindingClass", "ModelClass", "class_of")

SKIPPED = Skipped(
    watched=[
        *managed(
            "CallbackManager",
            "AsyncCallbackManager",
            "CallbackManagerForLLMRun",
            "AsyncCallbackManagerForLLMRun",
        ),
        (chat_models, "CallbackManager"),
        (chat_models, "AsyncCallbackManager"),
        (chat_models, "ensure_config"),
        (chat_models, "get_llm_cache"),
        (chat_models, "ChatPromptValue"),
        (chat_models, "StringPromptValue"),
        (chat_models, "LLMResult"),
        (chat_models, "_normalize_messages"),
        (chat_models, "_format_for_tracing"),
    ],
    trusted=[
        (chat_models, "convert_to_messages"),
        (chat_models, "run_in_executor"),
        (chat_models, "_signature_parameters"),
        (chat_models, "_format_ls_structured_output"),
        (chat_models, "_generate_response_from_error"),
        (chat_models, "_gen_info_and_msg_metadata"),
        (runnables, "merge_configs"),
        (configs, "ensure_config"),
    ],
)

METHODS = frozenset(
    (
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
_SYNC = ("invoke", "generate", "generate_prompt", "_generate_with_cache", "_generate", "_stream")
_ASYNC = tuple("_a" + n[1:] if n.startswith("_") else "a" + n for n in _SYNC)


class ModelClass:
    """What calls of models of one class may pass over, sync ones or async ones.

    Attributes:
        entry: Why the class's `invoke` is not langchain-core's; `None` where it is.
        below: The same of what langchain-core's `invoke` calls.
        takes_manager: Whether the method that generates takes a run manager.
        streams: Whether a call may stream though nobody asked for a stream.
        offloads: Whether an async call only generates as a sync one does, on a thread.
        is_as_seen: Tells whether the methods of the class are still those.
    """

    __slots__ = ("below", "entry", "is_as_seen", "offloads", "streams", "takes_manager")

    def __init__(self, cls: type[BaseChatModel], is_async: bool) -> None:
        names = _ASYNC if is_async else _SYNC
        invoke, generate, generate_prompt, with_cache, work, stream = names
        self.is_as_seen = class_unchanged_since_now(cls, (*names, *_ALWAYS, "_stream"))

        def overridden(*names: str) -> str | None:
            own = (name for name in names if not is_known(getattr(cls, name), _BASE + name))
            found = next(own, None)
            return found and f"{cls.__name__}.{found} is not langchain-core's"

        self.entry = overridden(invoke)
        self.below = overridden(generate, generate_prompt, with_cache, *_ALWAYS)
        self.takes_manager = "run_manager" in _signature_parameters(getattr(cls, work))
        self.offloads = is_async and is_known(getattr(cls, work), _BASE + work)
        # An async stream may be made of a sync one.
        self.streams = any(
            getattr(cls, name) is not getattr(BaseChatModel, name) for name in (stream, "_stream")
        )


# --- Bound arguments -----------------------------------------------------------------------------

BINDING_METHODS = frozenset(("invoke", "ainvoke", "_merge_configs"))

_BINDING = "runnables.base:RunnableBindingBase."


class BindingClass:
    """Whether a class of runnables just calls another one with bound arguments.

    Attributes:
        entry: Why the class's `invoke` is not langchain-core's; `None` where it is.
        below: The same of what langchain-core's `invoke` calls.
        is_as_seen: Tells whether the methods of the class are still those.
    """

    __slots__ = ("below", "entry", "is_as_seen")

    def __init__(self, cls: type[RunnableBindingBase[Any, Any]], is_async: bool) -> None:
        invoke = "ainvoke" if is_async else "invoke"
        self.is_as_seen = class_unchanged_since_now(cls, (invoke, "_merge_configs"))

        def overridden(name: str) -> str | None:
            if is_known(getattr(cls, name), _BINDING + name):
                return None
            return f"{cls.__name__}.{name} is not langchain-core's"

        self.entry = overridden(invoke)
        self.below = overridden("_merge_configs")


# --- Either --------------------------------------------------------------------------------------


def _look_at(cls: type[Any], is_async: bool) -> ModelClass | BindingClass | None:
    try:
        if issubclass(cls, BaseChatModel):
            return ModelClass(cls, is_async)
        if issubclass(cls, RunnableBindingBase):
            return BindingClass(cls, is_async)
    except Exception:
        pass  # whatever stands in for its methods: that is for `invoke` to find out
    return None


_classes: tuple[Memo[type[Any], ModelClass | BindingClass | None], ...] = (
    Memo(partial(_look_at, is_async=False)),
    Memo(partial(_look_at, is_async=True)),
)


def class_of(cls: type[Any], is_async: bool) -> ModelClass | BindingClass | None:
    """Return what is known of a class, as it is now, or `None` if it is neither of the two."""
    remembered = _classes[is_async]
    found = remembered(cls)
    if found is not None and not found.is_as_seen(cls.__mro__):
        remembered.forget(cls)
        found = remembered(cls)
    return found
