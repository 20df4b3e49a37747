"""What a token costs on its way from the model to whoever streams the graph."""

from __future__ import annotations

from typing import Any

from benches.compare.cases.base import Case, Mode, Run
from benches.compare.cases.scripted import question, streaming_model
from benches.compare.sides import LANGCHAIN_CORE

TOKENS = 200


def token_cases() -> list[Case]:
    """A long answer."""
    return [Tokens()]


class Tokens(Case):
    """One node that asks a model, in stream mode ``messages``; the floor takes the model's chunks
    from the model's own function."""

    name = f"messages_{TOKENS}_tokens"
    steps = TOKENS
    unit = "token"

    def graph(self, mode: Mode) -> Run:
        from langgraph.graph import START, MessagesState, StateGraph

        model, value = _model(), {"messages": question()}

        def answer(state: Any) -> Any:
            return {"messages": [model.invoke(state["messages"])]}

        async def aanswer(state: Any) -> Any:
            return {"messages": [await model.ainvoke(state["messages"])]}

        builder = StateGraph(MessagesState)
        builder.add_node("answer", answer if mode == "sync" else aanswer)
        builder.add_edge(START, "answer")
        graph = builder.compile()

        def run() -> Any:
            chunks = graph.stream(value, self._config(), stream_mode="messages")
            return _said([chunk for chunk, _ in chunks])

        async def arun() -> Any:
            chunks = graph.astream(value, self._config(), stream_mode="messages")
            return _said([chunk async for chunk, _ in chunks])

        return run if mode == "sync" else arun

    def floor(self, mode: Mode) -> Run:
        model, asked = _model(), question()

        def run() -> Any:
            return _said([chunk.message for chunk in model._stream(asked)])

        async def arun() -> Any:
            return _said([chunk.message async for chunk in model._astream(asked)])

        return run if mode == "sync" else arun

    def others(self, mode: Mode) -> tuple[str, ...]:
        return (LANGCHAIN_CORE,)

    def other(self, side: str, mode: Mode) -> Run:
        model, asked = _model(), question()

        async def arun() -> Any:
            return _said([chunk async for chunk in model.astream(asked)])

        return (lambda: _said([*model.stream(asked)])) if mode == "sync" else arun


def _model() -> Any:
    return streaming_model([f"word{i} " for i in range(TOKENS)])


def _said(chunks: list[Any]) -> dict[str, Any]:
    return {"text": "".join(chunk.content for chunk in chunks)}
