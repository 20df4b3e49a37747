"""`StateGraph`, the builder of graphs whose nodes share a state, and what it compiles to."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Generic, cast, get_args

from langgraph_rust._internal import _serde
from langgraph_rust._internal._lazy.runnable import is_runnable
from langgraph_rust._internal._runnable import coerce_to_runnable
from langgraph_rust._internal._timeout import coerce_timeout_policy
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.channels.base import BaseChannel
from langgraph_rust.channels.ephemeral_value import EphemeralValue
from langgraph_rust.channels.last_value import LastValue
from langgraph_rust.constants import END, START
from langgraph_rust.graph._branch import BranchSpec
from langgraph_rust.graph._checks import check_graph, check_node_name, check_unnamed
from langgraph_rust.graph._compiled import CompiledStateGraph
from langgraph_rust.graph._defaults import NodeDefaults, error_handler_spec
from langgraph_rust.graph._hints import node_hints
from langgraph_rust.graph._node import StateNode, StateNodeSpec
from langgraph_rust.graph._schema import get_channel as _get_channel  # noqa: F401
from langgraph_rust.graph._schema import get_channels, names_or_root
from langgraph_rust.graph._schema import is_field_channel as _is_field_channel  # noqa: F401
from langgraph_rust.managed.base import ManagedValueSpec
from langgraph_rust.pregel._build.read import PregelNode  # noqa: F401 - langgraph-executor's
from langgraph_rust.pregel.main import Pregel  # noqa: F401 - langgraph-executor's
from langgraph_rust.types import (
    All,
    CachePolicy,
    Checkpointer,
    RetryPolicy,
    TimeoutPolicy,
    TracePolicy,
    ensure_valid_checkpointer,
)
from langgraph_rust.typing import ContextT, InputT, NodeInputT, OutputT, StateT
from langgraph_rust.warnings import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from datetime import timedelta

    from langchain_core.runnables import Runnable
    from typing_extensions import Self, Unpack

    from langgraph_rust._internal._typing import DeprecatedKwargs
    from langgraph_rust.cache.base import BaseCache
    from langgraph_rust.graph._node import NodeKwargs
    from langgraph_rust.store.base import BaseStore

__all__ = ("CompiledStateGraph", "StateGraph")


class StateGraph(Generic[StateT, ContextT, InputT, OutputT]):
    """Builds a graph whose nodes read and update one shared state.

    A node is a function (or any runnable) from the state to a partial update of it. Each key of
    the state is a channel: plain keys keep the last value, a key annotated with a reducer
    `(current, update) -> value` merges the updates of all nodes.

    Add nodes and edges, then `compile()`; only the compiled graph runs.

    ```python
    class State(TypedDict):
        total: Annotated[int, operator.add]

    builder = StateGraph(State)
    builder.add_node("one", lambda state: {"total": 1})
    builder.add_edge(START, "one")
    builder.compile().invoke({"total": 41})  # {"total": 42}
    ```

    Args:
        state_schema: The state: a `TypedDict`, dataclass or pydantic model, or a single annotated
            type for a state without keys.
        context_schema: The run's context, which nodes get as `runtime.context` and do not change.
        input_schema: What callers pass in, if that is not the whole state.
        output_schema: What callers get back, if that is not the whole state.
        **kwargs: The deprecated names `config_schema` (for `context_schema`), `input` and
            `output`.

    Raises:
        ValueError: Schemas disagree about a key, a reducer does not take two arguments, or the
            input or output schema has a managed value.
    """

    nodes: dict[str, StateNodeSpec[Any, ContextT]]
    """The nodes, by name, in the order they were added."""
    edges: set[tuple[str, str]]
    """`(start, end)` of each plain edge."""
    waiting_edges: set[tuple[tuple[str, ...], str]]
    """`(starts, end)` of each edge that waits for several nodes."""
    branches: defaultdict[str, dict[str, BranchSpec]]
    """Conditional edges, by the node they start at and by their own name."""
    channels: dict[str, BaseChannel]
    """The channel of each state key, of all schemas."""
    managed: dict[str, ManagedValueSpec]
    """The state keys the engine itself provides."""
    schemas: dict[type[Any], dict[str, BaseChannel | ManagedValueSpec]]
    """What each schema in use consists of."""
    compiled: bool
    """Whether the graph was compiled; later changes do not reach what was compiled."""

    state_schema: type[StateT]
    context_schema: type[ContextT] | None
    input_schema: type[InputT]
    output_schema: type[OutputT]

    def __init__(
        self,
        state_schema: type[StateT],
        context_schema: type[ContextT] | None = None,
        *,
        input_schema: type[InputT] | None = None,
        output_schema: type[OutputT] | None = None,
        **kwargs: Unpack[DeprecatedKwargs],
    ) -> None:
        """Make an empty graph over `state_schema`."""
        old = cast("dict[str, Any]", kwargs)
        context_schema = _renamed(
            old, "config_schema", "context_schema", context_schema, LangGraphDeprecatedSinceV10
        )
        input_schema = _renamed(old, "input", "input_schema", input_schema)
        output_schema = _renamed(old, "output", "output_schema", output_schema)

        self.nodes = {}
        self.edges = set()
        self.waiting_edges = set()
        self.branches = defaultdict(dict)
        self.channels = {}
        self.managed = {}
        self.schemas = {}
        self.compiled = False
        self.state_schema = state_schema
        self.context_schema = context_schema
        self.input_schema = cast("type[InputT]", input_schema or state_schema)
        self.output_schema = cast("type[OutputT]", output_schema or state_schema)
        self._node_defaults = NodeDefaults()
        # what nodes of a schema read, one list for all of them
        self._selects: dict[type[Any], list[str] | str] = {}

        self._add_schema(self.state_schema)
        self._add_schema(self.input_schema, allow_managed=False)
        self._add_schema(self.output_schema, allow_managed=False)

    def set_node_defaults(
        self,
        *,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        error_handler: StateNode[Any, ContextT] | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
    ) -> Self:
        """Set policies for all nodes that have none of their own; return the builder.

        They are applied by `compile()`, to nodes added before and after. Subgraphs do not inherit
        them. Calling again replaces only what is given.

        Args:
            retry_policy: For every node, error handlers included.
            cache_policy: For every node but error handlers.
            error_handler: Runs when a node fails that has no handler of its own. A failure of a
                handler is not handled.
            timeout: For every node, error handlers included; a number is in seconds.
        """
        given = {
            "retry_policy": retry_policy,
            "cache_policy": cache_policy,
            "error_handler": error_handler,
            "timeout": coerce_timeout_policy(timeout),
        }
        for name, value in given.items():
            if value is not None:
                setattr(self._node_defaults, name, value)
        return self

    def add_node(
        self,
        node: str | StateNode[NodeInputT, ContextT],
        action: StateNode[NodeInputT, ContextT] | None = None,
        *,
        defer: bool = False,
        metadata: dict[str, Any] | None = None,
        input_schema: type[NodeInputT] | None = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        error_handler: StateNode[Any, ContextT] | None = None,
        destinations: dict[str, str] | tuple[str, ...] | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
        trace_policy: TracePolicy | None = None,
        **kwargs: Unpack[NodeKwargs],
    ) -> Self:
        """Add a node, `add_node(action)` or `add_node(name, action)`; return the builder.

        Args:
            node: The node's name, or what it runs, named after itself.
            action: What the node runs, if `node` is the name.
            defer: Wait until nothing else is left to run.
            metadata: Metadata of the node's runs, for tracing and drawing.
            input_schema: The schema whose keys the node gets. By default that of the annotation
                of its first parameter, if it has one with fields, else the state's.
            retry_policy: When to try again after an error; of several, the first that matches.
            cache_policy: Whether and how to cache the node's writes.
            error_handler: Runs when the node fails for good; it may ask for the `NodeError`.
            destinations: Nodes this one may route to with a `Command`, as names or as names with
                labels. Only for drawing. By default those of a `Command[Literal[...]]` return
                annotation.
            timeout: Limits of one attempt, in seconds or as a policy, after which
                `NodeTimeoutError` is raised. Only for async nodes.
            trace_policy: Changes what tracers record of the node's input and output.
            **kwargs: `executor`, where the node runs (`docs/guides/graphs/executors.md`), which
                LangGraph does not have; the deprecated names `retry` (for `retry_policy`) and
                `input`.

        Raises:
            ValueError: The name is taken, reserved, contains `|` or `:`, or is missing.
        """
        old = cast("dict[str, Any]", kwargs)
        retry_policy = _renamed(old, "retry", "retry_policy", retry_policy)
        input_schema = _renamed(old, "input", "input_schema", input_schema)
        timeout = coerce_timeout_policy(timeout)
        if "executor" in old:
            metadata = {**(metadata or {}), "executor": old["executor"]}

        if isinstance(node, str):
            name = node
        else:
            check_unnamed(node, action)
            name, action = _runnable_name(node), node
        self._warn_if_compiled("a node")
        if action is None:
            raise RuntimeError(f"Node `{name}` has nothing to run: pass a function or a runnable.")
        check_node_name(name, self.nodes)

        hints = node_hints(action, wants_input=input_schema is None)
        own_schema = input_schema or hints.input_schema
        schema: type[Any] = own_schema or self.state_schema
        handler_name = None
        if error_handler is not None:
            handler_name = self._add_error_handler(name, error_handler, schema)
        self.nodes[name] = StateNodeSpec(
            runnable=coerce_to_runnable(action, name=name, trace=False),
            metadata=metadata,
            input_schema=schema,
            retry_policy=retry_policy,
            cache_policy=cache_policy,
            error_handler_node=handler_name,
            ends=hints.ends if destinations is None else destinations,
            defer=defer,
            timeout=timeout,
            trace_policy=trace_policy,
        )
        if own_schema is not None:
            self._add_schema(own_schema)
        return self

    def add_edge(self, start_key: str | list[str], end_key: str) -> Self:
        """Run `end_key` after `start_key`; return the builder.

        A list of starts waits for all of them. Plain edges into one node do not wait for each
        other: the node runs after whichever ran.

        Raises:
            ValueError: The edge starts at END or ends at START, or a list names an unknown node.
        """
        self._warn_if_compiled("an edge")
        starts = (start_key,) if isinstance(start_key, str) else tuple(start_key)
        if END in starts:
            raise ValueError("END cannot be a start node")
        if end_key == START:
            raise ValueError("START cannot be an end node")
        if isinstance(start_key, str):
            # either end may be added later; validate() looks for both
            self.edges.add((start_key, end_key))
            return self
        for name in (*starts, end_key):
            if name not in self.nodes and not (name == end_key == END):
                raise ValueError(f"Need to add_node `{name}` first")
        self.waiting_edges.add((starts, end_key))
        return self

    def add_conditional_edges(
        self,
        source: str,
        path: Callable[..., Hashable | Sequence[Hashable]]
        | Callable[..., Awaitable[Hashable | Sequence[Hashable]]]
        | Runnable[Any, Hashable | Sequence[Hashable]],
        path_map: dict[Hashable, str] | list[str] | None = None,
    ) -> Self:
        """Let `path` decide what runs after `source`; return the builder.

        Args:
            source: The node after which to decide.
            path: Maps the state to a node name, END, a `Send`, or a list of these. Its first
                parameter's annotation may name another schema to read.
            path_map: What each answer means, or the list of possible answers. By default the
                options of a `Literal` return annotation; without that, answers are node names,
                and a drawing cannot know which.

        Raises:
            ValueError: `source` already has a branch of the same name.
        """
        self._warn_if_compiled("an edge")
        router = coerce_to_runnable(path, name=None, trace=True)
        name = router.name or "condition"
        if name in self.branches[source]:
            raise ValueError(f"Branch with name `{router.name}` already exists for node `{source}`")
        branch = BranchSpec.from_path(router, path_map, True)
        self.branches[source][name] = branch
        if branch.input_schema:
            self._add_schema(branch.input_schema)
        return self

    def add_sequence(
        self,
        nodes: Sequence[
            StateNode[NodeInputT, ContextT] | tuple[str, StateNode[NodeInputT, ContextT]]
        ],
    ) -> Self:
        """Add nodes, each with an edge to the next; return the builder.

        Args:
            nodes: What the nodes run, or `(name, what it runs)`.

        Raises:
            ValueError: There are none, or a name is taken.
        """
        if not nodes:
            raise ValueError("Sequence requires at least one node.")
        previous: str | None = None
        for node in nodes:
            if isinstance(node, tuple) and len(node) == 2:
                name, action = node
            else:
                name, action = _get_node_name(node), node
            if name in self.nodes:
                raise ValueError(
                    f"Node names must be unique: node with the name '{name}' already exists. "
                    "If you need to use two different runnables/callables with the same name "
                    "(for example, using `lambda`), please provide them as tuples "
                    "(name, runnable/callable)."
                )
            self.add_node(name, action)
            if previous is not None:
                self.add_edge(previous, name)
            previous = name
        return self

    def set_entry_point(self, key: str) -> Self:
        """Start runs at node `key`: an edge from START. Returns the builder."""
        return self.add_edge(START, key)

    def set_conditional_entry_point(
        self,
        path: Callable[..., Hashable | Sequence[Hashable]]
        | Callable[..., Awaitable[Hashable | Sequence[Hashable]]]
        | Runnable[Any, Hashable | Sequence[Hashable]],
        path_map: dict[Hashable, str] | list[str] | None = None,
    ) -> Self:
        """Let `path` decide where runs start: conditional edges from START. Returns the builder."""
        return self.add_conditional_edges(START, path, path_map)

    def set_finish_point(self, key: str) -> Self:
        """End runs after node `key`: an edge to END. Returns the builder."""
        return self.add_edge(key, END)

    def validate(self, interrupt: Sequence[str] | None = None) -> Self:
        """Check the graph and mark it compiled; return the builder.

        Args:
            interrupt: Names of nodes to stop at, which must exist too.

        Raises:
            ValueError: An edge, a branch or `interrupt` names an unknown node, or nothing starts
                at START.
        """
        check_graph(self, interrupt)
        self.compiled = True
        return self

    def compile(
        self,
        checkpointer: Checkpointer = None,
        *,
        cache: BaseCache | None = None,
        store: BaseStore | None = None,
        interrupt_before: All | list[str] | None = None,
        interrupt_after: All | list[str] | None = None,
        debug: bool = False,
        name: str | None = None,
        transformers: Sequence[Callable[[tuple[str, ...]], Any]] | None = None,
    ) -> CompiledStateGraph[StateT, ContextT, InputT, OutputT]:
        """Check the graph and return one that runs, a `Runnable`.

        Args:
            checkpointer: Where to store each step, so that threads can be paused, resumed,
                inspected and forked; runs then need a `thread_id` in their config. `None` takes a
                parent graph's when used as a subgraph, `False` takes none, `True` (subgraphs
                only) keeps a history of its own in the parent's.
            cache: Where to keep results of nodes that have a cache policy.
            store: Memory across threads, for nodes that ask for it.
            interrupt_before: Nodes to stop before, or `"*"` for all.
            interrupt_after: Nodes to stop after, or `"*"` for all.
            debug: Print what happens while it runs.
            name: The graph's name in traces and as a subgraph.
            transformers: Factories of stream transformers for version 3 of the event stream, each
                called with its scope once a run.

        Raises:
            ValueError: The graph is not valid, see `validate`.
            TypeError: `checkpointer` is nothing of the above.
        """
        checkpointer = ensure_valid_checkpointer(checkpointer)
        _serde.remember_types(self._schemas_with_context())
        serde_allowlist = self._serde_allowlist()
        if serde_allowlist is not None:
            checkpointer = _serde.apply_checkpointer_allowlist(checkpointer, serde_allowlist)
        interrupt_before = interrupt_before or []
        interrupt_after = interrupt_after or []
        self.validate(
            [*(n for nodes in (interrupt_before, interrupt_after) if nodes != "*" for n in nodes)]
        )
        specs = self._node_defaults.apply(self.nodes, self.state_schema)

        compiled: CompiledStateGraph[Any, Any, Any, Any] = CompiledStateGraph(
            builder=self,
            schema_to_mapper={},
            context_schema=self.context_schema,
            nodes={},
            channels={**self.channels, **self.managed, START: EphemeralValue(self.input_schema)},
            input_channels=START,
            stream_mode="updates",
            output_channels=names_or_root(self.schemas[self.output_schema]),
            stream_channels=names_or_root(self.channels),
            checkpointer=checkpointer,
            interrupt_before_nodes=interrupt_before,
            interrupt_after_nodes=interrupt_after,
            auto_validate=False,
            debug=debug,
            store=store,
            cache=cache,
            node_error_handler_map={
                name: spec.error_handler_node
                for name, spec in specs.items()
                if spec.error_handler_node is not None and not spec.is_error_handler
            },
            name=name or "LangGraph",
            stream_transformers=transformers,
        )
        compiled._serde_allowlist = serde_allowlist
        compiled.attach_all(specs)
        return compiled.validate()

    @property
    def _all_edges(self) -> set[tuple[str, str]]:
        """All edges but conditional ones, with one for each start of a waiting edge."""
        waiting = {(start, end) for starts, end in self.waiting_edges for start in starts}
        return self.edges | waiting

    def _add_schema(self, schema: type[Any], /, allow_managed: bool = True) -> None:
        """Take in the keys of a schema, which may be known already."""
        if schema in self.schemas:
            return
        _warn_invalid_state_schema(schema)
        channels, managed, _ = get_channels(schema)
        if managed and not allow_managed:
            raise ValueError(
                f"Invalid managed channels detected in {getattr(schema, '__name__', '')}: "
                f"{', '.join(managed)}. "
                "Managed channels are not permitted in Input/Output schema."
            )
        self.schemas[schema] = {**channels, **managed}
        for key, channel in channels.items():
            known = self.channels.setdefault(key, channel)
            # a plain annotation only says that a schema has the key
            if known is not channel and known != channel and not isinstance(channel, LastValue):
                raise ValueError(f"Channel '{key}' already exists with a different type")
        for key, spec in managed.items():
            if self.managed.setdefault(key, spec) != spec:
                raise ValueError(f"Managed value '{key}' already exists with a different type")

    def _add_error_handler(
        self, node: str, handler: StateNode[Any, ContextT], input_schema: type[Any]
    ) -> str:
        name = f"__error_handler__{node}"
        if name in self.nodes:
            raise ValueError(f"Auto-generated error handler node `{name}` already exists.")
        self.nodes[name] = error_handler_spec(handler, name, input_schema)
        return name

    def _warn_if_compiled(self, what: str) -> None:
        if not self.compiled:
            return
        import logging

        logging.getLogger("langgraph.graph.state").warning(
            f"Adding {what} to a graph that has already been compiled. This will "
            "not be reflected in the compiled graph."
        )

    def _serde_allowlist(self) -> set[tuple[str, ...]] | None:
        """The types a saver may decode, if it is to be strict about them."""
        if not _serde.STRICT_MSGPACK_ENABLED:
            return None
        schemas = self._schemas_with_context()
        return _serde.build_serde_allowlist(schemas=schemas, channels=self.channels)

    def _schemas_with_context(self) -> list[type[Any]]:
        schemas: list[type[Any]] = [self.state_schema, self.input_schema, self.output_schema]
        if self.context_schema is not None:
            schemas.append(self.context_schema)
        schemas.extend(spec.input_schema for spec in self.nodes.values())
        branches = (branch for named in self.branches.values() for branch in named.values())
        schemas.extend(b.input_schema for b in branches if b.input_schema is not None)
        return schemas


def _runnable_name(action: Any) -> str:
    """The name of a node that was given none."""
    name = action.get_name() if is_runnable(action) else _get_node_name(action)
    if name is None:
        raise ValueError("Node name must be provided if action is not a function")
    return name


def _get_node_name(node: StateNode[Any, Any]) -> str:
    try:
        return getattr(node, "__name__", node.__class__.__name__)
    except AttributeError:
        raise TypeError(f"Unsupported node type: {type(node)}") from None


def _renamed(
    kwargs: dict[str, Any],
    old: str,
    new: str,
    value: Any,
    category: type[DeprecationWarning] = LangGraphDeprecatedSinceV05,
) -> Any:
    """Return an argument's value, which may have come, with a warning, under its old name."""
    given = kwargs.get(old, MISSING)
    if given is MISSING:
        return value
    warnings.warn(
        f"`{old}` is deprecated and will be removed. Please use `{new}` instead.",
        category=category,
        stacklevel=3,
    )
    return given if value is None else value


def _warn_invalid_state_schema(schema: Any) -> None:
    if isinstance(schema, type) or get_args(schema):
        return
    warnings.warn(
        f"Invalid state_schema: {schema}. Expected a type or Annotated[type, reducer]. "
        "Please provide a valid schema to ensure correct updates.\n"
        " See: https://langchain-ai.github.io/langgraph/reference/graphs/#stategraph",
        stacklevel=2,
    )


def __getattr__(name: str) -> Any:
    # Upstream's module has it among its imports, and temporalio-langgraph imports it from there.
    if name != "RunnableConfig":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from langchain_core.runnables import RunnableConfig

    return RunnableConfig
