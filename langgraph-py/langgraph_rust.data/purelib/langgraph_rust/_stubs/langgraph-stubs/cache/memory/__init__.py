# Written by `make places`.
from langgraph_rust.cache.memory import InMemoryCache as InMemoryCache
