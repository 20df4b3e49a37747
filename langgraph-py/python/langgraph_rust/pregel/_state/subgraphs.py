"""Graphs inside graphs: listing them, finding the one a namespace names, drawing them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import (
    merge_configs,
    patch_configurable,
    recast_checkpoint_ns,
)
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    NS_SEP,
)
from langgraph_rust.constants import START
from langgraph_rust.pregel._state.twins import Call, Steps

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Graph
    from typing_extensions import TypeIs

    from langgraph_rust.checkpoint.base import BaseCheckpointSaver
    from langgraph_rust.pregel.main import Pregel
    from langgraph_rust.pregel.protocol import PregelProtocol

    AnyPregel = Pregel[Any, Any, Any, Any]
    AnyGraph = PregelProtocol[Any, Any, Any, Any]


def iterate(
    graph: AnyPregel, namespace: str | None, recurse: bool
) -> Iterator[tuple[str, AnyGraph]]:
    """Yield `(namespace, subgraph)` pairs, as `Pregel.get_subgraphs` does."""
    for name, node in graph.nodes.items():
        inner = None
        if namespace is not None and namespace != name:
            first, separator, inner = namespace.partition(NS_SEP)
            if first != name or not separator:
                continue
        subgraph = node.subgraphs[0] if node.subgraphs else None
        if subgraph is None:
            continue
        if namespace is None or namespace == name:
            yield name, subgraph
        if namespace == name:
            return
        if recurse and _has_nodes(subgraph):
            for path, nested in subgraph.get_subgraphs(namespace=inner, recurse=True):
                yield f"{name}{NS_SEP}{path}", nested


def addressed_subgraph(
    graph: AnyPregel,
    config: RunnableConfig,
    saver: BaseCheckpointSaver,
    *,
    for_update: bool = False,
) -> tuple[AnyGraph, RunnableConfig] | None:
    """Return the subgraph that a state method's config names, and the config to call it with.

    `None` if the config is for this graph. So it is when the namespace belongs to no subgraph that
    is declared or detected, such as one that a tool invokes: its state is then read through this
    graph's channels. Writing would do harm there, so `for_update` raises `ValueError`.
    """
    namespace = config[CONF].get(CONFIG_KEY_CHECKPOINT_NS, "")
    if not namespace or CONFIG_KEY_CHECKPOINTER in config[CONF]:
        return None
    stable = recast_checkpoint_ns(namespace)
    for _, subgraph in graph.get_subgraphs(namespace=stable, recurse=True):
        return subgraph, patch_configurable(config, {CONFIG_KEY_CHECKPOINTER: saver})
    if for_update:
        raise ValueError(f"Subgraph {stable} not found")
    return None


def drawing(graph: AnyPregel, config: RunnableConfig | None, xray: int | bool) -> Steps[Graph]:
    """Draw a graph, with as many levels of subgraphs opened as `xray` says."""
    from langgraph_rust.pregel._build.draw import draw_graph
    from langgraph_rust.pregel._build.picture import policies

    inner: dict[str, Graph] = {}
    if xray:
        deeper = xray if isinstance(xray, bool) or xray <= 0 else xray - 1
        for name, subgraph in graph.get_subgraphs():
            inner[name] = yield Call(subgraph, "get_graph", (config,), {"xray": deeper})
    drawn = draw_graph(
        merge_configs(graph.config, config),
        nodes=graph.nodes,
        specs=graph.channels,
        input_channels=graph.input_channels,
        interrupt_after_nodes=graph.interrupt_after_nodes,
        interrupt_before_nodes=graph.interrupt_before_nodes,
        trigger_to_nodes=graph.trigger_to_nodes,
        checkpointer=graph.checkpointer,
        subgraphs=inner,
    )
    for name, node in graph.nodes.items():
        # The input is written by no code that could be tried again.
        if name != START:
            lines = policies(node, graph.retry_policy, graph.cache_policy)
            drawn.marks[name] = [*drawn.marks.get(name, ()), *lines]
    return drawn


def _has_nodes(subgraph: AnyGraph) -> TypeIs[AnyPregel]:
    from langgraph_rust.pregel.main import Pregel

    return isinstance(subgraph, Pregel)
