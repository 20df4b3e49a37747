"""Reading of timeout arguments, and the error for timeouts where none is possible."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from langgraph_rust.types import TimeoutPolicy


def coerce_timeout_policy(
    value: float | timedelta | TimeoutPolicy | None,
) -> TimeoutPolicy | None:
    """Return `value` as a policy whose limits are float seconds; `None` when it limits nothing.

    Raises:
        ValueError: A limit is not positive, or `refresh_on` is unknown.
    """
    from langgraph_rust.types import TimeoutPolicy

    return TimeoutPolicy.coerce(value)


def sync_timeout_unsupported(name: str, *, kind: Literal["Node", "Task"] = "Node") -> ValueError:
    """Build the error for a timeout on a node or task that is a plain (not async) function."""
    return ValueError(
        "Node timeouts are only supported for async nodes because sync Python "
        f"execution cannot be safely cancelled in-process. {kind} {name!r} is sync."
    )
