# Written by `make places`.
from langgraph_rust.stream.run_stream import AsyncGraphRunStream as AsyncGraphRunStream
from langgraph_rust.stream.run_stream import AsyncSubgraphRunStream as AsyncSubgraphRunStream
from langgraph_rust.stream.run_stream import GraphRunStream as GraphRunStream
from langgraph_rust.stream.run_stream import SubgraphRunStream as SubgraphRunStream
