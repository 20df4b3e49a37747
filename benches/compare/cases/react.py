"""Upstream's agent: a scripted chat model that calls one tool `n` times and then answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from benches.compare.cases.base import Case, Mode, Run


def react_cases() -> list[Case]:
    """Ten and a hundred tool calls, with and without a saver."""
    return [React(n, checkpoint) for n in (10, 100) for checkpoint in (False, True)]


class React(Case):
    """The prebuilt agent against a loop of ``model.invoke`` and ``tool.invoke``."""

    def __init__(self, n: int, checkpoint: bool) -> None:
        super().__init__()
        self.name = f"react_agent_{n}x" + ("_checkpoint" if checkpoint else "")
        self.steps = 2 * n + 1
        self._calls = n
        self._checkpoint = checkpoint

    def graph(self, mode: Mode) -> Run:
        from bench.react_agent import react_agent

        graph = react_agent(self._calls, checkpointer=self.new_saver(self._checkpoint))
        return self.stream_run(graph, _input(), mode)

    def floor(self, mode: Mode) -> Run:
        model, tool = self._model_and_tool()
        finish = _serialiser() if self._checkpoint else _drop

        def run() -> list[Any]:
            messages = _input()["messages"]
            chunks: list[Any] = []
            while True:
                reply = model.invoke(messages)
                messages = [*messages, reply]
                chunks.append({"agent": {"messages": [reply]}})
                if not reply.tool_calls:
                    finish(messages)
                    return chunks
                results = [tool.invoke(_call(c)) for c in reply.tool_calls]
                messages = messages + results
                chunks.append({"tools": {"messages": results}})

        async def arun() -> list[Any]:
            messages = _input()["messages"]
            chunks: list[Any] = []
            while True:
                reply = await model.ainvoke(messages)
                messages = [*messages, reply]
                chunks.append({"agent": {"messages": [reply]}})
                if not reply.tool_calls:
                    finish(messages)
                    return chunks
                results = [await tool.ainvoke(_call(c)) for c in reply.tool_calls]
                messages = messages + results
                chunks.append({"tools": {"messages": results}})

        return run if mode == "sync" else arun

    def _model_and_tool(self) -> tuple[Any, Any]:
        """What upstream's builder would have given to the agent."""
        from bench import react_agent as module

        def keep(model: Any, tools: list[Any], **_: Any) -> tuple[Any, Any]:
            return model, tools[0]

        with patch.object(module, "create_react_agent", keep):
            return module.react_agent(self._calls, checkpointer=None)


def _input() -> dict[str, Any]:
    from langchain_core.messages import HumanMessage

    return {"messages": [HumanMessage("hi?")]}


def _call(tool_call: dict[str, Any]) -> dict[str, Any]:
    return {**tool_call, "type": "tool_call"}


def _serialiser() -> Callable[[list[Any]], Any]:
    """What a saver cannot do without: encode the final messages once."""
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    return JsonPlusSerializer().dumps_typed


def _drop(messages: list[Any]) -> None:
    """Without a saver nothing is left to do."""
