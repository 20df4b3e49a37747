"""`ToolNode`: runs the tools that a model calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.messages import ToolMessage
from langchain_core.runnables.config import get_config_list
from langchain_core.tools import BaseTool
from langchain_core.tools import tool as as_tool
from pydantic import ValidationError

from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust.errors import is_invalid_resume
from langgraph_rust.prebuilt._calls import acall_tool, call_tool
from langgraph_rust.prebuilt._side_by_side import side_by_side
from langgraph_rust.prebuilt._tools.asking import (
    aask_side_by_side,
    ask_side_by_side,
    configs_of_parts,
)
from langgraph_rust.prebuilt._tools.errors import (
    INVALID_TOOL_NAME_ERROR_TEMPLATE,
    ToolInvocationError,
    _default_handle_tool_errors,
    _filter_validation_errors,
    _handle_tool_error,
    is_for_the_model,
    is_for_wrapped,
)
from langgraph_rust.prebuilt._tools.injected import (
    ToolRuntime,
    _get_all_injected_args,
    _InjectedArgs,
)
from langgraph_rust.prebuilt._tools.inputs import read_input, state_of, with_injected
from langgraph_rust.prebuilt._tools.request import ToolCallRequest
from langgraph_rust.prebuilt._tools.results import (
    checked_command,
    checked_list,
    combined,
    msg_content_output,
)
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage, ToolCall
    from langchain_core.runnables import RunnableConfig
    from pydantic import BaseModel

    from langgraph_rust.prebuilt._tools.errors import Handling
    from langgraph_rust.prebuilt._tools.inputs import InputType
    from langgraph_rust.prebuilt._tools.request import AsyncToolCallWrapper, ToolCallWrapper
    from langgraph_rust.prebuilt._tools.results import Result
    from langgraph_rust.runtime import Runtime

    Input = list[AnyMessage] | dict[str, Any] | BaseModel


class ToolNode(RunnableCallable):
    """A node that runs the tools which a model has called.

    Its input is a state whose last message of a model has tool calls, a list of messages, or a list
    of tool calls. It returns a `ToolMessage` for each call in the form of the input:
    `{"messages": [...]}`, or a list. A tool may return `Command`s, too; then the node returns a
    list of updates. Several calls run side by side, sync ones in threads, at most `max_concurrency`
    of the config at a time; what they return keeps the order of the calls.

    Tools may have parameters that the model does not see: see `InjectedState`, `InjectedStore` and
    `ToolRuntime`.

    Args:
        tools: Tools, or functions to make tools of.
        name: The name of the node in traces.
        tags: Tags of its runs.
        handle_tool_errors: What the model is told when a tool fails, instead of the run failing.

            - `True`: any error, with its type and text.
            - a string: this text, for any error.
            - a type of exceptions, or a tuple of types: errors of these types.
            - a function: what it returns, for errors of the types its parameter is annotated with.
            - `False`: nothing.
            - by default: arguments that do not fit, and no other errors.
        messages_key: The field of the state that has the messages.
        wrap_tool_call: A function `(request, execute)` around each call; see `ToolCallWrapper`.
        awrap_tool_call: The same for async runs, which otherwise call `wrap_tool_call`.

    Raises:
        ValueError: Of an input without messages, or of a state that lacks what a tool needs.
    """

    name: str | None = "tools"

    def __init__(
        self,
        tools: Sequence[BaseTool | Callable],
        *,
        name: str = "tools",
        tags: list[str] | None = None,
        handle_tool_errors: Handling = _default_handle_tool_errors,
        messages_key: str = "messages",
        wrap_tool_call: ToolCallWrapper | None = None,
        awrap_tool_call: AsyncToolCallWrapper | None = None,
    ) -> None:
        super().__init__(self._func, self._afunc, name=name, tags=tags, trace=False)
        self._tools_by_name: dict[str, BaseTool] = {}
        self._injected_args: dict[str, _InjectedArgs] = {}
        self._handle_tool_errors = handle_tool_errors
        self._messages_key = messages_key
        self._wrap_tool_call = wrap_tool_call
        self._awrap_tool_call = awrap_tool_call
        for given in tools:
            tool = given if isinstance(given, BaseTool) else as_tool(given)
            self._tools_by_name[tool.name] = tool
            self._injected_args[tool.name] = _get_all_injected_args(tool)

    @property
    def tools_by_name(self) -> dict[str, BaseTool]:
        """The tools by their names."""
        return self._tools_by_name

    # --- All calls -------------------------------------------------------------------------------

    def _func(self, input: Input, config: RunnableConfig, runtime: Runtime) -> Any:
        calls, input_type = self._parse_input(input)
        runtimes = self._runtimes(input, calls, config, runtime)
        runs = [
            partial(self._run_one, call, input_type, own)
            for call, own in zip(calls, runtimes, strict=True)
        ]
        limit = config.get("max_concurrency")
        if len(runs) == 1:
            outputs = side_by_side(runs, limit)
        else:
            outputs = ask_side_by_side(runs, [own.config for own in runtimes], limit)
        return self._combine_tool_outputs(outputs, input_type)

    async def _afunc(self, input: Input, config: RunnableConfig, runtime: Runtime) -> Any:
        calls, input_type = self._parse_input(input)
        runtimes = self._runtimes(input, calls, config, runtime)
        runs = [
            self._arun_one(call, input_type, own) for call, own in zip(calls, runtimes, strict=True)
        ]
        if len(runs) > 1:
            outputs = await aask_side_by_side(runs, [own.config for own in runtimes])
        elif self._is_wrapped:
            # A wrapper gets a context of its own with a task of its own.
            outputs = await asyncio.gather(*runs)
        else:
            # A tool has one anyway.
            outputs = [await run for run in runs]
        return self._combine_tool_outputs(outputs, input_type)

    def _runtimes(
        self, input: Input, calls: Sequence[ToolCall], config: RunnableConfig, runtime: Runtime
    ) -> list[ToolRuntime]:
        """What the tool of each call can reach; each has a config of its own."""
        return [
            ToolRuntime(
                state=self._extract_state(input, own),
                tool_call_id=call["id"],
                config=own,
                context=runtime.context,
                store=runtime.store,
                stream_writer=runtime.stream_writer,
                tools=list(self.tools_by_name.values()),
                execution_info=runtime.execution_info,
                server_info=runtime.server_info,
            )
            for call, own in zip(calls, self._configs(calls, config), strict=True)
        ]

    def _configs(
        self, calls: Sequence[ToolCall], config: RunnableConfig
    ) -> Sequence[RunnableConfig]:
        if len(calls) == 1 and not self._is_wrapped:
            injected = self._injected_args.get(calls[0]["name"])
            if injected is None or not injected.runtime:
                # Nobody but the tool's own machinery sees it, which completes it once more.
                return (config,)
        configs = get_config_list(config, len(calls))
        return configs_of_parts(configs, calls) if len(calls) > 1 else configs

    def _parse_input(self, input: Input) -> tuple[list[ToolCall], InputType]:
        return read_input(input, self._messages_key)

    def _extract_state(self, input: Input, config: RunnableConfig) -> Any:
        return state_of(input, config)

    def _combine_tool_outputs(self, outputs: Sequence[Result], input_type: InputType) -> Any:
        return combined(outputs, input_type, self._messages_key)

    # --- One call, with what users put around it -------------------------------------------------

    def _run_one(self, call: ToolCall, input_type: InputType, tool_runtime: ToolRuntime) -> Result:
        request = self._request(call, tool_runtime)
        if self._wrap_tool_call is None:
            return self._execute_tool_sync(request, input_type, tool_runtime.config)
        execute = self._executor(input_type, tool_runtime)
        try:
            return self._wrap_tool_call(request, execute)  # type: ignore[arg-type]
        except Exception as error:
            if not is_for_wrapped(error, self._handle_tool_errors):
                raise
            return self._told(error, request.tool_call)

    async def _arun_one(
        self, call: ToolCall, input_type: InputType, tool_runtime: ToolRuntime
    ) -> Result:
        request = self._request(call, tool_runtime)
        if not self._is_wrapped:
            return await self._execute_tool_async(request, input_type, tool_runtime.config)
        try:
            if self._awrap_tool_call is not None:
                aexecute = self._aexecutor(input_type, tool_runtime)
                return await self._awrap_tool_call(request, aexecute)
            assert self._wrap_tool_call is not None
            execute = self._executor(input_type, tool_runtime)
            return self._wrap_tool_call(request, execute)  # type: ignore[arg-type]
        except Exception as error:
            if not is_for_wrapped(error, self._handle_tool_errors):
                raise
            return self._told(error, request.tool_call)

    @property
    def _is_wrapped(self) -> bool:
        """Whether there is anything around a call in async runs."""
        return self._awrap_tool_call is not None or self._wrap_tool_call is not None

    def _executor(
        self, input_type: InputType, runtime: ToolRuntime
    ) -> Callable[[ToolCallRequest], Result]:
        """What a wrapper calls to run the tool, as often as it likes."""

        def execute(request: ToolCallRequest) -> Result:
            return self._execute_tool_sync(request, input_type, runtime.config)

        return execute

    def _aexecutor(
        self, input_type: InputType, runtime: ToolRuntime
    ) -> Callable[[ToolCallRequest], Awaitable[Any]]:
        async def execute(request: ToolCallRequest) -> Result:
            return await self._execute_tool_async(request, input_type, runtime.config)

        return execute

    def _request(self, call: ToolCall, runtime: ToolRuntime) -> ToolCallRequest:
        # A wrapper may bring a tool for a name that nobody has.
        tool = self.tools_by_name.get(call["name"])
        return ToolCallRequest(call, tool, runtime.state, runtime)

    # --- The call of the tool itself -------------------------------------------------------------

    def _execute_tool_sync(
        self, request: ToolCallRequest, input_type: InputType, config: RunnableConfig
    ) -> Result:
        if request.tool is None:
            return self._refusal(request.tool_call)
        call = self._complete(request)
        try:
            try:
                response = call_tool(request.tool, call, config)
            except ValidationError as error:
                if is_invalid_resume(error):
                    raise
                raise self._invocation_error(error, request.tool_call) from error
            return self._normalize_tool_response(response, request.tool_call, input_type)
        except Exception as error:
            if not is_for_the_model(error, self._handle_tool_errors):
                raise
            return self._told(error, request.tool_call)

    async def _execute_tool_async(
        self, request: ToolCallRequest, input_type: InputType, config: RunnableConfig
    ) -> Result:
        if request.tool is None:
            return self._refusal(request.tool_call)
        call = self._complete(request)
        try:
            try:
                response = await acall_tool(request.tool, call, config)
            except ValidationError as error:
                if is_invalid_resume(error):
                    raise
                raise self._invocation_error(error, request.tool_call) from error
            return self._normalize_tool_response(response, request.tool_call, input_type)
        except Exception as error:
            if not is_for_the_model(error, self._handle_tool_errors):
                raise
            return self._told(error, request.tool_call)

    def _complete(self, request: ToolCallRequest) -> Any:
        """The tool call as the tool gets it."""
        call = self._inject_tool_args(request.tool_call, request.runtime, request.tool)
        return {**call, "type": "tool_call"}

    def _inject_tool_args(
        self, tool_call: ToolCall, tool_runtime: ToolRuntime, tool: BaseTool | None = None
    ) -> ToolCall:
        injected = self._injected_args.get(tool_call["name"])
        if injected is None and tool is not None:
            injected = _get_all_injected_args(tool)
        if injected is None or injected.is_empty:
            return tool_call
        return with_injected(tool_call, injected, tool_runtime, self._messages_key)

    def _invocation_error(self, error: ValidationError, call: ToolCall) -> ToolInvocationError:
        own = _filter_validation_errors(error, self._injected_args.get(call["name"]))
        return ToolInvocationError(call["name"], error, call["args"], own)

    def _told(self, error: Exception, call: ToolCall) -> ToolMessage:
        """The message that tells the model of an error."""
        return ToolMessage(
            content=_handle_tool_error(error, flag=self._handle_tool_errors),
            name=call["name"],
            tool_call_id=call["id"],
            status="error",
        )

    def _refusal(self, call: ToolCall) -> ToolMessage:
        if message := self._validate_tool_call(call):
            return message
        raise TypeError(f"Tool {call['name']} is not registered with ToolNode")

    def _validate_tool_call(self, call: ToolCall) -> ToolMessage | None:
        """The message that tells the model that there is no such tool, if there is none."""
        if call["name"] in self.tools_by_name:
            return None
        content = INVALID_TOOL_NAME_ERROR_TEMPLATE.format(
            requested_tool=call["name"], available_tools=", ".join(self.tools_by_name)
        )
        return ToolMessage(content, name=call["name"], tool_call_id=call["id"], status="error")

    # --- Its result ------------------------------------------------------------------------------

    def _normalize_tool_response(
        self, response: Any, tool_call: ToolCall, input_type: InputType
    ) -> Result:
        if isinstance(response, ToolMessage):
            response.content = msg_content_output(response.content)  # type: ignore[assignment]
            return response
        if isinstance(response, Command):
            return self._validate_tool_command(response, tool_call, input_type)
        if not isinstance(response, list):
            raise TypeError(f"Tool {tool_call['name']} returned unexpected type: {type(response)}")
        if not all(isinstance(item, Command | ToolMessage) for item in response):
            raise TypeError(
                f"Tool {tool_call['name']} returned a list with invalid element "
                "types: expected all Command or ToolMessage"
            )
        return self._validate_tool_command_list(response, tool_call, input_type)

    def _validate_tool_command_list(
        self, response: list[Command | ToolMessage], tool_call: ToolCall, input_type: InputType
    ) -> list[Command | ToolMessage]:
        checked: list[Command | ToolMessage] = []
        for item in checked_list(response, tool_call, self._messages_key):
            if isinstance(item, Command):
                # That the call is answered once is known by now.
                item = self._validate_tool_command(
                    item, tool_call, input_type, require_terminator=False
                )
            else:
                item.content = msg_content_output(item.content)  # type: ignore[assignment]
            checked.append(item)
        return checked

    def _validate_tool_command(
        self,
        command: Command,
        call: ToolCall,
        input_type: InputType,
        *,
        require_terminator: bool = True,
    ) -> Command:
        return checked_command(
            command, call, input_type, self._messages_key, require_terminator=require_terminator
        )


ToolNode.__module__ = "langgraph_rust.prebuilt.tool_node"
