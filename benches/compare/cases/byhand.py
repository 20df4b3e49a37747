"""Agents as hand-written loops: a model that is asked until it calls no more tools.

Two ways to call the same model and tools: the functions that they are made of, which no agent can
do without, and langchain-core's `invoke`, which prepares each call for whoever may listen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from benches.compare.cases.base import Mode, Run

Keep = Callable[[list[Any], bool], None]
"""Called with the messages after each superstep, and with whether it was the last."""


class Functions:
    """The functions of the model and of the tools, called as they are."""

    def __init__(self, model: Any, tools: Sequence[Any]) -> None:
        from langchain_core.messages import ToolMessage

        self._message = ToolMessage
        self._model, self._tools = model, {tool.name: tool for tool in tools}

    def ask(self, messages: list[Any]) -> Any:
        """The model's reply."""
        return self._model._generate(messages).generations[0].message

    def use(self, call: dict[str, Any]) -> Any:
        """The message with what the tool returns."""
        return self._said(call, self._tools[call["name"]].func(**call["args"]))

    async def aask(self, messages: list[Any]) -> Any:
        """The model's reply; from a thread if the model has no coroutine."""
        return (await self._model._agenerate(messages)).generations[0].message

    async def ause(self, call: dict[str, Any]) -> Any:
        """What the tool returns; from a thread if it has no coroutine."""
        tool = self._tools[call["name"]]
        if tool.coroutine:
            return self._said(call, await tool.coroutine(**call["args"]))
        return await asyncio.get_running_loop().run_in_executor(None, self.use, call)

    def _said(self, call: dict[str, Any], content: Any) -> Any:
        return self._message(content, name=call["name"], tool_call_id=call["id"])


class Prepared:
    """The model and the tools, called through langchain-core.

    Args:
        config: Makes what each run hands to all of its calls.
    """

    def __init__(
        self, model: Any, tools: Sequence[Any], config: Callable[[], Any] = lambda: None
    ) -> None:
        self._model, self._tools = model, {tool.name: tool for tool in tools}
        self._config = config

    def ask(self, messages: list[Any]) -> Any:
        """The model's reply."""
        return self._model.invoke(messages, self._config())

    def use(self, call: dict[str, Any]) -> Any:
        """The message with what the tool returns."""
        return self._tools[call["name"]].invoke({**call, "type": "tool_call"}, self._config())

    async def aask(self, messages: list[Any]) -> Any:
        """The same from an event loop."""
        return await self._model.ainvoke(messages, self._config())

    async def ause(self, call: dict[str, Any]) -> Any:
        """The same from an event loop."""
        tool = self._tools[call["name"]]
        return await tool.ainvoke({**call, "type": "tool_call"}, self._config())


def drop(messages: list[Any], ended: bool) -> None:
    """Without a saver nothing is left to do."""


def agent_loop(
    calls: Functions | Prepared, value: Callable[[], list[Any]], mode: Mode, keep: Keep = drop
) -> Run:
    """A run that returns what the agent's graph would stream."""

    def run() -> list[Any]:
        messages = value()
        chunks: list[Any] = []
        while True:
            reply = calls.ask(messages)
            messages = [*messages, reply]
            chunks.append({"agent": {"messages": [reply]}})
            keep(messages, not reply.tool_calls)
            if not reply.tool_calls:
                return chunks
            results = [calls.use(call) for call in reply.tool_calls]
            messages = messages + results
            chunks.append({"tools": {"messages": results}})
            keep(messages, False)

    async def arun() -> list[Any]:
        messages = value()
        chunks: list[Any] = []
        while True:
            reply = await calls.aask(messages)
            messages = [*messages, reply]
            chunks.append({"agent": {"messages": [reply]}})
            keep(messages, not reply.tool_calls)
            if not reply.tool_calls:
                return chunks
            results = [await calls.ause(call) for call in reply.tool_calls]
            messages = messages + results
            chunks.append({"tools": {"messages": results}})
            keep(messages, False)

    return run if mode == "sync" else arun
