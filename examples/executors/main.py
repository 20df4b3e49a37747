"""Nodes where they find what they need: processes of this machine, or a Ray cluster.

`python main.py` takes processes, `python main.py ray` Ray, which it starts if there is no cluster.
A hundred thousand numbers are shared out, each part is counted in a process of its own, and one
part never comes to an end: its time limit stops it, and an error handler says so.
"""

import operator
import sys
from typing import Annotated, TypedDict

from langgraph_rust.errors import NodeError
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import Command, Send, StreamWriter

KIND = sys.argv[1] if len(sys.argv) > 1 else "process"


class State(TypedDict, total=False):
    limit: int
    found: Annotated[list[tuple[int, int]], operator.add]
    missing: str
    total: int


def share_out(state: State) -> list[Send]:
    step = state["limit"] // 4
    parts = [Send("count", (first, first + step)) for first in range(0, state["limit"], step)]
    return [*parts, Send("endless", None)]


def count(part: tuple[int, int], writer: StreamWriter) -> State:
    first, end = part
    primes = sum(is_prime(number) for number in range(first, end))
    writer(f"{first} to {end}: {primes} primes")
    return {"found": [(first, primes)]}


def is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def endless(_: None) -> State:
    while True:
        pass


def give_up(_: None, error: NodeError) -> Command:
    return Command(update={"missing": str(error.error).partition(" (")[0]}, goto="add_up")


def add_up(state: State) -> State:
    return {"total": sum(primes for _, primes in state["found"])}


builder = StateGraph(State)
builder.add_node("count", count, metadata={"executor": KIND})
builder.add_node(
    "endless", endless, metadata={"executor": KIND}, timeout=3.0, error_handler=give_up
)
builder.add_node("add_up", add_up, defer=True)
builder.add_conditional_edges(START, share_out)
builder.add_edge("count", "add_up")
graph = builder.compile()

chunks = []
for mode, chunk in graph.stream({"limit": 100_000}, stream_mode=["custom", "values"]):
    chunks.append(chunk) if mode == "custom" else None
    last = chunk
print(*sorted(chunks), sep="\n")
print(last["total"], "primes;", last["missing"])
