"""Stream events v3: a run's events as typed projections.

`graph.stream_events(input, version="v3")` returns a handle whose projections are streams of states,
messages, subgraphs and what else transformers make of the events. Register transformers of your own
with `compile(transformers=[...])` or in the call.
"""

from __future__ import annotations

from langgraph_rust.stream._types import ProtocolEvent, StreamTransformer
from langgraph_rust.stream.run_stream import (
    AsyncGraphRunStream,
    AsyncSubgraphRunStream,
    GraphRunStream,
    SubgraphRunStream,
)
from langgraph_rust.stream.stream_channel import StreamChannel
from langgraph_rust.stream.transformers import (
    CheckpointsTransformer,
    CustomTransformer,
    DebugTransformer,
    LifecyclePayload,
    LifecycleTransformer,
    SubgraphStatus,
    SubgraphTransformer,
    TasksTransformer,
    UpdatesTransformer,
)

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
