"""A WSGI application whose answers are what a graph streams."""

from __future__ import annotations

import json
import operator
import os
import time
from collections.abc import Iterator
from typing import Annotated

import witness as witness
from flask import Flask, Response
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send
from transcript import note
from typing_extensions import TypedDict

PAUSE = 0.1


class State(TypedDict, total=False):
    name: str
    said: Annotated[list[str], operator.add]


def wait(state: State) -> State:
    time.sleep(PAUSE)
    return {"said": [f"word {len(state.get('said', []))}"]}


def more(state: State) -> str:
    return "wait" if len(state["said"]) < 8 else "bye"


def bye(state: State) -> State:
    note("ended", state["name"])
    return {"said": ["bye"]}


def fan_out(state: State) -> list[Send]:
    return [Send("branch", {"name": f"{state['name']}{number}"}) for number in range(4)]


def branch(state: State) -> State:
    time.sleep(PAUSE)
    return {"said": [state["name"]]}


talk = StateGraph(State)
talk.add_node(wait)
talk.add_node(bye)
talk.add_edge(START, "wait")
talk.add_conditional_edges("wait", more, ["wait", "bye"])
talk.add_edge("bye", END)
talker = talk.compile()

fan = StateGraph(State)
fan.add_node(branch)
fan.add_conditional_edges(START, fan_out, ["branch"])
fanned = fan.compile(checkpointer=InMemorySaver())

# With --preload this is the master's doing, before it forks its workers.
fanned.invoke({"name": "before"}, {"configurable": {"thread_id": "0"}})

app = Flask(__name__)


@app.get("/pid")
def pid() -> str:
    witness.witness()
    return str(os.getpid())


@app.get("/stream/<name>")
def stream(name: str) -> Response:
    def lines() -> Iterator[str]:
        try:
            for chunk in talker.stream({"name": name}, stream_mode="updates"):
                yield f"{json.dumps(chunk)}\n"
        except GeneratorExit:
            note("closed", name)
            raise

    return Response(lines(), mimetype="application/x-ndjson")


@app.get("/fan/<name>")
def fans(name: str) -> dict[str, object]:
    config = {"configurable": {"thread_id": name}}
    result = fanned.invoke({"name": name}, config)
    return {"result": result, "kept": fanned.get_state(config).values}
