"""Quiet calls of chat models: decided and prepared by functions, done by a sync and an async shell.

A model with bound arguments (`bind_tools`, `bind`, `with_config`) is taken apart first.
"""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

from langchain_core.language_models import chat_models
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.utils.utils import LC_ID_PREFIX

from langgraph_rust._internal._quiet import _configs as configs
from langgraph_rust._internal._quiet._in_context import in_context
from langgraph_rust._internal._quiet._managers import AsyncModelRun, ModelRun, Run
from langgraph_rust._internal._quiet._model_plans import (
    BINDING_METHODS,
    METHODS,
    SKIPPED,
    binding_class,
    model_class,
)
from langgraph_rust._internal._quiet._reasons import count_quick, count_reason
from langgraph_rust._internal._quiet._silence import LISTENED_TO, hears, is_traced

__all__ = ("acall", "aenter", "call", "enter")


def call(model: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what `model.invoke(value, config, **kwargs)` does."""
    begun = begin(model, value, config, kwargs, False, False)
    return model.invoke(value, config, **kwargs) if begun is None else begun.do()


async def acall(model: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what `await model.ainvoke(value, config, **kwargs)` does."""
    begun = begin(model, value, config, kwargs, True, False)
    if begun is None:
        return await model.ainvoke(value, config, **kwargs)
    return await begun.ado()


def enter(method: Any, model: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what langchain-core's `method`, an `invoke` of models, does with these arguments."""
    begun = None
    if _may_be_model(model):
        begun = begin(model, value, config, kwargs, False, True)
    return method(model, value, config, **kwargs) if begun is None else begun.do()


async def aenter(method: Any, model: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what langchain-core's `method`, an `ainvoke` of models, does with these arguments."""
    begun = None
    if _may_be_model(model):
        begun = begin(model, value, config, kwargs, True, True)
    if begun is None:
        return await method(model, value, config, **kwargs)
    return await begun.ado()


def _may_be_model(model: Any) -> bool:
    # Anything can have bound arguments.
    bound = getattr(model, "bound", model) if isinstance(model, RunnableBindingBase) else model
    return isinstance(bound, (BaseChatModel, RunnableBindingBase))


# --- May it be quick? ----------------------------------------------------------------------------

_RESERVED = frozenset(
    (
        # Of `generate`, and so errors as further arguments of `invoke`.
        "callbacks",
        "tags",
        "metadata",
        "run_name",
        "run_id",
        "messages",
        "prompts",
        "run_manager",
        "async_api",
        "config",
        "input",
        "self",
        # What it does with these is not done here.
        "ls_structured_output_format",
        "structured_output_format",
    )
)


def begin(
    model: Any,
    value: Any,
    config: Any,
    kwargs: dict[str, Any],
    is_async: bool,
    entered: bool,
) -> Call | None:
    """Return a quick call, ready to be done, or `None` if it is an ordinary one.

    Args:
        model: A model, or one with bound arguments.
        value: What it is called with.
        config: The config it is called with.
        kwargs: Further arguments for `invoke`.
        is_async: Whether it is `ainvoke` that is called.
        entered: Whether it is langchain-core's own `invoke` that asks.
    """
    reason = configs.own(config)
    while reason is None and isinstance(model, RunnableBindingBase):
        reason = _why_not_unbind(model, config, is_async, entered)
        entered = False
        if reason is None:
            if model.config:
                config = model._merge_configs(config)
            kwargs = {**model.kwargs, **kwargs}
            model = model.bound
    reason = reason or _why_not(model, config, kwargs, is_async, entered)
    if reason is not None:
        count_reason(reason)
        return None
    return Call(model, value, configs.merged(config), kwargs, is_async)


def _why_not_unbind(model: Any, config: Any, is_async: bool, entered: bool) -> str | None:
    plan = binding_class(type(model))
    return (
        (None if entered else plan.entry[is_async])
        or plan.below
        or (None if model.__dict__.keys().isdisjoint(BINDING_METHODS) else _OF_ITS_OWN)
        or ("configs are made for each call" if model.config_factories else None)
        or (
            LISTENED_TO
            if model.config
            and (hears(model.config.get("callbacks")) or _is_heard(config) or is_traced())
            else None
        )
        or (SKIPPED.why_not() if model.config else None)
    )


_OF_ITS_OWN = "a method is the model's own"


def _is_heard(config: Any) -> bool:
    around = configs.ambient.get()
    return (config is not None and hears(config.get("callbacks"))) or (
        around is not None and hears(around.get("callbacks"))
    )


def _why_not(
    model: Any, config: Any, kwargs: dict[str, Any], is_async: bool, entered: bool
) -> str | None:
    cls = type(model)
    if not issubclass(cls, BaseChatModel):
        return "it is not a chat model of langchain-core"
    plan = model_class(cls)
    return (
        (None if entered else plan.entry[is_async])
        or plan.below[is_async]
        or (None if model.__dict__.keys().isdisjoint(METHODS) else _OF_ITS_OWN)
        or (
            "there are arguments for `generate`"
            if kwargs and not _RESERVED.isdisjoint(kwargs)
            else None
        )
        or SKIPPED.why_not()
        or (
            LISTENED_TO
            if model.verbose or hears(model.callbacks) or _is_heard(config) or is_traced()
            else None
        )
        or _why_not_just_generate(model, kwargs, plan.streams[is_async])
    )


def _why_not_just_generate(model: Any, kwargs: dict[str, Any], streams: bool) -> str | None:
    cache = model.cache
    if cache is not False and (cache is not None or chat_models.get_llm_cache() is not None):
        return "there is a cache"
    if model.rate_limiter is not None:
        return "there is a rate limiter"
    if model.output_version == "v1":
        return "content is stored as blocks"
    if streams and ("stream" in kwargs or getattr(model, "streaming", None)):
        return "the model streams"
    return None


# --- The call ------------------------------------------------------------------------------------


class Call:
    """A call of a model that may be quick. It is done once."""

    __slots__ = ("_generate", "_kwargs", "_messages", "_run")

    def __init__(
        self, model: Any, value: Any, config: dict[str, Any], kwargs: dict[str, Any], is_async: bool
    ) -> None:
        count_quick("model")
        stop = kwargs.get("stop")

        def of_the_model() -> Any:
            further = {name: given for name, given in kwargs.items() if name != "stop"}
            return model._get_ls_params_with_defaults(stop=stop, **further)

        self._messages = _messages(model, value)
        self._run = run = Run(is_async, config, model, of_the_model)
        self._kwargs = {"stop": stop, **kwargs}
        if model_class(type(model)).takes_manager[is_async]:
            self._kwargs["run_manager"] = AsyncModelRun(run) if is_async else ModelRun(run)
        self._generate = model._agenerate if is_async else model._generate

    def do(self) -> Any:
        """Generate, and return the message."""
        return _finished(self._generate(self._messages, **self._kwargs), self._run)

    async def ado(self) -> Any:
        """Generate, and return the message."""
        result = await in_context(copy_context(), self._generate, (self._messages,), self._kwargs)
        return _finished(result, self._run)


def _messages(model: Any, value: Any) -> list[BaseMessage]:
    """Return what a model is called with, as messages for it alone."""
    if type(value) is list and all(map(_is_message, value)):
        messages = value.copy()
    elif type(value) is str:
        messages = [HumanMessage(content=value)]
    else:
        messages = model._convert_input(value).to_messages()
    for message in messages:
        if type(message.content) is not str:
            # Refuses some contents, and has others written differently.
            chat_models._format_for_tracing(messages)
            return chat_models._normalize_messages(messages)
    return messages


def _is_message(value: Any) -> bool:
    return isinstance(value, BaseMessage)


def _finished(result: Any, run: Run) -> Any:
    """Return the message of a result, completed as langchain-core completes it."""
    generations = result.generations
    if type(result) is not ChatResult or not all(map(_is_generation, generations)):
        chat_models.LLMResult(generations=[generations], llm_output=result.llm_output)
    for index, generation in enumerate(generations):
        message = generation.message
        if message.id is None:
            message.id = f"{LC_ID_PREFIX}-{run.id_text}-{index}"
        if generation.generation_info:
            metadata = chat_models._gen_info_and_msg_metadata(generation)
        else:
            metadata = {**message.response_metadata}
        message.response_metadata = metadata
    if len(generations) == 1 and result.llm_output is not None:
        message = generations[0].message
        message.response_metadata = {**result.llm_output, **message.response_metadata}
    return generations[0].message


def _is_generation(value: Any) -> bool:
    return type(value) is ChatGeneration or type(value) is ChatGenerationChunk


