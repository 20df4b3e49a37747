# Written by `make places`.
from langgraph_rust.pregel.debug import COLOR_MAPPING as COLOR_MAPPING
from langgraph_rust.pregel.debug import TASK_NAMESPACE as TASK_NAMESPACE
from langgraph_rust.pregel.debug import get_bolded_text as get_bolded_text
from langgraph_rust.pregel.debug import get_colored_text as get_colored_text
from langgraph_rust.pregel.debug import is_multiple_channel_write as is_multiple_channel_write
from langgraph_rust.pregel.debug import map_debug_checkpoint as map_debug_checkpoint
from langgraph_rust.pregel.debug import map_debug_checkpoint_values as map_debug_checkpoint_values
from langgraph_rust.pregel.debug import map_debug_task_results as map_debug_task_results
from langgraph_rust.pregel.debug import map_debug_tasks as map_debug_tasks
from langgraph_rust.pregel.debug import map_task_result_writes as map_task_result_writes
from langgraph_rust.pregel.debug import rm_pregel_keys as rm_pregel_keys
from langgraph_rust.pregel.debug import tasks_w_writes as tasks_w_writes
