"""A chat that streams, is kept in SQLite, sums up what is long ago, and can be changed afterwards.

Needs no network: the model is scripted. The database is opened twice, as by two processes: the
second goes on where the first ended, looks back, and takes the conversation another way.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langchain_core.messages.utils import trim_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

REPLIES = {
    "I am Ann.": "Hello Ann, nice to meet you.",
    "I drink tea.": "Tea it is.",
    "I live in Delft.": "A town with canals.",
    "I cycle to work.": "It is flat enough.",
    "I walk to work.": "Then take an umbrella.",
}
MANY = 6
"""So many messages are summed up but for the last two."""


class Scripted(GenericFakeChatModel):
    """Answers what it knows, and for the rest says what it was given to read."""

    messages: Any = iter(())

    def _generate(self, messages: list[Any], *args: Any, **kwargs: Any) -> ChatResult:
        facts = [message.text for message in messages if isinstance(message, HumanMessage)]
        system = [message.text for message in messages if message.type == "system"]
        text = REPLIES.get(facts[-1], f"I know: {' '.join([*system, *facts[:-1]])}")
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


class State(MessagesState, total=False):
    """The conversation, and what came before it."""

    summary: str


model = Scripted()


async def chat(state: State, config: RunnableConfig) -> dict[str, Any]:
    """Answer, knowing the summary and the end of the conversation."""
    recent = trim_messages(
        state["messages"], strategy="last", token_counter=len, max_tokens=5, start_on="human"
    )
    system = [("system", state["summary"])] if "summary" in state else []
    return {"messages": [await model.ainvoke([*system, *recent], config)]}


async def sum_up(state: State, config: RunnableConfig) -> dict[str, Any]:
    """Have all but the last messages summed up, and remove them."""
    old = state["messages"][:-2]
    said = await model.ainvoke([*old, HumanMessage("What do you know?")], config)
    known = said.text.removeprefix("I know: ")
    return {
        "summary": " ".join(filter(None, [state.get("summary"), known])),
        "messages": [RemoveMessage(id=message.id or "") for message in old],
    }


def is_long(state: State) -> str:
    """Whether something is to be summed up."""
    return "sum_up" if len(state["messages"]) >= MANY else END


builder = StateGraph(State)
builder.add_node(chat)
builder.add_node(sum_up)
builder.add_edge(START, "chat")
builder.add_conditional_edges("chat", is_long, ["sum_up", END])


async def show(app: Any, given: Any, config: Any) -> None:
    """Print the tokens of a run as they come, those of each node in a line."""
    place = ""
    async for message, metadata in app.astream(given, config, stream_mode="messages"):
        if (node := metadata["langgraph_node"]) != place:
            print(f"\n  {node}: ", end="")
            place = node
        print(message.text.replace(" ", "_"), end="|")
    print()


async def say(app: Any, text: str, config: Any) -> None:
    """A turn of the conversation."""
    print(f"user: {text}", end="")
    await show(app, {"messages": [HumanMessage(text)]}, config)


def last_said(snapshot: Any) -> str:
    """The last message of a state."""
    messages = snapshot.values.get("messages")
    return messages[-1].text if messages else "-"


async def look_back(app: Any, config: Any, limit: int | None = None) -> list[Any]:
    """Print the thread's history, the newest first."""
    print("history")
    history = [snapshot async for snapshot in app.aget_state_history(config, limit=limit)]
    for snapshot in history:
        where = f"{snapshot.metadata['source']:6} next: {' '.join(snapshot.next) or '-':9}"
        print(f"  step {snapshot.metadata['step']:>2} {where} {last_said(snapshot)}")
    return history


async def first(path: str, config: Any) -> None:
    """What one process does."""
    async with AsyncSqliteSaver.from_conn_string(path) as saver:
        app = builder.compile(checkpointer=saver)
        for text in ["I am Ann.", "I drink tea.", "I live in Delft."]:
            await say(app, text, config)


async def second(path: str, config: Any) -> None:
    """What the next does with the same database."""
    async with AsyncSqliteSaver.from_conn_string(path) as saver:
        app = builder.compile(checkpointer=saver)
        await say(app, "I cycle to work.", config)
        await say(app, "And now?", config)
        history = await look_back(app, config)
        [asked] = [one for one in history if last_said(one) == "I cycle to work."]
        changed = HumanMessage("I walk to work.", id=asked.values["messages"][-1].id)
        print(f"user, instead: {changed.text}", end="")
        fork = await app.aupdate_state(asked.config, {"messages": [changed]})
        await show(app, None, fork)
        await say(app, "And now?", config)
        await look_back(app, config, limit=7)


if __name__ == "__main__":
    thread = {"configurable": {"thread_id": "ann"}}
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "chat.db")
        asyncio.run(first(file, thread))
        asyncio.run(second(file, thread))
