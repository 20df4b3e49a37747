# Written by `make places`.
from langgraph_rust.prebuilt.interrupt import ActionRequest as ActionRequest
from langgraph_rust.prebuilt.interrupt import HumanInterrupt as HumanInterrupt
from langgraph_rust.prebuilt.interrupt import HumanInterruptConfig as HumanInterruptConfig
from langgraph_rust.prebuilt.interrupt import HumanResponse as HumanResponse

__all__ = [
    "ActionRequest",
    "HumanInterrupt",
    "HumanInterruptConfig",
    "HumanResponse",
]
