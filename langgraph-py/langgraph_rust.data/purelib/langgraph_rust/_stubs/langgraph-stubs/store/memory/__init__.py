# Written by `make places`.
from langgraph_rust.store.memory import InMemoryStore as InMemoryStore
