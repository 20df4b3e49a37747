# Written by `make places`.
from langgraph_rust.callbacks import GraphCallbackHandler as GraphCallbackHandler
from langgraph_rust.callbacks import GraphCallbacks as GraphCallbacks
from langgraph_rust.callbacks import GraphInterruptEvent as GraphInterruptEvent
from langgraph_rust.callbacks import GraphLifecycleEvent as GraphLifecycleEvent
from langgraph_rust.callbacks import GraphLifecycleStatus as GraphLifecycleStatus
from langgraph_rust.callbacks import GraphResumeEvent as GraphResumeEvent
from langgraph_rust.callbacks import get_async_graph_callback_manager_for_config as get_async_graph_callback_manager_for_config
from langgraph_rust.callbacks import get_sync_graph_callback_manager_for_config as get_sync_graph_callback_manager_for_config

__all__ = [
    "GraphCallbackHandler",
    "GraphInterruptEvent",
    "GraphLifecycleEvent",
    "GraphLifecycleStatus",
    "GraphResumeEvent",
    "get_async_graph_callback_manager_for_config",
    "get_sync_graph_callback_manager_for_config",
]
