"""A graph whose threads `storage` is tried on, with all kinds of lists and messages."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from langchain_core.messages import AIMessage, AIMessageChunk, RemoveMessage, ToolMessage
from typing_extensions import TypedDict

from langgraph_rust.graph import START, StateGraph
from langgraph_rust.graph.message import add_messages

TURNS = 12


def keep_newest(state: list[Any], new: list[Any]) -> list[Any]:
    return [*state, *new][-9:]


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    messages: Annotated[list[Any], add_messages]
    newest: Annotated[list[str], keep_newest]
    plain: list[str]
    text: Annotated[str, operator.add]


def said(number: int, known: Any = None) -> Any:
    """What a node or a user may say: with and without ids, new, again, removing what is known."""
    match number % 8:
        case 1:
            return [("user", f"m{number}")]
        case 2:
            return [AIMessage(f"m{number}", id=f"id{number}"), ToolMessage("", tool_call_id="c")]
        case 3:
            return [AIMessage("again", id=known or "none"), f"m{number}"]
        case 4:
            return ToolMessage(f"m{number}", tool_call_id="c")
        case 5:
            return [{"role": "user", "content": f"m{number}"}]
        case 6:
            return [AIMessageChunk(content=f"m{number}", id=f"id{number}")]
        case 7 if known:
            return [RemoveMessage(known), AIMessage("instead", id=f"id{number}")]
    return [AIMessage(f"m{number}", id=f"id{number}")]


def one(state: State) -> Any:
    number, messages = len(state["log"]), state["messages"]
    known = messages[len(messages) // 2].id if messages else None
    told = said(number // 4, known)
    return {"log": [f"a{number}"], "messages": told, "plain": [f"p{number}"]}


def other(state: State) -> Any:
    number = len(state["log"])
    return {"log": [f"b{number}", "more"], "newest": [f"n{number}"], "text": "x"}


def graph(saver: Any) -> Any:
    builder = StateGraph(State).add_node("one", one).add_node("other", other)
    return builder.add_edge(START, "one").add_edge("one", "other").compile(saver)


def config(thread: str = "1", **more: Any) -> Any:
    return {"configurable": {"thread_id": thread, **more}}


def given(turn: int) -> Any:
    """What a user gives in a turn."""
    lists = {"log": [f"q{turn}"], "messages": said(3 * turn), "newest": ["q"]}
    return {**lists, "text": "q", "plain": [f"p{turn}"]}
