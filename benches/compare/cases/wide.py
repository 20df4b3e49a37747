"""Upstream's wide states: fifteen keys with reducers, as dataclass, TypedDict or pydantic."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from benches.compare.cases.base import (
    Case,
    Mode,
    Run,
    in_either_mode,
)

SIZES = {
    # label: (length of the random strings, branches and leaves of the first message, supersteps)
    "25x300": (300, 5, 5, 30),
    "15x600": (600, 3, 5, 35),
    "9x1200": (1200, 3, 3, 35),
}
STEPS_PER_LAP = 5
SCHEMAS = ("wide_state", "wide_dict", "pydantic_state")


def wide_cases() -> list[Case]:
    """Each schema in each size, with and without a saver."""
    return [
        Wide(schema, size, checkpoint)
        for schema in SCHEMAS
        for size in SIZES
        for checkpoint in (False, True)
    ]


class Wide(Case):
    """Six nodes in a loop, two of them side by side, until there are enough messages."""

    def __init__(self, schema: str, size: str, checkpoint: bool) -> None:
        super().__init__()
        self.name = f"{schema}_{size}" + ("_checkpoint" if checkpoint else "")
        self._schema = schema
        self._length, self._branches, self._leaves, self.steps = SIZES[size]
        self._checkpoint = checkpoint

    def graph(self, mode: Mode) -> Run:
        compiled = self._builder().compile(checkpointer=self.new_saver(self._checkpoint))
        return self.stream_run(compiled, self._input(), mode)

    def floor(self, mode: Mode) -> Run:
        builder, value = self._builder(), self._input()

        def run() -> list[Any]:
            chunks, state = _loop(builder, value)
            if self._checkpoint:
                _pack(state)
            return chunks

        return in_either_mode(run, mode)

    def _input(self) -> dict[str, Any]:
        leaf = ["hi?" * 10, True, 1, 6327816386138, None] * 5
        leaves = {str(j) * 10: leaf for j in range(self._leaves)}
        return {"messages": [{str(i) * 10: dict(leaves) for i in range(self._branches)}]}

    def _builder(self) -> Any:
        return getattr(import_module(f"bench.{self._schema}"), self._schema)(self._length)


def _loop(builder: Any, value: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The graph by hand. Nodes of one step see the state as it was before the step."""
    nodes = {name: spec.runnable.func for name, spec in builder.nodes.items()}
    leave = builder.branches["six"]["condition"].path.func
    as_state = _state_maker(builder.state_schema)
    state, write = _reduced_state(builder)
    chunks: list[Any] = []
    write(value)
    goto = "one"
    while goto == "one":
        for step in (("one",), ("two",), ("three", "four"), ("five",), ("six",)):
            updates = [(name, nodes[name](as_state(state))) for name in step]
            for name, update in updates:
                write(update)
                chunks.append({name: update})
        goto = leave(as_state(state))
    return chunks, state


def _state_maker(schema: type) -> Callable[[dict[str, Any]], Any]:
    """What turns the channels' values into what a node gets: a copy, or an instance."""
    if issubclass(schema, dict):
        return dict
    return lambda state: schema(**state)


def _reduced_state(builder: Any) -> tuple[dict[str, Any], Callable[[dict[str, Any]], None]]:
    """The initial values of the builder's channels, and a function that writes an update."""
    from langgraph._internal._typing import MISSING

    channels = builder.channels
    reducers = {key: getattr(channel, "operator", None) for key, channel in channels.items()}
    state = {k: c.value for k, c in channels.items() if c.value is not MISSING}

    def write(update: dict[str, Any]) -> None:
        for key, value in update.items():
            reducer = reducers[key]
            state[key] = reducer(state[key], value) if reducer and key in state else value

    return state, write


def _pack(state: dict[str, Any]) -> None:
    """What a saver cannot do without: encode the final state once, each channel by itself."""
    import ormsgpack

    for value in state.values():
        ormsgpack.packb(value)
