"""The way home."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

from langgraph_rust.executors._travel.errors import reraise
from langgraph_rust.executors._travel.pickling import dumps, loads
from langgraph_rust.executors.base import NotPortableError


class Link(Protocol):
    """What an executor gives a call in its worker. May be used from any thread."""

    def tell(self, body: bytes) -> None:
        """Send what nobody answers, in order."""

    def ask(self, body: bytes) -> Future[bytes]:
        """Send a question, and return the future of its answer."""
        ...


_SENT = {
    "callback": "What callbacks are told of the node '{}'",
    "call": "What the node '{}' calls a task with",
    "chunk": "A chunk that a graph within the node '{}' streams",
    "custom": "A chunk that the node '{}' streams",
    "push": "A message that the node '{}' streams",
    "saver": "What a graph within the node '{}' stores",
    "store": "What the node '{}' gives the store",
    "write": "What the node '{}' writes",
}
"""What is sent home, by its kind."""

_SHORT = 100
"""So many characters of what cannot be sent are shown."""


class Home:
    """Everything that a node can reach at home, by kind and arguments.

    Args:
        link: Leads there.
        node: The node's name.
    """

    def __init__(self, link: Link, node: str) -> None:
        self._link = link
        self._node = node

    def tell(self, kind: str, *arguments: Any) -> None:
        """Have something done at home, without waiting for it.

        Raises:
            NotPortableError: An argument cannot be sent.
        """
        self._link.tell(self._packed(kind, arguments))

    def ask(self, kind: str, *arguments: Any) -> Any:
        """Have something done at home, and return what came of it, or raise it."""
        return opened(self.ask_later(kind, *arguments).result())

    def ask_later(self, kind: str, *arguments: Any) -> Future[bytes]:
        """Have something done at home; the future's result is to be `opened`.

        Raises:
            NotPortableError: An argument cannot be sent.
        """
        return self._link.ask(self._packed(kind, arguments))

    def _packed(self, kind: str, arguments: tuple[Any, ...]) -> bytes:
        try:
            return dumps((kind, arguments))
        except NotPortableError as error:
            what = _SENT.get(kind, "What the node '{}' asks").format(self._node)
            value, why = _culprit(arguments) or (arguments, str(error))
            raise NotPortableError(
                f"{what} cannot be sent home from the process it runs in: {_shown(value)}: {why}"
            ) from error


def _culprit(arguments: tuple[Any, ...]) -> tuple[Any, str] | None:
    """Which argument it is that cannot be sent, and why."""
    for value in arguments:
        try:
            dumps(value)
        except NotPortableError as error:
            return value, str(error)
    return None


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = type(value).__qualname__
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."


def opened(answer: bytes) -> Any:
    """Return what home gave, or raise what was raised there."""
    is_error, body = loads(answer)
    if is_error:
        reraise(body)
    return body
