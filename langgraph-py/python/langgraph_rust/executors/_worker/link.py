"""The way home."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Protocol

from langgraph_rust.executors._travel.errors import reraise
from langgraph_rust.executors._travel.pickling import dumps, loads


class Link(Protocol):
    """What an executor gives a call in its worker. May be used from any thread."""

    def tell(self, body: bytes) -> None:
        """Send what nobody answers, in order."""

    def ask(self, body: bytes) -> Future[bytes]:
        """Send a question, and return the future of its answer."""
        ...


class Home:
    """Everything that a node can reach at home, by kind and arguments."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def tell(self, kind: str, *arguments: Any) -> None:
        """Have something done at home, without waiting for it."""
        self._link.tell(dumps((kind, arguments)))

    def ask(self, kind: str, *arguments: Any) -> Any:
        """Have something done at home, and return what came of it, or raise it."""
        return opened(self._link.ask(dumps((kind, arguments))).result())

    def ask_later(self, kind: str, *arguments: Any) -> Future[bytes]:
        """Have something done at home; the future's result is to be `opened`."""
        return self._link.ask(dumps((kind, arguments)))


def opened(answer: bytes) -> Any:
    """Return what home gave, or raise what was raised there."""
    is_error, body = loads(answer)
    if is_error:
        reraise(body)
    return body
