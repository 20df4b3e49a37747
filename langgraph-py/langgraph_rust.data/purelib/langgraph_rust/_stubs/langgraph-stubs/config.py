# Written by `make places`.
from langgraph_rust.config import get_config as get_config
from langgraph_rust.config import get_store as get_store
from langgraph_rust.config import get_stream_writer as get_stream_writer
