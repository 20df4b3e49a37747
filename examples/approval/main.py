"""An agent of langchain's with tools that a person approves, edits or rejects; a scripted model.

Needs no network. The same conversation twice: once one interrupt asks about every call of a turn,
once each call has an interrupt of its own, answered by its id.
"""

from __future__ import annotations

from typing import Any, Literal

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Interrupt

REFUNDS: dict[str, int] = {}


@tool
def find_order(order: str) -> str:
    """Look an order up."""
    return f"{order}: a lamp for 40 euros, which arrived broken"


@tool
def refund(order: str, euros: int) -> str:
    """Pay money back for an order."""
    REFUNDS[order] = REFUNDS.get(order, 0) + euros
    return f"paid {euros} euros back for {order}"


@tool
def close_account(customer: str) -> str:
    """Close a customer's account for ever."""
    raise RuntimeError("nobody approved this")


@tool
def send_mail(to: str, text: str) -> str:
    """Send a mail."""
    return f"sent to {to}: {text}"


class Scripted(GenericFakeChatModel):
    """Says the next message of its script; the tools it may call do not matter to it."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self


def call(tool: str, number: int, **arguments: Any) -> dict[str, Any]:
    """A tool call as a model asks for it."""
    return {"name": tool, "args": arguments, "id": f"call-{number}"}


def script() -> list[AIMessage]:
    """What the model says: it looks, then acts in three ways at once, then reports."""
    actions = [
        call("refund", 2, order="A7", euros=400),
        call("close_account", 3, customer="Ann"),
        call("send_mail", 4, to="Ann", text="Your money is on its way."),
    ]
    return [
        AIMessage("Let me look.", tool_calls=[call("find_order", 1, order="A7")]),
        AIMessage("It was broken, so I act.", tool_calls=actions),
        AIMessage("Ann has her money back, and a mail. Her account stays."),
    ]


def decide(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a careful person answers."""
    if tool == "refund" and arguments["euros"] > 100:
        action = {"name": tool, "args": {**arguments, "euros": 40}}
        return {"type": "edit", "edited_action": action}
    if tool == "close_account":
        return {"type": "reject", "message": "She did not ask for that."}
    return {"type": "approve"}


def answers(interrupts: tuple[Interrupt, ...]) -> dict[str, Any]:
    """The answer to every interrupt, by its id."""
    given: dict[str, Any] = {}
    for asked in interrupts:
        requests = asked.value.get("action_requests", [asked.value])
        decisions = [decide(request["name"], request["args"]) for request in requests]
        for request, decision in zip(requests, decisions, strict=True):
            print(f"  ?      {request['name']}({request['args']}) -> {decision['type']}")
        batched = "action_requests" in asked.value
        given[asked.id] = {"decisions": decisions} if batched else decisions[0]
    return given


def main(mode: Literal["batched", "per_call"]) -> None:
    """Ask, answer what is asked back until nothing is, and print what was paid."""
    print(f"{mode}")
    REFUNDS.clear()
    gated: Any = {"refund": True, "close_account": True, "send_mail": True}
    agent = create_agent(
        Scripted(messages=iter(script())),
        [find_order, refund, close_account, send_mail],
        middleware=[HumanInTheLoopMiddleware(gated, interrupt_mode=mode)],
        checkpointer=InMemorySaver(),
    )
    config: Any = {"configurable": {"thread_id": "1"}}
    given: Any = {"messages": [("user", "The lamp of order A7 is broken.")]}
    while given is not None:
        agent.invoke(given, config)
        state = agent.get_state(config)
        print(f"  next   {', '.join(state.next) or 'nothing'}: {len(state.interrupts)} asked")
        given = Command(resume=answers(state.interrupts)) if state.interrupts else None
    for message in agent.get_state(config).values["messages"]:
        print(f"  {message.type:6} {message.text.splitlines()[-1]}")
    print(f"  paid   {REFUNDS}")


if __name__ == "__main__":
    main("batched")
    main("per_call")
