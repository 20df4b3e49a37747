# Written by `make places`.
from langgraph_rust.checkpoint.sqlite.utils import search_where as search_where
