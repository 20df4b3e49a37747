# Written by `make places`.
from langgraph_rust.cache.redis import RedisCache as RedisCache
from langgraph_rust.cache.redis import T as T
from langgraph_rust.cache.redis import logger as logger

__all__ = [
    "RedisCache",
]
