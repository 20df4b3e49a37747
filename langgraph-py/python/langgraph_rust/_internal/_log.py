"""The loggers of what happens while a graph runs: upstream's names, which programs filter by."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger("langgraph")

retry_logger = logging.getLogger("langgraph.pregel._retry")
remote_logger = logging.getLogger("langgraph.pregel.remote")
remote_stream_logger = logging.getLogger("langgraph.pregel._remote_run_stream")


def unknown_channel(task: str, path: tuple[Any, ...], channel: str) -> None:
    """Say that a task wrote to a channel that the graph does not have, as `goto` does."""
    logger.warning(
        "Task %s with path %s wrote to unknown channel %s, ignoring it.", task, path, channel
    )


def unknown_node(name: str) -> None:
    """Say that a packet is addressed to a node that the graph does not have."""
    logger.warning("Ignoring unknown node name %s in pending sends", name)


def no_packet(value: Any) -> None:
    """Say that something was sent that is no packet."""
    logger.warning("Ignoring invalid packet type %s in pending sends", type(value))


def retrying(task: str, seconds: float, attempt: int, error: BaseException) -> None:
    """Say that a task is tried again, `attempt` attempts having failed, the last with `error`."""
    if retry_logger.isEnabledFor(logging.INFO):
        kind = type(error).__name__
        text = "Retrying task %s after %.2f seconds (attempt %d) after %s %s"
        retry_logger.info(text, task, seconds, attempt, kind, error, exc_info=error)
