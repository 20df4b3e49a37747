"""Access to the run's config, store and stream writer from anywhere inside a node or task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import (
    ambient_config,
    var_child_runnable_config,  # noqa: F401  (imported from here by others)
)
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_RUNTIME

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.store.base import BaseStore
    from langgraph_rust.types import StreamWriter


def _no_op_stream_writer(c: Any) -> None:
    """Drop a chunk; the stream writer when nobody streams."""


def get_config() -> RunnableConfig:
    """Return the config of the running node, task or runnable.

    Does not work in async code before Python 3.11, where tasks cannot be given a context.

    Raises:
        RuntimeError: Nothing is running.
    """
    config = ambient_config()
    if config:
        return config
    raise RuntimeError("Called get_config outside of a runnable context")


def get_store() -> BaseStore:
    """Return the store that the running graph was compiled with; `None` if there is none.

    Raises:
        RuntimeError: Nothing is running.
    """
    return get_config()[CONF][CONFIG_KEY_RUNTIME].store


def get_stream_writer() -> StreamWriter:
    """Return the function that writes its argument to the `custom` stream of the running graph.

    Raises:
        RuntimeError: Nothing is running.
    """
    return get_config()[CONF][CONFIG_KEY_RUNTIME].stream_writer
