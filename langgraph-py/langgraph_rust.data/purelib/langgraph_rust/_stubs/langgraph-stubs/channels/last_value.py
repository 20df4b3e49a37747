# Written by `make places`.
from langgraph_rust.channels.last_value import LastValue as LastValue
from langgraph_rust.channels.last_value import LastValueAfterFinish as LastValueAfterFinish

__all__ = [
    "LastValue",
    "LastValueAfterFinish",
]
