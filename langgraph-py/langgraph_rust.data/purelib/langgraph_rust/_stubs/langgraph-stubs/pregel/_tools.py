# Written by `make places`.
from langgraph_rust.pregel._streams.tools import StreamToolCallHandler as StreamToolCallHandler
from langgraph_rust.pregel._streams.tools import ToolCallWriter as ToolCallWriter
