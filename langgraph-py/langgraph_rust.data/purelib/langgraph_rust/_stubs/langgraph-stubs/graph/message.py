# Written by `make places`.
from langgraph_rust.graph.message import MessageGraph as MessageGraph
from langgraph_rust.graph.message import Messages as Messages
from langgraph_rust.graph.message import MessagesState as MessagesState
from langgraph_rust.graph.message import REMOVE_ALL_MESSAGES as REMOVE_ALL_MESSAGES
from langgraph_rust.graph.message import add_messages as add_messages
from langgraph_rust.graph.message import push_message as push_message

__all__ = [
    "REMOVE_ALL_MESSAGES",
    "MessageGraph",
    "MessagesState",
    "add_messages",
]
