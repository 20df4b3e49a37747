"""`NamedBarrierValue`: available once every expected name was written."""

from __future__ import annotations

from langgraph_rust._engine import NamedBarrierValue, NamedBarrierValueAfterFinish

__all__ = ("NamedBarrierValue", "NamedBarrierValueAfterFinish")
