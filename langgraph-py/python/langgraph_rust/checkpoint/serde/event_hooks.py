"""Notifications about types met while decoding that are not on the allowlist."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypedDict


class _SerdeEventBase(TypedDict):
    kind: str
    module: str
    name: str


class SerdeEvent(_SerdeEventBase, total=False):
    """What happened to one type reference.

    `kind` is `"msgpack_unregistered_allowed"`, `"msgpack_blocked"` or `"msgpack_method_blocked"`;
    `module` and `name` are the reference as stored; `method` is only there for the last kind.
    """

    method: str


SerdeEventListener = Callable[[SerdeEvent], None]
"""What is called with each event; what it raises is logged."""

_listeners: list[SerdeEventListener] = []
_listeners_lock = Lock()


def register_serde_event_listener(listener: SerdeEventListener) -> Callable[[], None]:
    """Have `listener` called with every event; returns a function that takes it off again.

    Calling the returned function more than once is harmless.
    """
    with _listeners_lock:
        _listeners.append(listener)

    def unregister() -> None:
        with _listeners_lock:
            if listener in _listeners:
                _listeners.remove(listener)

    return unregister


def emit_serde_event(event: SerdeEvent) -> None:
    """Hand `event` to every listener. One that raises is logged and does not stop the others."""
    # A copy, so that a listener may register or unregister listeners.
    with _listeners_lock:
        listeners = tuple(_listeners)
    for listener in listeners:
        try:
            listener(event)
        except Exception:
            import logging

            logging.getLogger("langgraph.checkpoint.serde.event_hooks").warning(
                "Serde listener failed", exc_info=True
            )
