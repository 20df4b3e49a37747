"""Tokens of models in the `messages` stream, handed over directly where calls are accelerated."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, json, logging, sys
import langgraph_rust
langgraph_rust.install(accelerate=sys.argv[1] == "accelerated")
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel._messages import StreamMessagesHandler
from langgraph_rust._internal._quiet import quick

model = lambda: GenericFakeChatModel(messages=iter([AIMessage("a b c"), AIMessage("d e")]))

class Counts(BaseCallbackHandler):
    seen = 0
    def on_llm_new_token(self, token, **kwargs):
        Counts.seen += 1

def said(parts):
    return [(part[0].content, part[0].id is not None, part[1]["langgraph_node"]) for part in parts]

def graph(chat):
    builder = StateGraph(MessagesState)
    def node(state): return {"messages": [chat.invoke(state["messages"])]}
    async def anode(state): return {"messages": [await chat.ainvoke(state["messages"])]}
    from langgraph._internal._runnable import RunnableCallable
    builder.add_node("chat", RunnableCallable(node, anode))
    return builder.add_edge(START, "chat").compile()

async def collected(stream):
    return [part async for part in stream]

given = {"messages": [("user", "hi")]}
out = {}
out["sync"] = said(graph(model()).stream(given, stream_mode="messages"))
out["async"] = said(asyncio.run(collected(graph(model()).astream(given, stream_mode="messages"))))
out["quick"] = quick()["token"]
heard = {"callbacks": [Counts()]}
out["heard"] = said(graph(model()).stream(given, heard, stream_mode="messages"))
out["counted"] = Counts.seen
out["quick when heard"] = quick()["token"] - out["quick"]
logging.disable(logging.CRITICAL)
def broken(*args, **kwargs):
    raise ValueError("broken")
StreamMessagesHandler.on_llm_new_token = broken
out["broken"] = said(graph(model()).stream(given, stream_mode="messages"))
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def runs() -> dict[str, dict[str, object]]:
    """What the program prints, accelerated and not."""
    made = {}
    for kind in ("plain", "accelerated"):
        command = [sys.executable, "-c", PROGRAM, kind]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        made[kind] = json.loads(ended.stdout.splitlines()[-1])
    return made


def test_the_same_comes_out(runs: dict[str, dict[str, object]]) -> None:
    counts = {"quick", "quick when heard"}
    plain, accelerated = (
        {k: v for k, v in run.items() if k not in counts} for run in runs.values()
    )
    assert plain == accelerated
    assert len(plain["sync"]) == 5 == len(plain["async"])  # type: ignore[arg-type]
    assert plain["counted"] == 5


def test_only_where_nobody_else_listens(runs: dict[str, dict[str, object]]) -> None:
    assert runs["plain"]["quick"] == 0
    assert runs["accelerated"]["quick"] == 10
    assert runs["accelerated"]["quick when heard"] == 0
