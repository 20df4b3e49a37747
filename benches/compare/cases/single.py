"""The fixed cost of a call: one node, one ``invoke``."""

from __future__ import annotations

from typing import Any, TypedDict

from benches.compare.cases.base import Case, Mode, Run


class State(TypedDict):
    """One number."""

    n: int


def bump(state: State) -> dict[str, Any]:
    """The node."""
    return {"n": state["n"] + 1}


async def abump(state: State) -> dict[str, Any]:
    """The node as a coroutine."""
    return {"n": state["n"] + 1}


def single_node_cases() -> list[Case]:
    """Without a saver, and with one on a new thread each time."""
    return [OneNode(checkpoint=False), OneNode(checkpoint=True)]


class OneNode(Case):
    """A graph of one node, invoked."""

    steps = 1
    unit = "call"

    def __init__(self, checkpoint: bool) -> None:
        super().__init__()
        self.name = "invoke_one_node" + ("_memory_saver" if checkpoint else "")
        self._checkpoint = checkpoint

    def graph(self, mode: Mode) -> Run:
        from langgraph.graph import END, START, StateGraph

        builder = StateGraph(State)
        builder.add_node("bump", bump if mode == "sync" else abump)
        builder.add_edge(START, "bump")
        builder.add_edge("bump", END)
        compiled = builder.compile(checkpointer=self.new_saver(self._checkpoint))
        return self.invoke_run(compiled, {"n": 0}, mode)

    def floor(self, mode: Mode) -> Run:
        def run() -> dict[str, Any]:
            state: Any = {"n": 0}
            return {**state, **bump(state)}

        async def arun() -> dict[str, Any]:
            state: Any = {"n": 0}
            return {**state, **await abump(state)}

        return run if mode == "sync" else arun
