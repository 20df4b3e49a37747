# Written by `make places`.
from langgraph_rust.typing import ContextT as ContextT
from langgraph_rust.typing import ContextT_contra as ContextT_contra
from langgraph_rust.typing import InputT as InputT
from langgraph_rust.typing import NodeInputT as NodeInputT
from langgraph_rust.typing import NodeInputT_contra as NodeInputT_contra
from langgraph_rust.typing import OutputT as OutputT
from langgraph_rust.typing import StateT as StateT
from langgraph_rust.typing import StateT_co as StateT_co
from langgraph_rust.typing import StateT_contra as StateT_contra

__all__ = [
    "ContextT",
    "InputT",
    "OutputT",
    "StateT",
    "StateT_co",
    "StateT_contra",
]
