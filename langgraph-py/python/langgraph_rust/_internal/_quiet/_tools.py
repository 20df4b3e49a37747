"""Quick calls of tools: decided and prepared by functions, done by a sync and an async shell."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

from langchain_core.tools import base, simple, structured
from langchain_core.tools.base import BaseTool, ToolException

from langgraph_rust._internal._quiet import _configs as configs
from langgraph_rust._internal._quiet._in_context import in_context
from langgraph_rust._internal._quiet._managers import AsyncChild, AsyncToolRun, Child, Run, ToolRun
from langgraph_rust._internal._quiet._reasons import count_quick, count_reason
from langgraph_rust._internal._quiet._silence import LISTENED_TO, hears, is_traced
from langgraph_rust._internal._quiet._tool_message import tool_message
from langgraph_rust._internal._quiet._tool_plans import (
    METHODS,
    SKIPPED,
    ToolClass,
    function_of,
    schema_of,
    tool_class,
)

__all__ = ("acall", "aenter", "call", "enter")

_MANAGERS = ((Child, ToolRun), (AsyncChild, AsyncToolRun))


def call(tool: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what `tool.invoke(value, config, **kwargs)` does."""
    reason = why_not(tool, config, kwargs, False, False)
    if reason is not None:
        count_reason(reason)
        return tool.invoke(value, config, **kwargs)
    return proceed(tool, value, config)


async def acall(tool: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what `await tool.ainvoke(value, config, **kwargs)` does."""
    reason = why_not(tool, config, kwargs, True, False)
    if reason is not None:
        count_reason(reason)
        return await tool.ainvoke(value, config, **kwargs)
    if tool_class(type(tool)).offloads and not tool.coroutine:
        module = structured if isinstance(tool, structured.StructuredTool) else simple
        return await module.run_in_executor(config, call, tool, value, config, kwargs)
    return await aproceed(tool, value, config)


def enter(method: Any, tool: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what langchain-core's `method`, which is `BaseTool.invoke`, does with these arguments."""
    reason = why_not(tool, config, kwargs, False, True)
    if reason is not None:
        count_reason(reason)
        return method(tool, value, config, **kwargs)
    return proceed(tool, value, config)


async def aenter(method: Any, tool: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what langchain-core's `method`, which is `BaseTool.ainvoke`, does."""
    reason = why_not(tool, config, kwargs, True, True)
    if reason is not None:
        count_reason(reason)
        return await method(tool, value, config, **kwargs)
    return await aproceed(tool, value, config)


# --- May it be quick? ----------------------------------------------------------------------------


def why_not(
    tool: Any, config: Any, kwargs: dict[str, Any], is_async: bool, entered: bool
) -> str | None:
    """Return why a call is an ordinary one, or `None` if it can be quick.

    Args:
        tool: The tool.
        config: The config it is called with.
        kwargs: Further arguments for `invoke`.
        is_async: Whether it is `ainvoke` that is called.
        entered: Whether it is langchain-core's own `invoke` that asks.
    """
    cls = type(tool)
    if not issubclass(cls, BaseTool):
        return "it is not a tool of langchain-core"
    plan = tool_class(cls)
    around = configs.ambient.get()
    return (
        (None if entered else plan.entry[is_async])
        or plan.below[is_async]
        or (None if tool.__dict__.keys().isdisjoint(METHODS) else "a method is the tool's own")
        or ("there are arguments for listeners" if kwargs else None)
        or configs.own(config)
        or SKIPPED.why_not()
        or (
            LISTENED_TO
            if tool.verbose
            or hears(tool.callbacks)
            or (config is not None and hears(config.get("callbacks")))
            or (around is not None and hears(around.get("callbacks")))
            or is_traced()
            else None
        )
        or _cannot_work(tool, plan, is_async, entered)
    )


def _cannot_work(tool: Any, plan: ToolClass, is_async: bool, entered: bool) -> str | None:
    if plan.runs[is_async]:
        if is_async and plan.offloads and not tool.coroutine and not entered:
            return None  # decided anew on the thread
        function = tool.coroutine if is_async else tool.func
        return function_of(function).reason if function else "the tool has no function for this"
    return function_of(plan.run[is_async]).reason


# --- The call ------------------------------------------------------------------------------------


def proceed(tool: Any, value: Any, config: Any) -> Any:
    """Call a tool that may be called quickly."""
    count_quick("tool")
    whole = configs.merged(config)
    tool_input, call_id = _opened(value)
    status, artifact = "success", None
    try:
        function, args, kwargs, child = _prepared(tool, tool_input, call_id, whole, False)
        content = copy_context().run(_with_ambient, child, function, args, kwargs)
        if tool.response_format == "content_and_artifact":
            content, artifact = _split(content)
    except BaseException as error:
        handled = _handled(tool, error)
        if handled is None:
            raise
        content, status = handled
    return _output(content, artifact, call_id, tool.name, status)


async def aproceed(tool: Any, value: Any, config: Any) -> Any:
    """Call a tool that may be called quickly, on the event loop."""
    count_quick("tool")
    whole = configs.merged(config)
    tool_input, call_id = _opened(value)
    status, artifact = "success", None
    try:
        function, args, kwargs, child = _prepared(tool, tool_input, call_id, whole, True)
        context = copy_context()
        context.run(configs.ambient.set, child)
        content = await in_context(context, function, args, kwargs)
        if tool.response_format == "content_and_artifact":
            content, artifact = _split(content)
    except BaseException as error:
        handled = _handled(tool, error)
        if handled is None:
            raise
        content, status = handled
    return _output(content, artifact, call_id, tool.name, status)


def _opened(value: Any) -> tuple[Any, Any]:
    """Return the arguments in what a tool is given, and the id of the tool call."""
    if isinstance(value, dict) and value.get("type") == "tool_call":
        call_id = value["id"]
        return value["args"].copy(), call_id
    return value, None


def _prepared(
    tool: Any, tool_input: Any, call_id: Any, whole: dict[str, Any], is_async: bool
) -> tuple[Any, tuple[Any, ...], dict[str, Any], dict[str, Any]]:
    """Return what is left to do: a function, its arguments, and the config that is ambient then."""
    plan = tool_class(type(tool))
    run = Run(is_async, whole, tool)
    of_child, of_run = _MANAGERS[is_async]
    args, kwargs = _arguments(tool, plan, tool_input, call_id)
    child = configs.child(whole, of_child(run))
    if plan.runs[is_async] and "self" not in kwargs:
        function = tool.coroutine if is_async else tool.func
        known = function_of(function)
        # These are parameters of the method that is passed over.
        kwargs.pop("config", None)
        kwargs.pop("run_manager", None)
        if known.callbacks:
            kwargs["callbacks"] = of_run(run).get_child()
    else:
        function = tool._arun if is_async else tool._run
        known = function_of(plan.run[is_async])
        if known.run_manager:
            kwargs["run_manager"] = of_run(run)
    if known.config is not None:
        kwargs[known.config] = configs.copied(whole)
    return function, args, kwargs, child


def _with_ambient(child: Any, function: Any, args: Any, kwargs: Any) -> Any:
    configs.ambient.set(child)
    return function(*args, **kwargs)


def _arguments(
    tool: Any, plan: ToolClass, tool_input: Any, call_id: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    schema = schema_of(tool.args_schema) if plan.parses else None
    if schema is not None and schema.is_empty:
        return (), {}
    if schema is None or not isinstance(tool_input, dict):
        return tool._to_args_and_kwargs(tool_input, call_id)
    if call_id is None and schema.call_ids:
        return tool._to_args_and_kwargs(tool_input, call_id)  # says what is missing
    for name in schema.call_ids:
        tool_input[name] = call_id
    result: Any = schema.model.model_validate(tool_input)  # type: ignore[union-attr]
    provided = result.model_fields_set
    optional = schema.optional
    parsed = {
        name: getattr(result, name)
        for name in result.model_dump()
        if name in tool_input or name in provided or name in optional
    }
    for name in tool._injected_args_keys:
        if name in tool_input:
            parsed[name] = tool_input[name]
        elif name == "tool_call_id":
            if call_id is None:
                return tool._to_args_and_kwargs(tool_input, call_id)
            parsed[name] = call_id
    return (), parsed


# --- The result ----------------------------------------------------------------------------------


def _split(response: Any) -> tuple[Any, Any]:
    """Return content and artifact."""
    if isinstance(response, tuple):
        try:
            content, artifact = response
        except ValueError:
            pass
        else:
            return content, artifact
    raise ValueError(
        "Since response_format='content_and_artifact' a two-tuple of the message content and raw "
        "tool output is expected. Instead, generated response is of type: "
        f"{type(response)}."
    )


def _handled(tool: Any, error: BaseException) -> tuple[Any, str] | None:
    """Return content and status that the tool makes of an error, or `None` if it is raised."""
    if isinstance(error, (base.ValidationError, base.ValidationErrorV1)):
        if tool.handle_validation_error:
            flag = tool.handle_validation_error
            return base._handle_validation_error(error, flag=flag), "error"
    elif isinstance(error, ToolException) and tool.handle_tool_error:
        return base._handle_tool_error(error, flag=tool.handle_tool_error), "error"
    # langchain-core asks whether there is an error by its truth.
    return None if error else (None, "success")


def _output(content: Any, artifact: Any, call_id: Any, name: Any, status: str) -> Any:
    if type(content) is str and type(call_id) is str and type(name) is str:
        return tool_message(content, artifact, call_id, name, status)
    return base._format_output(content, artifact, call_id, name, status)
