# Written by `make places`.
from langgraph_rust.channels.untracked_value import UntrackedValue as UntrackedValue

__all__ = [
    "UntrackedValue",
]
