"""Mail that is written in Python and sent by Rust: ``begin`` starts a thread, and stops to ask.

    python -m langgraph_rust from_python.py threads.db begin
    cargo run -p langgraph-rust-examples --bin from_python -- threads.db yes
    python -m langgraph_rust from_python.py threads.db show

Plain ``python`` does as well, where LangGraph and its `langgraph-checkpoint-sqlite` are installed.
"""

import sys
from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import interrupt


class Mail(TypedDict, total=False):
    """The state: the names of its fields are what Rust's have to be."""

    messages: Annotated[list, add_messages]
    recipient: str
    sent: bool


def write(mail: Mail) -> dict:
    """A model would write this."""
    text = f"Dear {mail['recipient']}, {mail['messages'][-1].content}"
    return {"messages": [AIMessage(text)], "recipient": "Grace"}


def approve(mail: Mail) -> dict:
    """Stops here; the answer comes in a process of the other language."""
    answer = interrupt({"to": mail["recipient"], "text": mail["messages"][-1].content})
    return {"messages": [HumanMessage(answer)]}


def send(mail: Mail) -> dict:
    """Never runs here: by then the thread is Rust's."""
    return {"sent": mail["messages"][-1].content == "yes"}


def main() -> None:
    path, command = sys.argv[1:]
    graph = StateGraph(Mail)
    for node in (write, approve, send):
        graph.add_node(node)
    graph.add_edge(START, "write")
    graph.add_edge("write", "approve")
    graph.add_edge("approve", "send")
    graph.add_edge("send", END)
    config = {"configurable": {"thread_id": "mail"}}
    with SqliteSaver.from_conn_string(path) as saver:
        compiled = graph.compile(checkpointer=saver)
        if command == "begin":
            mail = {"messages": [HumanMessage("it works")], "recipient": "Ada"}
            result = compiled.invoke(mail, config)
            print("Python asks:", result["__interrupt__"][0].value)
        else:
            state = compiled.get_state(config)
            for message in state.values["messages"]:
                print(f"{type(message).__name__}: {message.content}")
            history = list(compiled.get_state_history(config))
            print(f"sent: {state.values['sent']}, checkpoints: {len(history)}")


main()
