"""Upstream's wide states: fifteen keys with reducers, as dataclass, TypedDict or pydantic."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any

from benches.compare.cases.base import SUFFIXES, Case, Durability, Mode, Run

SIZES = {
    # label: (length of the random strings, branches and leaves of the first message, supersteps)
    "25x300": (300, 5, 5, 30),
    "15x600": (600, 3, 5, 35),
    "9x1200": (1200, 3, 3, 35),
}
STEPS = (("one",), ("two",), ("three", "four"), ("five",), ("six",))
ENDS: tuple[Durability | None, ...] = (None, "exit")
SCHEMAS = ("wide_state", "wide_dict", "pydantic_state")


def wide_cases() -> list[Case]:
    """Each schema in each size, with and without a saver; some with the default durability, too."""
    return [
        *(Wide(s, size, durability) for s in SCHEMAS for size in SIZES for durability in ENDS),
        *(Wide(s, size, "async") for s in ("wide_state", "pydantic_state") for size in SIZES),
    ]


class Wide(Case):
    """Six nodes in a loop, two of them side by side, until there are enough messages."""

    def __init__(self, schema: str, size: str, durability: Durability | None) -> None:
        super().__init__()
        self.name = f"{schema}_{size}{SUFFIXES[durability]}"
        self._schema = schema
        self._length, self._branches, self._leaves, self.steps = SIZES[size]
        self._durability: Durability | None = durability

    def graph(self, mode: Mode) -> Run:
        saver = self.new_saver(self._durability is not None)
        compiled = self._builder().compile(checkpointer=saver)
        return self.stream_run(compiled, self._input(), mode, self._durability)

    def floor(self, mode: Mode) -> Run:
        loop = _Loop(self._builder(), self._durability)
        value = self._input()

        async def arun() -> list[Any]:
            return await loop.arun(value)

        return (lambda: loop.run(value)) if mode == "sync" else arun

    def _input(self) -> dict[str, Any]:
        leaf = ["hi?" * 10, True, 1, 6327816386138, None] * 5
        leaves = {str(j) * 10: leaf for j in range(self._leaves)}
        return {"messages": [{str(i) * 10: dict(leaves) for i in range(self._branches)}]}

    def _builder(self) -> Any:
        return getattr(import_module(f"bench.{self._schema}"), self._schema)(self._length)


class _Loop:
    """The graph by hand. Nodes of one step see the state as it was before the step.

    What a saver cannot do without is encoding, and keeping that: each channel by itself, at the end
    or, when it has changed, after each superstep.
    """

    def __init__(self, builder: Any, durability: Durability | None) -> None:
        self._builder, self._durability = builder, durability
        self._nodes = {name: spec.runnable.func for name, spec in builder.nodes.items()}
        self._leave = builder.branches["six"]["condition"].path.func
        self._as_state = _state_maker(builder.state_schema)

    def run(self, value: dict[str, Any]) -> list[Any]:
        state, write = _reduced_state(self._builder)
        chunks: list[Any] = []
        kept: list[bytes] = []
        self._apply([("", value)], state, write, kept)
        goto = "one"
        while goto == "one":
            for step in STEPS:
                seen = [(name, self._as_state(state)) for name in step]
                updates = [(name, self._nodes[name](given)) for name, given in seen]
                self._apply(updates, state, write, kept)
                chunks += [{name: update} for name, update in updates]
            goto = self._leave(self._as_state(state))
        return self._finish(chunks, state)

    async def arun(self, value: dict[str, Any]) -> list[Any]:
        """The same without holding up an event loop: the nodes are no coroutines."""
        run = partial(asyncio.get_running_loop().run_in_executor, None)
        state, write = _reduced_state(self._builder)
        chunks: list[Any] = []
        kept: list[bytes] = []
        self._apply([("", value)], state, write, kept)
        goto = "one"
        while goto == "one":
            for step in STEPS:
                seen = [(name, self._as_state(state)) for name in step]
                done = await asyncio.gather(*(run(self._nodes[n], given) for n, given in seen))
                updates = list(zip(step, done, strict=True))
                self._apply(updates, state, write, kept)
                chunks += [{name: update} for name, update in updates]
            goto = self._leave(self._as_state(state))
        return self._finish(chunks, state)

    def _apply(
        self,
        updates: list[tuple[str, dict[str, Any]]],
        state: dict[str, Any],
        write: Callable[[dict[str, Any]], None],
        kept: list[bytes],
    ) -> None:
        for _, update in updates:
            write(update)
        if self._durability == "async":
            kept += _pack([value for _, update in updates for value in update.values()])
            kept += _pack([state[key] for key in {key for _, update in updates for key in update}])

    def _finish(self, chunks: list[Any], state: dict[str, Any]) -> list[Any]:
        if self._durability == "exit":
            _pack(state.values())
        return chunks


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


def _pack(values: Iterable[Any]) -> list[bytes]:
    import ormsgpack

    return [ormsgpack.packb(value) for value in values]
