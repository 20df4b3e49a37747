# Written by `make places`.
from langgraph_rust.stream.transformers import CheckpointsTransformer as CheckpointsTransformer
from langgraph_rust.stream.transformers import CustomTransformer as CustomTransformer
from langgraph_rust.stream.transformers import DebugTransformer as DebugTransformer
from langgraph_rust.stream.transformers import LifecyclePayload as LifecyclePayload
from langgraph_rust.stream.transformers import LifecycleTransformer as LifecycleTransformer
from langgraph_rust.stream.transformers import MessagesTransformer as MessagesTransformer
from langgraph_rust.stream.transformers import SubgraphStatus as SubgraphStatus
from langgraph_rust.stream.transformers import SubgraphTransformer as SubgraphTransformer
from langgraph_rust.stream.transformers import TasksTransformer as TasksTransformer
from langgraph_rust.stream.transformers import UpdatesTransformer as UpdatesTransformer
from langgraph_rust.stream.transformers import ValuesTransformer as ValuesTransformer
from langgraph_rust.stream.transformers import _TasksLifecycleBase as _TasksLifecycleBase

__all__ = [
    "CheckpointsTransformer",
    "CustomTransformer",
    "DebugTransformer",
    "LifecyclePayload",
    "LifecycleTransformer",
    "MessagesTransformer",
    "SubgraphStatus",
    "SubgraphTransformer",
    "TasksTransformer",
    "UpdatesTransformer",
    "ValuesTransformer",
    "_TasksLifecycleBase",
]
