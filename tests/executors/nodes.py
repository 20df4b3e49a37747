"""Nodes for the cluster, which imports them."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from langgraph_rust.config import get_stream_writer


def nop(state: Any) -> Any:
    """Do nothing."""
    return {"log": ["nop"]}


def dawdles(state: Any) -> Any:
    """Do nothing, slowly."""
    time.sleep(0.3)
    return {"log": ["dawdled"]}


def chats(state: Any) -> Any:
    """Write a lot to the stream."""
    writer = get_stream_writer()
    for number in range(20_000):
        writer(number)


def spins(state: Any) -> Any:
    """Compute for half a second."""
    began = time.process_time()
    while time.process_time() - began < 0.5:
        pass


def for_ever(state: Any) -> Any:
    """Compute without end."""
    while True:
        pass


def fails(state: Any) -> Any:
    """Fail, after a while."""
    time.sleep(0.5)
    raise ValueError("failed")


def measures(state: Any) -> Any:
    """Tell how large a value is."""
    return {"log": [len(state["big"])]}


def traced(state: Any) -> Any:
    """Tell which trace it is in, and what is around it."""
    from opentelemetry import trace

    around = trace.get_current_span().get_span_context()
    return {"log": [(around.trace_id, around.span_id)]}


def lingers(state: Any) -> Any:
    """Tell where it runs, and take a while."""
    import ray

    here = ray.get_runtime_context().get_node_id()
    (Path(state["folder"]) / uuid.uuid4().hex).write_text(f"{time.time()} {here}")
    time.sleep(3)
    return {"log": ["lingered"]}


def begun(folder: Path) -> list[tuple[float, str]]:
    """When and where `lingers` has begun, in order."""
    written = [path.read_text().split() for path in folder.iterdir()]
    return sorted((float(words[0]), words[1]) for words in written if len(words) == 2)
