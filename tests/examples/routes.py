"""Prints which routes of langchain's agents the engine does not know as ones that only decide."""

from __future__ import annotations

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.tools import tool

from langgraph_rust.pregel._build.utils import called_on_loop


@tool
def add(a: int) -> int:
    """Add."""
    return a


graph = create_agent(FakeListChatModel(responses=["x"]), [add])
paths = [branch.path for each in graph.builder.branches.values() for branch in each.values()]
assert paths
for path in paths:
    if called_on_loop(path.func, path.afunc) is None:
        print(f"{path.func.__qualname__} of langchain is not a known function")
