"""Policies set for all nodes of a graph at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._runnable import coerce_to_runnable
from langgraph_rust.graph._node import StateNodeSpec

if TYPE_CHECKING:
    from langgraph_rust.graph._node import StateNode
    from langgraph_rust.types import CachePolicy, RetryPolicy, TimeoutPolicy

DEFAULT_ERROR_HANDLER = "__default_error_handler__"
"""Name of the node that runs the graph-wide error handler."""


@dataclass(slots=True)
class NodeDefaults:
    """What applies to every node that has no value of its own."""

    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None
    cache_policy: CachePolicy | None = None
    error_handler: StateNode[Any, Any] | None = None
    timeout: TimeoutPolicy | None = None

    def apply(
        self, nodes: Mapping[str, StateNodeSpec[Any, Any]], state_schema: type[Any]
    ) -> dict[str, StateNodeSpec[Any, Any]]:
        """Return the nodes with defaults filled in, and the default handler's node added.

        Error handlers take the retry policy and the timeout only: a handler must not handle
        itself, and its input is not what its cache key is made of.
        """
        if self == NodeDefaults():
            return dict(nodes)
        specs = dict(nodes)
        if self.error_handler is not None:
            if DEFAULT_ERROR_HANDLER in specs:
                raise ValueError(
                    "Auto-generated default error handler node "
                    f"`{DEFAULT_ERROR_HANDLER}` already exists."
                )
            specs[DEFAULT_ERROR_HANDLER] = error_handler_spec(
                self.error_handler, DEFAULT_ERROR_HANDLER, state_schema
            )
        return {name: self._complete(spec) for name, spec in specs.items()}

    def _complete(self, spec: StateNodeSpec[Any, Any]) -> StateNodeSpec[Any, Any]:
        values: dict[str, Any] = {"retry_policy": self.retry_policy, "timeout": self.timeout}
        if not spec.is_error_handler:
            values["cache_policy"] = self.cache_policy
            if self.error_handler is not None:
                values["error_handler_node"] = DEFAULT_ERROR_HANDLER
        missing = {name: v for name, v in values.items() if getattr(spec, name) is None}
        return replace(spec, **missing)


def error_handler_spec(
    handler: StateNode[Any, Any], name: str, input_schema: type[Any]
) -> StateNodeSpec[Any, Any]:
    """Return the hidden node that runs an error handler."""
    return StateNodeSpec(
        runnable=coerce_to_runnable(handler, name=name, trace=False),
        metadata=None,
        input_schema=input_schema,
        retry_policy=None,
        cache_policy=None,
        is_error_handler=True,
    )
