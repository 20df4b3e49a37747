"""A supervisor that hands work to three agents and sums up; scripted models.

Needs no network. Streams with subgraphs in an event loop, so that every step of every agent shows,
then asks a second question on the same thread.
"""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import create_react_agent
from langgraph_supervisor import create_supervisor
from langgraph_supervisor.handoff import create_forward_message_tool

# Later releases want `create_agent` of langchain's; langgraph-supervisor builds on this one.
warnings.filterwarnings("ignore", message="create_react_agent has been moved")


@tool
async def population(city: str) -> int:
    """How many people live in a city."""
    await asyncio.sleep(0)
    return {"Utrecht": 376_000, "Delft": 109_000}[city]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def count_words(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


class Scripted(GenericFakeChatModel):
    """Says the next message of its script; the tools it may call do not matter to it."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


def call(tool: str, *calls: dict[str, Any]) -> AIMessage:
    """What a model says to have a tool called, once for each set of arguments."""
    asked = [{"name": tool, "args": args, "id": f"{tool}-{i}"} for i, args in enumerate(calls)]
    return AIMessage("", tool_calls=asked)


def says(*script: AIMessage | str) -> Scripted:
    """A model with this script."""
    return Scripted(messages=iter(script))


def team() -> Any:
    """The agents and their supervisor."""
    facts = says(
        call("population", {"city": "Utrecht"}, {"city": "Delft"}),
        "Utrecht has 376000 people, Delft 109000.",
    )
    sums = says(call("add", {"a": 376_000, "b": 109_000}), "Together they are 485000.")
    words = says(
        call("count_words", {"text": "Utrecht and Delft have 485000 people."}),
        "Utrecht and Delft have 485000 people, in six words.",
    )
    agents: list[Any] = [
        create_react_agent(facts, [population], name="facts", prompt="Look facts up."),
        create_react_agent(sums, [add], name="sums", prompt="Calculate."),
        create_react_agent(words, [count_words], name="words", prompt="Write."),
    ]
    supervisor = says(
        call("transfer_to_facts", {}),
        call("transfer_to_sums", {}),
        "485000 people live in the two.",
        call("transfer_to_words", {}),
        call("forward_message", {"from_agent": "words"}),
    )
    forward = create_forward_message_tool("supervisor")
    team = create_supervisor(agents, model=supervisor, tools=[forward], prompt="Lead the team.")
    return team.compile(checkpointer=InMemorySaver())


def shown(message: BaseMessage) -> str:
    """A message in a line, without ids."""
    asked = [f"{one['name']}({one['args']})" for one in getattr(message, "tool_calls", [])]
    return f"{message.name or message.type}: {' '.join(asked) or message.text}"


async def ask(app: Any, config: Any, question: str) -> None:
    """Print every step of every agent that the question sets off."""
    print(f"user: {question}")
    stream = app.astream(
        {"messages": [("user", question)]}, config, stream_mode="updates", subgraphs=True
    )
    async for namespace, update in stream:
        place = "/".join(part.partition(":")[0] for part in namespace) or "team"
        for node, values in update.items():
            last = shown(values["messages"][-1]) if values else "-"
            print(f"  {place:18} {node:11} {last}")


async def main() -> None:
    """Ask twice and print the thread."""
    app, config = team(), {"configurable": {"thread_id": "1"}}
    await ask(app, config, "How many people live in Utrecht and Delft together?")
    await ask(app, config, "Now write that down.")
    print("the thread")
    for message in (await app.aget_state(config)).values["messages"]:
        print(f"  {shown(message)}")


if __name__ == "__main__":
    asyncio.run(main())
