"""Tasks of a Celery application: each runs a graph."""

from __future__ import annotations

import asyncio
import operator
import os
import time
from typing import Annotated, Any

import witness
from celery import Celery
from celery.signals import worker_process_init
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from transcript import note
from typing_extensions import TypedDict

app = Celery("tasks", broker="filesystem://", backend="file://" + os.path.abspath("results"))
app.conf.broker_transport_options = {
    "data_folder_in": "queue",
    "data_folder_out": "queue",
    "processed_folder": "processed",
}
app.conf.worker_hijack_root_logger = False
app.conf.task_acks_late = False


class State(TypedDict, total=False):
    name: str
    number: int
    said: Annotated[list[str], operator.add]


def fan_out(state: State) -> list[Send]:
    return [Send("side", {"name": state["name"], "number": number}) for number in range(4)]


def side(state: State) -> State:
    time.sleep(0.05)
    return {"said": [f"{state['name']} {state['number']}"]}


def ask(state: State) -> State:
    return {"said": [interrupt(f"{state['name']}?")]}


async def slowly(state: State) -> State:
    await asyncio.sleep(0.05)
    return {"said": ["slowly"]}


def endless(state: State) -> State:
    note("began", str(os.getpid()))
    time.sleep(600)
    return {}


asking = StateGraph(State).add_sequence([side, ask])
asking.add_conditional_edges(START, fan_out, ["side"])
fanned = StateGraph(State).add_node(side)
fanned = fanned.add_conditional_edges(START, fan_out, ["side"]).compile(InMemorySaver())
awaited = StateGraph(State).add_sequence([slowly, side]).add_edge(START, "slowly").compile()
stuck = StateGraph(State).add_node(endless).add_edge(START, "endless").compile()

# Before the pool forks: threads and what they hold do not come along.
fanned.invoke({"name": "before"}, {"configurable": {"thread_id": "0"}})


@worker_process_init.connect
def begun(**_: Any) -> None:
    witness.witness()


def of(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


@app.task
def side_by_side(name: str) -> Any:
    return fanned.invoke({"name": name}, of(name))


@app.task
def on_sqlite(thread: str, answer: str | None) -> Any:
    given: Any = {"name": thread, "number": 9} if answer is None else Command(resume=answer)
    with SqliteSaver.from_conn_string("threads.db") as saver:
        graph = asking.compile(saver)
        result = graph.invoke(given, of(thread))
        result["__interrupt__"] = [each.value for each in result.get("__interrupt__", ())]
        return [result, list(graph.get_state(of(thread)).next)]


@app.task
def on_a_loop(name: str) -> Any:
    return asyncio.run(awaited.ainvoke({"name": name, "number": 1}))


@app.task(time_limit=2)
def too_long() -> Any:
    return stuck.invoke({})


@app.task
def killed() -> Any:
    return stuck.invoke({})


@app.task
def fails() -> Any:
    return fanned.invoke({}, of("fails"))
