"""What reducers make of stored lists and stored writes, on their bytes.

Each is a guess at the reducer of a channel, which no database names. It counts only where it gives
exactly the bytes that are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple, Protocol

from langgraph_rust._storage.spans import (
    end_of,
    entries,
    items,
    list_at,
    list_of,
    map_at,
    record_at,
    text_at,
)
from langgraph_rust.checkpoint.serde._records import EXT_PYDANTIC_V2
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.graph.message import REMOVE_ALL_MESSAGES, _is_plain_append, _merge_by_id


class Write(NamedTuple):
    """A stored write to a channel."""

    task_path: str
    task_id: str
    position: int
    kind: str
    value: bytes


class Replayed(NamedTuple):
    """What writes make of a value."""

    value: bytes
    """The list that comes of them."""
    completed: dict[tuple[str, int], bytes]
    """By task id and position, writes that give this only in another form: with the ids that the
    messages in them got."""


class Replay(Protocol):
    """A reducer, as far as a list's bytes tell what it does."""

    name: str

    def takes(self, before: bytes) -> bool:
        """Whether it could be the reducer of a channel that holds this list."""
        ...

    def __call__(
        self, before: bytes, writes: Sequence[Write], after: bytes | None
    ) -> Replayed | None:
        """Return what the writes make of the list `before`, or `None` if that cannot be told.

        Args:
            before: The list.
            writes: In the order in which they apply.
            after: What came of them, from which messages without ids get theirs.
        """
        ...


class _Add:
    name = "operator.add"

    def takes(self, before: bytes) -> bool:
        return True

    def __call__(
        self, before: bytes, writes: Sequence[Write], after: bytes | None
    ) -> Replayed | None:
        total, parts = 0, []
        for value in (before, *(write.value for write in writes)):
            found = list_at(value)
            if found is None:
                return None
            total += found[0]
            parts.append(value[found[1] :])
        return Replayed(list_of(total, parts), {})


class _Message(NamedTuple):
    id: str | None
    stored: bytes
    name: str
    """Of its class."""
    object: Any = None
    """The message itself, if it is not stored as what comes of it."""


class _AddMessages:
    name = "add_messages"

    def takes(self, before: bytes) -> bool:
        return _messages(before) is not None

    def __call__(
        self, before: bytes, writes: Sequence[Write], after: bytes | None
    ) -> Replayed | None:
        value = _messages(before)
        written = [_written(write) for write in writes]
        if value is None or None in written:
            return None
        written = _with_ids(value, [group or [] for group in written], after)
        if written is None:
            return None
        completed = {}
        for write, group in zip(writes, written, strict=True):
            stored = _stored(write, group)
            if stored != write.value:
                completed[write.task_id, write.position] = stored
            merged = _merged(value, [_applied(message) for message in group])
            if merged is None:
                return None
            value = merged
        return Replayed(list_of(len(value), (one.stored for one in value)), completed)


REPLAYS: tuple[Replay, ...] = (_Add(), _AddMessages())
"""The reducers that are tried."""


def is_overwrite(value: bytes) -> bool:
    """Whether a stored write takes the place of a value, rather than being added to it."""
    if (found := map_at(value)) and found[0] == 1:
        return text_at(value, found[1]) == ("__overwrite__", found[1] + 14)
    return _class_of(value)[1:] == ("Overwrite",)


# --- messages ---


def _class_of(value: bytes) -> tuple[int, str] | tuple[()]:
    """Return the code of a record, and the class that it is of."""
    found = record_at(value)
    if found is None or (fields := list_at(value, found[1])) is None or fields[0] < 3:
        return ()
    module = text_at(value, fields[1])
    name = module and text_at(value, module[1])
    return (found[0], name[0]) if name else ()


_SHORT = 1 << 14
"""Bytes of messages that are remembered; each is met again in every value that holds it."""


def _message(stored: bytes) -> _Message | None:
    """Return a message by its bytes, if that is what they are."""
    return (_remembered if len(stored) <= _SHORT else _read_message)(stored)


def _read_message(stored: bytes) -> _Message | None:
    match _class_of(stored):
        case (code, name) if code == EXT_PYDANTIC_V2:
            pass
        case _:
            return None
    found = record_at(stored)
    fields = found and list_at(stored, found[1])
    if not fields:
        return None
    at = end_of(stored, end_of(stored, fields[1]))
    if map_at(stored, at) is None:
        return None
    own = dict(entries(stored, at)).get("id")
    if own is None:
        return None
    own_id = text_at(stored, own.value)
    return _Message(own_id and own_id[0], stored, name)


_remembered = lru_cache(maxsize=1 << 12)(_read_message)


def _messages(value: bytes) -> list[_Message] | None:
    """Return the messages of a list; `None` if it holds anything else, or some have no ids."""
    made: list[_Message] = []
    for item in items(value):
        message = _message(item)
        if message is None or message.id is None:
            return None
        made.append(message)
    return made


def _written(write: Write) -> list[_Message] | None:
    """Return the messages that a write has, in whatever form."""
    if write.kind != "msgpack":
        return None
    parts = items(write.value) if list_at(write.value) else [write.value]
    made: list[_Message] = []
    for part in parts:
        message = _message(part)
        if message is None or message.id is None or message.name.endswith("Chunk"):
            message = _converted(part)
        if message is None:
            return None
        made.append(message)
    return made


def _converted(stored: bytes) -> _Message | None:
    """Return the message that something is taken for."""
    from langchain_core.messages import BaseMessage, convert_to_messages

    try:
        found = _strict().loads_typed(("msgpack", stored))
        message = found if isinstance(found, BaseMessage) else convert_to_messages([found])[0]
    except Exception:
        # Whatever it is: it is no message.
        return None
    return _Message(message.id, stored, type(message).__name__, message)


@lru_cache(maxsize=1)
def _strict() -> JsonPlusSerializer:
    return JsonPlusSerializer(allowed_msgpack_modules=None)


def _with_ids(
    value: list[_Message], written: list[list[_Message]], after: bytes | None
) -> list[list[_Message]] | None:
    """Give messages that were written without ids those that they have in what came of them."""
    if all(message.id is not None for group in written for message in group):
        return written
    numbers = count()
    named = [
        [one if one.id is not None else one._replace(id=f"\0{next(numbers)}") for one in group]
        for group in written
    ]
    merged: list[_Message] | None = value
    for group in named:
        if merged is not None:
            merged = _merged(merged, group)
    came = None if after is None else _messages(after)
    if merged is None or came is None or len(merged) != len(came):
        return None
    own = {one.id: there.id for one, there in zip(merged, came, strict=True)}
    made = []
    for group in named:
        made.append([])
        for message in group:
            if message.object is not None and message.object.id is None:
                # One that was removed at once is in nothing that came of it.
                if message.id not in own:
                    return None
                message = message._replace(id=own[message.id])
                message.object.id = message.id
            made[-1].append(message)
    return made


def _applied(message: _Message) -> _Message:
    """Return a written message as the list holds it."""
    if message.object is None:
        return message
    from langchain_core.messages import message_chunk_to_message

    whole = message_chunk_to_message(message.object)
    return message._replace(stored=_strict().dumps_typed(whole)[1])


def _stored(write: Write, group: Sequence[_Message]) -> bytes:
    """Return a write in the form in which it gives the same each time."""
    if all(one.object is None for one in group):
        return write.value
    parts = [
        one.stored if one.object is None else _strict().dumps_typed(one.object)[1] for one in group
    ]
    return list_of(len(parts), parts) if list_at(write.value) else parts[0]


def _merged(old: list[_Message], new: list[_Message]) -> list[_Message] | None:
    """Return what `add_messages` makes of these; `None` if it refuses."""
    old_ids, new_ids = [str(one.id) for one in old], [str(one.id) for one in new]
    removals = [index for index, one in enumerate(new) if one.name == "RemoveMessage"]
    if all_removals := [index for index in removals if new_ids[index] == REMOVE_ALL_MESSAGES]:
        return new[all_removals[-1] + 1 :]
    if not removals and _is_plain_append(old_ids, new_ids):
        return [*old, *new]
    try:
        return _merge_by_id(old, old_ids, new, new_ids, removals)
    except ValueError:
        return None
