"""What a model or a tool with listeners of its own is told of the run around it, which has none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.tracers.context import collect_runs

from langgraph_rust.graph import START, MessagesState, StateGraph


class Heard(BaseCallbackHandler):
    """Remembers tags and metadata of models."""

    def __init__(self) -> None:
        self.tags: list[str] = []
        self.metadata: dict[str, Any] = {}

    def on_chat_model_start(self, *_: Any, tags: Any, metadata: Any, **__: Any) -> None:
        self.tags, self.metadata = tags, metadata


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_tags_and_metadata_of_the_run_and_the_node(is_async: bool) -> None:
    heard = Heard()
    model = FakeListChatModel(responses=["x"], callbacks=[heard])
    called = model.with_config(tags=["own"], metadata={"v": 1})

    def node(state: Any) -> Any:
        return {"messages": [called.invoke(state["messages"])]}

    async def anode(state: Any) -> Any:
        return {"messages": [await called.ainvoke(state["messages"])]}

    builder = StateGraph(MessagesState).add_node("chat", anode if is_async else node)
    graph = builder.add_edge(START, "chat").compile()
    given: Any = {"messages": [("user", "hi")]}
    config: Any = {"metadata": {"user": "u1"}, "tags": ["run"]}
    asyncio.run(graph.ainvoke(given, config)) if is_async else graph.invoke(given, config)
    assert {"own", "run"} <= {*heard.tags}
    assert heard.metadata["user"] == "u1" and heard.metadata["v"] == 1
    assert heard.metadata["langgraph_node"] == "chat"


def test_what_is_collected_within_a_node() -> None:
    runs: list[Any] = []
    model = FakeListChatModel(responses=["x"])

    def node(state: Any) -> Any:
        with collect_runs() as collected:
            model.invoke("hi", {"metadata": {"v": 1}})
        runs.extend(collected.traced_runs)
        return {}

    graph = StateGraph(MessagesState).add_node("chat", node).add_edge(START, "chat").compile()
    graph.invoke({"messages": []}, {"metadata": {"user": "u1"}})
    found = runs[0].extra["metadata"]
    assert (found["user"], found["v"], found["langgraph_node"]) == ("u1", 1, "chat")
