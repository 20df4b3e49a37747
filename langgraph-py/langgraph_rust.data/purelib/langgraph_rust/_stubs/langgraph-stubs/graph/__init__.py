# Written by `make places`.
from langgraph_rust.graph import END as END
from langgraph_rust.graph import MessageGraph as MessageGraph
from langgraph_rust.graph import MessagesState as MessagesState
from langgraph_rust.graph import START as START
from langgraph_rust.graph import StateGraph as StateGraph
from langgraph_rust.graph import add_messages as add_messages

__all__ = [
    "END",
    "START",
    "MessageGraph",
    "MessagesState",
    "StateGraph",
    "add_messages",
]
