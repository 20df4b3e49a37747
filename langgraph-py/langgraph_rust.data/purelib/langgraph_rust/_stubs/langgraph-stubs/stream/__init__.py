# Written by `make places`.
from langgraph_rust.stream import AsyncGraphRunStream as AsyncGraphRunStream
from langgraph_rust.stream import AsyncSubgraphRunStream as AsyncSubgraphRunStream
from langgraph_rust.stream import CheckpointsTransformer as CheckpointsTransformer
from langgraph_rust.stream import CustomTransformer as CustomTransformer
from langgraph_rust.stream import DebugTransformer as DebugTransformer
from langgraph_rust.stream import GraphRunStream as GraphRunStream
from langgraph_rust.stream import LifecyclePayload as LifecyclePayload
from langgraph_rust.stream import LifecycleTransformer as LifecycleTransformer
from langgraph_rust.stream import ProtocolEvent as ProtocolEvent
from langgraph_rust.stream import StreamChannel as StreamChannel
from langgraph_rust.stream import StreamTransformer as StreamTransformer
from langgraph_rust.stream import SubgraphRunStream as SubgraphRunStream
from langgraph_rust.stream import SubgraphStatus as SubgraphStatus
from langgraph_rust.stream import SubgraphTransformer as SubgraphTransformer
from langgraph_rust.stream import TasksTransformer as TasksTransformer
from langgraph_rust.stream import UpdatesTransformer as UpdatesTransformer

__all__ = [
    "AsyncGraphRunStream",
    "AsyncSubgraphRunStream",
    "CheckpointsTransformer",
    "CustomTransformer",
    "DebugTransformer",
    "GraphRunStream",
    "LifecyclePayload",
    "LifecycleTransformer",
    "ProtocolEvent",
    "StreamChannel",
    "StreamTransformer",
    "SubgraphRunStream",
    "SubgraphStatus",
    "SubgraphTransformer",
    "TasksTransformer",
    "UpdatesTransformer",
]
