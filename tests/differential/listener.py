"""A callback handler that writes down what it hears."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from tests.differential.plain import error, plain


class Listener(BaseCallbackHandler):
    """Notes when runnables begin, end and fail. Run ids are random and left out."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
        """A runnable begins: what it is called and told."""
        kept = {name: plain(told.get(name)) for name in ("name", "tags", "metadata")}
        self.heard.append(["start", kept, plain(inputs)])

    def on_chain_end(self, outputs: Any, **told: Any) -> None:
        """A runnable ends."""
        self.heard.append(["end", plain(outputs)])

    def on_chain_error(self, raised: BaseException, **told: Any) -> None:
        """A runnable fails."""
        self.heard.append(["error", error(raised)])

    def on_custom_event(self, name: str, data: Any, **told: Any) -> None:
        """A node sent an event of its own."""
        self.heard.append(["custom", name, plain(data)])
