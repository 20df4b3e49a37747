"""Encoding and decoding for savers, who know which channel a value is of: errors then name it."""

from __future__ import annotations

from typing import Any

from langgraph_rust.checkpoint.serde._default import is_strict
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.checkpoint.serde.errors import StoredValueError, shortened

_VALUES = "['channel_values']"
_AT = ", at "


def load_channel(serde: SerializerProtocol, channel: str, data: tuple[str, bytes]) -> Any:
    """Decode a channel's value, or a write to it.

    Raises:
        StoredValueError: as `serde` does, with the channel in its place.
    """
    try:
        return serde.loads_typed(data)
    except StoredValueError as error:
        error.path = (channel, *error.path)
        raise


def load_checkpoint(serde: SerializerProtocol, data: tuple[str, bytes]) -> Any:
    """Decode a checkpoint that has its channels' values in it; errors as for `load_channel`."""
    try:
        return serde.loads_typed(data)
    except StoredValueError as error:
        if error.path[:1] == (_VALUES,) and len(error.path) > 1:
            # The key as Python writes it, in brackets and quotes.
            error.path = (error.path[1][2:-2], *error.path[2:])
        raise


def in_checkpoint(error: ValueError, checkpoint: tuple[str, str, str]) -> StoredValueError:
    """Return the error for what cannot be read of a checkpoint, at thread, namespace and id."""
    if not isinstance(error, StoredValueError):
        told = StoredValueError(f"the stored bytes are broken ({error})")
        told.__cause__ = error
        error = told
    error.checkpoint = error.checkpoint or checkpoint
    return error


def dump_channel(serde: SerializerProtocol, channel: str, value: Any) -> tuple[str, bytes]:
    """Encode a channel's value, or a write to it.

    Raises:
        TypeError: as `serde` does; but for drop-in mode, with the channel in its place.
    """
    try:
        return serde.dumps_typed(value)
    # What `ormsgpack.MsgpackEncodeError` is.
    except TypeError as error:
        text, at, steps = str(error).rpartition(_AT)
        _say(error, text if at else str(error), channel + steps if at else channel)
        raise


def dump_checkpoint(serde: SerializerProtocol, checkpoint: Any) -> tuple[str, bytes]:
    """Encode a checkpoint with its channels' values in it; errors as for `dump_channel`."""
    try:
        return serde.dumps_typed(checkpoint)
    except TypeError as error:
        text, at, steps = str(error).rpartition(_AT + _VALUES)
        if at and steps.startswith("["):
            channel, _, rest = steps[2:].partition(f"{steps[1]}]")
            _say(error, text, channel + rest)
        raise


def _say(error: TypeError, text: str, place: str) -> None:
    """Give an error another text, with the place, and the reason that it has."""
    if is_strict():
        text = f"{text}{_AT}{shortened(place)}"
        why = error.__cause__
        has_more = isinstance(why, TypeError) and not str(why).startswith("Object of type")
        error.args = (f"{text} ({why})" if has_more else text,)
