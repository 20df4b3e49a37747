# Written by `make places`.
from langgraph_rust.store.base.batch import AsyncBatchedBaseStore as AsyncBatchedBaseStore
from langgraph_rust.store.base.batch import F as F
