"""The graph that servers of the platform's API serve: branches, tokens, a question, a store."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

import witness as witness
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict


class Context(TypedDict, total=False):
    tone: str


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    notes: Annotated[list[str], operator.add]
    topic: str
    pause: float


class Question(TypedDict, total=False):
    topic: str
    notes: Annotated[list[str], operator.add]


def plan(state: State, runtime: Runtime[Context]) -> State:
    get_stream_writer()({"planned": state["topic"]})
    tone = (runtime.context or {}).get("tone", "plain")
    return {"notes": [f"plan for {state['topic']}, {tone}"]}


def ways(state: State) -> list[Send]:
    places = ("news", "books", "people")
    return [
        Send("look_up", {"topic": f"{state['topic']} in {place}", "pause": 0.1 * number})
        for number, place in enumerate(places)
    ]


async def look_up(state: State) -> State:
    await asyncio.sleep(state["pause"])
    get_stream_writer()({"found": state["topic"]})
    return {"notes": [f"found {state['topic']}"]}


async def draft(state: State, runtime: Runtime[Context]) -> State:
    if runtime.store is not None:
        await runtime.store.aput(("drafts", state["topic"]), "last", {"notes": len(state["notes"])})
    answers = iter([AIMessage("a draft of four words", id=f"draft-of-{state['topic']}")])
    model = GenericFakeChatModel(messages=answers)
    return {"messages": [await model.ainvoke(state["messages"])]}


def ask(state: Question) -> Question:
    answer = interrupt({"publish?": state["topic"]})
    return {"notes": [f"answered {answer}"]}


def tell(state: Question) -> Question:
    return {"notes": ["told"]}


async def publish(state: State) -> Command[Any]:
    if state["notes"][-2] == "answered fail":
        raise ValueError("nothing is published")
    await asyncio.sleep(state.get("pause", 0))
    return Command(update={"notes": ["published"]}, goto=END)


def build() -> StateGraph[Any, Any, Any, Any]:
    """The graph, for the server to compile or as it is."""
    question = StateGraph(Question).add_sequence([ask, tell]).add_edge(START, "ask")
    builder = StateGraph(State, context_schema=Context)
    for node in (plan, look_up, draft, publish):
        builder.add_node(node.__name__, node)
    builder.add_node("review", question.compile())
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", ways, ["look_up"])
    builder.add_edge("look_up", "draft")
    builder.add_edge("draft", "review")
    builder.add_edge("review", "publish")
    return builder


graph = build().compile()
