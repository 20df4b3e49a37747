# Written by `make places`.
from langgraph_rust.pregel._executor.runner import E as E
from langgraph_rust.pregel._executor.runner import F as F
from langgraph_rust.pregel._executor.runner import FuturesDict as FuturesDict
