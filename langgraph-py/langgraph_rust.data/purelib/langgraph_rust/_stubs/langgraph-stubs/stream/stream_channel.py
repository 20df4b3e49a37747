# Written by `make places`.
from langgraph_rust.stream.stream_channel import StreamChannel as StreamChannel
from langgraph_rust.stream.stream_channel import T as T
