"""Upstream's agent: a scripted chat model that calls one tool `n` times and then answers."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from benches.compare.cases.base import SUFFIXES, Case, Durability, Mode, Run
from benches.compare.cases.byhand import Functions, Keep, Prepared, agent_loop, drop
from benches.compare.sides import LANGCHAIN_CORE


def react_cases() -> list[Case]:
    """Ten and a hundred tool calls: without a saver, with one that stores at the end or with each
    superstep, and with somebody who listens."""
    return [
        *(React(n, durability) for n in (10, 100) for durability in SUFFIXES),
        Watched("handler"),
        Watched("tracer"),
    ]


class React(Case):
    """The prebuilt agent against a loop that calls the same model's and tool's functions."""

    def __init__(self, n: int, durability: Durability | None) -> None:
        super().__init__()
        self.name = f"react_agent_{n}x{SUFFIXES[durability]}"
        self.steps = 2 * n + 1
        self._calls = n
        self._durability: Durability | None = durability

    def graph(self, mode: Mode) -> Run:
        from bench.react_agent import react_agent

        saver = self.new_saver(self._durability is not None)
        graph = react_agent(self._calls, checkpointer=saver)
        return self.stream_run(graph, {"messages": _question()}, mode, self._durability)

    def floor(self, mode: Mode) -> Run:
        calls = Functions(*_model_and_tools(self._calls))
        return agent_loop(calls, _question, mode, _keeper(self._durability))

    def others(self, mode: Mode) -> tuple[str, ...]:
        return (LANGCHAIN_CORE,)

    def other(self, side: str, mode: Mode) -> Run:
        calls = Prepared(*_model_and_tools(self._calls))
        return agent_loop(calls, _question, mode, _keeper(self._durability))


class Watched(Case):
    """The agent with a callback handler that only counts, or with a tracer that keeps nothing.

    langchain-core calls whoever listens, so the floor goes through it.
    """

    steps = 21

    def __init__(self, listener: str) -> None:
        super().__init__()
        self.name = f"react_agent_10x_{listener}"
        self._listener = listener

    def graph(self, mode: Mode) -> Run:
        from bench.react_agent import react_agent

        graph, value = react_agent(10, checkpointer=None), {"messages": _question()}

        def run() -> list[Any]:
            return list(graph.stream(value, {**self._config(), **self._watched()}))

        async def arun() -> list[Any]:
            chunks = graph.astream(value, {**self._config(), **self._watched()})
            return [chunk async for chunk in chunks]

        return run if mode == "sync" else arun

    def floor(self, mode: Mode) -> Run:
        return agent_loop(Prepared(*_model_and_tools(10), self._watched), _question, mode)

    def _watched(self) -> dict[str, Any]:
        return {"callbacks": [_handler() if self._listener == "handler" else _tracer()]}


def _model_and_tools(n: int) -> tuple[Any, list[Any]]:
    """What upstream's builder gives to the agent."""
    from bench import react_agent as module

    def keep(model: Any, tools: list[Any], **_: Any) -> tuple[Any, list[Any]]:
        return model, tools

    with patch.object(module, "create_react_agent", keep):
        return module.react_agent(n, checkpointer=None)


def _question() -> list[Any]:
    from langchain_core.messages import HumanMessage

    return [HumanMessage("hi?")]


def _keeper(durability: Durability | None) -> Keep:
    """What a saver cannot do without: the messages, at the end or after each superstep."""
    import ormsgpack

    kept: list[bytes] = []

    def keep(messages: list[Any], ended: bool) -> None:
        if ended or durability == "async":
            kept.append(ormsgpack.packb([message.__dict__ for message in messages]))
        if ended:
            kept.clear()

    return keep if durability else drop


def _handler() -> Any:
    from langchain_core.callbacks import BaseCallbackHandler

    class Counting(BaseCallbackHandler):
        """Counts what begins."""

        begun = 0

        def on_chain_start(self, *_: Any, **__: Any) -> None:
            self.begun += 1

        def on_chat_model_start(self, *_: Any, **__: Any) -> None:
            self.begun += 1

        def on_tool_start(self, *_: Any, **__: Any) -> None:
            self.begun += 1

    return Counting()


def _tracer() -> Any:
    from langchain_core.tracers import BaseTracer

    class Forgetting(BaseTracer):
        """Makes the runs of a trace, and lets go of them."""

        def _persist_run(self, run: Any) -> None:
            return

    return Forgetting()
