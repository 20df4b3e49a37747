"""``program.py TURN REPORT CASES DATABASE...``: take one turn in threads of each database.

CASES is one of `cases.CHOICES`: each case has a thread of its own. A DATABASE is a path, of SQLite,
or how to connect to Postgres. Runs unchanged on either side. What a turn returned, and what the
thread looks like before and after it, goes into the JSON file REPORT. `look` instead of a number
only looks.
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import cases
import delta_graphs
import graphs
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.errors import EmptyInputError, GraphRecursionError
from langgraph.types import Command, Overwrite, StateSnapshot, StateUpdate
from savers import open_async, open_sync


@dataclass
class Answer:
    """A class of the program itself: stored as one of `__main__`."""

    text: str


class Thread:
    """One thread and its graph; its methods write down what they see in `said`."""

    def __init__(self, case: cases.Case, saver: Any) -> None:
        self.case = case
        self.kit = graphs.Kit(saver, case.mode == "async")
        name = GRAPHS.get(case.scenario, case.scenario)
        self.graph = getattr(delta_graphs if name.startswith("delta_") else graphs, name)(self.kit)
        self.config = {
            "configurable": {"thread_id": str(case), "user": "ada"},
            "metadata": {"release": 3, "beta": True},
        }
        self.said: list[str] = []

    async def invoke(
        self,
        value: Any,
        at: Any = None,
        healthy: bool = False,
        limit: int = 25,
        run_id: str | None = None,
        **options: Any,
    ) -> None:
        config = self._config(at, healthy) | {"recursion_limit": limit}
        if run_id is not None:
            config["metadata"] = {**config["metadata"], "run_id": run_id}
        options["durability"] = self.case.durability
        try:
            if self.kit.asynchronous:
                result = await self.graph.ainvoke(value, config, **options)
            else:
                result = self.graph.invoke(value, config, **options)
            if "__interrupt__" in (result if isinstance(result, dict) else {}):
                # Nodes that run side by side ask in any order.
                result["__interrupt__"].sort(key=repr)
            self.said.append(repr(result))
        except (graphs.Trouble, EmptyInputError, GraphRecursionError) as error:
            self.said.append(f"raised {error!r}")
        # Which of several nodes in a superstep begins first is nobody's promise.
        self.said.append(f"ran {sorted(self.kit.ran)}")
        self.kit.ran.clear()

    async def state(self, at: Any = None, **options: Any) -> StateSnapshot:
        if self.kit.asynchronous:
            return await self.graph.aget_state(at or self.config, **options)
        return self.graph.get_state(at or self.config, **options)

    async def history(self, at: Any = None) -> list[StateSnapshot]:
        if self.kit.asynchronous:
            return [state async for state in self.graph.aget_state_history(at or self.config)]
        return list(self.graph.get_state_history(at or self.config))

    async def update(self, values: Any, as_node: str | None = None, at: Any = None) -> Any:
        if self.kit.asynchronous:
            made = await self.graph.aupdate_state(at or self.config, values, as_node)
        else:
            made = self.graph.update_state(at or self.config, values, as_node)
        self.said.append(repr(made))
        return made

    async def bulk_update(self, supersteps: list[list[StateUpdate]]) -> Any:
        if self.kit.asynchronous:
            made = await self.graph.abulk_update_state(self.config, supersteps)
        else:
            made = self.graph.bulk_update_state(self.config, supersteps)
        self.said.append(repr(made))
        return made

    async def view(self) -> list[str]:
        """Everything about this thread that LangGraph's API shows."""
        seen = [await self.state(subgraphs=True), *await self.history()]
        for task in [task for snapshot in seen[1:] for task in snapshot.tasks]:
            if task.state is not None:
                seen.extend(await self.history(task.state))
        return list(map(repr, seen))

    def _config(self, at: Any, healthy: bool) -> Any:
        config = {**self.config}
        chosen = at["configurable"] if at else {}
        health = {"healthy": True} if healthy else {}
        config["configurable"] = {**config["configurable"], **chosen, **health}
        return config


Turn = Callable[[Thread], Awaitable[Any]]


def put(value: Any, **options: Any) -> Turn:
    """A turn that is one `invoke`."""
    return lambda thread: thread.invoke(value, **options)


def resume(value: Any) -> Turn:
    return put(Command(resume=value))


def go_on(**options: Any) -> Turn:
    return put(None, **options)


async def take_back(thread: Thread) -> None:
    """Remove a message, change another, and send one as plain data."""
    messages = (await thread.state()).values["messages"]
    changed = AIMessage("changed", id=messages[1].id)
    more = {"role": "user", "content": "and now?"}
    await thread.invoke({"messages": [RemoveMessage(id=messages[0].id), changed, more]})


async def answer_two(thread: Thread) -> None:
    """Answer the first two open questions by id, the later one first."""
    open_questions = (await thread.state()).interrupts
    answers = {question.id: Answer(f"{question.value}") for question in open_questions[:2]}
    await thread.invoke(Command(resume=dict(reversed(answers.items()))))


async def answer_all(thread: Thread) -> None:
    """Answer whatever is open by id."""
    open_questions = (await thread.state()).interrupts
    await thread.invoke(Command(resume={q.id: f"to {q.value}" for q in open_questions}))


async def update_inside(thread: Thread) -> None:
    """Change the state of the subgraph that waits, then answer it."""
    (task,) = (await thread.state(subgraphs=True)).tasks
    await thread.update({"topic": "changed inside"}, at=task.state.config)
    await thread.invoke(Command(resume="yes"))


async def replay_outer(thread: Thread) -> None:
    """Run again from the oldest checkpoint that waits for the subgraph, if it is stored."""
    waiting = [s for s in await thread.history() if s.next == ("inner",)]
    if waiting:
        await thread.invoke(None, at=waiting[-1].config)
    else:
        await thread.invoke({"log": ["once more"]})


async def fork(thread: Thread) -> None:
    """Change an older checkpoint and run on from there."""
    history = await thread.history()
    older = next((s for s in history if s.next == ("two",)), history[-1])
    made = await thread.update({"topic": "fork"}, "one", at=older.config)
    await thread.invoke(None, at=made)


async def replay(thread: Thread) -> None:
    """Run again from an older checkpoint, unchanged; then from the first, with a new input."""
    history = await thread.history()
    older = next((s for s in history if s.next == ("three",)), history[-1])
    await thread.invoke(None, at=older.config)
    await thread.invoke({"log": ["instead"]}, at=history[-1].config)


async def ask_again(thread: Thread) -> None:
    """Go back to where the first question was asked."""
    await thread.invoke(None, at=(await first_asking(thread)).config)


async def answer_in_the_past(thread: Thread) -> None:
    """Answer the first question where it was asked first, though the thread moved on."""
    await thread.invoke(Command(resume="otherwise"), at=(await first_asking(thread)).config)


async def first_asking(thread: Thread) -> StateSnapshot:
    return [state for state in await thread.history() if state.next == ("ask",)][-1]


async def copy(thread: Thread) -> None:
    """Copy the oldest checkpoint, and run what the copy waits for."""
    made = await thread.update(None, "__copy__", at=(await thread.history())[-1].config)
    await thread.invoke(None, at=made)


async def begin_with_updates(thread: Thread) -> None:
    """A thread that begins with updates: input, then two nodes' writes, then it runs on."""
    await thread.bulk_update(
        [
            [StateUpdate({"log": ["given"]}, "__input__")],
            [StateUpdate({"log": ["one, they say"], "topic": "said"}, "one")],
        ]
    )
    await thread.invoke(None)


async def update_last(thread: Thread) -> None:
    """Change the newest checkpoint as the node that wrote it."""
    await thread.update({"log": ["corrected"]})
    await thread.update({"topic": "corrected"}, "two")


async def finish_by_update(thread: Thread) -> None:
    await thread.update(None, "__end__")
    await thread.invoke({"log": ["anew"]}, interrupt_after=["one"])


NEW = {"log": ["new"]}

SCENARIOS: dict[str, list[Turn]] = {
    "conversation": [
        put({"messages": "hello"}),
        put({"messages": [HumanMessage("who?", id="who", additional_kwargs={"k": [1, None]})]}),
        take_back,
        put({"messages": ("user", "bye"), "notes": [graphs.Note("from outside")]}),
    ],
    "question": [put(NEW), resume("one"), resume({"two": [2]}), resume(Answer("three"))],
    "question_unanswered": [put(NEW), resume("one"), go_on(), resume(2)],
    "question_in_the_past": [put(NEW), resume("one"), ask_again, answer_in_the_past],
    "questions": [put(NEW), answer_two, resume("the last"), put(NEW)],
    "command": [
        put(NEW),
        put(Command(resume="there", update={"topic": "given with the answer"})),
        put(Command(goto="aside", update={"log": ["went aside"]})),
        put(Command(update={"log": ["only an update"]}, goto=graphs.Send("aside", {}))),
    ],
    "packets": [
        put(NEW, interrupt_before=["work"]),
        go_on(interrupt_after=["work"]),
        go_on(),
        put(NEW, interrupt_after=["plan"]),
    ],
    "packets_that_ask": [put(NEW, interrupt_after="*"), go_on(), answer_two, put(NEW)],
    "failing": [put(NEW), go_on(), go_on(healthy=True), put(NEW)],
    "failing_packets": [put(NEW), go_on(), go_on(healthy=True), put(NEW)],
    "failing_beside_question": [put(NEW), resume("well"), go_on(healthy=True), put(NEW)],
    "handled": [put(NEW), resume("fine"), put(NEW), resume("again")],
    "same_run": [
        put(NEW, interrupt_after=["one"], run_id="7"),
        put(NEW, interrupt_before=["three"], run_id="7"),
        put(NEW, run_id="7"),
        put(NEW, interrupt_after=["two"]),
    ],
    "barrier": [
        put(NEW, interrupt_after=["long_1"]),
        go_on(interrupt_before=["join"]),
        go_on(interrupt_before=["last"]),
        go_on(),
    ],
    "subgraph": [put(NEW), resume("one"), resume("two"), put(NEW)],
    "subgraph_update": [put(NEW), update_inside, resume("two"), replay_outer],
    "subgraph_packets": [put(NEW), answer_all, answer_all, put(NEW)],
    "subgraph_with_memory": [put(NEW), answer_all, answer_all, put(NEW)],
    "subgraph_called": [put(NEW), answer_all, answer_all, put(NEW)],
    "subgraph_failing": [put(NEW), go_on(), go_on(healthy=True), put(NEW)],
    "subgraph_to_parent": [put(NEW), resume("up"), put(NEW), resume("again")],
    "channels": [
        put({"items": ["new"]}, interrupt_after=["one"]),
        go_on(interrupt_before=["three"]),
        go_on(),
        put({"items": ["more"]}),
    ],
    "loop": [put(NEW, limit=3), go_on(limit=2), go_on(), put(NEW, limit=1)],
    "travel": [put(NEW), fork, replay, copy],
    "updates": [begin_with_updates, update_last, go_on(), finish_by_update],
    "functional": [put([1, 2, 3]), resume("approved"), put([4]), resume(Answer("fine"))],
    "functional_failing": [put("a"), go_on(), go_on(healthy=True), put("b", healthy=True)],
    "delta_conversation": [
        put({"messages": "hello"}),
        put({"messages": [HumanMessage("who?", id="who", additional_kwargs={"k": [1, None]})]}),
        take_back,
        put({"messages": ("user", "bye"), "notes": [graphs.Note("from outside")]}),
    ],
    "delta_question": [put(NEW), resume("one"), resume({"two": [2]}), put(NEW)],
    "delta_subgraph": [put(NEW), update_inside, resume("two"), replay_outer],
    "delta_subgraph_with_memory": [put(NEW), answer_all, answer_all, put(NEW)],
    "delta_packets": [put(NEW), answer_two, put(NEW), answer_all],
    "delta_failing": [put(NEW), go_on(), go_on(healthy=True), put(NEW)],
    "delta_travel": [put(NEW), fork, replay, put({"log": Overwrite(["reset"])})],
    "delta_copied": [put(NEW), put(NEW), copy, put(NEW)],
    "delta_updates": [begin_with_updates, update_last, go_on(), finish_by_update],
}

GRAPHS = {
    "question_unanswered": "question",
    "question_in_the_past": "question",
    "same_run": "travel",
    "subgraph_update": "subgraph",
    "updates": "travel",
    "delta_copied": "delta_travel",
    "delta_updates": "delta_travel",
}
"""Scenarios that use the graph of another one."""


async def take(turn: str, case: cases.Case, saver: Any) -> dict[str, Any]:
    """Take a turn of `case`, and tell what it did and what could be seen."""
    try:
        thread = Thread(case, saver)
        before = await thread.view()
        if turn == "look":
            return {"before": before}
        await SCENARIOS[case.scenario][int(turn)](thread)
        return {"before": before, "said": thread.said, "after": await thread.view()}
    except Exception:
        return {"crash": traceback.format_exc()}


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits; sync graphs are to be called where no event loop is."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("a sync thread waited for something")


def take_sync(turn: str, chosen: list[cases.Case], database: str) -> dict[str, Any]:
    with open_sync(database) as saver:
        return {str(case): finish(take(turn, case, saver)) for case in chosen}


async def take_async(turn: str, chosen: list[cases.Case], database: str) -> dict[str, Any]:
    async with open_async(database) as saver:
        return {str(case): await take(turn, case, saver) for case in chosen}


def main() -> None:
    turn, report, choice, *databases = sys.argv[1:]
    chosen = cases.CHOICES[choice]
    plain, coroutines = (
        [case for case in chosen if case.mode == mode] for mode in ("sync", "async")
    )
    reports = {}
    for database in databases:
        reports[database] = take_sync(turn, plain, database)
        reports[database] |= asyncio.run(take_async(turn, coroutines, database))
    with open(report, "w") as file:
        json.dump(reports, file)


if __name__ == "__main__":
    main()
