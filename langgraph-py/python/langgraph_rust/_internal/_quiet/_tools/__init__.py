"""Quick calls of tools: decided and prepared by functions, done by a sync and an async shell."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import copy_context
from typing import Any

from langchain_core.tools import base
from langchain_core.tools.base import ToolException
from pydantic import ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

from langgraph_rust._internal._quiet._contexts import ambient, child, copied, in_context, merged
from langgraph_rust._internal._quiet._managers import (
    AsyncToolManager,
    Run,
    ToolManager,
    child_of,
    manager_of,
)
from langgraph_rust._internal._quiet._reasons import count_quick, count_reason
from langgraph_rust._internal._quiet._silence import LISTENED_TO, hears, is_heard, is_traced
from langgraph_rust._internal._quiet._tools._message import tool_message
from langgraph_rust._internal._quiet._tools._plans import (
    METHODS,
    SKIPPED,
    Schema,
    ToolClass,
    function_of,
    schema_of,
    tool_class,
)
from langgraph_rust._internal._quiet._workers import on_worker

__all__ = ("acall", "aenter", "call", "enter")


def call(tool: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what `tool.invoke(value, config, **kwargs)` does."""
    plan = may_be_quick(tool, config, kwargs, False, False)
    if plan is None:
        return tool.invoke(value, config, **kwargs)
    return _proceed(tool, plan, value, config)


async def acall(tool: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what `await tool.ainvoke(value, config, **kwargs)` does."""
    if _offloads(tool) and (config is None or type(config) is dict):
        return await on_worker(_work_of(tool), call, tool, value, config, kwargs)
    plan = may_be_quick(tool, config, kwargs, True, False)
    if plan is None:
        return await tool.ainvoke(value, config, **kwargs)
    return await _aproceed(tool, plan, value, config)


def enter(method: Any, tool: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what langchain-core's `method`, which is `BaseTool.invoke`, does with these arguments."""
    plan = may_be_quick(tool, config, kwargs, False, True)
    if plan is None:
        return method(tool, value, config, **kwargs)
    return _proceed(tool, plan, value, config)


async def aenter(method: Any, tool: Any, value: Any, config: Any, kwargs: dict[str, Any]) -> Any:
    """Do what langchain-core's `method`, which is `BaseTool.ainvoke`, does."""
    plan = may_be_quick(tool, config, kwargs, True, True)
    if plan is None:
        return await method(tool, value, config, **kwargs)
    return await _aproceed(tool, plan, value, config)


# --- May it be quick? ----------------------------------------------------------------------------


def may_be_quick(
    tool: Any, config: Any, kwargs: dict[str, Any], is_async: bool, entered: bool
) -> ToolClass | None:
    """Return what is known of the tool's class, or `None` if the call is an ordinary one.

    Args:
        tool: The tool.
        config: The config it is called with.
        kwargs: Further arguments for `invoke`.
        is_async: Whether it is `ainvoke` that is called.
        entered: Whether it is langchain-core's own `invoke` that asks.
    """
    plan = tool_class(type(tool), is_async)
    if plan is None:
        reason = "its class is not known for a tool of langchain-core"
    else:
        reason = _why_not(tool, plan, config, kwargs, is_async, entered)
        if reason is None:
            return plan
    count_reason(reason)
    return None


def _why_not(
    tool: Any, plan: ToolClass, config: Any, kwargs: Any, is_async: bool, entered: bool
) -> str | None:
    if not entered and (reason := plan.entry) is not None:
        return reason
    if (reason := plan.below or SKIPPED.why_not()) is not None:
        return reason
    if not tool.__dict__.keys().isdisjoint(METHODS):
        return "a method is the tool's own"
    if kwargs:
        return "there are further arguments"
    if tool.verbose or hears(tool.callbacks) or is_heard(config) or is_traced():
        return LISTENED_TO
    if not plan.runs:
        return plan.work.reason
    function = tool.coroutine if is_async else tool.func
    return function_of(function).reason if function else "the tool has no function for this"


def _offloads(tool: Any) -> bool:
    """Tell whether all that `ainvoke` of a tool does is to call `invoke` on a thread."""
    plan = tool_class(type(tool), True)
    return (
        plan is not None and plan.offloads and not tool.coroutine and "ainvoke" not in tool.__dict__
    )


def _work_of(tool: Any) -> Any:
    """Return what decides how long a call of a tool takes."""
    return getattr(tool, "func", None) or type(tool)


# --- The call ------------------------------------------------------------------------------------


def _proceed(tool: Any, plan: ToolClass, value: Any, config: Any) -> Any:
    count_quick("tool")
    whole = merged(config)
    tool_input, call_id = _opened(value)
    status, artifact = "success", None
    try:
        context = copy_context()  # what validators set, the tool does not see
        function, args, kwargs, within = _prepared(tool, plan, tool_input, call_id, whole, False)
        content = context.run(_with_ambient, within, function, args, kwargs)
        if tool.response_format == "content_and_artifact":
            content, artifact = _split(content)
    except BaseException as error:
        handled = _handled(tool, error)
        if handled is None:
            raise
        content, status = handled
    return _output(content, artifact, call_id, tool.name, status)


async def _aproceed(tool: Any, plan: ToolClass, value: Any, config: Any) -> Any:
    count_quick("tool")
    whole = merged(config)
    tool_input, call_id = _opened(value)
    status, artifact = "success", None
    try:
        function, args, kwargs, within = _prepared(tool, plan, tool_input, call_id, whole, True)
        context = copy_context()  # and of an async one, it does
        context.run(ambient.set, within)
        content = await in_context(context, function, args, kwargs)
        if tool.response_format == "content_and_artifact":
            content, artifact = _split(content)
    except BaseException as error:
        handled = _handled(tool, error)
        if handled is None:
            raise
        content, status = handled
    return _output(content, artifact, call_id, tool.name, status)


def _with_ambient(within: Any, function: Any, args: Any, kwargs: Any) -> Any:
    ambient.set(within)
    return function(*args, **kwargs)


def _opened(value: Any) -> tuple[Any, Any]:
    """Return the arguments in what a tool is given, and the id of the tool call."""
    if isinstance(value, dict) and value.get("type") == "tool_call":
        call_id = value["id"]
        return value["args"].copy(), call_id
    return value, None


def _prepared(
    tool: Any,
    plan: ToolClass,
    tool_input: Any,
    call_id: Any,
    whole: dict[str, Any],
    is_async: bool,
) -> tuple[Any, tuple[Any, ...], dict[str, Any], dict[str, Any]]:
    """Return what is left to do: a function, its arguments, and the config that is ambient then."""
    run = Run(is_async, whole, tool)
    args, kwargs = _arguments(tool, plan, tool_input, call_id)
    within = child(whole, child_of(run, is_async))
    if plan.runs and "self" not in kwargs:
        function = tool.coroutine if is_async else tool.func
        known = function_of(function)
        # These are parameters of the method that is passed over.
        kwargs.pop("config", None)
        kwargs.pop("run_manager", None)
        if known.callbacks:
            kwargs["callbacks"] = manager_of(run, _MANAGERS[is_async]).get_child()
    else:
        function = tool._arun if is_async else tool._run
        known = plan.work
        if known.run_manager:
            kwargs["run_manager"] = manager_of(run, _MANAGERS[is_async])
    if known.config is not None:
        kwargs[known.config] = copied(whole)
    return function, args, kwargs, within


_MANAGERS = (ToolManager, AsyncToolManager)


def _arguments(
    tool: Any, plan: ToolClass, tool_input: Any, call_id: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    schema = schema_of(tool.args_schema) if plan.parses else None
    if schema is None:
        return tool._to_args_and_kwargs(tool_input, call_id)
    if schema.is_empty:
        return (), {}
    if not isinstance(tool_input, dict) or (schema.call_ids and call_id is None):
        return tool._to_args_and_kwargs(tool_input, call_id)
    for name in schema.call_ids:
        tool_input[name] = call_id
    result: Any = schema.model.model_validate(tool_input)
    provided = result.model_fields_set
    if schema.is_plain and len(provided) == len(schema.fields):
        parsed = {name: getattr(result, name) for name in schema.fields}
    else:
        optional = schema.optional
        parsed = {
            name: getattr(result, name)
            for name in _shown(result, schema)
            if name in tool_input or name in provided or name in optional
        }
    for name in tool._injected_args_keys:
        if name in tool_input:
            parsed[name] = tool_input[name]
        elif name == "tool_call_id":
            if call_id is None:
                return tool._to_args_and_kwargs(tool_input, call_id)  # says what is missing
            parsed[name] = call_id
    return (), parsed


def _shown(result: Any, schema: Schema) -> Iterable[str]:
    """Return the names that dumping validated arguments shows.

    What was injected is not dumped: that would take as long as the state of a graph is large.
    """
    injected = schema.injected & result.model_fields_set
    if not injected:
        return result.model_dump()
    dumped = result.model_dump(exclude=injected)
    fields = [name for name in schema.fields if name in injected or name in dumped]
    return (*fields, *(name for name in dumped if name not in schema.fields))


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
    if isinstance(error, (ValidationError, ValidationErrorV1)):
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
