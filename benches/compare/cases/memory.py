"""What a superstep costs that is stored in memory, with the default durability."""

from __future__ import annotations

from typing import Any

from benches.compare.cases.base import Case, Mode, Run, in_either_mode
from benches.compare.cases.peers import peer_chain, peers
from benches.compare.cases.scaling import COMPARED, chain
from benches.compare.cases.single import bump


def memory_cases() -> list[Case]:
    """A chain whose every superstep is stored."""
    return [MemorySteps()]


class MemorySteps(Case):
    """The chain that other libraries run, too, on a new thread each time."""

    name = "memory_superstep"
    steps = COMPARED
    unit = "superstep"

    def graph(self, mode: Mode) -> Run:
        graph = chain(self.steps, mode).compile(self.new_saver(True))
        return self.invoke_run(graph, {"n": 0}, mode)

    def floor(self, mode: Mode) -> Run:
        """The same functions; what a superstep wrote and the state after it are packed and kept."""
        import ormsgpack

        def run() -> dict[str, Any]:
            state: Any = {"n": 0}
            kept = []
            for _ in range(self.steps):
                update = bump(dict(state))
                kept.append(ormsgpack.packb(update["n"]))
                state["n"] = update["n"]
                kept.append(ormsgpack.packb(state))
            return state

        return in_either_mode(run, mode)

    def others(self, mode: Mode) -> tuple[str, ...]:
        return peers(mode, stored=True)

    def other(self, side: str, mode: Mode) -> Run:
        return peer_chain(side, self.steps, mode, stored=True)
