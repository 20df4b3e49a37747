"""What is measured: a node that does nothing."""

from typing import Any


def nop(state: Any) -> Any:
    """Do nothing."""
    return {"n": 1}
