"""A tool call on its way to its tool, and the functions that users put in between."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool
from typing_extensions import Unpack

from langgraph_rust.prebuilt._tools.injected import ToolRuntime
from langgraph_rust.types import Command


class _ToolCallRequestOverrides(TypedDict, total=False):
    """Keyword arguments of `ToolCallRequest.override`."""

    tool_call: ToolCall
    tool: BaseTool
    state: Any


@dataclass
class ToolCallRequest:
    """A tool call that is about to be run, as a wrapper sees it."""

    tool_call: ToolCall
    """What the model asked for: `name`, `args` and `id`."""
    tool: BaseTool | None
    """The tool of that name; `None` if the node has none, which a wrapper may make good."""
    state: Any
    """The state of the graph: a dict, a list of messages, or any object."""
    runtime: ToolRuntime
    """What the tool can reach."""

    # Written out, since the generated one would go through `__setattr__` for each field.
    def __init__(
        self, tool_call: ToolCall, tool: BaseTool | None, state: Any, runtime: ToolRuntime
    ) -> None:
        self.__dict__.update(tool_call=tool_call, tool=tool, state=state, runtime=runtime)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; to change one that is there is deprecated, see `override`."""
        if hasattr(self, name):
            warnings.warn(
                f"Setting attribute '{name}' on ToolCallRequest is deprecated. "
                "Use the override() method instead to create a new instance with modified values.",
                DeprecationWarning,
                stacklevel=2,
            )
        object.__setattr__(self, name, value)

    def override(self, **overrides: Unpack[_ToolCallRequestOverrides]) -> ToolCallRequest:
        """Return a request with some fields replaced; this one stays as it is.

        Args:
            **overrides: `tool_call`, `tool`, or `state`, which the runtime then has, too.
        """
        request = replace(self, **overrides)
        # Outside of a graph there may be none, or something that only looks like one.
        if "state" in overrides and isinstance(request.runtime, ToolRuntime):
            runtime = replace(request.runtime, state=request.state)
            request = replace(request, runtime=runtime)
        return request


ToolCallWrapper = Callable[
    [ToolCallRequest, Callable[[ToolCallRequest], ToolMessage | Command]],
    ToolMessage | Command,
]
"""A function `(request, execute)` around each tool call; what it returns is the call's result.

It may change the request (`request.override(...)`), call `execute(request)` several times or not at
all, and change what comes of it:

    def try_twice(request, execute):
        result = execute(request)
        failed = isinstance(result, ToolMessage) and result.status == "error"
        return execute(request) if failed else result
"""

AsyncToolCallWrapper = Callable[
    [ToolCallRequest, Callable[[ToolCallRequest], Awaitable[ToolMessage | Command]]],
    Awaitable[ToolMessage | Command],
]
"""The same for async runs; `execute(request)` is to be awaited."""


class ToolCallWithContext(TypedDict):
    """A tool call with the state it is made in: what agents send to their tools."""

    tool_call: ToolCall
    """The call."""
    __type: Literal["tool_call_with_context"]
    """Tells it from a state of the user's."""
    state: Any
    """The state, for arguments that are injected."""


for _public in (ToolCallRequest, ToolCallWithContext):
    _public.__module__ = "langgraph_rust.prebuilt.tool_node"
