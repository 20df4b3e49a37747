# Written by `make places`.
from langgraph_rust.utils.config import ensure_config as ensure_config
from langgraph_rust.utils.config import get_config as get_config
from langgraph_rust.utils.config import get_store as get_store
from langgraph_rust.utils.config import patch_configurable as patch_configurable

__all__ = [
    "ensure_config",
    "get_config",
    "get_store",
    "patch_configurable",
]
