"""What `invoke` returns, made of a run's last values and questions, or of its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import INTERRUPT
from langgraph_rust.types import GraphOutput

if TYPE_CHECKING:
    from langgraph_rust.types import Interrupt, StreamMode


def asks_in_values(graph: Any, output_keys: str | Sequence[str] | None, version: str) -> bool:
    """Whether a question may be the last value: a single value has no room for it beside itself.

    Then only the chunks tell whether it was, or the output of another task came after it.
    """
    keys = graph.output_channels if output_keys is None else output_keys
    return version == "v2" and isinstance(keys, str)


def output(graph: Any, latest: Any, interrupts: list[Interrupt], version: str) -> Any:
    """Make the result of a run of its last values and its open questions."""
    if version == "v2":
        if isinstance(latest, dict):
            latest = {key: value for key, value in latest.items() if key != INTERRUPT}
            mapper = graph._output_mapper
            latest = mapper(latest) if mapper else latest
        return GraphOutput(value=latest, interrupts=tuple(interrupts))
    return _with_interrupts(latest, interrupts) if interrupts else latest


def _with_interrupts(latest: Any, interrupts: list[Interrupt]) -> dict[str, Any]:
    values = latest if isinstance(latest, dict) else {}
    return {**values, INTERRUPT: interrupts}


class Chunks:
    """Makes the result of `invoke` from chunks of `stream`, for calls that need the chunks."""

    def __init__(self, mode: StreamMode, version: str) -> None:
        self._collects = mode != "values"
        self._is_typed = version == "v2"
        self._chunks: list[Any] = []
        self._interrupts: list[Interrupt] = []
        self._latest: Any = None
        # `Any`, because type checkers give up on the overloads of `stream` otherwise
        self.version: Any = version
        self.needed_mode: Any = mode
        if not self._collects and not self._is_typed:
            # Questions that come with nothing else are only among the updates.
            self.needed_mode = ["updates", "values"]

    def add(self, chunk: Any) -> None:
        """Take the next chunk in."""
        if self._collects:
            self._chunks.append(chunk)
        elif self._is_typed:
            self._latest = chunk["data"]
            self._interrupts.extend(chunk.get("interrupts", ()))
        else:
            mode, payload = chunk[-2:]
            if mode == "values":
                self._latest = payload
            elif isinstance(payload, dict):
                self._interrupts.extend(payload.get(INTERRUPT) or ())

    def result(self) -> Any:
        """Return what `invoke` returns."""
        if self._collects:
            return self._chunks
        if self._is_typed:
            return GraphOutput(value=self._latest, interrupts=tuple(self._interrupts))
        if self._interrupts:
            return _with_interrupts(self._latest, self._interrupts)
        return self._latest
