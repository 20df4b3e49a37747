"""An application that streams what a graph does, and notes how its runs end."""

from __future__ import annotations

import asyncio
import json
import operator
import time
from collections.abc import AsyncIterator
from typing import Annotated

import witness as witness
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from transcript import note
from typing_extensions import TypedDict

VERSION = 1


class State(TypedDict, total=False):
    name: str
    said: Annotated[list[str], operator.add]


async def greet(state: State) -> State:
    get_stream_writer()(f"hello {state['name']}")
    return {"said": ["hello"]}


async def talk(state: State) -> State:
    await asyncio.sleep(0.1)
    note("talked", state["name"])
    return {"said": [f"word {len(state['said'])}"]}


def think(state: State) -> State:
    time.sleep(0.01)
    return {"said": ["a thought"]}


def more(state: State) -> str:
    return "talk" if len(state["said"]) < (2000 if state["name"] == "long" else 20) else "bye"


def bye(state: State) -> State:
    note("ended", state["name"])
    return {"said": ["bye"]}


def build() -> StateGraph:
    builder = StateGraph(State)
    for node in (greet, talk, think, bye):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "greet")
    builder.add_edge("greet", "talk")
    builder.add_edge("talk", "think")
    builder.add_conditional_edges("think", more, ["talk", "bye"])
    builder.add_edge("bye", END)
    return builder


graph = build().compile().with_config(recursion_limit=5000)
quick = StateGraph(State).add_node("think", think).add_edge(START, "think").compile()
app = FastAPI()


@app.get("/version")
async def version() -> int:
    return VERSION


@app.get("/stream/{name}")
async def stream(name: str) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        modes = ["custom", "updates"]
        try:
            async for mode, chunk in graph.astream({"name": name}, stream_mode=modes):
                yield f"data: {json.dumps([mode, chunk])}\n\n"
        except asyncio.CancelledError:
            note("cancelled", name)
            raise

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/threaded/{name}")
def threaded(name: str) -> dict[str, object]:
    return quick.invoke({"name": name})


@app.get("/awaited/{name}")
async def awaited(name: str) -> dict[str, object]:
    return await quick.ainvoke({"name": name})
