"""A tool-calling agent that asks before it acts: plain LangGraph code, no network, no keys.

    python -m langgraph_rust examples/agent.py

The model is scripted, everything else is real: langchain-core messages and tools, tokens streamed
from inside a node, a pause for approval (`interrupt`), the answer (`Command(resume=...)`), and the
thread's history read back from its checkpoints.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

# --- tools ---------------------------------------------------------------------------------------


@tool
def weather(city: str) -> str:
    """Tell tomorrow's weather in a city."""
    return f"{city}: 17 degrees, dry, light wind from the west"


@tool
def book_repair(what: str, at: str) -> str:
    """Book a slot at the bicycle repair shop."""
    return f"booked: {what}, tomorrow at {at}, under number 4711"


TOOLS = {t.name: t for t in (weather, book_repair)}
NEEDS_APPROVAL = {"book_repair"}

# --- a model that follows a script ---------------------------------------------------------------

SCRIPT: list[tuple[str, tuple[str, dict[str, str]] | None]] = [
    ("Let me look at the forecast first.", ("weather", {"city": "Utrecht"})),
    (
        "Good weather for the bike. Your brakes need attention before that, so I would like to "
        "book a repair.",
        ("book_repair", {"what": "new brake pads", "at": "07:30"}),
    ),
    ("Done. Drop the bike off at half past seven, and enjoy the ride: it stays dry.", None),
]


class ScriptedModel(BaseChatModel):
    """Says the next line of the script, one word at a time."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _stream(
        self, messages: list[BaseMessage], *args: Any, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        text, call = SCRIPT[turn]
        chunks = [AIMessageChunk(content=word) for word in text.replace(" ", " \0").split("\0")]
        if call is not None:
            name, args = call
            request = {"name": name, "args": json.dumps(args), "id": f"call-{turn}", "index": 0}
            chunks.append(AIMessageChunk(content="", tool_call_chunks=[request]))
        for message in chunks:
            chunk = ChatGenerationChunk(message=message)
            time.sleep(0.01)  # as if it thought
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        chunks = [chunk.message for chunk in self._stream(messages)]
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole = whole + chunk
        message = AIMessage(content=whole.content, tool_calls=whole.tool_calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


# --- the graph -----------------------------------------------------------------------------------

model = ScriptedModel()


def agent(state: MessagesState) -> dict[str, Any]:
    """Let the model say what comes next."""
    return {"messages": [model.invoke(state["messages"])]}


def act(state: MessagesState) -> dict[str, Any]:
    """Call the tools the model asked for; ask a human about the ones that change something."""
    results = []
    for call in state["messages"][-1].tool_calls:
        if call["name"] in NEEDS_APPROVAL and interrupt(call) != "yes":
            content = "The user said no."
        else:
            content = TOOLS[call["name"]].invoke(call["args"])
        results.append(ToolMessage(content, tool_call_id=call["id"], name=call["name"]))
    return {"messages": results}


def wants_tools(state: MessagesState) -> str:
    """Go on for as long as the model asks for tools."""
    return "act" if state["messages"][-1].tool_calls else END


builder = StateGraph(MessagesState)
builder.add_node(agent)
builder.add_node(act)
builder.add_edge(START, "agent")
builder.add_conditional_edges("agent", wants_tools, ["act", END])
builder.add_edge("act", "agent")
graph = builder.compile(checkpointer=InMemorySaver())

# --- the conversation ----------------------------------------------------------------------------


def main() -> None:
    """Ask, approve, and look back."""
    thread = {"configurable": {"thread_id": "demo"}}
    question = "Can I cycle to work tomorrow?"
    print(f"You:    {question}\n")

    pending = run({"messages": [("user", question)]}, thread)
    while pending:
        call = pending[0].value
        print(f"\n  May I call {shown(call)}?  [paused; the answer here is: yes]\n")
        pending = run(Command(resume="yes"), thread)

    print("\nThe thread's history, from its checkpoints (newest first):\n")
    for snapshot in graph.get_state_history(thread):
        messages = snapshot.values.get("messages", [])
        last = f"{messages[-1].type}: {summary(messages[-1])}" if messages else "-"
        step, then = snapshot.metadata["step"], ", ".join(snapshot.next) or "(end)"
        print(f"  step {step:>2}   next: {then:<9}   {len(messages)} messages   {last}")


def run(input: Any, thread: dict[str, Any]) -> tuple[Any, ...]:
    """Stream one run to the terminal; return the questions it stopped at."""
    speaking = False
    for mode, chunk in graph.stream(input, thread, stream_mode=["updates", "messages"]):
        if mode == "messages":
            message, _ = chunk
            if isinstance(message, AIMessageChunk) and message.content:
                print("" if speaking else "Agent:  ", message.content, sep="", end="", flush=True)
                speaking = True
            continue
        if speaking:
            print()
            speaking = False
        if "__interrupt__" in chunk:
            return chunk["__interrupt__"]
        for update in chunk.values():
            for message in update["messages"]:
                for call in getattr(message, "tool_calls", ()):
                    print(f"        -> {shown(call)}")
                if isinstance(message, ToolMessage):
                    print(f"        <- {message.content}\n")
    return ()


def shown(call: dict[str, Any]) -> str:
    """A tool call the way one would write it."""
    return f"{call['name']}({', '.join(f'{k}={v!r}' for k, v in call['args'].items())})"


def summary(message: BaseMessage) -> str:
    """The start of what a message says."""
    text = str(message.content)
    return text if len(text) <= 40 else f"{text[:37]}..."


if __name__ == "__main__":
    main()
