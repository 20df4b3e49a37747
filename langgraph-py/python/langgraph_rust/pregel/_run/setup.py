"""What a run starts with: its config, its place in the run around it, its `Runtime`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast

from langgraph_rust._internal._config import (
    DEFAULT_RECURSION_LIMIT,
    ensure_config,
    merge_configs,
    patch_configurable,
    var_child_runnable_config,
)
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_TASK_ID,
    NS_SEP,
)
from langgraph_rust.config import get_config
from langgraph_rust.runtime import RunControl, Runtime, ServerInfo

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.pregel.protocol import StreamChunk


class Tap(Protocol):
    """Hears of a run and the runs within it, whatever its caller wants to see."""

    modes: set[str]
    """Stream modes that it is called with."""
    handlers: list[Any]
    """Callback handlers of the run."""

    def __call__(self, chunk: StreamChunk, /) -> None:
        """Take a chunk, in whichever thread it is made."""
        ...


def tapped(
    watch: Callable[[RunnableConfig], Tap | None], config: RunnableConfig
) -> tuple[RunnableConfig, Tap | None]:
    """Return the config of a run that a graph's watcher hears, and the tap; `None` if nobody does.

    What runs within a run is heard with it.
    """
    if CONFIG_KEY_TASK_ID in config[CONF] or CONFIG_KEY_STREAM in config[CONF]:
        return config, None
    tap = watch(config)
    if tap is None:
        return config, None
    heard = merge_configs({"callbacks": config.get("callbacks")}, {"callbacks": tap.handlers})
    conf = {**config[CONF], CONFIG_KEY_STREAM: tap}
    return {**config, "callbacks": heard.get("callbacks"), CONF: conf}, tap


def stream_writer(
    sink: Any, shown: str | None, *, is_streamed: bool, tap: Tap | None
) -> Callable[[Any], None]:
    """Return what nodes call to write to the `custom` stream; see `custom_writer`."""
    own = custom_writer(sink.put, shown) if is_streamed else drop_chunk
    if tap is None:
        return own
    heard = custom_writer(tap, None)

    def write(chunk: Any) -> None:
        own(chunk)
        # Outside of a node nobody knows whose chunk it is; unwatched, that is no error.
        with suppress(RuntimeError):
            heard(chunk)

    return write


def custom_writer(put: Callable[[Any], Any], shown: str | None) -> Callable[[Any], None]:
    """Return what nodes call to write to the `custom` stream.

    Args:
        put: Takes chunks.
        shown: The namespace of the graph whose nodes are heard; `None` for those of all subgraphs.
    """

    def write(chunk: Any) -> None:
        conf = get_config()[CONF]
        namespace = conf[CONFIG_KEY_CHECKPOINT_NS].rpartition(NS_SEP)[0]
        # That of a called task begins with its caller's, though both are of the same graph.
        task = conf.get(CONFIG_KEY_SCRATCHPAD)
        if shown is None or shown in (namespace, getattr(task, "graph_namespace", None)):
            path = tuple(namespace.split(NS_SEP)) if namespace else ()
            put((path, "custom", chunk))

    return write


def drop_chunk(_: Any) -> None:
    """Stand in for the stream writer where nobody listens."""


def warn_durability() -> None:
    """Warn that a durability was asked for where nothing is stored."""
    import warnings

    warnings.warn("`durability` has no effect when no checkpointer is present.", stacklevel=2)


def complete_config(own: RunnableConfig | None, given: RunnableConfig | None) -> RunnableConfig:
    """Return the config of a call, with what the graph and the run around it add, and defaults."""
    if own is None and given is None and not var_child_runnable_config.get():
        return {
            "tags": [],
            "metadata": {},
            "callbacks": None,
            "recursion_limit": DEFAULT_RECURSION_LIMIT,
            CONF: {},
        }
    return ensure_config(own, given)


def in_namespace(config: RunnableConfig) -> RunnableConfig:
    """Return the config with the namespace that the run has.

    A task may run several graphs: from the second on, their namespaces are numbered. A run that is
    no part of a task begins at the root.
    """
    conf = config[CONF]
    scratchpad = conf.get(CONFIG_KEY_SCRATCHPAD)
    if scratchpad is not None and (number := scratchpad.subgraph_counter()):
        namespace = f"{conf[CONFIG_KEY_CHECKPOINT_NS]}{NS_SEP}{number}"
        config = patch_configurable(config, {CONFIG_KEY_CHECKPOINT_NS: namespace})
    if CONFIG_KEY_TASK_ID not in conf and conf.get(CONFIG_KEY_CHECKPOINT_NS):
        root = {CONFIG_KEY_CHECKPOINT_NS: "", CONFIG_KEY_CHECKPOINT_ID: None}
        config = patch_configurable(config, root)
    return config


def inherit_runtime(
    conf: dict[str, Any],
    own_store: Any,
    context: Any,
    writer: Callable[[Any], None],
    control: RunControl | None,
) -> Runtime[Any]:
    """Make the runtime of a run from what the caller gave and what a run around it has."""
    parent = conf.get(CONFIG_KEY_RUNTIME)
    server = _server_info(conf) if conf else None
    if parent is None:
        return Runtime(
            context=context,
            store=own_store,
            stream_writer=writer,
            server_info=server,
            control=control or RunControl(),
        )
    store = parent.store
    if not isinstance(parent, Runtime):
        # A server's object of its own kind, from outside of any run.
        parent = Runtime(context=getattr(parent, "context", None))
    return Runtime(
        context=context or parent.context,
        store=store,
        stream_writer=writer,
        heartbeat=parent.heartbeat,
        previous=parent.previous,
        execution_info=parent.execution_info,
        server_info=server or parent.server_info,
        control=control or parent.control or RunControl(),
    )


def _server_info(conf: dict[str, Any]) -> ServerInfo | None:
    """Return what a server put into the config about itself, if one did."""
    assistant_id, graph_id = conf.get("assistant_id"), conf.get("graph_id")
    user = conf.get("langgraph_auth_user")
    if user is not None and not _is_user(user):
        user = None
    if assistant_id is None and graph_id is None and user is None:
        return None
    return ServerInfo(
        assistant_id=str(assistant_id) if assistant_id else "",
        graph_id=str(graph_id) if graph_id else "",
        user=user,
    )


def _is_user(value: object) -> bool:
    if hasattr(value, "identity"):
        return True
    sdk = sys.modules.get("langgraph_sdk.auth.types")
    return sdk is not None and isinstance(value, sdk.BaseUser)


def as_placed(graph: Any, conf: Mapping[str, Any]) -> Any:
    """Return the graph, or its twin whose nodes run where a config says that nodes run."""
    if "executor" not in conf:
        return graph
    from langgraph_rust.executors._place import variant

    return variant(graph, conf["executor"])


def coerce_context(schema: Any, context: Any) -> Any:
    """Make an instance of the context schema from a dict, unless the schema is a kind of dict."""
    if schema is None or not isinstance(context, dict):
        return context
    from dataclasses import is_dataclass

    # No model can exist before the module of its base does.
    model = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    is_model = model is not None and isinstance(schema, type) and issubclass(schema, model)
    return cast("Any", schema)(**context) if is_model or is_dataclass(schema) else context
