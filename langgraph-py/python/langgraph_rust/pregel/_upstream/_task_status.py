"""`langgraph_rust.pregel._state.task_status` under upstream's name."""

import sys

from langgraph_rust.pregel._state import task_status

sys.modules[__name__] = task_status
