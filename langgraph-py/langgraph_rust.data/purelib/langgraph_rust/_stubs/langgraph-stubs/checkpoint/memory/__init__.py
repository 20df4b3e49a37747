# Written by `make places`.
from langgraph_rust.checkpoint.memory import InMemorySaver as InMemorySaver
from langgraph_rust.checkpoint.memory import MemorySaver as MemorySaver
from langgraph_rust.checkpoint.memory import PersistentDict as PersistentDict
