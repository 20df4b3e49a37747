"""What a model is told of a call that went wrong, and which errors it is told of at all."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from langchain_core.tools.base import ToolException

from langgraph_rust.errors import GraphBubbleUp, is_invalid_resume

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from langgraph_rust.prebuilt._tools.injected import _InjectedArgs

INVALID_TOOL_NAME_ERROR_TEMPLATE = (
    "Error: {requested_tool} is not a valid tool, try one of [{available_tools}]."
)
"""What a model is told of a call to a tool that is not there."""
TOOL_CALL_ERROR_TEMPLATE = "Error: {error}\n Please fix your mistakes."
"""What a model is told of an error that is handled."""
TOOL_EXECUTION_ERROR_TEMPLATE = (
    "Error executing tool '{tool_name}' with kwargs {tool_kwargs} with error:\n"
    " {error}\n"
    " Please fix the error and try again."
)
"""A text for a tool's own error, with the arguments of the call, for whoever words their own."""
TOOL_INVOCATION_ERROR_TEMPLATE = (
    "Error invoking tool '{tool_name}' with kwargs {tool_kwargs} with error:\n"
    " {error}\n"
    " Please fix the error and try again."
)
"""What a model is told of arguments that a tool does not take."""

Handling = bool | str | Callable[..., str] | type[Exception] | tuple[type[Exception], ...]
"""What `handle_tool_errors` may be."""


class ToolInvocationError(ToolException):
    """The arguments of a tool call do not fit the tool; only raised within `ToolNode`.

    Args:
        tool_name: The tool.
        source: What its schema says.
        tool_kwargs: The arguments that the model gave.
        filtered_errors: The part of `source` that is about these; all of it by default.
    """

    def __init__(
        self,
        tool_name: str,
        source: ValidationError,
        tool_kwargs: dict[str, Any],
        filtered_errors: list[ErrorDetails] | None = None,
    ) -> None:
        self.message = TOOL_INVOCATION_ERROR_TEMPLATE.format(
            tool_name=tool_name,
            tool_kwargs=tool_kwargs,
            error=str(source) if filtered_errors is None else _listed(filtered_errors),
        )
        self.tool_name = tool_name
        self.tool_kwargs = tool_kwargs
        self.source = source
        self.filtered_errors = filtered_errors
        super().__init__(self.message)


ToolInvocationError.__module__ = "langgraph_rust.prebuilt.tool_node"


def _listed(errors: list[ErrorDetails]) -> str:
    """One line for each error: where, and what."""
    return "\n".join(
        f"{'.'.join(map(str, error.get('loc', ())))}: {error.get('msg', 'Unknown error')}"
        for error in errors
    )


def _filter_validation_errors(
    validation_error: ValidationError, injected_args: _InjectedArgs | None
) -> list[ErrorDetails]:
    """Return the errors about what the model gave, without any value that was filled in."""
    hidden = injected_args.names() if injected_args else set()
    filtered: list[Any] = []
    for error in validation_error.errors():
        if not error["loc"] or error["loc"][0] in hidden:
            continue
        shown: dict[str, Any] = {**error}
        if isinstance(given := shown.get("input"), dict):
            shown["input"] = {name: v for name, v in given.items() if name not in hidden}
        filtered.append(shown)
    return filtered


def is_for_the_model(error: Exception, handling: Handling) -> bool:
    """Whether the model is told of what a tool raised, instead of the run failing.

    Raises:
        ValueError: `handling` is a function whose annotation is no kind of exception.
    """
    if not is_for_wrapped(error, handling):
        return False
    if isinstance(handling, type) and issubclass(handling, Exception):
        return isinstance(error, handling)
    if isinstance(handling, tuple):
        return isinstance(error, handling)
    if callable(handling) and not isinstance(handling, type):
        return isinstance(error, _infer_handled_types(handling))
    return True


def is_for_wrapped(error: Exception, handling: Handling) -> bool:
    """The same of what a wrapper raised, where the kind of the error does not matter."""
    # An answer to an interrupt that does not fit is no mistake of the model's: the run fails, and
    # the interrupt can be answered again.
    return bool(handling) and not isinstance(error, GraphBubbleUp) and not is_invalid_resume(error)


def _handle_tool_error(e: Exception, *, flag: Handling) -> str:
    """Return what the model is told of an error.

    Raises:
        ValueError: `flag` is none of the ways to handle errors.
        Exception: Whatever the user's function raises.
    """
    if isinstance(flag, bool | tuple) or (isinstance(flag, type) and issubclass(flag, Exception)):
        return TOOL_CALL_ERROR_TEMPLATE.format(error=repr(e))
    if isinstance(flag, str):
        return flag
    if callable(flag):
        return flag(e)
    raise ValueError(
        "Got unexpected type of `handle_tool_error`. Expected bool, str "
        f"or callable. Received: {flag}"
    )


def _default_handle_tool_errors(e: Exception) -> str:
    """Tell the model of arguments that do not fit; anything else fails the run."""
    if isinstance(e, ToolInvocationError):
        return e.message
    raise e


def _infer_handled_types(handler: Callable[..., str]) -> tuple[type[Exception], ...]:
    """Return the exceptions that a function handles: those its parameter is annotated with.

    Raises:
        ValueError: It is annotated with something else.
    """
    parameters = list(inspect.signature(handler).parameters.values())
    if not parameters:
        return (Exception,)
    is_method = parameters[0].name in ("self", "cls") and len(parameters) == 2
    parameter = parameters[1] if is_method else parameters[0]
    hints = get_type_hints(handler)
    if parameter.name not in hints:
        return (Exception,)
    if get_origin(parameter.annotation) in (Union, UnionType):
        kinds = get_args(parameter.annotation)
        if all(issubclass(kind, Exception) for kind in kinds):
            return tuple(kinds)
        raise ValueError(
            "All types in the error handler error annotation must be "
            "Exception types. For example, "
            "`def custom_handler(e: Union[ValueError, TypeError])`. "
            f"Got '{parameter.annotation}' instead."
        )
    kind = hints[parameter.name]
    if Exception in kind.__mro__:
        return (kind,)
    raise ValueError(
        "Arbitrary types are not supported in the error handler "
        "signature. Please annotate the error with either a "
        "specific Exception type or a union of Exception types. "
        "For example, `def custom_handler(e: ValueError)` or "
        "`def custom_handler(e: Union[ValueError, TypeError])`. "
        f"Got '{kind}' instead."
    )
