# Written by `make places`.
from langgraph_rust.pregel._run.call import CACHE as CACHE
from langgraph_rust.pregel._run.call import P as P
from langgraph_rust.pregel._run.call import P1 as P1
from langgraph_rust.pregel._run.call import SyncAsyncFuture as SyncAsyncFuture
from langgraph_rust.pregel._run.call import T as T
from langgraph_rust.pregel._run.call import call as call
from langgraph_rust.pregel._run.call import get_runnable_for_entrypoint as get_runnable_for_entrypoint
from langgraph_rust.pregel._run.call import get_runnable_for_task as get_runnable_for_task
from langgraph_rust.pregel._run.call import identifier as identifier
from langgraph_rust.pregel._run.call import new_future as new_future
from langgraph_rust.pregel._run.call import resolve_future as resolve_future
