# Written by `make places`.
from langgraph_rust.version import __version__ as __version__

__all__ = [
    "__version__",
]
