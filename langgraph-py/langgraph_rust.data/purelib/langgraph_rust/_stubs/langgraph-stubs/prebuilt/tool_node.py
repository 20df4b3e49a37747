# Written by `make places`.
from langgraph_rust.prebuilt.tool_node import AsyncToolCallWrapper as AsyncToolCallWrapper
from langgraph_rust.prebuilt.tool_node import CONFIG_KEY_READ_STATE as CONFIG_KEY_READ_STATE
from langgraph_rust.prebuilt.tool_node import INVALID_TOOL_NAME_ERROR_TEMPLATE as INVALID_TOOL_NAME_ERROR_TEMPLATE
from langgraph_rust.prebuilt.tool_node import InjectedState as InjectedState
from langgraph_rust.prebuilt.tool_node import InjectedStore as InjectedStore
from langgraph_rust.prebuilt.tool_node import TOOL_CALL_ERROR_TEMPLATE as TOOL_CALL_ERROR_TEMPLATE
from langgraph_rust.prebuilt.tool_node import TOOL_EXECUTION_ERROR_TEMPLATE as TOOL_EXECUTION_ERROR_TEMPLATE
from langgraph_rust.prebuilt.tool_node import TOOL_INVOCATION_ERROR_TEMPLATE as TOOL_INVOCATION_ERROR_TEMPLATE
from langgraph_rust.prebuilt.tool_node import ToolCallRequest as ToolCallRequest
from langgraph_rust.prebuilt.tool_node import ToolCallWithContext as ToolCallWithContext
from langgraph_rust.prebuilt.tool_node import ToolCallWrapper as ToolCallWrapper
from langgraph_rust.prebuilt.tool_node import ToolInvocationError as ToolInvocationError
from langgraph_rust.prebuilt.tool_node import ToolNode as ToolNode
from langgraph_rust.prebuilt.tool_node import ToolRuntime as ToolRuntime
from langgraph_rust.prebuilt.tool_node import _InjectedArgs as _InjectedArgs
from langgraph_rust.prebuilt.tool_node import _ToolCallRequestOverrides as _ToolCallRequestOverrides
from langgraph_rust.prebuilt.tool_node import _default_handle_tool_errors as _default_handle_tool_errors
from langgraph_rust.prebuilt.tool_node import _filter_validation_errors as _filter_validation_errors
from langgraph_rust.prebuilt.tool_node import _get_all_injected_args as _get_all_injected_args
from langgraph_rust.prebuilt.tool_node import _get_injection_from_type as _get_injection_from_type
from langgraph_rust.prebuilt.tool_node import _handle_tool_error as _handle_tool_error
from langgraph_rust.prebuilt.tool_node import _infer_handled_types as _infer_handled_types
from langgraph_rust.prebuilt.tool_node import _is_injection as _is_injection
from langgraph_rust.prebuilt.tool_node import is_invalid_resume as is_invalid_resume
from langgraph_rust.prebuilt.tool_node import msg_content_output as msg_content_output
from langgraph_rust.prebuilt.tool_node import tools_condition as tools_condition

__all__ = [
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
]
