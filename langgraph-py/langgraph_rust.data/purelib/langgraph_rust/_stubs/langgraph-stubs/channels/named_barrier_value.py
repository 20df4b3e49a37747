# Written by `make places`.
from langgraph_rust.channels.named_barrier_value import NamedBarrierValue as NamedBarrierValue
from langgraph_rust.channels.named_barrier_value import NamedBarrierValueAfterFinish as NamedBarrierValueAfterFinish

__all__ = [
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
]
