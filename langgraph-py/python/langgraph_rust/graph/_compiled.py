"""`CompiledStateGraph`: a builder's nodes and edges as Pregel nodes, channels and writers.

Every node has a channel `branch:to:<node>` that triggers it. An edge is a write to that channel by
the node it starts at; an edge that waits for several nodes is a barrier channel all of them write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic

from langgraph_rust._engine import ControlWrites, StateUpdates
from langgraph_rust.channels.ephemeral_value import EphemeralValue
from langgraph_rust.channels.last_value import LastValueAfterFinish
from langgraph_rust.channels.named_barrier_value import (
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
)
from langgraph_rust.constants import END, START, TAG_HIDDEN
from langgraph_rust.graph._branch import BranchSpec, BranchWriter, trigger_of
from langgraph_rust.graph._migrate import migrate_checkpoint
from langgraph_rust.graph._schema import ROOT, json_schema, pick_mapper, state_names
from langgraph_rust.pregel._build.read import PregelNode
from langgraph_rust.pregel._build.write import (
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
)
from langgraph_rust.pregel.main import Pregel
from langgraph_rust.typing import ContextT, InputT, OutputT, StateT

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import Checkpoint
    from langgraph_rust.graph._node import StateNodeSpec
    from langgraph_rust.graph.state import StateGraph


class CompiledStateGraph(
    Pregel[StateT, ContextT, InputT, OutputT],
    Generic[StateT, ContextT, InputT, OutputT],
):
    """A `StateGraph` that runs. Made by `StateGraph.compile()`."""

    builder: StateGraph[StateT, ContextT, InputT, OutputT]
    """What it was compiled from."""
    schema_to_mapper: dict[type[Any], Callable[[Any], Any] | None]
    """For each schema a node reads, what makes an instance of it from a dict, if anything."""

    def __init__(
        self,
        *,
        builder: StateGraph[StateT, ContextT, InputT, OutputT],
        schema_to_mapper: dict[type[Any], Callable[[Any], Any] | None],
        **kwargs: Any,
    ) -> None:
        """Make a graph without nodes; `kwargs` are those of `Pregel`."""
        super().__init__(**kwargs)
        self.builder = builder
        self.schema_to_mapper = schema_to_mapper

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON schema of the graph's input."""
        return self._jsonschema(self.builder.input_schema, "Input")

    def get_output_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON schema of the graph's output."""
        return self._jsonschema(self.builder.output_schema, "Output")

    def attach_node(self, key: str, node: StateNodeSpec[Any, ContextT] | None) -> None:
        """Add a node of the builder, or START, which takes no `node` and writes the input."""
        if key == START:
            keys = state_names(self.builder.schemas[self.builder.input_schema])
            self.nodes[key] = PregelNode(
                tags=[TAG_HIDDEN],
                triggers=[START],
                channels=START,
                writers=[_state_writer(keys)],
            )
            return
        if node is None:
            raise RuntimeError(f"Node `{key}` needs a spec.")
        channels, mapper = self._input_of(node.input_schema)
        trigger = trigger_of(key)
        self.channels[trigger] = (
            LastValueAfterFinish(Any) if node.defer else EphemeralValue(Any, guard=False)
        )
        self.nodes[key] = PregelNode(
            triggers=[trigger],
            channels=channels,
            mapper=mapper,
            writers=[_state_writer([*self.builder.channels, *self.builder.managed], node.ends)],
            metadata=node.metadata,
            retry_policy=node.retry_policy,
            cache_policy=node.cache_policy,
            is_error_handler=node.is_error_handler,
            error_handler_node=node.error_handler_node,
            # the builder has made it a runnable, whatever the user gave
            bound=node.runnable,  # pyright: ignore[reportArgumentType]
            timeout=node.timeout,
            trace_policy=node.trace_policy,
        )

    def attach_edge(self, starts: str | Sequence[str], end: str) -> None:
        """Let `end` run after `starts`: after a single node, or after all of several."""
        if end == END:
            return
        if isinstance(starts, str):
            self._write_after(starts, ChannelWriteEntry(trigger_of(end), None))
            return
        channel = f"join:{'+'.join(starts)}:{end}"
        deferred = self.builder.nodes[end].defer
        barrier = NamedBarrierValueAfterFinish if deferred else NamedBarrierValue
        self.channels[channel] = barrier(str, set(starts))
        self.nodes[end].triggers.append(channel)
        for start in starts:
            self._write_after(start, ChannelWriteEntry(channel, start))

    def attach_branch(
        self, start: str, name: str, branch: BranchSpec, *, with_reader: bool = True
    ) -> None:
        """Let `branch` decide what runs after `start`.

        Without `with_reader` it gets what the node returned instead of the state.
        """
        if not with_reader:
            self.nodes[start].writers.append(BranchWriter(branch, select=None))
            return
        nodes = self.builder.nodes
        inherited = nodes[start].input_schema if start in nodes else self.builder.state_schema
        select, mapper = self._input_of(branch.input_schema or inherited)
        self.nodes[start].writers.append(BranchWriter(branch, select=select, mapper=mapper))

    def attach_all(self, specs: dict[str, StateNodeSpec[Any, ContextT]]) -> None:
        """Add everything in the builder, taking its nodes from `specs`."""
        self.attach_node(START, None)
        for key, spec in specs.items():
            self.attach_node(key, spec)
        # sorted, because the order of a set of strings changes from process to process
        for start, end in sorted(self.builder.edges):
            self.attach_edge(start, end)
        for starts, end in sorted(self.builder.waiting_edges):
            self.attach_edge(starts, end)
        for start, branches in self.builder.branches.items():
            for name, branch in branches.items():
                self.attach_branch(start, name, branch)

    def _input_of(self, schema: type[Any]) -> tuple[list[str] | str, Callable[[Any], Any] | None]:
        """The channels to read for `schema`, and what to make of their values."""
        select = self.builder._selects.get(schema)
        if select is None:
            keys = list(self.builder.schemas[schema])
            select = self.builder._selects[schema] = ROOT if keys == [ROOT] else keys
        if schema not in self.schema_to_mapper:
            self.schema_to_mapper[schema] = pick_mapper(select, schema)
        return select, self.schema_to_mapper[schema]

    def _write_after(self, node: str, entry: ChannelWriteEntry) -> None:
        self.nodes[node].writers.append(ChannelWrite((entry,)))

    def _jsonschema(self, schema: type[Any], suffix: str) -> dict[str, Any]:
        builder = self.builder
        return json_schema(schema, builder.schemas, builder.channels, self.get_name(suffix))

    def _migrate_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Bring a checkpoint of an older version, in place, to this one's channel names."""
        super()._migrate_checkpoint(checkpoint)
        migrate_checkpoint(checkpoint, nodes=self.nodes, edges=self.builder.edges)

    # What version 2 of the stream makes of outputs and of states. Properties, so that a copy of
    # the graph has them too; other graphs have plain attributes.

    @property
    def _output_mapper(  # pyright: ignore[reportIncompatibleVariableOverride]
        self,
    ) -> Callable[[Any], Any] | None:
        return pick_mapper(self.output_channels, self.builder.output_schema)

    @property
    def _state_mapper(  # pyright: ignore[reportIncompatibleVariableOverride]
        self,
    ) -> Callable[[Any], Any] | None:
        return pick_mapper(self.stream_channels or (), self.builder.state_schema)


def _state_writer(
    keys: Sequence[str], ends: tuple[str, ...] | dict[str, str] | None = None
) -> ChannelWrite:
    """What writes a node's result: state updates for `keys`, then where `Command`s lead."""
    entries = _state_entries(tuple(keys))
    if ends:
        labels = ends if isinstance(ends, dict) else dict.fromkeys(ends)
        declared = [(trigger_of(end), None, label) for end, label in labels.items()]
        entries = (entries[0], entries[1]._replace(static=declared))
    return ChannelWrite(entries)


@lru_cache(maxsize=64)
def _state_entries(keys: tuple[str, ...]) -> tuple[ChannelWriteTupleEntry, ChannelWriteTupleEntry]:
    # The mappers keep nothing, so that all nodes of a graph share them.
    return (
        ChannelWriteTupleEntry(mapper=StateUpdates(list(keys))),
        ChannelWriteTupleEntry(mapper=ControlWrites()),
    )


# Drawings and pickles name a class by its module; this one is public in `graph.state`.
CompiledStateGraph.__module__ = "langgraph_rust.graph.state"
