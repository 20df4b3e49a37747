"""What is done with a stored thread: stopping for an answer and going on, and looking back."""

from __future__ import annotations

from typing import Any

from benches.compare.cases.base import Case, Mode, Run, in_either_mode
from benches.compare.cases.scaling import chain
from benches.compare.cases.single import State

CHECKPOINTS = 100


def thread_cases() -> list[Case]:
    """In memory."""
    return [Resume(), History()]


class Resume(Case):
    """A run that stops for an answer, and the one that brings it."""

    name = "interrupt_and_resume"
    steps = 1
    unit = "pair of calls"

    def graph(self, mode: Mode) -> Run:
        from langgraph.graph import START, StateGraph
        from langgraph.types import Command, interrupt

        def ask(state: State) -> dict[str, Any]:
            return {"n": interrupt("how many?")}

        async def aask(state: State) -> dict[str, Any]:
            return ask(state)

        builder = StateGraph(State)
        builder.add_node("ask", ask if mode == "sync" else aask)
        builder.add_edge(START, "ask")
        graph = builder.compile(checkpointer=self.new_saver(True))

        def run() -> Any:
            config = self._config()
            graph.invoke({"n": 0}, config)
            return graph.invoke(Command(resume=7), config)

        async def arun() -> Any:
            config = self._config()
            await graph.ainvoke({"n": 0}, config)
            return await graph.ainvoke(Command(resume=7), config)

        return run if mode == "sync" else arun

    def floor(self, mode: Mode) -> Run:
        """Packs and reads the state, the question and the answer."""
        import ormsgpack

        def run() -> Any:
            stored = ormsgpack.packb({"n": 0}), ormsgpack.packb("how many?")
            state = ormsgpack.unpackb(stored[0])
            answered = ormsgpack.packb(7)
            state["n"] = ormsgpack.unpackb(answered)
            ormsgpack.packb(state)
            return state

        return in_either_mode(run, mode)


class History(Case):
    """Every state that a thread has been in."""

    name = f"history_{CHECKPOINTS}"
    steps = CHECKPOINTS + 2
    unit = "state"

    def graph(self, mode: Mode) -> Run:
        graph = chain(CHECKPOINTS, "sync").compile(checkpointer=self.new_saver(True))
        config: Any = {"configurable": {"thread_id": "1"}, "recursion_limit": 10 * CHECKPOINTS}
        graph.invoke({"n": 0}, config)

        def run() -> Any:
            return _seen(list(graph.get_state_history(config)))

        async def arun() -> Any:
            return _seen([state async for state in graph.aget_state_history(config)])

        return run if mode == "sync" else arun

    def floor(self, mode: Mode) -> Run:
        """Reads what is stored of each: its values and its metadata."""
        import ormsgpack

        metadata = {"source": "loop", "step": 1, "parents": {}}
        stored = [(ormsgpack.packb({"n": n}), ormsgpack.packb(metadata)) for n in range(self.steps)]

        def run() -> Any:
            found = [tuple(map(ormsgpack.unpackb, pair)) for pair in reversed(stored)]
            return {"states": len(found)}

        return in_either_mode(run, mode)


def _seen(states: list[Any]) -> dict[str, Any]:
    return {"states": [state.values.get("n") for state in states]}
