"""Arguments of tools that the model neither sees nor fills in: state, store, runtime.

Annotations here are no strings: pydantic resolves them where a tool's schema is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Union, get_args, get_origin, get_type_hints

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg
from langchain_core.tools.base import (
    _DirectlyInjectedToolArg,
    _is_injected_arg_type,
    get_all_basemodel_annotations,
)
from typing_extensions import TypeVar

from langgraph_rust.runtime import ExecutionInfo, ServerInfo
from langgraph_rust.store.base import BaseStore
from langgraph_rust.types import StreamWriter

StateT = TypeVar("StateT", default=dict)
ContextT = TypeVar("ContextT", default=None)


@dataclass
class ToolRuntime(_DirectlyInjectedToolArg, Generic[ContextT, StateT]):
    """What a tool can reach while it runs.

    A tool that has a parameter of this type, or one named `runtime`, gets it from `ToolNode`; the
    model does not see that parameter:

        @tool
        def remember(fact: str, runtime: ToolRuntime) -> str:
            runtime.store.put(("facts",), runtime.tool_call_id, {"fact": fact})
            return f"fact {len(runtime.state['messages'])}"
    """

    state: StateT
    """The state of the graph, as the node got it."""
    context: ContextT
    """The context of the run."""
    config: RunnableConfig
    """The config of this call."""
    stream_writer: StreamWriter
    """Writes its argument to the `custom` stream."""
    tool_call_id: str | None
    """The id of this call."""
    store: BaseStore | None
    """The store that the graph was compiled with."""
    tools: list[BaseTool] = field(default_factory=list)
    """All tools of the node."""
    execution_info: ExecutionInfo | None = None
    """Which execution of which task this is; `None` outside of a graph."""
    server_info: ServerInfo | None = None
    """What a server says about the run; `None` without one."""

    def emit_output_delta(self, delta: Any) -> None:
        """Stream a piece of this call's output, for those who stream the mode `tools`.

        Args:
            delta: Anything that can be stored as JSON. When nobody streams that mode, nothing
                happens.
        """
        # With it comes what a stream needs, which most tools never write to.
        from langgraph_rust.pregel._streams.tools import _tool_call_writer

        write = _tool_call_writer.get()
        if write is not None:
            write(delta)


class InjectedState(InjectedToolArg):
    """Marks a parameter of a tool that gets the state of the graph, or a field of it.

        @tool
        def count(word: str, messages: Annotated[list, InjectedState("messages")]) -> int: ...

    Args:
        field: The field of the state; all of it by default.
    """

    def __init__(self, field: str | None = None) -> None:
        self.field = field


class InjectedStore(InjectedToolArg):
    """Marks a parameter of a tool that gets the store that the graph was compiled with.

    @tool
    def recall(key: str, store: Annotated[BaseStore, InjectedStore()]) -> str: ...
    """


for _public in (ToolRuntime, InjectedState, InjectedStore):
    _public.__module__ = "langgraph_rust.prebuilt.tool_node"

Marker = type[InjectedState] | type[InjectedStore] | type[ToolRuntime]


@dataclass
class _InjectedArgs:
    """The parameters of one tool that are filled in for it."""

    state: dict[str, str | None]
    """Parameter to the field of the state that it gets; `None` for all of the state."""
    store: str | None
    """The parameter that gets the store."""
    runtime: str | None
    """The parameter that gets the `ToolRuntime`."""
    all_injected_keys: set[str]
    """All parameters that are hidden from the model, by whatever marker: it may not set them."""
    _optional_state_args: set[str]
    """Those parameters whose field of the state may be missing."""

    @property
    def is_empty(self) -> bool:
        """Whether the arguments of a call are the model's alone."""
        return not (self.state or self.store or self.runtime or self.all_injected_keys)

    def names(self) -> set[str]:
        """The parameters that `ToolNode` fills in."""
        named = {name for name in (self.store, self.runtime) if name}
        return named.union(self.state)


def _get_all_injected_args(tool: BaseTool) -> _InjectedArgs:
    """Find the parameters of a tool that are filled in, in its schema and its function.

    Raises:
        ValueError: A parameter has a marker twice.
    """
    schema: Any = tool.get_input_schema()
    found = _InjectedArgs({}, None, None, set(), set())
    for name, annotation in _annotations(tool, schema).items():
        if _is_injected_arg_type(annotation):
            found.all_injected_keys.add(name)
        if name == "runtime" or _get_injection_from_type(annotation, ToolRuntime):
            found.runtime = name
        if _get_injection_from_type(annotation, InjectedStore):
            found.store = name
        marker = _get_injection_from_type(annotation, InjectedState)
        if marker:
            key = marker.field if isinstance(marker, InjectedState) else None
            found.state[name] = key or None
            declared = schema.model_fields.get(name) if key else None
            if declared and not declared.is_required():
                found._optional_state_args.add(name)
    return found


def _annotations(tool: BaseTool, schema: Any) -> Mapping[str, Any]:
    function = getattr(tool, "func", None) or getattr(tool, "coroutine", None)
    of_function = get_type_hints(function, include_extras=True) if function else {}
    # A tool may have a schema of its own, which has the last word.
    return {**of_function, **get_all_basemodel_annotations(schema)}


def _get_injection_from_type(annotation: Any, marker: Marker) -> Any:
    """Return the marker that an annotation has: the object, the class, `True` or `None`.

    Raises:
        ValueError: It has several.
    """
    matches = [part for part in get_args(annotation) if _is_injection(part, marker)]
    if len(matches) > 1:
        raise ValueError(
            f"A tool argument should not be annotated with {marker.__name__} "
            f"more than once. Found: {matches}"
        )
    if matches:
        return matches[0]
    return True if _is_injection(annotation, marker) else None


def _is_injection(annotation: Any, marker: Marker) -> bool:
    """Whether an annotation is a marker, or has one within a union or `Annotated`."""
    if isinstance(annotation, marker):
        return True
    # A generic class is also a marker with its parameters given.
    origin = get_origin(annotation)
    named = annotation if origin is None else origin
    if isinstance(named, type) and issubclass(named, marker):
        return True
    return origin in (Union, Annotated) and any(
        _is_injection(part, marker) for part in get_args(annotation)
    )
