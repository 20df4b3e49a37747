"""Reading channels, and turning what a caller passes in into channel writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import NULL_TASK_ID, RESUME, TASKS
from langgraph_rust.constants import START
from langgraph_rust.errors import EmptyChannelError, InvalidUpdateError
from langgraph_rust.types import Command, Send

if TYPE_CHECKING:
    from langgraph_rust.channels.base import BaseChannel


def read_channel(channels: Mapping[str, BaseChannel], chan: str, *, catch: bool = True) -> Any:
    """Return a channel's value; for an empty one `None`, or `EmptyChannelError` if not `catch`."""
    try:
        return channels[chan].get()
    except EmptyChannelError:
        if not catch:
            raise
        return None


def read_channels(
    channels: Mapping[str, BaseChannel],
    select: Sequence[str] | str,
    *,
    skip_empty: bool = True,
) -> dict[str, Any] | Any:
    """Return the value of one channel (`select` is a name) or a dict of several.

    In the dict, empty channels are missing, or `None` when `skip_empty` is false.
    """
    if isinstance(select, str):
        return read_channel(channels, select)
    values: dict[str, Any] = {}
    for name in select:
        try:
            values[name] = channels[name].get()
        except EmptyChannelError:
            if not skip_empty:
                values[name] = None
    return values


def map_command(cmd: Command) -> Iterator[tuple[str, str, Any]]:
    """Yield the `(null task id, channel, value)` writes of a `Command` passed as a graph's input.

    Raises `InvalidUpdateError` for a command to a parent graph, `TypeError` for a `goto` that is
    neither a node name nor a `Send`.
    """
    if cmd.graph == Command.PARENT:
        raise InvalidUpdateError("There is no parent graph")
    goto = cmd.goto or ()
    for target in goto if isinstance(goto, (tuple, list)) else (goto,):
        if isinstance(target, Send):
            yield NULL_TASK_ID, TASKS, target
        elif isinstance(target, str):
            yield NULL_TASK_ID, f"branch:to:{target}", START
        else:
            raise TypeError(f"In Command.goto, expected Send/str, got {type(target).__name__}")
    if cmd.resume is not None:
        yield NULL_TASK_ID, RESUME, cmd.resume
    if cmd.update:
        for channel, value in cmd._update_as_tuples():
            yield NULL_TASK_ID, channel, value


def map_input(
    input_channels: str | Sequence[str], chunk: dict[str, Any] | Any | None
) -> Iterator[tuple[str, Any]]:
    """Yield the `(channel, value)` writes of a graph's plain input.

    With one input channel, that is the input as it is; with several, it must be a dict of them,
    whose unknown keys are logged and dropped.
    """
    if chunk is None:
        return
    if isinstance(input_channels, str):
        yield input_channels, chunk
        return
    if not isinstance(chunk, dict):
        raise TypeError(f"Expected chunk to be a dict, got {type(chunk).__name__}")
    for key, value in chunk.items():
        if key in input_channels:
            yield key, value
        else:
            from langgraph_rust._internal._mistakes import unknown_input

            unknown_input(key, input_channels)
