"""Which nodes of a graph run elsewhere: those whose metadata say so, and those a default is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust.executors import _spec
from langgraph_rust.executors._home.node import RemoteNode
from langgraph_rust.executors._shared import shares_state
from langgraph_rust.executors._spec import HOME, KEY, Spec
from langgraph_rust.executors._travel.pickling import check_node
from langgraph_rust.executors.base import NotPortableError
from langgraph_rust.pregel._build.read import DEFAULT_BOUND, PregelNode
from langgraph_rust.pregel._build.utils import runs_in_executor

if TYPE_CHECKING:
    from langgraph_rust.pregel.main import Pregel

    _Graph = Pregel[Any, Any, Any, Any]

__all__ = ("place", "variant")


def place(nodes: Mapping[str, PregelNode]) -> None:
    """Have those of a graph's nodes run elsewhere whose metadata, or the environment, say so.

    Raises:
        ValueError: An executor or an option is unknown.
        NotPortableError: A node that is to run in another process cannot be sent there.
    """
    default = _spec.from_environment()
    for name, node in nodes.items():
        spec = _own(name, node)
        if spec is None:
            if default is not None and _takes_default(name, node):
                node.bound = RemoteNode(node.bound, name, default, by_default=True)
        elif spec.kind != HOME and not isinstance(node.bound, RemoteNode):
            node.bound = _placed(name, node, spec)


def variant(graph: _Graph, asked: Any) -> _Graph:
    """Return the graph as it runs where a config has `asked` as its default.

    The default is for nodes without an executor of their own that are sync functions, can be sent,
    and share nothing with the program that can change; in nested graphs, too.

    Raises:
        ValueError: The executor or an option is unknown.
    """
    spec = _spec.read(asked, f"The config's {KEY!r}")
    if spec is None or spec.kind == HOME:
        return graph
    known = _variants.setdefault(graph, {})
    key = (repr(spec), *map(id, graph.nodes.values()))
    found = known.get(key)
    if found is None:
        nodes = {name: _moved(name, node, spec, asked) for name, node in graph.nodes.items()}
        changed = any(nodes[name] is not node for name, node in graph.nodes.items())
        # Without a copy there is nothing of the graph in the table, which would keep it alive.
        found = known[key] = graph.copy({"nodes": nodes}) if changed else None
    if found is None:
        return graph
    for name, value in vars(graph).items():
        # What was set on the graph since.
        if not name.startswith("_") and name != "nodes" and getattr(found, name) is not value:
            setattr(found, name, value)
    return found


_variants: WeakKeyDictionary[Any, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()


def _moved(name: str, node: PregelNode, spec: Spec, asked: Any) -> PregelNode:
    if _is_graph(node.bound):
        inner = variant(node.bound, asked)  # type: ignore[arg-type]
        return node if inner is node.bound else node.copy({"bound": inner})
    if _own(name, node) is not None or not _takes_default(name, node):
        return node
    return node.copy({"bound": RemoteNode(node.bound, name, spec, by_default=True)})


def _own(name: str, node: PregelNode) -> Spec | None:
    written = (node.metadata or {}).get(KEY)
    return None if written is None else _spec.read(written, f"The node '{name}'")


def _placed(name: str, node: PregelNode, spec: Spec) -> RemoteNode:
    if _is_graph(node.bound):
        raise NotPortableError(
            f"The node '{name}' is a graph, whose supersteps run at home: give an executor to the "
            "nodes in it"
        )
    if node.bound is DEFAULT_BOUND:
        raise NotPortableError(f"The node '{name}' runs nothing that could run elsewhere")
    check_node(node.bound, spec.graph, name)
    return RemoteNode(node.bound, name, spec, node.timeout)


def _takes_default(name: str, node: PregelNode) -> bool:
    """Whether nobody could tell that the node runs elsewhere, time aside."""
    bound = node.bound
    if type(bound) is not RunnableCallable or bound is DEFAULT_BOUND or bound.func is None:
        return False
    if node.timeout is not None:
        # Of sync code it is an error, at home.
        return False
    if bound.afunc is not None and not runs_in_executor(bound.afunc):
        return False
    if shares_state(bound.func) or shares_state(node.mapper):
        return False
    if not bound.func_accepts.keys().isdisjoint(("config", "runtime")):
        # What is in them may be shared.
        return False
    try:
        check_node(bound, None, name)
    except NotPortableError:
        return False
    return True


def _is_graph(bound: Any) -> bool:
    from langgraph_rust.pregel.main import Pregel

    return isinstance(bound, Pregel)
