# Written by `make places`.
from langgraph_rust.pregel._build.validate import validate_graph as validate_graph
from langgraph_rust.pregel._build.validate import validate_keys as validate_keys
