# Written by `make places`.
from langgraph_rust.cache.sqlite import SqliteCache as SqliteCache
