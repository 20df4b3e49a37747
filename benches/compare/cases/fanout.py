"""Upstream's fan-out: one Send per subject, each into a subgraph of twelve steps."""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import Callable
from typing import Any

from benches.compare.cases.base import SUFFIXES, Case, Durability, Mode, Run

BRANCH_STEPS = 12
"""Steps of the subgraph: edit, generate, and ten times bump."""


def fanout_cases() -> list[Case]:
    """Ten and a hundred branches, with and without a saver; ten with each superstep stored, too."""
    return [
        *(Fanout(n, durability) for n in (10, 100) for durability in (None, "exit")),
        Fanout(10, "async"),
    ]


class Fanout(Case):
    """`n` branches that each run the joke subgraph."""

    def __init__(self, n: int, durability: Durability | None) -> None:
        super().__init__()
        self.name = f"fanout_to_subgraph_{n}x{SUFFIXES[durability]}"
        self.steps = 1 + n * BRANCH_STEPS
        self._branches = n
        self._durability: Durability | None = durability

    def graph(self, mode: Mode) -> Run:
        saver = self.new_saver(self._durability is not None)
        compiled = self._builder(mode).compile(checkpointer=saver)
        return self.stream_run(compiled, self._input(), mode, self._durability)

    def floor(self, mode: Mode) -> Run:
        kept: list[bytes] = []
        pack = _packer(kept)
        keep = pack if self._durability == "async" else _drop
        loop = _Loop(self._builder(mode), "func" if mode == "sync" else "afunc", keep)
        value = self._input()
        finish = pack if self._durability else _drop

        def run() -> list[Any]:
            kept.clear()
            chunks, state = loop.run(value)
            finish(state)
            return chunks

        async def arun() -> list[Any]:
            kept.clear()
            chunks, state = await loop.arun(value)
            finish(state)
            return chunks

        return run if mode == "sync" else arun

    def _input(self) -> dict[str, Any]:
        letters = string.ascii_lowercase
        return {"subjects": [random.choices(letters, k=1000) for _ in range(self._branches)]}

    def _builder(self, mode: Mode) -> Any:
        from bench import fanout_to_subgraph as module

        return module.fanout_to_subgraph_sync() if mode == "sync" else module.fanout_to_subgraph()


class _Loop:
    """The two graphs as loops over the functions they are made of."""

    def __init__(self, builder: Any, attribute: str, keep: Callable[[Any], None]) -> None:
        self.keep = keep
        """Called with each state of a branch."""
        subgraph = builder.nodes["generate_joke"].runnable.builder
        self.reducer = builder.channels["jokes"].operator
        self.route = getattr(builder.branches["__start__"]["continue_to_jokes"].path, attribute)
        self.edit, self.generate, self.bump = (
            getattr(subgraph.nodes[name].runnable, attribute)
            for name in ("edit", "generate", "bump")
        )
        self.again = getattr(subgraph.branches["bump"]["bump_loop"].path, attribute)

    def run(self, value: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        jokes: list[str] = []
        chunks = []
        for send in self.route(dict(value)):
            update = {"jokes": self._branch(send.arg["subject"])}
            chunks.append({"generate_joke": update})
            jokes = self.reducer(jokes, update["jokes"])
        return chunks, {**value, "jokes": jokes}

    async def arun(self, value: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        jokes: list[str] = []
        sends = await self.route(dict(value))
        results = await asyncio.gather(*(self._abranch(send.arg["subject"]) for send in sends))
        chunks = [{"generate_joke": {"jokes": result}} for result in results]
        for result in results:
            jokes = self.reducer(jokes, result)
        return chunks, {**value, "jokes": jokes}

    def _branch(self, subject: Any) -> list[str]:
        subject = self.edit({"subject": subject})["subject"]
        self.keep(subject)
        jokes = self.generate({"subject": subject})["jokes"]
        self.keep(jokes)
        goto = "bump"
        while goto == "bump":
            jokes = self.bump({"jokes": jokes})["jokes"]
            self.keep(jokes)
            goto = self.again({"jokes": jokes})
        return jokes

    async def _abranch(self, subject: Any) -> list[str]:
        subject = (await self.edit({"subject": subject}))["subject"]
        self.keep(subject)
        jokes = (await self.generate({"subject": subject}))["jokes"]
        self.keep(jokes)
        goto = "bump"
        while goto == "bump":
            jokes = (await self.bump({"jokes": jokes}))["jokes"]
            self.keep(jokes)
            goto = await self.again({"jokes": jokes})
        return jokes


def _packer(kept: list[bytes]) -> Callable[[Any], None]:
    """What a saver cannot do without: encode a state once, and keep that."""
    import ormsgpack

    return lambda state: kept.append(ormsgpack.packb(state))


def _drop(state: Any) -> None:
    """Without a saver nothing is left to do."""
