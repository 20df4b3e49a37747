# Written by `make places`.
from langgraph_rust.pregel._build.read import ChannelRead as ChannelRead
from langgraph_rust.pregel._build.read import DEFAULT_BOUND as DEFAULT_BOUND
from langgraph_rust.pregel._build.read import INPUT_CACHE_KEY_TYPE as INPUT_CACHE_KEY_TYPE
from langgraph_rust.pregel._build.read import PregelNode as PregelNode
from langgraph_rust.pregel._build.read import READ_TYPE as READ_TYPE
