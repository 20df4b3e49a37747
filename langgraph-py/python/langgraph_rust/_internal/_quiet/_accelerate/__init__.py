"""Quiet calls for every caller: `invoke` of langchain-core's own classes tries to be quick.

For call sites that are not this package's: langchain's agents, nodes that call a model. Classes
with an `invoke` of their own keep it, and where that calls `super().invoke`, that one tries.
"""

from __future__ import annotations

from functools import wraps
from types import ModuleType
from typing import Any

from langgraph_rust._internal._lazy.import_hooks import when_imported
from langgraph_rust._internal._quiet._accelerate._traceable import accelerate_traceable
from langgraph_rust._internal._quiet._known import stand_in
from langgraph_rust._internal._quiet._load import models, tokens, tools

__all__ = ("accelerate", "is_accelerated")

_is_accelerated = False


def accelerate() -> None:
    """Let `invoke` and `ainvoke` of tools, chat models and bound models be quick where they can.

    Takes effect when langchain-core is imported, at once if it is already. Calling it again does
    nothing.
    """
    global _is_accelerated
    if _is_accelerated:
        return
    _is_accelerated = True
    when_imported("langchain_core.tools.base", _accelerate_tools)
    when_imported("langchain_core.language_models.chat_models", _accelerate_models)
    when_imported("langchain_core.runnables.base", _accelerate_bindings)
    when_imported("langchain_core.callbacks.manager", _accelerate_tokens)
    when_imported("langsmith.run_helpers", accelerate_traceable)


def is_accelerated() -> bool:
    """Whether `accelerate` was called."""
    return _is_accelerated


def _accelerate_tools(module: ModuleType) -> None:
    cls: Any = module.BaseTool
    sync, async_ = _methods(cls)

    @wraps(sync)
    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return tools().enter(sync, self, input, config, kwargs)

    @wraps(async_)
    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return await tools().aenter(async_, self, input, config, kwargs)

    _replace(cls, invoke, ainvoke)


def _accelerate_models(module: ModuleType) -> None:
    _accelerate_model(module.BaseChatModel)


def _accelerate_bindings(module: ModuleType) -> None:
    _accelerate_model(module.RunnableBindingBase)


def _accelerate_model(cls: Any) -> None:
    sync, async_ = _methods(cls)

    @wraps(sync)
    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return models().enter(sync, self, input, config, kwargs)

    @wraps(async_)
    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return await models().aenter(async_, self, input, config, kwargs)

    _replace(cls, invoke, ainvoke)


def _accelerate_tokens(module: ModuleType) -> None:
    sync = vars(module.CallbackManagerForLLMRun)["on_llm_new_token"]
    async_ = vars(module.AsyncCallbackManagerForLLMRun)["on_llm_new_token"]

    @wraps(sync)
    def on_llm_new_token(self: Any, token: Any, *, chunk: Any = None, **kwargs: Any) -> None:
        quick = tokens()
        if quick is None or (taker := quick.taker(self)) is None:
            return sync(self, token, chunk=chunk, **kwargs)
        return quick.hand_over(self, taker, token, chunk, kwargs)

    @wraps(async_)
    async def on_llm_new_token_of_async(
        self: Any, token: Any, *, chunk: Any = None, **kwargs: Any
    ) -> None:
        quick = tokens()
        if quick is None or (taker := quick.taker(self)) is None:
            return await async_(self, token, chunk=chunk, **kwargs)
        return quick.hand_over(self, taker, token, chunk, kwargs)

    _replace(module.CallbackManagerForLLMRun, on_llm_new_token)
    _replace(module.AsyncCallbackManagerForLLMRun, on_llm_new_token_of_async)


def _methods(cls: Any) -> tuple[Any, Any]:
    return vars(cls)["invoke"], vars(cls)["ainvoke"]


def _replace(cls: Any, *functions: Any) -> None:
    for function in functions:
        name = function.__name__
        stand_in(function, vars(cls)[name])
        setattr(cls, name, function)
