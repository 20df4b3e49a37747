"""The graph that workers run: a report in four parts, which somebody approves."""

import asyncio
import operator
from typing import Annotated, TypedDict

from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import interrupt


class State(TypedDict, total=False):
    topic: str
    parts: Annotated[list[str], operator.add]
    verdict: str


def part(number: int):
    async def write(state: State) -> State:
        await asyncio.sleep(0.3)
        return {"parts": [f"part {number} of {state['topic']}"]}

    return write


def approve(state: State) -> State:
    return {"verdict": interrupt(f"{len(state['parts'])} parts: good enough?")}


builder = StateGraph(State)
builder.add_sequence([(f"part{number}", part(number)) for number in range(1, 5)])
builder.add_node("approve", approve)
builder.add_edge(START, "part1").add_edge("part4", "approve")
report = builder.compile()
