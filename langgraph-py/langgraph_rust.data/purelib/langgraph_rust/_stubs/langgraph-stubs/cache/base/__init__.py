# Written by `make places`.
from langgraph_rust.cache.base import BaseCache as BaseCache
from langgraph_rust.cache.base import FullKey as FullKey
from langgraph_rust.cache.base import Namespace as Namespace
from langgraph_rust.cache.base import ValueT as ValueT
