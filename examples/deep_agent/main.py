"""A deep agent with a scripted model: it writes a file, asks a sub-agent about it, and edits it.

Needs no network. Runs sync and async, each on a SQLite database of its own, and prints what the
thread holds in the end.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import Any

from deepagents import create_deep_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


def call(tool: str, number: int, **arguments: Any) -> AIMessage:
    """What a model says to have a tool called."""
    return AIMessage("", tool_calls=[{"name": tool, "args": arguments, "id": f"call-{number}"}])


class Scripted(BaseChatModel):
    """Says what the script has next, judged by how often it has spoken already."""

    script: list[AIMessage]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        said = sum(isinstance(message, AIMessage) for message in messages)
        message = self.script[said].model_copy(update={"id": None})
        return ChatResult(generations=[ChatGeneration(message=message)])


WRITER = [
    call("write_file", 1, file_path="/plan.md", content="one\ntwo\n"),
    call("task", 2, description="look at the plan", subagent_type="reader"),
    call("edit_file", 3, file_path="/plan.md", old_string="two", new_string="three"),
    AIMessage("The plan is written."),
]
READER = [call("read_file", 4, file_path="/plan.md"), AIMessage("The plan has two lines.")]

CONFIG = {"configurable": {"thread_id": "1"}}
QUESTION = {"messages": [("user", "make a plan")]}


def agent(saver: Any) -> Any:
    """An agent that writes, with a sub-agent that reads."""
    reader = {
        "name": "reader",
        "description": "reads files",
        "system_prompt": "Read.",
        "tools": [],
        "model": Scripted(script=READER),
    }
    return create_deep_agent(Scripted(script=WRITER), subagents=[reader], checkpointer=saver)


def show(values: dict[str, Any]) -> None:
    """Print the messages and the files of a thread."""
    for message in values["messages"]:
        tools = [tool_call["name"] for tool_call in getattr(message, "tool_calls", [])]
        print(f"  {message.type:6} {tools or str(message.content)[:60]!r}")
    for name, file in values["files"].items():
        print(f"  {name:6} {file['content']!r}")


def main(folder: str) -> None:
    """Run the agent without an event loop."""
    print("sync")
    with SqliteSaver.from_conn_string(os.path.join(folder, "sync.db")) as saver:
        app = agent(saver)
        app.invoke(QUESTION, CONFIG)
        show(app.get_state(CONFIG).values)


async def amain(folder: str) -> None:
    """Run it in one."""
    print("async")
    async with AsyncSqliteSaver.from_conn_string(os.path.join(folder, "async.db")) as saver:
        app = agent(saver)
        await app.ainvoke(QUESTION, CONFIG)
        show((await app.aget_state(CONFIG)).values)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(folder)
        asyncio.run(amain(folder))
