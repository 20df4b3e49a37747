"""Running the tools that a model calls, under upstream's names.

The parts are in `_tools`: the node, what is filled in for tools, requests, errors and results.
"""

from __future__ import annotations

from langgraph_rust._internal._constants import CONFIG_KEY_READ_STATE
from langgraph_rust.errors import is_invalid_resume
from langgraph_rust.prebuilt._tools.errors import (
    INVALID_TOOL_NAME_ERROR_TEMPLATE,
    TOOL_CALL_ERROR_TEMPLATE,
    TOOL_EXECUTION_ERROR_TEMPLATE,
    TOOL_INVOCATION_ERROR_TEMPLATE,
    ToolInvocationError,
    _default_handle_tool_errors,
    _filter_validation_errors,
    _handle_tool_error,
    _infer_handled_types,
)
from langgraph_rust.prebuilt._tools.injected import (
    InjectedState,
    InjectedStore,
    ToolRuntime,
    _get_all_injected_args,
    _get_injection_from_type,
    _InjectedArgs,
    _is_injection,
)
from langgraph_rust.prebuilt._tools.node import ToolNode
from langgraph_rust.prebuilt._tools.request import (
    AsyncToolCallWrapper,
    ToolCallRequest,
    ToolCallWithContext,
    ToolCallWrapper,
    _ToolCallRequestOverrides,
)
from langgraph_rust.prebuilt._tools.results import msg_content_output
from langgraph_rust.prebuilt._tools.routing import tools_condition

__all__ = (
    "CONFIG_KEY_READ_STATE",
    "INVALID_TOOL_NAME_ERROR_TEMPLATE",
    "TOOL_CALL_ERROR_TEMPLATE",
    "TOOL_EXECUTION_ERROR_TEMPLATE",
    "TOOL_INVOCATION_ERROR_TEMPLATE",
    "AsyncToolCallWrapper",
    "InjectedState",
    "InjectedStore",
    "ToolCallRequest",
    "ToolCallWithContext",
    "ToolCallWrapper",
    "ToolInvocationError",
    "ToolNode",
    "ToolRuntime",
    "_InjectedArgs",
    "_ToolCallRequestOverrides",
    "_default_handle_tool_errors",
    "_filter_validation_errors",
    "_get_all_injected_args",
    "_get_injection_from_type",
    "_handle_tool_error",
    "_infer_handled_types",
    "_is_injection",
    "is_invalid_resume",
    "msg_content_output",
    "tools_condition",
)
