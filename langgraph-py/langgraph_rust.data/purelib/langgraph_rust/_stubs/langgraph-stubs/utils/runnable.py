# Written by `make places`.
from langgraph_rust.utils.runnable import RunnableCallable as RunnableCallable
from langgraph_rust.utils.runnable import RunnableLike as RunnableLike

__all__ = [
    "RunnableCallable",
    "RunnableLike",
]
