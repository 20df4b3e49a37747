"""Research by map and reduce: a topic is a subgraph, a page in it a task; a scripted model.

Needs no network. Searching fails at first and is tried again, and what a page says is cached. Runs
sync and async. What runs side by side comes in any order, so it is sorted before it is printed.
"""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any

from langchain_core.language_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from langgraph.cache.memory import InMemoryCache
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import CachePolicy, RetryPolicy, Send
from typing_extensions import TypedDict

WEB = {
    "moon/orbit": "It returns every 24.8 hours.",
    "moon/pull": "The moon pulls at the sea.",
    "sun/tide": "The sun pulls half as hard.",
    "wind/dikes": "Dikes keep water out.",
    "wind/storm": "Wind piles water up.",
}
QUESTIONS = {"Why are there tides?": "sun, moon", "When does the sea flood land?": "wind, moon"}


class Scripted(SimpleChatModel):
    """Names the topics of a question that it knows; of anything else it says the last words."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _call(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> str:
        asked = messages[-1].text
        return QUESTIONS.get(asked) or " ".join(asked.rstrip(".").split()[-3:])


class Notes(TypedDict):
    """What tasks and subgraphs hand back, one after the other in the order they were sent out."""

    notes: Annotated[list[str], operator.add]


class Topic(Notes):
    """The state of the subgraph."""

    topic: str
    pages: list[str]


class Page(TypedDict):
    """What is sent to `read`."""

    page: str


class State(Notes):
    """The state of the graph around it."""

    question: str
    topics: list[str]
    report: str


model = Scripted()


def search(state: Topic, runtime: Runtime) -> dict[str, Any]:
    """The pages on a topic, unless the network fails, which it does at the first attempt."""
    attempt = runtime.execution_info.node_attempt if runtime.execution_info else 0
    runtime.stream_writer(f"{state['topic']}: attempt {attempt}")
    if attempt == 1:
        raise ConnectionError("the network is down")
    return {"pages": [page for page in WEB if page.startswith(state["topic"])]}


async def asearch(state: Topic, runtime: Runtime) -> dict[str, Any]:
    """The same in an event loop."""
    await asyncio.sleep(0)
    return search(state, runtime)


def read_each(state: Topic) -> list[Send]:
    """A task for each page."""
    return [Send("read", {"page": page}) for page in state["pages"]]


def read(state: Page) -> dict[str, Any]:
    """Say what a page comes to."""
    return {"notes": [f"{state['page']}: {model.invoke(WEB[state['page']]).text}"]}


def plan(state: State) -> dict[str, Any]:
    """What to look into."""
    return {"topics": model.invoke(state["question"]).text.split(", ")}


def research_each(state: State) -> list[Send]:
    """A subgraph for each topic."""
    return [Send("research", {"topic": topic}) for topic in state["topics"]]


def write(state: State) -> dict[str, Any]:
    """Put the notes together."""
    return {"report": "; ".join(state["notes"])}


def build(searching: Any) -> Any:
    """The graph, with one way to search or the other."""
    topic = StateGraph(Topic, output_schema=Notes)
    topic.add_node("search", searching, retry_policy=RetryPolicy(initial_interval=0.01))
    topic.add_node("read", read, cache_policy=CachePolicy())
    topic.add_edge(START, "search")
    topic.add_conditional_edges("search", read_each, ["read"])

    whole = StateGraph(State)
    whole.add_node(plan)
    whole.add_node("research", topic.compile(cache=InMemoryCache()))
    whole.add_node(write)
    whole.add_edge(START, "plan")
    whole.add_conditional_edges("plan", research_each, ["research"])
    whole.add_edge("research", "write")
    return whole.compile()


MODES: Any = {"stream_mode": ["updates", "custom"], "subgraphs": True}
ORDER = ["plan", "event", "search", "read", "research", "write"]


def show(chunks: list[Any]) -> None:
    """Print what a stream gave, sorted by node and content."""
    lines: list[tuple[int, str]] = []
    for _, mode, chunk in chunks:
        if mode == "custom":
            lines.append((ORDER.index("event"), chunk))
            continue
        cached = "(cached)" if chunk.pop("__metadata__", {}).get("cached") else ""
        for node, update in chunk.items():
            lines.append((ORDER.index(node), f"{update} {cached}"))
    for kind, line in sorted(lines):
        print(f"  {ORDER[kind]:8} {line.rstrip()}")


def main() -> None:
    """Answer the questions without an event loop."""
    app = build(search)
    for question in QUESTIONS:
        print(f"sync: {question}")
        show(list(app.stream({"question": question}, **MODES)))


async def amain() -> None:
    """Answer them in one."""
    app = build(asearch)
    for question in QUESTIONS:
        print(f"async: {question}")
        show([chunk async for chunk in app.astream({"question": question}, **MODES)])


if __name__ == "__main__":
    main()
    asyncio.run(amain())
