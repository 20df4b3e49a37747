"""What a run shows while it goes on, for the page."""

from __future__ import annotations

import traceback
from typing import Any

from langgraph_rust._view._value.records import decode
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view._value.show import Shown, Window, show
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer

MODES = ("updates", "messages", "custom", "tasks")
"""The stream modes that runs have."""

_WINDOW = Window(limit=20, inner=20, depth=4, text=4000)


class Events:
    """Makes events of chunks.

    Args:
        redaction: What is not shown.
    """

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._serde = JsonPlusSerializer()

    def of_chunk(self, namespace: tuple[str, ...], mode: str, chunk: Any) -> Shown:
        """Return the event for a chunk of `astream`, with its `kind` being the mode's name."""
        about: Shown = {"kind": mode, "namespace": "|".join(namespace)}
        if mode == "messages":
            message, metadata = chunk
            text = self._redaction.text(str(message.text))
            node = metadata.get("langgraph_node")
            return {**about, "text": text, "node": node, "id": message.id}
        return {**about, "value": self.value(chunk)}

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
        text = "".join(traceback.format_exception(error))
        return {"kind": "failed", "text": self._redaction.text(text)}
