"""``program.py TURN REPORT CASES DATABASE...``: take one turn in threads of each database.

CASES are names such as `question-sync`, with commas between: each has a thread of its own. A
DATABASE is a path, of SQLite, or how to connect to Postgres. Runs unchanged on upstream and on this
package; the Rust program is called the same way and writes the same report. What a turn returned,
and what the thread looks like before and after it, goes into the JSON file REPORT. `look` instead
of a number only looks.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))

import cases
import graphs
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import EmptyInputError, GraphRecursionError
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.types import Command, Interrupt, Overwrite, Send, StateSnapshot, StateUpdate
from savers import open_sync

FAILURES = {
    graphs.Trouble: "trouble",
    EmptyInputError: "no input",
    GraphRecursionError: "too many steps",
}
"""What the scenarios may end with, by the name that both sides have for it."""


CALLED = ("subgraph_called",)
"""Where a function calls a graph: Rust does not look into functions for what they call."""


class Thread:
    """One thread and its graph; its methods write down what they see in `said`."""

    def __init__(self, case: cases.Case, saver: BaseCheckpointSaver[str]) -> None:
        self.case = case
        self.kit = graphs.Kit(saver)
        self.graph = getattr(graphs, GRAPHS.get(case.scenario, case.scenario))(self.kit)
        self.config: Any = {
            "configurable": {"thread_id": str(case)},
            "metadata": {"release": 3, "beta": True},
        }
        self.said: list[Any] = []

    def invoke(
        self, value: Any, at: Any = None, healthy: bool = False, limit: int = 25, **options: Any
    ) -> None:
        config = self.config | {"recursion_limit": limit}
        config["configurable"] = config["configurable"] | (at["configurable"] if at else {})
        self.kit.healthy = healthy
        try:
            result = self.graph.invoke(value, config, durability=self.case.durability, **options)
            interrupts = result.pop("__interrupt__", [])
            self.said.append({"state": plain(result), "interrupts": _questions(interrupts)})
        except tuple(FAILURES) as error:
            self.said.append({"raised": FAILURES[type(error)]})
        # Which of several nodes in a superstep begins first is nobody's promise.
        self.said.append({"ran": sorted(self.kit.ran)})
        self.kit.ran.clear()

    def state(self) -> StateSnapshot:
        return self.graph.get_state(self.config, subgraphs=self.case.scenario not in CALLED)

    def update(self, values: Any, as_node: str | None = None, at: Any = None) -> Any:
        made = self.graph.update_state(at or self.config, values, as_node)
        self.said.append({"made": _id(made)})
        return made

    def history(self) -> list[StateSnapshot]:
        return list(self.graph.get_state_history(self.config))

    def view(self) -> list[Any]:
        """What is to be seen of this thread."""
        newest = self.state()
        # Of a thread that has not begun, Rust says that there is none.
        seen = [newest] if newest.config["configurable"].get("checkpoint_id") else []
        return [_shown(snapshot) for snapshot in [*seen, *self.history()]]


def _shown(snapshot: StateSnapshot) -> Any:
    return {
        "id": _id(snapshot.config),
        "parent": _id(snapshot.parent_config),
        "metadata": snapshot.metadata,
        "values": plain(snapshot.values),
        "next": list(snapshot.next),
        "tasks": [
            {
                "id": task.id,
                "name": task.name,
                "error": None if task.error is None else str(task.error),
                "interrupts": _questions(task.interrupts),
                "result": plain(task.result),
                "state": _shown(task.state) if isinstance(task.state, StateSnapshot) else None,
            }
            for task in snapshot.tasks
        ],
    }


def _id(config: Any) -> str | None:
    return config["configurable"].get("checkpoint_id") if config else None


def _questions(interrupts: Any) -> list[Any]:
    """Nodes that run side by side ask in any order."""
    shown = [{"id": asked.id, "value": plain(asked.value)} for asked in interrupts]
    return sorted(shown, key=lambda asked: json.dumps(asked["value"]))


def plain(value: Any) -> Any:
    """The value as JSON, as both sides write it."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, BaseMessage):
        return value.model_dump()
    if isinstance(value, Overwrite):
        return plain(value.value)
    return value


Turn = Callable[[Thread], None]


def put(value: Any, **options: Any) -> Turn:
    """A turn that is one `invoke`."""
    return lambda thread: thread.invoke(value, **options)


def resume(value: Any) -> Turn:
    return put(Command(resume=value))


def go_on(**options: Any) -> Turn:
    return put(None, **options)


def take_back(more: Any) -> Turn:
    """Remove a message, change another, and send one more."""

    def take(thread: Thread) -> None:
        messages = thread.state().values["messages"]
        changed = AIMessage("changed", id=messages[1].id)
        thread.invoke({"messages": [RemoveMessage(id=messages[0].id), changed, more]})

    return take


def start_over(thread: Thread) -> None:
    """Remove all messages, and send another."""
    everything = RemoveMessage(id=REMOVE_ALL_MESSAGES)
    thread.invoke({"messages": [everything, HumanMessage("bye", id="bye", name="ada")]})


def answer_two(thread: Thread) -> None:
    """Answer the first two open questions by id, the later one first."""
    answers = {asked.id: f"answer {n}" for n, asked in enumerate(_open(thread)[:2])}
    thread.invoke(Command(resume=dict(reversed(answers.items()))))


def answer_all(thread: Thread) -> None:
    """Answer whatever is open by id."""
    thread.invoke(Command(resume={asked.id: "yes" for asked in _open(thread)}))


def _open(thread: Thread) -> list[Interrupt]:
    tasks = thread.state().tasks
    return [asked for task in tasks for asked in task.interrupts]


def replay(thread: Thread) -> None:
    """Run again from an older checkpoint, unchanged."""
    thread.invoke(None, at=_where(thread, "three").config)


def replay_input(thread: Thread) -> None:
    """From the first checkpoint, with a new input."""
    thread.invoke({"log": ["instead"]}, at=thread.history()[-1].config)


def ask_again(thread: Thread) -> None:
    """Go back to where the first question was asked."""
    thread.invoke(None, at=_where(thread, "ask").config)


def answer_in_the_past(thread: Thread) -> None:
    """Answer the first question where it was asked first, though the thread moved on."""
    thread.invoke(Command(resume="otherwise"), at=_where(thread, "ask").config)


def fork(thread: Thread) -> None:
    """Change an older checkpoint and run on from there."""
    made = thread.update({"topic": "fork"}, "one", at=_where(thread, "two").config)
    thread.invoke(None, at=made)


def copy(thread: Thread) -> None:
    """Copy the oldest checkpoint, and run what the copy waits for."""
    made = thread.update(None, "__copy__", at=thread.history()[-1].config)
    thread.invoke(None, at=made)


def begin_with_updates(thread: Thread) -> None:
    """A thread that begins with updates: input, then two nodes' writes, then it runs on."""
    given = [StateUpdate({"log": ["given"]}, "__input__")]
    said = [StateUpdate({"log": ["one, they say"], "topic": "said"}, "one")]
    thread.said.append({"made": _id(thread.graph.bulk_update_state(thread.config, [given, said]))})
    thread.invoke(None)


def update_last(thread: Thread) -> None:
    """Change the newest checkpoint as the node that wrote it."""
    thread.update({"log": ["corrected"]})
    thread.update({"topic": "corrected"}, "two")


def finish_by_update(thread: Thread) -> None:
    """Have nothing left to do, then begin anew."""
    thread.update(None, "__end__")
    thread.invoke({"log": ["anew"]}, interrupt_after=["one"])


def update_inside(thread: Thread) -> None:
    """Change the state of the subgraph that waits, then answer it."""
    (task,) = thread.state().tasks
    thread.update({"topic": "changed inside"}, at=task.state.config)
    thread.invoke(Command(resume="yes"))


def replay_outer(thread: Thread) -> None:
    """Run again from the oldest checkpoint that waits for the subgraph."""
    thread.invoke(None, at=_where(thread, "inner").config)


def _where(thread: Thread, node: str) -> StateSnapshot:
    """The oldest checkpoint that is followed by `node`, or else the oldest."""
    history = thread.history()
    return next((s for s in reversed(history) if s.next == (node,)), history[-1])


NEW = {"log": ["new"]}

WHO = HumanMessage("who?", id="who", additional_kwargs={"k": [1, None]})

SCENARIOS: dict[str, list[Turn]] = {
    "conversation": [
        put({"messages": [HumanMessage("hello", id="hello")]}),
        put({"messages": [WHO]}),
        take_back(HumanMessage("and now?", id="now")),
        start_over,
    ],
    "question": [put(NEW), resume("one"), resume({"two": [2]}), resume("three")],
    "question_in_the_past": [put(NEW), resume("one"), ask_again, answer_in_the_past],
    "question_unanswered": [put(NEW), resume("one"), go_on(), resume(2)],
    "questions": [put(NEW), answer_two, resume("the last"), put(NEW)],
    "command": [
        put(NEW),
        put(Command(resume="there", update={"topic": "given with the answer"})),
        put(Command(goto="aside", update={"log": ["went aside"]})),
        put(Command(update={"log": ["only an update"]}, goto=Send("aside", {}))),
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
    "travel": [put(NEW), replay, replay_input, put(NEW)],
    "fork": [put(NEW), fork, copy, put(NEW)],
    "updates": [begin_with_updates, update_last, go_on(), finish_by_update],
    "delta_conversation": [
        put({"messages": [HumanMessage("hello", id="hello")]}),
        put({"messages": [WHO]}),
        # Where a field has no type, a message is stored as it was given.
        take_back({"role": "user", "content": "and now?"}),
        start_over,
    ],
    "delta_question": [put(NEW), resume("one"), resume({"two": [2]}), put(NEW)],
    "delta_subgraph": [put(NEW), resume("one"), resume("two"), put(NEW)],
    "delta_subgraph_with_memory": [put(NEW), answer_all, answer_all, put(NEW)],
    "delta_packets": [put(NEW), answer_two, put(NEW), answer_all],
    "delta_failing": [put(NEW), go_on(), go_on(healthy=True), put(NEW)],
    "delta_travel": [put(NEW), replay, replay_input, put({"log": Overwrite(["reset"])})],
    "delta_fork": [put(NEW), fork, copy, put(NEW)],
    "delta_updates": [begin_with_updates, update_last, go_on(), finish_by_update],
    "delta_long": [put(NEW), put(NEW), replay_input, put(NEW)],
}

GRAPHS = {
    "question_in_the_past": "question",
    "question_unanswered": "question",
    "subgraph_update": "subgraph",
    "fork": "travel",
    "updates": "travel",
    "delta_fork": "delta_travel",
    "delta_updates": "delta_travel",
}
"""Scenarios that use the graph of another one."""


def take(turn: str, case: cases.Case, saver: BaseCheckpointSaver[str]) -> dict[str, Any]:
    """Take a turn of `case`, and tell what it did and what could be seen."""
    try:
        thread = Thread(case, saver)
        before = thread.view()
        if turn == "look":
            return {"before": before}
        SCENARIOS[case.scenario][int(turn)](thread)
        return {"before": before, "said": thread.said, "after": thread.view()}
    except Exception:
        return {"crash": traceback.format_exc()}


def main() -> None:
    turn, report, names, *databases = sys.argv[1:]
    chosen = [cases.Case(*name.rsplit("-", 1)) for name in names.split(",")]
    reports = {}
    for database in databases:
        with open_sync(database) as saver:
            reports[database] = {str(case): take(turn, case, saver) for case in chosen}
    with open(report, "w") as file:
        json.dump(reports, file)


if __name__ == "__main__":
    main()
