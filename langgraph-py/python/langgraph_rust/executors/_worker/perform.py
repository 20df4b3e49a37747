"""Performing a call in the process that it was sent to."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from langgraph_rust._internal._runnable.contexts import ambient
from langgraph_rust.executors import _here
from langgraph_rust.executors._travel.classes import note_arrival, note_departure
from langgraph_rust.executors._travel.errors import dumps_error
from langgraph_rust.executors._travel.pickling import WHOLE, dumps, load_node, loads, variable
from langgraph_rust.executors._worker.config import make_config
from langgraph_rust.executors._worker.link import Home, Link
from langgraph_rust.executors.base import NotPortableError


def perform(function: bytes, request: bytes, values: Mapping[str, bytes], link: Link) -> bytes:
    """Run a node, and return how it ended, for the `"done"` message.

    Args:
        function: `Call.function`.
        request: `Call.request`.
        values: `Call.values`.
        link: Leads home.
    """
    # A context of its own: what a node sets is not seen by the next call.
    return contextvars.copy_context().run(_perform, function, request, values, link)


def _perform(function: bytes, request: bytes, values: Mapping[str, bytes], link: Link) -> bytes:
    _here.enter()
    over = threading.Event()
    try:
        asked: dict[str, Any] = loads(request)
        if (pause := asked["beat"]) is not None:
            threading.Thread(target=_beat, args=(link, pause, over), daemon=True).start()
        for path, value in asked["context"].items():
            variable(path).set(loads(value))
        _follow_trace(asked["trace"])
        bound = load_node(function)
        config = make_config(asked, Home(link, asked["name"]))
        given = _input(asked["input"], values)
        arrived = note_arrival()
        with _tracing(asked):
            result = _call(bound, given, config, is_async=asked["is_async"])
        returned = _returned(result, asked["name"])
        note_departure(arrived)
        return returned
    except BaseException as error:
        return b"e" + dumps_error(error)
    finally:
        over.set()


def _tracing(asked: dict[str, Any]) -> AbstractContextManager[Any]:
    if asked["callbacks"] is None:
        return nullcontext()
    from langgraph_rust.executors._worker.callbacks import not_traced_twice

    return not_traced_twice()


def _input(given: Any, values: Mapping[str, bytes]) -> Any:
    """The input, with its large fields where they were."""
    if not values:
        return given
    if WHOLE in values:
        return loads(values[WHOLE])
    return {name: loads(values[name]) if name in values else given[name] for name in given}


def _call(bound: Any, input: Any, config: Any, *, is_async: bool) -> Any:
    if not is_async:
        with ambient(config):
            return bound.invoke(input, config)
    from langgraph_rust.executors._worker import loop

    async def call() -> Any:
        with ambient(config):
            return await bound.ainvoke(input, config)

    return loop.run(call())


def _returned(result: Any, name: str) -> bytes:
    try:
        return b"r" + dumps(result)
    except NotPortableError as error:
        raise NotPortableError(
            f"What the node '{name}' returned cannot be sent home from the process it ran in: "
            f"{_culprit(result) or error}"
        ) from error


def _culprit(result: Any) -> str | None:
    """Which field of a result it is that cannot be sent."""
    for field, value in result.items() if isinstance(result, dict) else ():
        try:
            dumps(value)
        except NotPortableError as error:
            return f"'{field}', {error}"
    return None


def _beat(link: Link, pause: float, over: threading.Event) -> None:
    """Let home know that the process lives."""
    body = dumps(("beat", ()))
    while not over.wait(pause):
        try:
            link.tell(body)
        except OSError:
            return


def _follow_trace(carrier: dict[str, str] | None) -> None:
    """Have spans of the node be children of the span around it at home."""
    if not carrier:
        return
    try:
        from opentelemetry import context, propagate  # pyright: ignore[reportMissingImports]
    except ImportError:
        return
    context.attach(propagate.extract(carrier))


class Questions:
    """The questions of a call that have no answer yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, Future[bytes]] = {}
        self._count = 0

    def new(self) -> tuple[int, Future[bytes]]:
        """Number a question; its answer is the future's result."""
        with self._lock:
            self._count += 1
            future = self._open[self._count] = Future()
            return self._count, future

    def answer(self, number: int, body: bytes) -> None:
        """Hand out an answer."""
        with self._lock:
            future = self._open.pop(number, None)
        if future is not None:
            future.set_result(body)
