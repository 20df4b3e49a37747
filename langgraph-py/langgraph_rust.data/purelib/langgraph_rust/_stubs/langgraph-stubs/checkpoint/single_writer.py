# Written by `make places`.
from langgraph_rust.checkpoint.single_writer import Lease as Lease
from langgraph_rust.checkpoint.single_writer import ThreadConflictError as ThreadConflictError
from langgraph_rust.checkpoint.single_writer import fork as fork

__all__ = [
    "Lease",
    "ThreadConflictError",
    "fork",
]
