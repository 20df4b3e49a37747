"""What is told of a run: an event for whatever it shows.

An event has a `kind`: `task`, `attempt`, `messages`, `done`, `stopped`, `failed`, or the name of
another stream mode, whose chunk is then its `value`.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from itertools import islice
from typing import Any

from langgraph_rust._view._value.records import Record, decode, inner, opened
from langgraph_rust._view._value.redaction import INSTEAD, Redaction
from langgraph_rust._view._value.show import Shown, Window, show
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer

_WINDOW = Window(limit=20, inner=10, depth=4, text=2000)

INTERRUPT = "__interrupt__"

_MOST = 20_000
"""Letters of a message or a traceback."""

_HOLD = ("messages", "content")
"""Keys under which texts of messages are stored."""


class Events:
    """Makes events.

    Args:
        redaction: What is not shown.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._serde = JsonPlusSerializer()

    def of_task(self, chunk: Mapping[str, Any], seconds: float | None = None) -> Shown:
        """Return the event for a chunk of the mode `tasks`: one that begins, or is over.

        Args:
            chunk: Of this process, or decoded.
            seconds: How long the task took, with all its attempts.
        """
        event: Shown = {"kind": "task", "name": chunk["name"], "task": chunk["id"]}
        if "input" in chunk:
            return {**event, "state": "begins"}
        event["seconds"] = seconds
        if chunk.get("error") is not None:
            return {**event, "state": "failed", "text": self._redaction.text(str(chunk["error"]))}
        return {**event, "state": "interrupted" if chunk.get("interrupts") else "over"}

    def of_attempt(self, name: str, number: int, error: BaseException) -> Shown:
        """Return the event for an attempt at a task that failed."""
        return {**self._failure(error), "kind": "attempt", "name": name, "number": number}

    def of_message(self, message: Any, node: Any, own: str | None = None) -> Shown:
        """Return the event for a message or a part of one.

        Args:
            message: Of this process, or decoded.
            node: Where it comes from.
            own: What all parts of it have in common; the message's id if left out.
        """
        text, id_ = _text_of(message)
        if self._redaction and (_is_part(message) or any(map(self._redaction.hides, _HOLD))):
            # What is not shown may lie across parts.
            text = INSTEAD
        text = self._redaction.text(text)[:_MOST]
        return {"kind": "messages", "text": text, "node": node, "id": own or id_}

    @property
    def holds_parts(self) -> bool:
        """Whether messages are shown whole alone."""
        return bool(self._redaction)

    def of_value(self, mode: str, value: Any) -> Shown:
        """Return the event for a chunk of this process's."""
        return {"kind": mode, "value": self.value(value)}

    def of_stored(self, mode: str, value: Any) -> Shown:
        """Return the event for a chunk that was stored, and is decoded."""
        return {"kind": mode, "value": show(value, _WINDOW, self._redaction)}

    def value(self, value: Any) -> Shown:
        """Return a value of the process's as one of a database."""
        try:
            data = self._serde.dumps_typed(value)
        except Exception:
            return show(self._apart(value, _WINDOW.depth), _WINDOW, self._redaction)
        return show(decode(*data), _WINDOW, self._redaction)

    def _apart(self, value: Any, depth: int) -> Any:
        """Return a value of which some part cannot be encoded; such parts are named."""
        if depth and isinstance(value, dict):
            return {str(key): self._apart(item, depth - 1) for key, item in value.items()}
        if depth and isinstance(value, (list, tuple, set)):
            return [self._apart(item, depth - 1) for item in islice(value, _WINDOW.limit)]
        try:
            return decode(*self._serde.dumps_typed(value))
        except Exception:
            # A text of it may hold what a rule for keys hides.
            kind = f"{type(value).__module__}.{type(value).__qualname__} object"
            return kind if self._redaction else repr(value)

    def of_failure(self, error: BaseException) -> Shown:
        """Return the event for what a run ended with."""
        return {**self._failure(error), "kind": "failed"}

    def of_text(self, text: str) -> Shown:
        """Return the event for a failure that is told in words."""
        return {"kind": "failed", "text": self._redaction.text(text)[-_MOST:]}

    def _failure(self, error: BaseException) -> Shown:
        text = "".join(traceback.format_exception(error))
        return {"text": self._redaction.text(text)[-_MOST:]}


def _is_part(message: Any) -> bool:
    kind = opened(message).type if isinstance(message, Record) else type(message).__name__
    return kind.endswith("Chunk")


def _text_of(message: Any) -> tuple[str, Any]:
    """Return the text and the id of a message."""
    told = inner(message)
    if not isinstance(told, dict):
        return str(getattr(told, "text", told)), getattr(told, "id", None)
    content = told.get("content")
    blocks = content if isinstance(content, list) else [content]
    texts = [one.get("text", "") if isinstance(one, dict) else one for one in blocks]
    return "".join(text for text in texts if isinstance(text, str)), told.get("id")
