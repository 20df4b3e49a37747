"""The one way from here to a tool and to a chat model: quietly, when nobody listens.

What a call does is what `invoke` and `ainvoke` do; see `_internal._quiet`.
"""

from __future__ import annotations

from langgraph_rust._internal._quiet import (
    acall_model,
    acall_tool,
    as_step,
    call_model,
    call_tool,
    in_context,
)

__all__ = ("acall_model", "acall_tool", "as_step", "call_model", "call_tool", "in_context")
