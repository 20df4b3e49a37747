"""`BaseChannel`, the interface every channel has, and its type variables."""

from __future__ import annotations

from typing import TypeVar

from langgraph_rust._engine import BaseChannel
from langgraph_rust.errors import EmptyChannelError as EmptyChannelError

__all__ = ("BaseChannel",)

Value = TypeVar("Value")
"""What `get()` returns."""
Update = TypeVar("Update")
"""What one write to the channel is."""
Checkpoint = TypeVar("Checkpoint")
"""What `checkpoint()` returns and `from_checkpoint()` takes."""
