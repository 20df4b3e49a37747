"""The sides of a comparison by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benches.compare.cases.base import Case, Mode

OURS = "ours"
UPSTREAM = "upstream"
FLOOR = "floor"
BASE = (OURS, UPSTREAM, FLOOR)
"""What every case has."""

ACCELERATED = "accelerated"
"""Ours, with `install(accelerate=True)`."""
LANGCHAIN_CORE = "langchain-core"
"""Another floor: its calls of models and tools, in a hand-written loop."""
AGNO = "agno"
BURR = "burr"
PYDANTIC_GRAPH = "pydantic-graph"
PEERS = (AGNO, BURR, PYDANTIC_GRAPH)

SIDES = (*BASE, ACCELERATED, LANGCHAIN_CORE, *PEERS)
GRAPHS = (OURS, UPSTREAM, ACCELERATED)
"""Where `langgraph` can be imported, and a case's graph is what is measured."""


def sides_of(case: Case, mode: Mode) -> tuple[str, ...]:
    """Those that measure it in this mode, in the order of `SIDES`."""
    wanted = {*BASE, *case.others(mode)}
    return tuple(side for side in SIDES if side in wanted)
