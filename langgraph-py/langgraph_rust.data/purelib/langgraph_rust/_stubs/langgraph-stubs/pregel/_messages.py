# Written by `make places`.
from langgraph_rust.pregel._streams.messages import MessagePusher as MessagePusher
from langgraph_rust.pregel._streams.messages import Meta as Meta
from langgraph_rust.pregel._streams.messages import StreamHandler as StreamHandler
from langgraph_rust.pregel._streams.messages import StreamMessagesHandler as StreamMessagesHandler
from langgraph_rust.pregel._streams.messages import StreamMessagesHandlerV2 as StreamMessagesHandlerV2
from langgraph_rust.pregel._streams.messages import T as T
from langgraph_rust.pregel._streams.messages import graph_namespace as graph_namespace
