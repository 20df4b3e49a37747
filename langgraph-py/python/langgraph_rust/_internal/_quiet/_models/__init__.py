"""Quiet calls of chat models: decided and prepared by functions, done by a sync and an async shell.

A model with bound arguments (`bind_tools`, `bind`, `with_config`) is taken apart first.
"""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from operator import attrgetter
from typing import Any

from langchain_core import messages as kinds
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import chat_models
from langchain_core.language_models._utils import _normalize_messages
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, LLMResult
from langchain_core.utils.utils import LC_ID_PREFIX

from langgraph_rust._internal._quiet._contexts import bound, in_context, merged
from langgraph_rust._internal._quiet._known.memo import Memo
from langgraph_rust._internal._quiet._managers import (
    AsyncModelManager,
    ModelManager,
    ModelRun,
    manager_of,
)
from langgraph_rust._internal._quiet._models._plans import (
    BINDING_METHODS,
    METHODS,
    SKIPPED,
    BindingClass,
    ModelClass,
    class_of,
)
from langgraph_rust._internal._quiet._reasons import count_quick, count_reason
from langgraph_rust._internal._quiet._silence import LISTENED_TO, hears, is_heard, is_traced
from langgraph_rust._internal._quiet._workers import on_worker

__all__ = ("acall", "aenter", "call", "enter")

Begun = tuple[Any, Any, list[BaseMessage], dict[str, Any], ModelRun]
"""A quick call: the model, its method that generates, the arguments of that, and the run."""


def call(model: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what `model.invoke(value, config, **kwargs)` does."""
    begun = _begin(model, value, config, kwargs, False, False)
    if begun is None:
        return model.invoke(value, config, **kwargs)
    return _proceed(begun)


async def acall(model: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what `await model.ainvoke(value, config, **kwargs)` does."""
    begun = _begin(model, value, config, kwargs, True, False)
    if begun is None:
        return await model.ainvoke(value, config, **kwargs)
    return await _aproceed(begun)


def enter(method: Any, model: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what langchain-core's `method`, an `invoke` of models, does with these arguments."""
    begun = _begin(model, value, config, kwargs, False, True)
    if begun is None:
        return method(model, value, config, **kwargs)
    return _proceed(begun)


async def aenter(method: Any, model: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what langchain-core's `method`, an `ainvoke` of models, does with these arguments."""
    begun = _begin(model, value, config, kwargs, True, True)
    if begun is None:
        return await method(model, value, config, **kwargs)
    return await _aproceed(begun)


# --- May it be quick? ----------------------------------------------------------------------------

_NO_MODEL = "its class is not known for a chat model of langchain-core"
_OF_ITS_OWN = "a method is the model's own"

_RESERVED = frozenset(
    (
        # Of the methods on the way, and so errors as further arguments.
        "async_api",
        "callbacks",
        "config",
        "input",
        "messages",
        "metadata",
        "prompts",
        "run_id",
        "run_manager",
        "run_name",
        "self",
        "tags",
    )
)


def _begin(
    model: Any,
    value: Any,
    config: Any,
    kwargs: dict[str, Any],
    is_async: bool,
    entered: bool,
) -> Begun | None:
    """Return a quick call, ready to be done, or `None` if it is an ordinary one.

    Args:
        model: A model, or one with bound arguments.
        value: What it is called with.
        config: The config it is called with.
        kwargs: Further arguments for `invoke`.
        is_async: Whether it is `ainvoke` that is called.
        entered: Whether it is langchain-core's own `invoke` that asks.
    """
    bindings: list[Any] = []
    plan = class_of(type(model), is_async)
    reason = None
    while type(plan) is BindingClass and reason is None:
        reason = _why_not_unbind(model, plan, is_async, entered)
        entered = False
        bindings.append(model)
        model = model.bound
        kwargs = {**bindings[-1].kwargs, **kwargs}
        plan = class_of(type(model), is_async)
    if reason is None:
        if type(plan) is ModelClass:
            reason = _why_not(model, plan, config, kwargs, is_async, entered)
        elif bindings:
            return None  # anything can have bound arguments
        else:
            reason = _NO_MODEL
    if reason is not None or type(plan) is not ModelClass:
        count_reason(reason or _NO_MODEL)
        return None
    count_quick("model")
    if not _FORMATS.isdisjoint(kwargs):
        kwargs = _without_format(kwargs)
    if any(binding.config for binding in bindings):
        config, bindings = bound(config, bindings), []
    run = ModelRun(is_async, merged(config), model, kwargs)
    if bindings:
        run.merges(config, bindings)
    given = {"stop": None, **kwargs}
    if plan.takes_manager:
        given["run_manager"] = manager_of(run, AsyncModelManager if is_async else ModelManager)
    if plan.offloads:
        generate: Any = partial(_generate_on_worker, model)
    else:
        generate = model._agenerate if is_async else model._generate
    return model, generate, _messages(model, value), given, run


def _why_not_unbind(model: Any, plan: BindingClass, is_async: bool, entered: bool) -> str | None:
    if not entered and (reason := plan.entry) is not None:
        return reason
    if plan.below is not None:
        return plan.below
    if not model.__dict__.keys().isdisjoint(BINDING_METHODS):
        return _OF_ITS_OWN
    if model.config_factories:
        return "configs are made for each call"
    return LISTENED_TO if model.config and hears(model.config.get("callbacks")) else None


def _why_not(
    model: Any, plan: ModelClass, config: Any, kwargs: Any, is_async: bool, entered: bool
) -> str | None:
    if not entered and (reason := plan.entry) is not None:
        return reason
    if (reason := plan.below or SKIPPED.why_not()) is not None:
        return reason
    if not model.__dict__.keys().isdisjoint(METHODS):
        return _OF_ITS_OWN
    if kwargs and not _RESERVED.isdisjoint(kwargs):
        return "there are arguments for more than the model"
    if model.verbose or hears(model.callbacks) or is_heard(config) or is_traced():
        return LISTENED_TO
    cache = model.cache
    if cache is not False and (cache is not None or get_llm_cache() is not None):
        return "there is a cache"
    if model.rate_limiter is not None:
        return "there is a rate limiter"
    if model.output_version == "v1":
        return "content is stored as blocks"
    if plan.streams and ("stream" in kwargs or getattr(model, "streaming", None)):
        return "the model streams"
    return None


# --- The call ------------------------------------------------------------------------------------

_FORMATS = frozenset(("ls_structured_output_format", "structured_output_format"))


def _without_format(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments without the one that tells listeners what output is wanted.

    langchain-core makes a JSON schema of it, and may refuse to.
    """
    name, other = "ls_structured_output_format", "structured_output_format"
    given = {key: value for key, value in kwargs.items() if key != name}
    wanted = kwargs.get(name) or given.pop(other, None)
    schema = wanted.get("schema") if type(wanted) is dict else None
    if isinstance(schema, type):
        _describe(schema)
    else:
        chat_models._format_ls_structured_output(wanted)
    return given


_describe: Memo[Any, Any] = Memo(
    lambda schema: chat_models._format_ls_structured_output({"schema": schema})
)


def _proceed(begun: Begun) -> Any:
    model, generate, messages, given, run = begun
    return _finished(model, generate(messages, **given), run)


async def _aproceed(begun: Begun) -> Any:
    model, generate, messages, given, run = begun
    result = await in_context(copy_context(), generate, (messages,), given)
    return _finished(model, result, run)


async def _generate_on_worker(
    model: Any, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **given: Any
) -> Any:
    """Do what langchain-core's own `_agenerate` does."""
    manager = run_manager.get_sync() if run_manager else None
    generate = model._generate
    return await on_worker(generate, generate, messages, stop, manager, **given)


_KINDS = frozenset(
    value
    for value in (getattr(kinds, name) for name in kinds.__all__)
    if isinstance(value, type) and issubclass(value, BaseMessage)
)


_TEXTS = frozenset((str,))
_content = attrgetter("content")


def _messages(model: Any, value: Any) -> list[BaseMessage]:
    """Return what a model is called with, as messages in a list for it alone."""
    messages: list[BaseMessage]
    if type(value) is list and (_KINDS.issuperset(map(type, value)) or all(map(_is_one, value))):
        messages = value.copy()
    elif type(value) is str:
        messages = [HumanMessage(content=value)]
    else:
        messages = model._convert_input(value).to_messages()
    if _TEXTS.issuperset(map(type, map(_content, messages))):
        return messages
    # Refuses some contents, and has others written differently.
    chat_models._format_for_tracing(messages)
    return _normalize_messages(messages)


def _is_one(value: Any) -> bool:
    return isinstance(value, BaseMessage)


def _finished(model: Any, result: Any, run: ModelRun) -> Any:
    """Return the message of a result, completed as langchain-core completes it."""
    generations = result.generations
    if type(result) is not ChatResult or not all(map(_is_generation, generations)):
        LLMResult(generations=[generations], llm_output=result.llm_output)
    for index, generation in enumerate(generations):
        message = generation.message
        if message.id is None:
            message.id = f"{LC_ID_PREFIX}-{run.id_text()}-{index}"
        if generation.generation_info:
            metadata = chat_models._gen_info_and_msg_metadata(generation)
        else:
            metadata = {**message.response_metadata}
        message.response_metadata = metadata
    if len(generations) == 1 and result.llm_output is not None:
        message = generations[0].message
        message.response_metadata = {**result.llm_output, **message.response_metadata}
    # Of several; some models count here.
    model._combine_llm_outputs([result.llm_output])
    return generations[0].message


def _is_generation(value: Any) -> bool:
    return type(value) is ChatGeneration or type(value) is ChatGenerationChunk
