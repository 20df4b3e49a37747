"""Writes what upstream draws of some graphs, beside this file: `python write.py`, with
LangGraph 1.2.24 and langchain-core 1.8.3. `tests/mermaid.rs` has the same graphs."""

import operator
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    log: Annotated[list, operator.add]


def graph(*nodes: str) -> StateGraph:
    built = StateGraph(State)
    for node in nodes:
        built.add_node(node, lambda state: {})
    return built


def chain() -> StateGraph:
    built = graph("first", "second step")
    built.add_edge(START, "first")
    built.add_edge("first", "second step")
    built.add_edge("second step", END)
    return built


def looped() -> StateGraph:
    built = graph("agent", "tools")
    built.add_edge(START, "agent")
    built.add_conditional_edges("agent", lambda state: END, ["tools", END])
    built.add_edge("tools", "agent")
    return built


def labels() -> StateGraph:
    built = graph("write", "publish", "burn")
    built.add_edge(START, "write")
    built.add_conditional_edges(
        "write",
        lambda state: "no",
        {
            "yes": "publish",
            "no": "burn",
            "again, and again, for as long as it takes to get it": "write",
            "burn": END,
        },
    )
    built.add_edge("publish", END)
    return built


def fan() -> StateGraph:
    built = graph("a", "b", "c", "joined")
    built.add_node("last", lambda state: {}, defer=True)
    built.add_edge(START, "a")
    built.add_edge(START, "b")
    built.add_edge("b", "c")
    built.add_edge(["a", "c"], "joined")
    built.add_edge("a", "last")
    built.add_edge("joined", "last")
    return built


def anywhere() -> StateGraph:
    built = graph("route", "left", "right")
    built.add_edge(START, "route")
    built.add_conditional_edges("route", lambda state: "left")
    return built


def anywhere_between() -> StateGraph:
    built = graph("route", "left", "right", "after")
    built.add_edge(START, "route")
    built.add_conditional_edges("route", lambda state: "left")
    built.add_edge("left", "after")
    built.add_edge("right", "after")
    built.add_edge("after", END)
    return built


def destinations() -> StateGraph:
    built = graph("done")
    built.add_node("choose", lambda state: {}, destinations=("done", "choose", END))
    built.add_edge(START, "choose")
    return built


def entry() -> StateGraph:
    built = graph("one", "two")
    built.add_conditional_edges(START, lambda state: "one", ["one", "two"])
    built.add_edge("one", "two")
    return built


def unreachable() -> StateGraph:
    built = graph("a", "lost")
    built.add_edge(START, "a")
    return built


def nested() -> StateGraph:
    middle = graph("before")
    middle.add_node("loop", looped().compile())
    middle.add_edge(START, "before")
    middle.add_edge("before", "loop")
    outer = graph("begin")
    outer.add_node("middle", middle.compile())
    outer.add_node("chain", chain().compile())
    outer.add_edge(START, "begin")
    outer.add_conditional_edges("begin", lambda state: END, ["middle", "chain"])
    outer.add_edge("middle", END)
    outer.add_edge("chain", END)
    return outer


def special() -> StateGraph:
    built = graph("_under_", "größe (cm)")
    built.add_edge(START, "_under_")
    built.add_edge("_under_", "größe (cm)")
    return built


def errors() -> StateGraph:
    built = StateGraph(State)
    built.add_node("risky", lambda state: {}, error_handler=lambda state: {})
    built.add_node("after", lambda state: {})
    built.add_edge(START, "risky")
    built.add_edge("risky", "after")
    return built


def main() -> None:
    here = Path(__file__).parent
    plain = [
        chain,
        looped,
        labels,
        fan,
        anywhere,
        anywhere_between,
        destinations,
        entry,
        unreachable,
        special,
        nested,
        errors,
    ]
    for build in plain:
        text = build().compile().get_graph().draw_mermaid()
        (here / f"{build.__name__}.mmd").write_text(text)
    for name, levels in [("nested_once", 1), ("nested_all", True)]:
        text = nested().compile().get_graph(xray=levels).draw_mermaid()
        (here / f"{name}.mmd").write_text(text)


if __name__ == "__main__":
    main()
