# Written by `make places`.
from langgraph_rust.graph.ui import AnyUIMessage as AnyUIMessage
from langgraph_rust.graph.ui import RemoveUIMessage as RemoveUIMessage
from langgraph_rust.graph.ui import UIMessage as UIMessage
from langgraph_rust.graph.ui import delete_ui_message as delete_ui_message
from langgraph_rust.graph.ui import push_ui_message as push_ui_message
from langgraph_rust.graph.ui import ui_message_reducer as ui_message_reducer

__all__ = [
    "AnyUIMessage",
    "RemoveUIMessage",
    "UIMessage",
    "delete_ui_message",
    "push_ui_message",
    "ui_message_reducer",
]
