# Written by `make places`.
from langgraph_rust.pregel._executor.algo import GetNextVersion as GetNextVersion
from langgraph_rust.pregel._executor.algo import LazyAtomicCounter as LazyAtomicCounter
from langgraph_rust.pregel._executor.algo import PregelTaskWrites as PregelTaskWrites
from langgraph_rust.pregel._executor.algo import WritesProtocol as WritesProtocol
from langgraph_rust.pregel._executor.algo import apply_writes as apply_writes
from langgraph_rust.pregel._executor.algo import increment as increment
from langgraph_rust.pregel._executor.algo import local_read as local_read
from langgraph_rust.pregel._executor.algo import task_path_str as task_path_str
