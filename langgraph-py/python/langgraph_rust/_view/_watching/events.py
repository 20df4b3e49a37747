"""What is told of a run: an event for whatever it shows.

An event has a `kind`: `task`, `attempt`, `messages`, `done`, `stopped`, `failed`, or the name of
another stream mode, whose chunk is then its `value`.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from langgraph_rust._view._value.records import decode, inner
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view._value.show import Shown, Window, show
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer

_WINDOW = Window(limit=20, inner=10, depth=4, text=2000)

INTERRUPT = "__interrupt__"


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
        text = self._redaction.text(text)
        return {"kind": "messages", "text": text, "node": node, "id": own or id_}

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
            # Whatever cannot be encoded can still be named.
            return show(repr(value), _WINDOW, self._redaction)
        return show(decode(*data), _WINDOW, self._redaction)

    def of_failure(self, error: BaseException) -> Shown:
        """Return the event for what a run ended with."""
        return {**self._failure(error), "kind": "failed"}

    def of_text(self, text: str) -> Shown:
        """Return the event for a failure that is told in words."""
        return {"kind": "failed", "text": self._redaction.text(text)}

    def _failure(self, error: BaseException) -> Shown:
        return {"text": self._redaction.text("".join(traceback.format_exception(error)))}


def _text_of(message: Any) -> tuple[str, Any]:
    """Return the text and the id of a message."""
    told = inner(message)
    if not isinstance(told, dict):
        return str(getattr(told, "text", told)), getattr(told, "id", None)
    content = told.get("content")
    blocks = content if isinstance(content, list) else [content]
    texts = [one.get("text", "") if isinstance(one, dict) else one for one in blocks]
    return "".join(text for text in texts if isinstance(text, str)), told.get("id")
