"""What langgraph-sdk sees of a server of the platform's API, whichever serves it.

Each function is a chapter of the transcript. What a server tells of itself (its versions, when it
was asked) is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from langgraph_sdk import get_sync_client
from transcript import step

MODES = (
    "values",
    "updates",
    "messages",
    "messages-tuple",
    "custom",
    "debug",
    "tasks",
    "checkpoints",
)

PASSING = frozenset(
    (
        "created_at",
        "updated_at",
        "state_updated_at",
        "langgraph_version",
        "langgraph_api_version",
        "langgraph_api_url",
        "user_agent",
        "X-Request-ID",
        "x-request-id",
        "request_id",
        "run_attempt",
        "__request_start_time_ms__",
    )
)
"""What is told of a request rather than of a run."""


def told(value: Any) -> Any:
    """A value without what passes."""
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items() if key not in PASSING}
    if isinstance(value, (list, tuple)):
        return [told(each) for each in value]
    return value


class Chapters:
    """A client of one server, whose graph is `assistant.build`."""

    def __init__(self, url: str, graph: str) -> None:
        self.client = get_sync_client(url=url, timeout=60)
        self.graph = graph

    def note(self, name: str, ask: Callable[[], Any]) -> Any:
        """Note an answer, or how it failed; returns the answer."""
        try:
            answer = ask()
        except Exception as error:
            step(name, f"{type(error).__name__}: {error}")
            return None
        step(name, told(answer))
        return answer

    def run_all(self) -> None:
        """All chapters, in their order."""
        self.assistants()
        for mode in MODES:
            self.stream(mode, [mode])
        self.stream("several modes, subgraphs", ["values", "updates", "custom"], subgraphs=True)
        self.answer_a_question()
        self.fail()
        self.change_and_fork()
        self.cancel()
        self.without_a_thread()
        self.store()

    def thread(self) -> str:
        """A new thread."""
        return self.client.threads.create()["thread_id"]

    def begin(self, thread: str | None, topic: str, **options: Any) -> Any:
        """Run until the question is asked; the values then."""
        return self.client.runs.wait(thread, self.graph, input=about(topic), **options)

    def assistants(self) -> None:
        """What there is to run."""
        client = self.client.assistants
        found = self.note("assistants", lambda: client.search(graph_id=self.graph)) or [{}]
        name = found[0].get("assistant_id", self.graph)
        self.note("graph", lambda: client.get_graph(name))
        self.note("graph within", lambda: client.get_graph(name, xray=True))
        self.note("schemas", lambda: client.get_schemas(name))
        self.note("subgraphs", lambda: client.get_subgraphs(name, recurse=True))

    def stream(self, name: str, modes: list[Any], subgraphs: bool = False) -> None:
        """What a stream shows until the question, and after the answer."""
        thread = self.thread()
        options: dict[str, Any] = {"stream_mode": modes, "stream_subgraphs": subgraphs}
        for part, given in (
            ("begins", {"input": about("birds"), "context": {"tone": "merry"}}),
            ("goes on", {"command": {"resume": "yes"}}),
        ):
            self.note(
                f"stream of {name} {part}",
                lambda given=given: [
                    [event.event, event.data]
                    for event in self.client.runs.stream(thread, self.graph, **given, **options)
                ],
            )

    def answer_a_question(self) -> None:
        """An interrupt, what the thread is then, the answer, what it was before."""
        threads, thread = self.client.threads, self.thread()
        self.note("asked", lambda: self.begin(thread, "trees"))
        self.note("thread that waits", lambda: threads.get(thread))
        self.note("state that waits", lambda: threads.get_state(thread, subgraphs=True))
        self.note(
            "answered",
            lambda: self.client.runs.wait(thread, self.graph, command={"resume": "yes"}),
        )
        self.note("thread that is done", lambda: threads.get(thread))
        self.note("state that is done", lambda: threads.get_state(thread))
        self.note("history", lambda: threads.get_history(thread, limit=50))
        self.note("copied", lambda: threads.get_state(threads.copy(thread)["thread_id"]))

    def fail(self) -> None:
        """A node that fails."""
        thread = self.thread()
        self.begin(thread, "stones")
        options: dict[str, Any] = {"command": {"resume": "fail"}}
        self.note("failed", lambda: self.client.runs.wait(thread, self.graph, **options))
        self.note("thread that failed", lambda: self.client.threads.get(thread))
        self.note("state that failed", lambda: self.client.threads.get_state(thread))

    def change_and_fork(self) -> None:
        """A state that somebody changes, and a run from an older one."""
        threads, thread = self.client.threads, self.thread()
        self.begin(thread, "rivers", interrupt_before=["draft"])
        self.note("state before", lambda: threads.get_state(thread))
        self.note(
            "changed",
            lambda: threads.update_state(thread, {"notes": ["put in"]}, as_node="look_up"),
        )
        self.note("goes on changed", lambda: self.client.runs.wait(thread, self.graph))
        older = [state for state in threads.get_history(thread, limit=50) if state["next"]]
        older = [state for state in older if state["next"] == ["plan"]]
        self.note(
            "fork",
            lambda: self.client.runs.wait(
                thread, self.graph, checkpoint_id=older[0]["checkpoint"]["checkpoint_id"]
            ),
        )
        self.note("history of a fork", lambda: threads.get_history(thread, limit=50))

    def cancel(self) -> None:
        """A run that is cancelled while it goes on; its thread goes on."""
        thread = self.thread()
        self.begin(thread, "lakes")
        threads, runs = self.client.threads, self.client.runs
        threads.update_state(thread, {"pause": 30.0})
        self.begin(thread, "seas")
        run = runs.create(thread, self.graph, command={"resume": "yes"})
        time.sleep(2)
        self.note("cancelled", lambda: runs.cancel(thread, run["run_id"], wait=True))
        self.note("run that was cancelled", lambda: runs.get(thread, run["run_id"])["status"])
        self.note("state that was cancelled", lambda: threads.get_state(thread))
        self.note("asked anew", lambda: self.begin(thread, "ponds"))

    def without_a_thread(self) -> None:
        """A run that nothing is kept of."""
        self.note("without a thread", lambda: self.begin(None, "hills"))

    def goes_on(self, thread: str) -> None:
        """A thread that waits, in a server that has been started since."""
        runs, threads = self.client.runs, self.client.threads
        self.note("state of before", lambda: threads.get_state(thread))
        resume: dict[str, Any] = {"command": {"resume": "yes"}}
        self.note("goes on after", lambda: runs.wait(thread, self.graph, **resume))
        self.note("history of both", lambda: threads.get_history(thread, limit=50))

    def store(self) -> None:
        """What runs have stored, and what the client stores."""
        store = self.client.store
        self.note("stored by runs", lambda: store.search_items(("drafts",), limit=100))
        self.note("put", lambda: store.put_item(("mine",), "one", {"a": 1}))
        self.note("got", lambda: store.get_item(("mine",), "one"))
        self.note("namespaces", lambda: store.list_namespaces())
        self.note("deleted", lambda: store.delete_item(("mine",), "one"))
        self.note("got no more", lambda: store.get_item(("mine",), "one"))


def about(topic: str) -> dict[str, Any]:
    """An input."""
    message = {"role": "user", "content": f"write about {topic}", "id": f"asked-{topic}"}
    return {"messages": [message], "topic": topic}
