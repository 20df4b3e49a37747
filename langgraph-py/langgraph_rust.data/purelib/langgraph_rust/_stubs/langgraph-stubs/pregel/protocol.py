# Written by `make places`.
from langgraph_rust.pregel.protocol import PregelProtocol as PregelProtocol
from langgraph_rust.pregel.protocol import StreamChunk as StreamChunk
from langgraph_rust.pregel.protocol import StreamProtocol as StreamProtocol

__all__ = [
    "PregelProtocol",
    "StreamProtocol",
]
