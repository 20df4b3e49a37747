"""Chains of counting steps as other graph libraries have them, and what those keep in memory."""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

from benches.compare.cases.base import Mode, Run
from benches.compare.sides import AGNO, BURR, PYDANTIC_GRAPH


def peers(mode: Mode, stored: bool = False) -> tuple[str, ...]:
    """The libraries that can run a chain in this mode, or can store it in memory, too."""
    if mode == "sync" or stored:
        return (AGNO, BURR)
    return (AGNO, BURR, PYDANTIC_GRAPH)


def peer_chain(side: str, n: int, mode: Mode, stored: bool) -> Run:
    """Run a chain of `n` steps on a peer; `stored`: with what it calls storing, in memory."""
    maker = {AGNO: _agno, BURR: _burr, PYDANTIC_GRAPH: _pydantic_graph}[side]
    return maker(n, mode, stored)


def _agno(n: int, mode: Mode, stored: bool) -> Run:
    """A workflow of functions. It stores a run when that ends, not each step."""
    from agno.db.in_memory import InMemoryDb
    from agno.workflow import Step, StepInput, StepOutput, Workflow

    def bump(given: StepInput) -> StepOutput:
        return StepOutput(content=int(given.previous_step_content or 0) + 1)

    async def abump(given: StepInput) -> StepOutput:
        return bump(given)

    node: Any = bump if mode == "sync" else abump
    steps = [Step(name=f"n{i}", executor=node) for i in range(n)]
    sessions = count()

    def workflow() -> Any:
        # A database for each run, or a session would grow with the runs before.
        return Workflow(name="chain", steps=[*steps], db=InMemoryDb() if stored else None)

    def run() -> dict[str, Any]:
        done = workflow().run(input="0", session_id=str(next(sessions)))
        return {"n": done.content}

    async def arun() -> dict[str, Any]:
        done = await workflow().arun(input="0", session_id=str(next(sessions)))
        return {"n": done.content}

    return run if mode == "sync" else arun


def _burr(n: int, mode: Mode, stored: bool) -> Run:
    """An application, built again for each run as it is for each thread. It keeps each state."""
    from burr.core import ApplicationBuilder, GraphBuilder, State, action
    from burr.core.persistence import AsyncInMemoryPersister, InMemoryPersister

    @action(reads=["n"], writes=["n"])
    def bump(state: State) -> State:
        return state.update(n=state["n"] + 1)

    @action(reads=["n"], writes=["n"])
    async def abump(state: State) -> State:
        return state.update(n=state["n"] + 1)

    names = [f"n{i}" for i in range(n)]
    actions: Any = {name: bump if mode == "sync" else abump for name in names}
    graph = GraphBuilder().with_actions(**actions).with_transitions(*pairwise(names)).build()
    threads = count()

    def builder(persister: Any) -> Any:
        made = ApplicationBuilder().with_graph(graph).with_entrypoint(names[0]).with_state(n=0)
        made = made.with_identifiers(app_id=str(next(threads)))
        return made.with_state_persister(persister) if stored else made

    def run() -> dict[str, Any]:
        _, _, state = builder(InMemoryPersister()).build().run(halt_after=names[-1:])
        return {"n": state["n"]}

    async def arun() -> dict[str, Any]:
        app = await builder(AsyncInMemoryPersister()).abuild()
        _, _, state = await app.arun(halt_after=names[-1:])
        return {"n": state["n"]}

    return run if mode == "sync" else arun


def _pydantic_graph(n: int, mode: Mode, stored: bool) -> Run:
    """A graph of steps that hand a number on. It stores nothing."""
    from pydantic_graph import GraphBuilder, StepContext

    builder = GraphBuilder(name="chain", input_type=int, output_type=int, auto_instrument=False)

    async def bump(given: StepContext[None, None, int]) -> int:
        return given.inputs + 1

    steps = [builder.step(bump, node_id=f"n{i}") for i in range(n)]
    places: list[Any] = [builder.start_node, *steps, builder.end_node]
    for start, end in pairwise(places):
        builder.add(builder.edge_from(start).to(end))
    graph = builder.build()

    async def arun() -> dict[str, Any]:
        return {"n": await graph.run(inputs=0)}

    return arun
