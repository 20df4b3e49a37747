"""What tools return: messages and commands, checked and brought into the form of the input."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from langchain_core.messages import RemoveMessage, ToolMessage, convert_to_messages
from langchain_core.tools.base import TOOL_MESSAGE_BLOCK_TYPES

from langgraph_rust._internal._constants import REMOVE_ALL_MESSAGES
from langgraph_rust.types import Command, Send

if TYPE_CHECKING:
    from langchain_core.messages import ToolCall

    from langgraph_rust.prebuilt._tools.inputs import InputType

Result = ToolMessage | Command | list[Command | ToolMessage]
"""What a tool call comes to."""


def msg_content_output(output: Any) -> str | list[dict]:
    """Return what a tool returned as the content of a message.

    Text and lists of content blocks stay. Anything else becomes JSON, or what it prints as.
    """
    if isinstance(output, str) or _is_content(output):
        return output
    try:
        return json.dumps(output, ensure_ascii=False)
    except Exception:
        return str(output)


def _is_content(output: Any) -> bool:
    return isinstance(output, list) and all(
        isinstance(part, dict) and part.get("type") in TOOL_MESSAGE_BLOCK_TYPES for part in output
    )


def checked_list(
    response: Sequence[Any], call: ToolCall, messages_key: str
) -> Sequence[Command | ToolMessage]:
    """Return a tool's list of messages and commands, if exactly one message answers the call.

    Raises:
        ValueError: None does, or several do.
    """
    answers = sum(
        isinstance(message, ToolMessage) and message.tool_call_id == call["id"]
        for message in _messages_in(response, messages_key)
    )
    if answers != 1:
        raise ValueError(
            f"Tool {call['name']} returned a list with "
            f"{answers} messages bound to tool_call_id "
            f"{call['id']!r}; expected exactly one terminating ToolMessage."
        )
    return response


def _messages_in(response: Iterable[Any], messages_key: str) -> Iterator[Any]:
    for item in response:
        if not isinstance(item, Command):
            yield item
        elif isinstance(item.update, dict):
            yield from item.update.get(messages_key, ())


def checked_command(
    command: Command,
    call: ToolCall,
    input_type: InputType,
    messages_key: str,
    *,
    require_terminator: bool,
) -> Command:
    """Return a tool's command with messages that name the tool.

    Args:
        command: What the tool returned; one with an update is copied.
        call: The call it is the result of.
        input_type: The form of the node's input, which the update must have, too.
        messages_key: The field of the messages.
        require_terminator: Whether a command for this very graph must answer the call.

    Raises:
        ValueError: The update has another form, or no message for the call.
    """
    update = command.update
    if isinstance(update, dict):
        if input_type == "list":
            raise ValueError(
                "Tools can provide a dict in Command.update only when using dict "
                f"with '{messages_key}' key as ToolNode input, "
                f"got: {update} for tool '{call['name']}'"
            )
    elif isinstance(update, list):
        if input_type != "list":
            raise ValueError(
                "Tools can provide a list of messages in Command.update "
                "only when using list of messages as ToolNode input, "
                f"got: {update} for tool '{call['name']}'"
            )
    else:
        return command
    command = deepcopy(command)
    update = command.update
    messages = convert_to_messages(
        update.get(messages_key, []) if isinstance(update, dict) else update  # type: ignore[arg-type]
    )
    if messages == [RemoveMessage(id=REMOVE_ALL_MESSAGES)]:
        return command
    answers = [m for m in messages if isinstance(m, ToolMessage) and m.tool_call_id == call["id"]]
    for message in answers:
        message.name = call["name"]
    if require_terminator and command.graph is None and not answers:
        example = "{" + '"messages": ' if input_type == "dict" else ""
        end = "}" if input_type == "dict" else ""
        raise ValueError(
            "Expected to have a matching ToolMessage in Command.update "
            f"for tool '{call['name']}', got: {messages}. "
            "Every tool call (LLM requesting to call a tool) "
            "in the message history MUST have a corresponding ToolMessage. "
            "You can fix it by modifying the tool to return `Command(update="
            f'{example}[ToolMessage("Success", tool_call_id=tool_call_id), ...]{end}, ...)`.'
        )
    return command


def combined(outputs: Sequence[Any], input_type: InputType, messages_key: str) -> Any:
    """Return what a node for tools returns for the results of its calls, in their order.

    Messages alone become one list, or a state with one. Where there are commands, each is an update
    of its own, and those that only send to the graph around become one.
    """
    flat = _flat(outputs) if any(isinstance(o, list) for o in outputs) else outputs
    if not any(isinstance(output, Command) for output in flat):
        return flat if input_type == "list" else {messages_key: flat}
    updates: list[Any] = []
    sends: list[Send] | None = None
    for output in flat:
        if not isinstance(output, Command):
            updates.append([output] if input_type == "list" else {messages_key: [output]})
        elif _only_sends_to_parent(output):
            sends = [*(sends or ()), *output.goto]  # type: ignore[misc]
        else:
            updates.append(output)
    if sends is not None:
        updates.append(Command(graph=Command.PARENT, goto=sends))
    return updates


def _flat(outputs: Sequence[Any]) -> list[Any]:
    flat: list[Any] = []
    for output in outputs:
        flat.extend(output) if isinstance(output, list) else flat.append(output)
    return flat


def _only_sends_to_parent(command: Command) -> bool:
    return (
        command.graph is Command.PARENT
        and isinstance(command.goto, list)
        and all(isinstance(target, Send) for target in command.goto)
    )
