"""Drawings: edges are found by simulating what nodes write."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from typing_extensions import TypedDict

from langgraph_rust.channels import BinaryOperatorAggregate, DeltaChannel, EphemeralValue
from langgraph_rust.constants import END, START
from langgraph_rust.graph.state import StateGraph
from langgraph_rust.pregel import NodeBuilder, Pregel


class State(TypedDict):
    log: Annotated[list, operator.add]


def noop(state: State) -> dict[str, Any]:
    return {}


def builder(*names: str) -> StateGraph:
    graph = StateGraph(State)
    for name in names:
        graph.add_node(name, noop)
    return graph


def drawn(graph: Any, **kwargs: Any) -> set[str]:
    """The edges as `a -> b`, conditional ones as `a ?> b`, with their labels."""
    return {
        f"{edge.source} {'?>' if edge.conditional else '->'} {edge.target}"
        + (f" [{edge.data}]" if edge.data else "")
        for edge in graph.get_graph(**kwargs).edges
    }


def test_plain_edges_and_the_end() -> None:
    graph = builder("a", "b").add_edge(START, "a").add_edge("a", "b").compile()
    assert drawn(graph) == {"__start__ -> a", "a -> b", "b -> __end__"}


def test_branches_have_labels() -> None:
    graph = builder("a", "b", "c").add_edge(START, "a")
    graph.add_conditional_edges("a", lambda s: "yes", {"yes": "b", "c": "c", "no": END})
    assert drawn(graph.compile()) == {
        "__start__ -> a",
        "a ?> b [yes]",
        "a ?> c",
        "a ?> __end__ [no]",
        "b -> __end__",
        "c -> __end__",
    }


def test_destinations_of_commands() -> None:
    graph = StateGraph(State).add_node("a", noop, destinations=("b",)).add_node("b", noop)
    assert drawn(graph.add_edge(START, "a").compile()) == {
        "__start__ -> a",
        "a ?> b",
        "b -> __end__",
    }


def test_loop_and_join() -> None:
    graph = builder("a", "b", "c").add_edge(START, "a").add_edge(START, "b")
    graph.add_edge(["a", "b"], "c").add_conditional_edges("c", lambda s: "a", ["a", END])
    assert drawn(graph.compile()) == {
        "__start__ -> a",
        "__start__ -> b",
        "a -> c",
        "b -> c",
        "c ?> a",
        "c ?> __end__",
    }


def test_deferred_node_comes_last() -> None:
    graph = builder("a", "b").add_node("late", noop, defer=True).add_edge(START, "a")
    graph.add_edge("a", "b").add_edge("a", "late").add_edge("b", "late")
    compiled = graph.compile()
    assert drawn(compiled) == {
        "__start__ -> a",
        "a -> b",
        "a -> late",
        "b -> late",
        "late -> __end__",
    }
    assert compiled.get_graph().nodes["late"].metadata == {"defer": True}


def test_breakpoints_are_marked() -> None:
    graph = builder("a", "b").add_edge(START, "a").add_edge("a", "b")
    drawing = graph.compile(interrupt_before=["a"], interrupt_after=["a", "b"]).get_graph()
    assert drawing.nodes["a"].metadata == {"__interrupt": "before,after"}
    assert drawing.nodes["b"].metadata == {"__interrupt": "after"}


def test_reducers_do_not_run() -> None:
    def explosive(left: Any, right: Any) -> Any:
        raise AssertionError("drawing must not reduce")

    graph = StateGraph(Annotated[list, explosive]).add_node("a", lambda s: s).add_edge(START, "a")
    assert drawn(graph.compile()) == {"__start__ -> a", "a -> __end__"}


def test_subgraphs_open_with_xray() -> None:
    inner = builder("x", "y").add_edge(START, "x").add_edge("x", "y").compile()
    outer = builder("a").add_node("sub", inner).add_edge(START, "a").add_edge("a", "sub")
    compiled = outer.compile()
    assert drawn(compiled) == {"__start__ -> a", "a -> sub", "sub -> __end__"}
    assert drawn(compiled, xray=True) == {
        "__start__ -> a",
        "a -> sub:x",
        "sub:x -> sub:y",
        "sub:y -> __end__",
    }


def test_subgraphs_are_found_in_functions() -> None:
    inner = builder("x").add_edge(START, "x").compile()
    opted_out = builder("x").add_edge(START, "x").compile(checkpointer=False)

    def calls(state: State) -> Any:
        return inner.invoke(state)

    def calls_opted_out(state: State) -> Any:
        return opted_out.invoke(state)

    outer = StateGraph(State).add_node(calls).add_node(calls_opted_out).add_edge(START, "calls")
    nodes = outer.compile().nodes
    assert nodes["calls"].subgraphs == [inner]
    assert nodes["calls_opted_out"].subgraphs == []


def test_a_mapper_that_takes_no_empty_value_is_no_reason_not_to_draw() -> None:
    first = NodeBuilder().subscribe_only("in").do(noop).write_to(between=lambda value: value + 1)
    last = NodeBuilder().subscribe_only("between").do(noop).write_to("out")
    graph = Pregel(
        nodes={"first": first, "last": last},
        channels={name: EphemeralValue(int) for name in ("in", "between", "out")},
        input_channels="in",
        output_channels="out",
    )
    assert drawn(graph) == {"__start__ -> first", "first -> last", "last -> __end__"}


def test_reducers_are_not_called() -> None:
    def reducer(current: list, writes: list) -> list:
        return [*current, *(item for write in writes for item in write)]

    for channel in (DeltaChannel(reducer), BinaryOperatorAggregate(list, lambda a, b: [*a, *b])):
        first = NodeBuilder().subscribe_only("in").do(noop).write_to("log")
        graph = Pregel(
            nodes={"first": first, "last": NodeBuilder().subscribe_only("log").do(noop)},
            channels={"in": EphemeralValue(int), "log": channel},
            input_channels="in",
            output_channels="log",
        )
        assert drawn(graph) == {"__start__ -> first", "first -> last", "last -> __end__"}
