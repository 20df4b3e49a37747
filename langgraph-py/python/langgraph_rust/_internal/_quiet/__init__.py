"""Quiet calls: tools and chat models of langchain-core, called without what only listeners need.

langchain-core tells callback handlers of every call of a tool or a model: it sets up managers,
describes the inputs and the model, and looks at signatures again. When nobody listens, none of that
can be seen by the caller. Here such a call goes straight to the work, and everything that can be
seen stays: validation, errors and who handles them, messages and their ids, configs, contexts.

What comes in is what `invoke` takes. A call goes the ordinary way, by the object's own `invoke`,
when somebody listens, when its class does not do as langchain-core's own do, or when langchain-core
is not one that this room knows (`_known`); `reasons` says which of these, and how often. Nothing
here imports langchain-core before the first call.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from langgraph_rust._internal._quiet._accelerate import accelerate, is_accelerated
from langgraph_rust._internal._quiet._known.deciding import decides, only_decides
from langgraph_rust._internal._quiet._load import contexts, models, tools
from langgraph_rust._internal._quiet._reasons import quick, reasons
from langgraph_rust._internal._quiet._takers import takes_tokens

__all__ = (
    "acall_model",
    "acall_tool",
    "accelerate",
    "as_step",
    "call_model",
    "call_tool",
    "decides",
    "in_context",
    "is_accelerated",
    "only_decides",
    "quick",
    "reasons",
    "takes_tokens",
)


def as_step(config: Any) -> tuple[Any, Any]:
    """Return the config that a step of a sequence gets, and a context in which it is ambient."""
    return contexts().step_context(config)


def in_context(context: Any, function: Any, *args: Any) -> Awaitable[Any]:
    """Return what awaits `function(*args)` with all of its code run in `context`."""
    return contexts().in_context(context, function, args, {})


def call_tool(tool: Any, call: Any, config: Any = None, **kwargs: Any) -> Any:
    """Do what `tool.invoke(call, config, **kwargs)` does."""
    return tools().call(tool, call, config, kwargs)


async def acall_tool(tool: Any, call: Any, config: Any = None, **kwargs: Any) -> Any:
    """Do what `await tool.ainvoke(call, config, **kwargs)` does.

    The work of an async tool is done by the calling task, in a context of its own.
    """
    return await tools().acall(tool, call, config, kwargs)


def call_model(model: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
    """Do what `model.invoke(input, config, **kwargs)` does.

    Args:
        model: A chat model, or one with bound arguments. Anything else is just invoked.
        input: A string, a prompt value, or messages.
        config: As for `invoke`.
        kwargs: As for `invoke`.
    """
    return models().call(model, input, config, kwargs)


async def acall_model(model: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
    """Do what `await model.ainvoke(input, config, **kwargs)` does."""
    return await models().acall(model, input, config, kwargs)
