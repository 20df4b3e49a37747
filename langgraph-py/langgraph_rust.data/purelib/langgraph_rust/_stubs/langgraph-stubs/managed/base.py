# Written by `make places`.
from langgraph_rust.managed.base import ManagedValue as ManagedValue
from langgraph_rust.managed.base import ManagedValueMapping as ManagedValueMapping
from langgraph_rust.managed.base import ManagedValueSpec as ManagedValueSpec
from langgraph_rust.managed.base import U as U
from langgraph_rust.managed.base import V as V
from langgraph_rust.managed.base import is_managed_value as is_managed_value

__all__ = [
    "ManagedValueMapping",
    "ManagedValueSpec",
]
