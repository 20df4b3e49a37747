"""What a node for tools is given: which calls to run, in which state, with which arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import AIMessage

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_READ, CONFIG_KEY_READ_STATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.messages import ToolCall
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.prebuilt._tools.injected import ToolRuntime, _InjectedArgs

InputType = Literal["list", "dict", "tool_calls"]
"""The form of an input: messages, a state that has messages, or calls without a state."""


def read_input(input: Any, messages_key: str) -> tuple[list[ToolCall], InputType]:
    """Return the calls to run and the form of the input.

    Raises:
        ValueError: It has no messages, or none of a model.
    """
    if isinstance(input, list):
        if _are_calls(input):
            return input, "tool_calls"
        return _last_calls(input), "list"
    if isinstance(input, dict):
        if input.get("__type") == "tool_call_with_context":
            return [input["tool_call"]], "tool_calls"
        if messages := input.get(messages_key):
            return _last_calls(messages), "dict"
    if messages := getattr(input, messages_key, None):
        return _last_calls(messages), "dict"
    raise ValueError("No message found in input")


def _are_calls(input: list[Any]) -> bool:
    last = input[-1]
    return isinstance(last, dict) and last.get("type") == "tool_call"


def _last_calls(messages: Any) -> list[ToolCall]:
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            return list(message.tool_calls)
    raise ValueError("No AIMessage found in input")


def state_of(input: Any, config: RunnableConfig) -> Any:
    """Return the state that the tools of an input see.

    A call may bring it along. One that does not gets what the node would get from an edge.
    """
    if isinstance(input, dict) and input.get("__type") == "tool_call_with_context":
        return input["state"]
    if not (isinstance(input, list) and input and _are_calls(input)):
        return input
    conf: Mapping[str, Any] = config.get(CONF) or {}
    if (read_state := conf.get(CONFIG_KEY_READ_STATE)) is not None:
        return read_state()
    if (read := conf.get(CONFIG_KEY_READ)) is None:
        return {}
    # Whoever runs tasks without the key above: a `partial` whose second argument are the channels.
    return read(list(read.args[1]), True)


def with_injected(
    call: ToolCall, injected: _InjectedArgs, runtime: ToolRuntime, messages_key: str
) -> ToolCall:
    """Return a tool call with the hidden arguments filled in, and none of them by the model.

    Raises:
        KeyError: The state, a dict, lacks a field that the tool needs.
        AttributeError: The state, an object, lacks it.
        ValueError: The state is a list of messages and the tool needs fields; or it needs a store
            and there is none.
    """
    filled: dict[str, Any] = {}
    if injected.state:
        state = _as_fields(runtime.state, injected, call, messages_key)
        filled = dict(_state_arguments(state, injected))
    if injected.store:
        if runtime.store is None:
            raise ValueError(
                "Cannot inject store into tools with InjectedStore annotations - "
                "please compile your graph with a store."
            )
        filled[injected.store] = runtime.store
    if injected.runtime:
        filled[injected.runtime] = runtime
    hidden = injected.all_injected_keys
    given = {name: value for name, value in call["args"].items() if name not in hidden}
    return {**call, "args": {**given, **filled}}


def _as_fields(state: Any, injected: _InjectedArgs, call: ToolCall, messages_key: str) -> Any:
    """Return a state with fields: a list of messages becomes the one field that it can be."""
    if not isinstance(state, list):
        return state
    fields = list(injected.state.values())
    if fields == [messages_key] or fields[0] is None:
        return {messages_key: state}
    message = f"Invalid input to ToolNode. Tool {call['name']} requires graph state dict as input."
    if named := ", ".join(filter(None, fields)):
        message += f" State should contain fields {named}."
    raise ValueError(message)


def _state_arguments(state: Any, injected: _InjectedArgs) -> Any:
    """Yield the arguments that come from the state."""
    is_dict = isinstance(state, dict)
    for argument, key in injected.state.items():
        if not key:
            yield argument, state
        elif (key in state) if is_dict else hasattr(state, key):
            yield argument, state[key] if is_dict else getattr(state, key)
        elif argument not in injected._optional_state_args:
            raise KeyError(key) if is_dict else AttributeError(key)
