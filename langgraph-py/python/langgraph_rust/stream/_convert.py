"""Stream parts as protocol events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph_rust.stream._types import ProtocolEvent
    from langgraph_rust.types import StreamPart


def convert_to_protocol_event(part: StreamPart) -> ProtocolEvent:
    """Return the protocol event for a part of `stream(version="v2")`; its method is the mode."""
    given: Any = part
    event = make_event(given["type"], list(given["ns"]), given["data"])
    if "interrupts" in given:
        event["params"]["interrupts"] = given["interrupts"]
    return event


def make_event(method: str, namespace: list[str], data: Any) -> ProtocolEvent:
    """Return a protocol event that happens now."""
    return {
        "type": "event",
        "method": method,
        "params": {
            "namespace": namespace,
            "timestamp": int(time.time() * 1000),
            "data": data,
        },
    }
