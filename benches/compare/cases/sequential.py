"""Upstream's chain of nodes that do nothing."""

from __future__ import annotations

from typing import Any

from benches.compare.cases.base import Case, Mode, Run


def sequential_cases() -> list[Case]:
    """The two lengths upstream measures."""
    return [Sequential(10), Sequential(1000)]


class Sequential(Case):
    """`n` nodes in a row over an empty message list."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.name = f"sequential_{n}"
        self.steps = n

    def graph(self, mode: Mode) -> Run:
        return self.stream_run(self._builder().compile(), {"messages": []}, mode)

    def floor(self, mode: Mode) -> Run:
        nodes = [(name, spec.runnable) for name, spec in self._builder().nodes.items()]
        plain = [(name, runnable.func) for name, runnable in nodes]
        asynchronous = [(name, runnable.afunc) for name, runnable in nodes]

        def run() -> list[Any]:
            messages: list[Any] = []
            return [{name: node({"messages": messages})} for name, node in plain]

        async def arun() -> list[Any]:
            messages: list[Any] = []
            return [{name: await node({"messages": messages})} for name, node in asynchronous]

        return run if mode == "sync" else arun

    def _builder(self) -> Any:
        from bench.sequential import create_sequential

        return create_sequential(self.steps)
