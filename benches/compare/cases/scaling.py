"""Pairs that tell whether the cost of a step follows the work or the size of the graph."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from benches.compare.cases.base import Case, Mode, Run
from benches.compare.cases.peers import peer_chain, peers
from benches.compare.cases.single import State, abump, bump

LAPS = 100

COMPARED = 100
"""The length of the chain that other libraries run, too."""


def scaling_cases() -> list[Case]:
    """A small and a large one of each kind, and the chain that other libraries run, too."""
    return [Chain(10), Chain(COMPARED), Chain(5000), Keys(10), Keys(2000), Sends(100), Sends(5000)]


class Chain(Case):
    """`n` nodes in a row that count."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.name = f"chain_{n}"
        self.steps = n

    def graph(self, mode: Mode) -> Run:
        return self.stream_run(chain(self.steps, mode).compile(), {"n": 0}, mode)

    def others(self, mode: Mode) -> tuple[str, ...]:
        return peers(mode) if self.steps == COMPARED else ()

    def other(self, side: str, mode: Mode) -> Run:
        return peer_chain(side, self.steps, mode, stored=False)

    def floor(self, mode: Mode) -> Run:
        names = [f"n{i}" for i in range(self.steps)]

        def run() -> list[Any]:
            state: Any = {"n": 0}
            chunks = []
            for name in names:
                update = bump(dict(state))
                state["n"] = update["n"]
                chunks.append({name: update})
            return chunks

        async def arun() -> list[Any]:
            state: Any = {"n": 0}
            chunks = []
            for name in names:
                update = await abump(dict(state))
                state["n"] = update["n"]
                chunks.append({name: update})
            return chunks

        return run if mode == "sync" else arun


def chain(n: int, mode: Mode, node: Any = None) -> Any:
    """The graph of `n` nodes in a row that count, or are `node`."""
    from langgraph.graph import END, START, StateGraph

    builder = StateGraph(State)
    names = [f"n{i}" for i in range(n)]
    for name in names:
        builder.add_node(name, node or (bump if mode == "sync" else abump))
    for start, end in zip([START, *names], [*names, END], strict=True):
        builder.add_edge(start, end)
    return builder


class OneKey(TypedDict):
    """What the nodes of `Keys` read."""

    k0: int


def step(state: OneKey) -> dict[str, Any]:
    """A node that reads and writes one key."""
    return {"k0": state["k0"] + 1}


async def astep(state: OneKey) -> dict[str, Any]:
    """The same as a coroutine."""
    return {"k0": state["k0"] + 1}


class Keys(Case):
    """A state of `n` keys; two nodes take turns, reading and writing one of them."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.name = f"keys_{n}"
        self.steps = 2 * LAPS
        self._keys = n

    def graph(self, mode: Mode) -> Run:
        from langgraph.graph import END, START, StateGraph

        def again(state: OneKey) -> str:
            return "a" if state["k0"] < 2 * LAPS else END

        schema: Any = TypedDict("Wide", {f"k{i}": int for i in range(self._keys)})
        builder = StateGraph(schema)
        for name in ("a", "b"):
            builder.add_node(name, step if mode == "sync" else astep, input_schema=OneKey)
        builder.add_edge(START, "a")
        builder.add_edge("a", "b")
        builder.add_conditional_edges("b", again)
        value = {f"k{i}": 0 for i in range(self._keys)}
        return self.stream_run(builder.compile(), value, mode)

    def floor(self, mode: Mode) -> Run:
        initial = {f"k{i}": 0 for i in range(self._keys)}

        def run() -> list[Any]:
            state = dict(initial)
            chunks: list[Any] = []
            while state["k0"] < 2 * LAPS:
                for name in ("a", "b"):
                    update = step({"k0": state["k0"]})
                    state.update(update)
                    chunks.append({name: update})
            return chunks

        async def arun() -> list[Any]:
            state = dict(initial)
            chunks: list[Any] = []
            while state["k0"] < 2 * LAPS:
                for name in ("a", "b"):
                    update = await astep({"k0": state["k0"]})
                    state.update(update)
                    chunks.append({name: update})
            return chunks

        return run if mode == "sync" else arun


class Total(TypedDict):
    """What the branches of `Sends` add to."""

    count: int
    items: Annotated[list, operator.add]


def work(item: int) -> dict[str, Any]:
    """A branch."""
    return {"items": [item]}


async def awork(item: int) -> dict[str, Any]:
    """A branch as a coroutine."""
    return {"items": [item]}


class Sends(Case):
    """`n` Sends in one step, their results joined by a reducer."""

    unit = "branch"

    def __init__(self, n: int) -> None:
        super().__init__()
        self.name = f"sends_{n}"
        self.steps = n

    def graph(self, mode: Mode) -> Run:
        from langgraph.graph import END, START, StateGraph
        from langgraph.types import Send

        def route(state: Any) -> Any:
            return [Send("work", i) for i in range(state["count"])]

        builder = StateGraph(Total)
        builder.add_node("work", work if mode == "sync" else awork)
        builder.add_conditional_edges(START, route, ["work"])
        builder.add_edge("work", END)
        return self.stream_run(builder.compile(), {"count": self.steps, "items": []}, mode)

    def floor(self, mode: Mode) -> Run:
        def collect(updates: list[dict[str, Any]]) -> list[Any]:
            items: list[int] = []
            for update in updates:
                items += update["items"]
            return [{"work": update} for update in updates]

        def run() -> list[Any]:
            return collect([work(i) for i in range(self.steps)])

        async def arun() -> list[Any]:
            return collect(await asyncio.gather(*(awork(i) for i in range(self.steps))))

        return run if mode == "sync" else arun
