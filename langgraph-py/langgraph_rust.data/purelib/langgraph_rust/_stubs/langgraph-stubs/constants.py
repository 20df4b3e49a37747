# Written by `make places`.
from langgraph_rust.constants import CONF as CONF
from langgraph_rust.constants import CONFIG_KEY_CHECKPOINTER as CONFIG_KEY_CHECKPOINTER
from langgraph_rust.constants import END as END
from langgraph_rust.constants import START as START
from langgraph_rust.constants import TAG_HIDDEN as TAG_HIDDEN
from langgraph_rust.constants import TAG_NOSTREAM as TAG_NOSTREAM
from langgraph_rust.constants import TASKS as TASKS

__all__ = [
    "CONF",
    "CONFIG_KEY_CHECKPOINTER",
    "END",
    "START",
    "TAG_HIDDEN",
    "TAG_NOSTREAM",
    "TASKS",
]
